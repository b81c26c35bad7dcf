// The HTTP server: who is let in, what they share, how long they may take, and how all of it ends. `createHttpServer` is where
// users begin; what happens on a connection is connection.ts.
import type { PortableStack } from '../runtime/create-stack.ts'
import type { Endpoint } from '../runtime/endpoint.ts'
import type { ListenEndpoint, ListenEndpointOptions } from '../runtime/listen-endpoint.ts'
import type { LogEntry } from './access-log.ts'
import { HttpConnection, Phase } from './connection.ts'
import { DEFAULT_LIMITS, type HttpLimits } from './limits.ts'
import { Peers } from './peers.ts'
import type { HttpRequest } from './request.ts'
import { RequestHead } from './request-head.ts'
import { RequestRate } from './request-rate.ts'
import type { Answer } from './response.ts'
import { ResponseWriter } from './response-writer.ts'

export type Handler = (request: HttpRequest) => Answer | Promise<Answer>

export interface HttpServerOptions {
  limits?: Partial<HttpLimits>
  /** Asked before any SYN-ACK; who is not let in gets a reset. */
  admits?: (address: Endpoint['remoteAddress']) => boolean
  log?: (entry: LogEntry) => void
  /** A body must say its length beforehand: one that comes in chunks is answered with 411. */
  needsLength?: boolean
  /** HTTP/1.0 is answered with 426. */
  needsHttp11?: boolean
  /** A handler threw what is no answer, or its answer could not be sent. */
  onError?: (error: unknown) => void
}

export type HttpListenOptions = Pick<ListenEndpointOptions, 'address' | 'interface' | 'ipv6Only' | 'backlog'> & {
  /** 80 when not given. */
  port?: number
}

export interface ConnectionView {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly state: keyof typeof Phase
  /** On the stack's clock. */
  readonly since: number
  readonly requests: number
  readonly target: string | null
  readonly octetsReceived: number
  readonly octetsSent: number
}

export interface HttpCounts {
  accepted: number
  /** Told 503 because there were too many connections, and reset without a word. */
  turnedAway: number
  refused: number
  /** Not let in. */
  denied: number
}

/** How often connections are looked at for having waited too long. */
const SWEEP = 500
/** Heads of requests are kept side by side in stretches of so many octets. */
const KEPT = 16_384
/** Up to so many octets a loop is quicker than a `subarray`, which is garbage. */
const BY_LOOP = 128
const GRACE = 10_000

export function createHttpServer(handler: Handler, options: HttpServerOptions = {}): HttpServer {
  return new HttpServer(handler, options)
}

export class HttpServer {
  readonly handler: Handler
  readonly limits: HttpLimits
  readonly log: ((entry: LogEntry) => void) | null
  readonly counts: HttpCounts = { accepted: 0, turnedAway: 0, refused: 0, denied: 0 }
  /** @internal */
  readonly writer = new ResponseWriter()
  /** @internal */
  readonly head = new RequestHead()
  /** @internal */
  kept = new Uint8Array(KEPT)
  /** @internal */
  moment = 0
  /** @internal */
  wall = 0
  isClosing = false
  readonly #admits: HttpServerOptions['admits']
  readonly #needsLength: boolean
  readonly #needsHttp11: boolean
  /** Null where nobody is limited. */
  readonly #rate: RequestRate | null
  readonly #onError: HttpServerOptions['onError']
  readonly #listeners: ListenEndpoint[] = []
  readonly #connections = new Set<HttpConnection>()
  readonly #refusals = new Set<HttpConnection>()
  readonly #peers = new Peers()
  #stack: PortableStack | null = null
  #keptLength = 0
  #isSweeping = false
  #resolve: (() => void) | null = null

  constructor(handler: Handler, options: HttpServerOptions = {}) {
    this.handler = handler
    this.limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.log = options.log ?? null
    this.#needsLength = options.needsLength ?? false
    this.#needsHttp11 = options.needsHttp11 ?? false
    const { requestsPerSecond, requestBurst } = this.limits
    const isLimited = Number.isFinite(requestsPerSecond)
    this.#rate = isLimited ? new RequestRate(requestsPerSecond, Math.max(1, requestBurst ?? requestsPerSecond)) : null
    this.#admits = options.admits
    this.#onError = options.onError
  }

  /** May be called again, for another address or port of the same stack. */
  listen(stack: PortableStack, options: HttpListenOptions = {}): this {
    if (this.#stack !== null && this.#stack !== stack) throw new TypeError('a server listens on one stack')
    const admits = this.#admits
    const listener = stack.listen({
      port: 80,
      name: 'http',
      ...options,
      onRequest: admits === undefined ? undefined : (request) => this.#judge(request, admits),
    })
    this.#stack = stack
    listener.onConnection = (endpoint) => this.#admit(endpoint)
    this.#listeners.push(listener)
    return this
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Who is connected now, and what they are at. */
  *connections(): IterableIterator<ConnectionView> {
    for (const { endpoint, phase, since, requests, request } of this.#connections) {
      const { octetsReceived, octetsAcked } = endpoint.info()
      yield {
        remoteAddress: endpoint.remoteAddress.toString(),
        remotePort: endpoint.remotePort,
        state: PHASES[phase],
        since,
        requests,
        target: request?.target ?? null,
        octetsReceived,
        octetsSent: octetsAcked,
      }
    }
  }

  /** Lets nobody in any more, finishes what is in flight, and resets what is not done when the time is up. */
  close(grace = GRACE): Promise<void> {
    if (!this.isClosing) {
      this.isClosing = true
      for (const listener of this.#listeners) listener.close()
      this.readClock()
      for (const connection of this.#connections) connection.shutDown()
      this.#stack?.driver.time.after(grace, () => this.abort())
    }
    return new Promise((resolve) => {
      const before = this.#resolve
      this.#resolve = () => {
        before?.()
        resolve()
      }
      this.#settle()
    })
  }

  /** Resets everybody. */
  abort(): void {
    for (const connection of [...this.#connections, ...this.#refusals]) connection.abort()
  }

  readClock(): void {
    const { driver } = this.#stack!
    this.moment = driver.now
    this.wall = driver.wall
  }

  keep(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (this.#keptLength + length > this.kept.length) {
      this.kept = new Uint8Array(Math.max(KEPT, length))
      this.#keptLength = 0
    }
    const at = this.#keptLength
    if (length > BY_LOOP) this.kept.set(bytes.subarray(start, end), at)
    else for (let octet = 0; octet < length; octet++) this.kept[at + octet] = bytes[start + octet]
    this.#keptLength += length
    return at
  }

  /** @internal */
  welcomes(head: RequestHead): boolean {
    if (this.#needsHttp11 && head.minor === 0) return head.refuse(426)
    if (this.#needsLength && head.isChunked) return head.refuse(411)
    return head.contentLength <= this.limits.body || head.refuse(413)
  }

  /** @internal */
  early(address: Endpoint['remoteAddress']): number {
    return this.#rate === null ? 0 : this.#rate.early(address, this.moment)
  }

  failed(error: unknown): void {
    if (this.#onError !== undefined) this.#onError(error)
  }

  left(connection: HttpConnection): void {
    if (this.#refusals.delete(connection)) return
    this.#connections.delete(connection)
    this.#peers.leave(connection.endpoint.remoteAddress)
    this.#settle()
  }

  #judge(
    request: Parameters<NonNullable<ListenEndpointOptions['onRequest']>>[0],
    admits: (address: Endpoint['remoteAddress']) => boolean,
  ) {
    if (admits(request.remoteAddress)) return request.accept()
    this.counts.denied++
    return request.refuse()
  }

  #admit(endpoint: Endpoint): void {
    const { limits, counts } = this
    this.readClock()
    const { remoteAddress } = endpoint
    const isTooMany =
      this.#connections.size >= limits.connections || this.#peers.count(remoteAddress) >= limits.connectionsPerPeer
    if (isTooMany) {
      this.#turnAway(endpoint)
      return
    }
    counts.accepted++
    this.#peers.enter(remoteAddress)
    endpoint.setNoDelay(true)
    this.#connections.add(new HttpConnection(endpoint, this))
    this.#sweepLater()
  }

  #turnAway(endpoint: Endpoint): void {
    if (this.#refusals.size >= this.limits.refusals) {
      this.counts.refused++
      endpoint.abort()
      endpoint.close()
      return
    }
    this.counts.turnedAway++
    const connection = new HttpConnection(endpoint, this)
    this.#refusals.add(connection)
    connection.turnAway(this.limits.retryAfter)
    this.#sweepLater()
  }

  #sweepLater(): void {
    if (this.#isSweeping) return
    this.#isSweeping = true
    this.#stack?.driver.time.after(SWEEP, () => this.#sweep())
  }

  #sweep(): void {
    this.#isSweeping = false
    this.readClock()
    for (const connection of this.#connections) connection.sweep(this.moment)
    for (const connection of this.#refusals) connection.sweep(this.moment)
    this.#rate?.sweep(this.moment)
    if (this.#connections.size > 0 || this.#refusals.size > 0) this.#sweepLater()
  }

  #settle(): void {
    if (!this.isClosing || this.#connections.size > 0) return
    this.#resolve?.()
    this.#resolve = null
  }
}

const PHASES = Object.keys(Phase) as (keyof typeof Phase)[]
