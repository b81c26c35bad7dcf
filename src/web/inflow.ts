// What arrives at a socket, as a readable stream of octets. Nothing is taken from the endpoint before somebody reads, so that a reader
// who stops closes the peer's window. A BYOB read is filled from the receive buffer directly; any other read gets a chunk of its own,
// since a stream of octets takes the memory of its chunks away from whoever made it, and slices of one slab share theirs.
import type { Endpoint } from '../runtime/endpoint.ts'

/** The most octets of one chunk, where the reader brings no memory of its own. */
const LARGEST_CHUNK = 65_536

export interface InflowEvents {
  /** The peer has finished, and everything is read. */
  onEnd(): void
  onCancel(reason: unknown): void
}

export class Inflow {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>
  readonly #events: InflowEvents
  #endpoint: Endpoint | null = null
  #controller!: ReadableByteStreamController
  #isWanted = false
  #isDelivering = false
  /** Closed, cancelled or failed. */
  #isDone = false
  #failure: { error: unknown } | null = null

  constructor(opened: Promise<unknown>, events: InflowEvents) {
    this.#events = events
    this.stream = new ReadableStream(
      {
        type: 'bytes',
        start: (controller) => {
          this.#controller = controller
          return opened as Promise<undefined>
        },
        pull: () => {
          this.#isWanted = true
          this.deliver()
        },
        cancel: (reason) => {
          this.#isDone = true
          events.onCancel(reason)
        },
      },
      { highWaterMark: 0 },
    )
  }

  get isDone(): boolean {
    return this.#isDone
  }

  take(endpoint: Endpoint): void {
    this.#endpoint = endpoint
  }

  /** Something has arrived, or somebody reads. */
  deliver(): void {
    const endpoint = this.#endpoint
    if (endpoint === null || this.#isDone || this.#isDelivering) return
    this.#isDelivering = true
    while (this.#isWanted && endpoint.readable > 0) {
      this.#isWanted = false
      this.#give(endpoint)
    }
    this.#isDelivering = false
    if (endpoint.readable > 0) return
    if (this.#failure !== null) this.#fail(this.#failure.error)
    else if (endpoint.isAtEnd) {
      this.close()
      this.#events.onEnd()
    }
  }

  #give(endpoint: Endpoint): void {
    const request = this.#controller.byobRequest
    const view = request?.view ?? null
    if (request !== null && view !== null) {
      request.respond(endpoint.readInto(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)))
      return
    }
    const chunk = new Uint8Array(Math.min(endpoint.readable, LARGEST_CHUNK))
    endpoint.readInto(chunk)
    this.#controller.enqueue(chunk)
  }

  /** No more will be read. */
  close(): void {
    if (this.#isDone) return
    this.#isDone = true
    const request = this.#controller.byobRequest
    this.#controller.close()
    request?.respond(0)
  }

  /** Nothing more will arrive; what has arrived is still read. */
  fail(error: unknown): void {
    if (this.#isDone) return
    this.#failure = { error }
    if (this.#endpoint === null) this.#fail(error)
    else this.deliver()
  }

  #fail(error: unknown): void {
    this.#isDone = true
    this.#controller.error(error)
  }
}
