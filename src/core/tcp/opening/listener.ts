// A listener: where it listens, whom it has accepted, and who waits for a verdict. An endpoint owns it and is woken when either grows.
// What arrives for it is opening/listen's affair.
import type { Address } from '../../ip/address.ts'
import type { Owner, Wakeable } from '../../ready.ts'
import { Ring } from '../../ring.ts'
import { ANY_INTERFACE, type Listening } from '../demux.ts'

export interface ListenOptions {
  /** Unspecified for any. */
  localAddress: Address
  /** 0 for any port, with an interface that takes every destination. */
  localPort: number
  /** An index, or ANY_INTERFACE. */
  interface?: number
  ipv6Only?: boolean
  reusePort?: boolean
  /** As Linux's: one more than this many connections may wait to be accepted, and as many requests be half open. */
  backlog?: number
  /** Asks before any SYN-ACK: `pending` must be answered with `Tcp.decide`. */
  asks?: boolean
}

const DEFAULT_BACKLOG = 511

/** A SYN that waits for a verdict: what the application may look at. */
export interface Request {
  readonly row: number
  readonly iss: number
  readonly localAddress: Address
  readonly localPort: number
  readonly remoteAddress: Address
  readonly remotePort: number
}

export const Verdict = { accept: 0, refuse: 1, drop: 2 } as const

export class Listener<Accepted extends object = object> implements Listening, Wakeable {
  owner: Owner | null = null
  isReady = false
  readonly number: number
  readonly localAddress: Address
  readonly localPort: number
  readonly interface: number
  readonly ipv6Only: boolean
  readonly reusePort: boolean
  /** May change: what waits is still to be answered. */
  asks: boolean
  backlog: number
  /** Of its connections: `mssLimit` of the control block. */
  mssLimit = 0
  isClosed = false
  /** Connections that nobody has taken yet, and half-open requests. */
  readonly accepted = new Ring<Accepted>()
  readonly pending = new Ring<Request>()
  halfOpen = 0

  constructor(number: number, options: ListenOptions) {
    this.number = number
    this.localAddress = options.localAddress
    this.localPort = options.localPort
    this.interface = options.interface ?? ANY_INTERFACE
    this.ipv6Only = options.ipv6Only ?? false
    this.reusePort = options.reusePort ?? false
    this.asks = options.asks ?? false
    this.backlog = options.backlog ?? DEFAULT_BACKLOG
  }

  /** Linux's sk_acceptq_is_full. */
  get isFull(): boolean {
    return this.accepted.count > this.backlog
  }
}
