// A TCP connection as two web streams and two promises, in the shape that the sockets of WinterTC and of Direct Sockets have. Whatever ends it
// (both directions, a reset, an abort, `close`) comes to `#end`, which settles everything in one place.
import type { Endpoint } from '../runtime/endpoint.ts'
import { Inflow } from './inflow.ts'
import { Outflow, WRITABLE_HIGH_WATER_MARK } from './outflow.ts'
import { SocketError } from './socket-error.ts'

export interface StreamSocketInfo {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
}

export interface StreamSocketOptions {
  /** The writable side outlives the peer's end; otherwise it is closed ten milliseconds after that was read. False when not given. */
  allowHalfOpen?: boolean
  /** Nothing is held back to be sent with what comes next (RFC 9293 §3.7.4). False when not given. */
  noDelay?: boolean
  /** Milliseconds of silence after which the peer is asked whether it lives; at least 1. Never when not given. */
  keepAliveDelay?: number
  /** Octets; both are tuned by the stack when not given. */
  sendBufferSize?: number
  receiveBufferSize?: number
  /** Octets that may wait in `writable` itself: 16,384 when not given. */
  writableHighWaterMark?: number
  /** Aborts the connection: a reset, and the signal's reason wherever somebody waits. */
  signal?: AbortSignal
}

/** What sockets ask of whoever makes them. */
export interface SocketWorld {
  after(milliseconds: number, callback: () => void): () => void
  /** Keeps the process alive until the returned function is called. */
  hold(): () => void
  /** Lets go of an endpoint; what was written is still delivered. */
  close(endpoint: Endpoint): void
}

/** How long whoever passes on what came last may take, before the end of it is the end of the writable side too. */
const AFTER_END = 10

export class StreamSocket {
  /** What arrives: a stream of octets, which takes BYOB readers. Cancelled, it answers what comes from then on with a reset. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>
  /** Closed, it sends a FIN after what was written; aborted, a reset. */
  readonly writable: WritableStream<BufferSource>
  /** Rejects where there is no connection. */
  readonly opened: Promise<StreamSocketInfo>
  /** Both sides have ended; rejects where something ended them. */
  readonly closed: Promise<void>
  readonly #world: SocketWorld
  readonly #options: StreamSocketOptions
  readonly #opening = new Deferred<StreamSocketInfo>()
  readonly #closing = new Deferred<void>()
  readonly #inflow: Inflow
  readonly #outflow: Outflow
  readonly #letGo: () => void
  readonly #onAbort = () => this.#abort(this.#options.signal?.reason)
  #endpoint: Endpoint | null = null
  #isCancelled = false
  #isOver = false

  constructor(world: SocketWorld, options: StreamSocketOptions) {
    this.#world = world
    this.#options = options
    this.opened = this.#opening.promise
    this.closed = this.#closing.promise
    this.#letGo = world.hold()
    this.#inflow = new Inflow(this.opened, {
      onEnd: () => this.#onEnd(),
      onCancel: () => this.#onCancel(),
    })
    this.#outflow = new Outflow(this.opened, options.writableHighWaterMark ?? WRITABLE_HIGH_WATER_MARK, {
      onFinish: () => this.#closeIfDone(),
      onAbort: (reason) => this.#abort(reason),
    })
    this.readable = this.#inflow.stream
    this.writable = this.#outflow.stream
    const { signal } = options
    if (signal?.aborted) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** @internal The socket gets its connection, open or not. */
  take(endpoint: Endpoint): void {
    if (this.#isOver) {
      endpoint.abort()
      return
    }
    this.#endpoint = endpoint
    this.#inflow.take(endpoint)
    this.#outflow.take(endpoint)
    const { noDelay, keepAliveDelay, sendBufferSize, receiveBufferSize } = this.#options
    if (noDelay) endpoint.setNoDelay(true)
    if (keepAliveDelay !== undefined) endpoint.setKeepAlive(true, keepAliveDelay)
    if (sendBufferSize !== undefined || receiveBufferSize !== undefined) {
      endpoint.setBuffers({ send: sendBufferSize, receive: receiveBufferSize })
    }
    endpoint.onOpen = () => this.#onOpen()
    endpoint.onReadable = () => this.#inflow.deliver()
    endpoint.onWritable = () => this.#outflow.resume()
    endpoint.onClose = (reason) => this.#end(reason === 'none' ? null : { error: new SocketError(reason) })
    if (endpoint.isOpen) this.#onOpen()
  }

  /** @internal There will be no connection. */
  fail(error: unknown): void {
    this.#end({ error })
  }

  /** Ends both sides: what was written is delivered, what was not read is lost. Fulfilled when that is in the stack's hands, as `closed` is. */
  close(): Promise<void> {
    if (this.#isOver) {
      this.#inflow.close()
      this.#endpoint?.close()
    } else if (this.#endpoint === null || !this.#endpoint.isOpen) this.#abort(new SocketError('closed'))
    else {
      this.#isCancelled = true
      this.#inflow.close()
      if (this.#outflow.isFinished) this.#closeIfDone()
      else this.#outflow.end('closed')
    }
    return this.closed
  }

  #onOpen(): void {
    const { remoteAddress, remotePort, localAddress, localPort } = this.#endpoint as Endpoint
    this.#opening.resolve({
      remoteAddress: remoteAddress.toString(),
      remotePort,
      localAddress: localAddress.toString(),
      localPort,
    })
  }

  #onEnd(): void {
    if (this.#isOver || this.#options.allowHalfOpen) return
    this.#world.after(AFTER_END, () => this.#outflow.end('ended'))
  }

  #onCancel(): void {
    this.#isCancelled = true
    // What has arrived and was not read is let go.
    if (this.#isOver) this.#endpoint?.close()
    else if (this.#endpoint === null || !this.#endpoint.isOpen) this.#abort(new SocketError('closed'))
    else {
      this.#endpoint.stopReading()
      this.#closeIfDone()
    }
  }

  /** Nobody reads any more, and everything is written: the stack does the rest. */
  #closeIfDone(): void {
    if (this.#isOver || !this.#isCancelled || !this.#outflow.isFinished || this.#endpoint === null) return
    this.#world.close(this.#endpoint)
    this.#end(null)
  }

  #abort(reason: unknown): void {
    if (this.#isOver) return
    this.#endpoint?.abort()
    this.#end({ error: reason ?? new SocketError('aborted') })
  }

  #end(failure: { error: unknown } | null): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#letGo()
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    if (failure === null) {
      this.#inflow.deliver()
      this.#closing.resolve()
      return
    }
    this.#opening.reject(failure.error)
    this.#inflow.fail(failure.error)
    this.#outflow.fail(failure.error)
    this.#closing.reject(failure.error)
  }
}

/** A promise settled from outside. That nobody looks at its rejection is no error. */
class Deferred<Value> {
  readonly promise: Promise<Value>
  resolve!: (value: Value) => void
  reject!: (error: unknown) => void

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.promise.catch(() => {})
  }
}
