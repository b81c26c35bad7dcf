// A listener for programs that want no streams and no events: connections are handed over by a callback or asked for, and a SYN may
// wait for a verdict. Callbacks run between packets, from the driver's turn.
import { type Address, unspecified } from '../core/ip/address.ts'
import type { Interface } from '../core/ip/interface.ts'
import type { Owner } from '../core/ready.ts'
import type { Connection } from '../core/tcp/connection.ts'
import { type Listener, type Request, Verdict } from '../core/tcp/opening/listener.ts'
import type { Tcp } from '../core/tcp/tcp.ts'
import type { Driver } from './driver.ts'
import { Endpoint, TcpError, toAddress } from './endpoint.ts'

export interface ListenEndpointOptions {
  port: number
  /** Everybody's address when not given. */
  address?: string | Address
  /** Every destination that comes by this interface, which must take them. */
  interface?: Interface
  ipv6Only?: boolean
  reusePort?: boolean
  backlog?: number
  /** What it is called in lists of sockets. */
  name?: string
  /** Asked before any SYN-ACK goes out. */
  onRequest?: (request: ConnectionRequest) => void
}

/** A SYN that waits for a verdict: now, or later. */
export class ConnectionRequest {
  readonly #request: Request
  readonly #answer: (request: Request, verdict: number) => boolean

  constructor(request: Request, answer: (request: Request, verdict: number) => boolean) {
    this.#request = request
    this.#answer = answer
  }

  get localAddress(): Address {
    return this.#request.localAddress
  }

  get localPort(): number {
    return this.#request.localPort
  }

  get remoteAddress(): Address {
    return this.#request.remoteAddress
  }

  get remotePort(): number {
    return this.#request.remotePort
  }

  /** False where the peer has not waited so long. */
  accept(): boolean {
    return this.#answer(this.#request, Verdict.accept)
  }

  refuse(): boolean {
    return this.#answer(this.#request, Verdict.refuse)
  }

  drop(): boolean {
    return this.#answer(this.#request, Verdict.drop)
  }
}

export class ListenEndpoint implements Owner {
  onConnection: ((endpoint: Endpoint) => void) | null = null
  onRequest: ((request: ConnectionRequest) => void) | null = null
  name: string | null = null
  readonly listener: Listener<Connection>
  readonly #tcp: Tcp
  readonly #driver: Driver

  constructor(listener: Listener<Connection>, tcp: Tcp, driver: Driver) {
    this.listener = listener
    this.#tcp = tcp
    this.#driver = driver
    listener.owner = this
  }

  get localAddress(): Address {
    return this.listener.localAddress
  }

  get localPort(): number {
    return this.listener.localPort
  }

  wake(): void {
    const { pending, accepted } = this.listener
    while (this.onRequest !== null && pending.count > 0) {
      const request = pending.shift()
      if (request !== null) this.onRequest(new ConnectionRequest(request, (one, verdict) => this.#decide(one, verdict)))
    }
    try {
      while (this.onConnection !== null && accepted.count > 0) {
        const endpoint = this.accept()
        if (endpoint !== null) this.onConnection(endpoint)
      }
    } finally {
      // The callback threw: it keeps no other connection from being taken.
      if (this.onConnection !== null && accepted.count > 0) this.#tcp.shared.ready.push(this.listener)
    }
  }

  /** The next connection; null where none waits. */
  accept(): Endpoint | null {
    const connection = this.listener.accepted.shift()
    if (connection === null) return null
    const endpoint = new Endpoint(connection, this.#driver)
    // What has happened before it had an owner is told as if it happened now.
    if (connection.wakes !== 0) this.#tcp.shared.ready.push(connection)
    return endpoint
  }

  /** As `Endpoint.setMaximumSegment`, for the connections that come from now on. */
  setMaximumSegment(octets: number): void {
    this.listener.mssLimit = octets
  }

  close(): void {
    this.#tcp.close(this.listener, this.#driver.time.now())
    this.#driver.request()
  }

  #decide(request: Request, verdict: number): boolean {
    const wasWaiting = this.#tcp.decide(request, verdict, this.#driver.time.now())
    this.#driver.request()
    return wasWaiting
  }
}

export function listen(tcp: Tcp, driver: Driver, options: ListenEndpointOptions): ListenEndpoint {
  const { port } = options
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new RangeError(`a port is a whole number from 0 to 65535, not ${port}`)
  }
  const listener = tcp.listen({
    localAddress: options.address === undefined ? unspecified(false) : toAddress(options.address),
    localPort: port,
    interface: options.interface?.index,
    ipv6Only: options.ipv6Only,
    reusePort: options.reusePort,
    backlog: options.backlog,
    asks: options.onRequest !== undefined,
  })
  if (listener === null) throw new TcpError(tcp.result)
  const endpoint = new ListenEndpoint(listener, tcp, driver)
  endpoint.name = options.name ?? null
  endpoint.onRequest = options.onRequest ?? null
  return endpoint
}
