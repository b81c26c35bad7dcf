// What is written to a socket, as a writable stream. A write is done when its last octet is in the send buffer: it is copied there once, and
// whoever outruns the peer waits.
import type { Endpoint } from '../runtime/endpoint.ts'
import { SocketError } from './socket-error.ts'

/** Octets that may wait in the stream itself before it asks for patience. */
export const WRITABLE_HIGH_WATER_MARK = 16_384

export interface OutflowEvents {
  /** Everything is written, and a FIN follows it. */
  onFinish(): void
  onAbort(reason: unknown): void
}

interface Waiting {
  readonly octets: Uint8Array
  at: number
  resolve(): void
  reject(error: unknown): void
}

export class Outflow {
  readonly stream: WritableStream<BufferSource>
  readonly #events: OutflowEvents
  #endpoint: Endpoint | null = null
  #controller!: WritableStreamDefaultController
  #waiting: Waiting | null = null
  /** Chunks that were written and are not in the send buffer. */
  #pending = 0
  #isFinished = false
  #isDone = false
  #onIdle: (() => void) | null = null
  /** What a write meets that comes after the end. */
  #lateCode: 'ended' | 'closed' = 'closed'

  constructor(opened: Promise<unknown>, highWaterMark: number, events: OutflowEvents) {
    this.#events = events
    this.stream = new WritableStream(
      {
        start: (controller) => {
          this.#controller = controller
          // Whoever aborts does not wait for the connection.
          controller.signal.addEventListener('abort', () => this.#abort(controller.signal.reason))
          return opened
        },
        write: (chunk) => this.#write(chunk),
        close: () => this.#finish(),
        abort: (reason) => this.#abort(reason),
      },
      { highWaterMark, size: (chunk) => this.#count(chunk) },
    )
  }

  get isFinished(): boolean {
    return this.#isFinished
  }

  take(endpoint: Endpoint): void {
    this.#endpoint = endpoint
  }

  #count(chunk: BufferSource): number {
    this.#pending++
    return isOctets(chunk) ? chunk.byteLength : 1
  }

  async #write(chunk: BufferSource): Promise<void> {
    if (this.#isFinished) throw new SocketError(this.#lateCode)
    if (!isOctets(chunk)) {
      const error = new TypeError('A socket takes octets: an ArrayBuffer, or a view of one')
      this.#abort(error)
      throw error
    }
    const octets = toOctets(chunk)
    const at = this.#endpoint?.send(octets) ?? 0
    if (at < octets.length) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting = { octets, at, resolve, reject }
      })
    }
    if (--this.#pending === 0) this.#onIdle?.()
  }

  /** There is room again. */
  resume(): void {
    const waiting = this.#waiting
    if (waiting === null) return
    waiting.at += this.#endpoint?.send(waiting.octets, waiting.at) ?? 0
    if (waiting.at < waiting.octets.length) return
    this.#waiting = null
    waiting.resolve()
  }

  /** Ends the stream for whoever holds it, after what is written: its writer may close it once more, and write no more. */
  end(code: 'ended' | 'closed'): void {
    if (this.#isFinished || this.#isDone) return
    this.#lateCode = code
    if (!this.stream.locked) this.stream.close().catch(() => {})
    else if (this.#pending === 0) this.#finish()
    else this.#onIdle = () => this.#finish()
  }

  #finish(): void {
    if (this.#isFinished || this.#isDone) return
    this.#isFinished = true
    this.#endpoint?.finish()
    this.#events.onFinish()
  }

  #abort(reason: unknown): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#events.onAbort(reason)
  }

  /** A stream that is being aborted, or whose write throws, fails by itself. */
  fail(error: unknown): void {
    if (!this.#isDone) this.#controller.error(error)
    this.#isDone = true
    this.#waiting?.reject(error)
    this.#waiting = null
  }
}

function isOctets(chunk: unknown): chunk is BufferSource {
  return chunk instanceof ArrayBuffer || ArrayBuffer.isView(chunk)
}

function toOctets(chunk: BufferSource): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  return ArrayBuffer.isView(chunk)
    ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    : new Uint8Array(chunk)
}
