// A listener whose connections are asked for one by one: an async iterable of sockets of web streams. Who is slow to ask leaves them in the
// accept queue, and when that is full the peers' SYNs wait.
import type { ConnectionRequest, ListenEndpoint } from '../runtime/listen-endpoint.ts'
import { SocketError } from './socket-error.ts'
import { type SocketWorld, StreamSocket, type StreamSocketInfo, type StreamSocketOptions } from './stream-socket.ts'

export type StreamVerdict = 'accept' | 'refuse' | 'drop'
export type StreamFilter = (request: StreamSocketInfo) => StreamVerdict | Promise<StreamVerdict>

interface Asker {
  resolve(socket: StreamSocket): void
  reject(error: unknown): void
}

export class StreamListener implements AsyncIterable<StreamSocket> {
  readonly localAddress: string
  readonly localPort: number
  /** `close` was called. */
  readonly closed: Promise<void>
  readonly #world: SocketWorld
  readonly #options: StreamSocketOptions
  readonly #endpoint: ListenEndpoint
  readonly #letGo: () => void
  readonly #askers: Asker[] = []
  #isClosed = false
  #onClosed!: () => void

  constructor(world: SocketWorld, endpoint: ListenEndpoint, options: StreamSocketOptions) {
    this.#world = world
    this.#endpoint = endpoint
    this.#options = options
    this.localAddress = endpoint.localAddress.toString()
    this.localPort = endpoint.localPort
    this.closed = new Promise((resolve) => {
      this.#onClosed = resolve
    })
    this.#letGo = world.hold()
  }

  /** The next connection. Rejects when the listener is closed. */
  accept(): Promise<StreamSocket> {
    if (this.#isClosed) return Promise.reject(new SocketError('closed'))
    const waiting = this.#askers.length === 0 ? this.#endpoint.accept() : null
    if (waiting !== null) return Promise.resolve(this.#socketOf(waiting))
    this.#endpoint.onConnection = (endpoint) => this.#onConnection(endpoint)
    return new Promise((resolve, reject) => this.#askers.push({ resolve, reject }))
  }

  #onConnection(endpoint: Parameters<NonNullable<ListenEndpoint['onConnection']>>[0]): void {
    const asker = this.#askers.shift()
    if (this.#askers.length === 0) this.#endpoint.onConnection = null
    asker?.resolve(this.#socketOf(endpoint))
  }

  #socketOf(endpoint: Parameters<StreamSocket['take']>[0]): StreamSocket {
    const socket = new StreamSocket(this.#world, this.#options)
    socket.take(endpoint)
    return socket
  }

  /** No more connections; those that nobody has taken are reset. */
  close(): Promise<void> {
    if (this.#isClosed) return this.closed
    this.#isClosed = true
    this.#endpoint.onConnection = null
    this.#endpoint.close()
    this.#letGo()
    for (const { reject } of this.#askers.splice(0)) reject(new SocketError('closed'))
    this.#onClosed()
    return this.closed
  }

  /** Ends when the listener is closed; leaving the loop closes it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<StreamSocket, void, undefined> {
    try {
      while (!this.#isClosed) yield await this.accept()
    } catch (error) {
      if (!this.#isClosed) throw error
    } finally {
      await this.close()
    }
  }
}

/** Asks a filter about a SYN that waits. Where it fails the connection is refused, and the error is nobody's. */
export async function judge(filter: StreamFilter, request: ConnectionRequest): Promise<void> {
  let verdict: StreamVerdict = 'refuse'
  const { remoteAddress, remotePort, localAddress, localPort } = request
  const info = {
    remoteAddress: remoteAddress.toString(),
    remotePort,
    localAddress: localAddress.toString(),
    localPort,
  }
  try {
    verdict = await filter(info)
  } finally {
    if (verdict === 'accept') request.accept()
    else if (verdict === 'drop') request.drop()
    else request.refuse()
  }
}
