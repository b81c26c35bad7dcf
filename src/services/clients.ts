// The clients of a small service over TCP: so many are served at a time, and who comes later waits in the listener's queue.
// A client that has gone without a word is found by keep-alive, so that it doesn't hold its place for ever.
import type { Endpoint } from '../runtime/endpoint.ts'
import type { ListenEndpoint } from '../runtime/listen-endpoint.ts'

/** Served at a time by one service. */
export const MOST_CLIENTS = 256

const KEEP_ALIVE_IDLE = 60_000

/** Sets the callbacks of a new client's endpoint, but for `onClose`; `letGo` is called when nothing more is to be done for it. */
export type Serve = (endpoint: Endpoint, letGo: () => void) => void

export class Clients {
  readonly #listener: ListenEndpoint
  readonly #serve: Serve
  readonly #most: number
  readonly #served = new Set<Endpoint>()

  constructor(listener: ListenEndpoint, serve: Serve, most = MOST_CLIENTS) {
    this.#listener = listener
    this.#serve = serve
    this.#most = most
    this.#invite()
  }

  get count(): number {
    return this.#served.size
  }

  /** No clients any more; those who are being served get a reset. */
  close(): void {
    this.#listener.onConnection = null
    this.#listener.close()
    for (const endpoint of this.#served) endpoint.abort()
    this.#served.clear()
  }

  #invite(): void {
    this.#listener.onConnection = (endpoint) => this.#admit(endpoint)
    this.#listener.wake()
  }

  #admit(endpoint: Endpoint): void {
    this.#served.add(endpoint)
    if (this.#served.size >= this.#most) this.#listener.onConnection = null
    const letGo = () => this.#letGo(endpoint)
    endpoint.setNoDelay(true)
    endpoint.setKeepAlive(true, KEEP_ALIVE_IDLE)
    endpoint.onClose = letGo
    this.#serve(endpoint, letGo)
  }

  #letGo(endpoint: Endpoint): void {
    if (!this.#served.delete(endpoint)) return
    // What it has sent and nobody has read goes too.
    endpoint.close()
    if (this.#served.size === this.#most - 1) this.#invite()
  }
}
