// Whose segment this is: connections by their 4-tuple, listeners by port and address (RFC 9293 §3.10.7).
// Called by tcp/input for every segment, and by whoever opens and closes. Addresses given to `find` are borrowed.
import type { Address } from '../ip/address.ts'
import type { TupleHash } from './tuple-hash.ts'

/** What a connection must show to be found. It never changes while it is in the table. */
export interface Connected {
  readonly localAddress: Address
  readonly localPort: number
  readonly remoteAddress: Address
  readonly remotePort: number
}

export class Demux<Member extends Connected> {
  constructor(hash: TupleHash) {}

  get count(): number {
    throw new Error('not yet')
  }

  find(local: Address, localPort: number, remote: Address, remotePort: number): Member | null {
    throw new Error('not yet')
  }

  /** Its 4-tuple must not be in the table. */
  add(member: Member): void {
    throw new Error('not yet')
  }

  remove(member: Member): void {
    throw new Error('not yet')
  }

  /** In no particular order; none may be added or removed meanwhile. */
  forEach(take: (member: Member) => void): void {
    throw new Error('not yet')
  }
}

export const ANY_PORT = 0
export const ANY_INTERFACE = -1

/** What a listener must show to be found. It never changes while it is in the table. */
export interface Listening {
  /** Unspecified for any: `::` takes IPv4 too, unless it is for IPv6 only; `0.0.0.0` takes IPv4 alone. */
  readonly localAddress: Address
  /** ANY_PORT for all of them: only with an interface. */
  readonly localPort: number
  /** The index of the interface it is bound to, or ANY_INTERFACE. */
  readonly interface: number
  readonly ipv6Only: boolean
  /** Shares its place with others that say so too: connections are spread over them by their hash. */
  readonly reusePort: boolean
}

export class Listeners<Member extends Listening> {
  constructor(hash: TupleHash) {}

  get count(): number {
    throw new Error('not yet')
  }

  /**
   * The listener for a SYN: an exact address goes before any address of the family, that before any address at all;
   * then a port before any port, then an interface before any interface. Null where nobody listens.
   */
  find(local: Address, localPort: number, remote: Address, remotePort: number, interfaceIndex: number): Member | null {
    throw new Error('not yet')
  }

  /** Whether a new one would take what another has (EADDRINUSE). */
  clashes(candidate: Listening): boolean {
    throw new Error('not yet')
  }

  add(member: Member): void {
    throw new Error('not yet')
  }

  remove(member: Member): void {
    throw new Error('not yet')
  }

  forEach(take: (member: Member) => void): void {
    throw new Error('not yet')
  }
}
