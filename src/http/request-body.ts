// The body of a request, read from the endpoint when the handler asks for it and not before, so that a sender is held back by
// TCP's window as long as nobody wants more. Framed by a length or in chunks (RFC 9112 §6).
import type { Endpoint } from '../runtime/endpoint.ts'
import { ChunkDecoder } from './chunk-decoder.ts'
import type { HttpLimits } from './limits.ts'
import { HttpError } from './status.ts'

/** Handed over at once, at most. */
const PIECE = 65_536

type Piece = Uint8Array<ArrayBuffer>

export class RequestBody {
  /** Octets so far. */
  received = 0
  isDone: boolean
  /** Something is read, so that a client that waits for 100 Continue is to be told so. */
  wasAsked = false
  readonly #endpoint: Endpoint
  readonly #onAsked: () => void
  readonly #decoder: ChunkDecoder | null
  readonly #length: number
  #resolve: ((piece: Piece | null) => void) | null = null
  #reject: ((error: Error) => void) | null = null
  #error: HttpError | null = null

  /** `length` -1: chunked. `onAsked` is called when somebody waits; `feed` must follow. */
  constructor(endpoint: Endpoint, length: number, limits: HttpLimits, onAsked: () => void) {
    this.#endpoint = endpoint
    this.#onAsked = onAsked
    this.#length = length
    this.#decoder = length < 0 ? new ChunkDecoder(limits) : null
    this.isDone = length === 0
  }

  get isWaited(): boolean {
    return this.#resolve !== null
  }

  get error(): HttpError | null {
    return this.#error
  }

  /** Octets that are still to come; -1 where nobody knows. */
  get left(): number {
    return this.#decoder === null ? this.#length - this.received : -1
  }

  /** The next octets, which are the caller's to keep; null at the end. One at a time may ask. */
  read(): Promise<Piece | null> {
    if (this.#resolve !== null) return Promise.reject(new TypeError('the body is being read by somebody else'))
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.wasAsked = true
      this.#onAsked()
    })
  }

  /** Gives whoever waits what is there. */
  feed(): void {
    if (this.#resolve === null) return
    if (this.#error !== null) {
      this.#fail(this.#error)
      return
    }
    const piece = this.#take()
    if (this.#error !== null) this.#fail(this.#error)
    else if (piece !== null || this.isDone) this.#give(piece)
    else if (this.#endpoint.isAtEnd) this.fail(new HttpError(400, 'The request ended in the middle of its body.'))
  }

  /** Throws away what is there. */
  discard(): void {
    while (this.#error === null && !this.isDone && this.#take() !== null);
  }

  /** Nothing more will come; whoever reads is told so. */
  fail(error: HttpError): void {
    if (this.isDone) return
    this.#error ??= error
    if (this.#resolve !== null) this.#fail(this.#error)
  }

  #take(): Piece | null {
    if (this.isDone) return null
    const most = this.#decoder === null ? this.#length - this.received : this.#frame(this.#decoder)
    const piece = most === 0 ? null : this.#endpoint.read(Math.min(most, PIECE))
    if (piece === null) return null
    this.received += piece.length
    if (this.#decoder === null) this.isDone = this.received === this.#length
    else {
      this.#decoder.took(piece.length)
      this.#frame(this.#decoder)
    }
    return piece
  }

  /** Eats framing; the octets of data that come next. */
  #frame(decoder: ChunkDecoder): number {
    this.#endpoint.look((bytes, start, length) => decoder.frame(bytes, start, start + length) - start)
    if (decoder.status !== 0) {
      this.#error ??= new HttpError(decoder.status, decoder.sentence === '' ? undefined : decoder.sentence)
    } else this.isDone = decoder.isDone
    return decoder.isInData ? decoder.left : 0
  }

  #give(piece: Piece | null): void {
    const resolve = this.#resolve
    this.#resolve = null
    this.#reject = null
    resolve?.(piece)
  }

  #fail(error: HttpError): void {
    const reject = this.#reject
    this.#resolve = null
    this.#reject = null
    reject?.(error)
  }
}
