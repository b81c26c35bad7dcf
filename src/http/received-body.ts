// The body of a request or of a response, read from the endpoint when somebody asks for it and not before, so that a sender is held
// back by TCP's window as long as nobody wants more. Framed by a length, in chunks, or by the connection's end (RFC 9112 §6).
import type { Endpoint } from '../runtime/endpoint.ts'
import { ChunkDecoder, type ChunkLimits } from './chunk-decoder.ts'
import { HttpError } from './status.ts'

/** Handed over at once, at most. */
const PIECE = 65_536

type Piece = Uint8Array<ArrayBuffer>

/** In the place of a length: how the end is told otherwise. */
export const CHUNKED = -1
export const UNTIL_END = -2

export class ReceivedBody {
  /** Octets so far. */
  received = 0
  isDone: boolean
  /** Something is read, so that a client that waits for 100 Continue is to be told so. */
  wasAsked = false
  readonly #endpoint: Endpoint
  readonly #onAsked: () => void
  readonly #decoder: ChunkDecoder | null
  readonly #length: number
  readonly #most: number
  readonly #blame: number
  #resolve: ((piece: Piece | null) => void) | null = null
  #reject: ((error: Error) => void) | null = null
  #error: HttpError | null = null

  /** `onAsked` is called when somebody waits; `feed` must follow. `blame` is the status that bad framing is called. */
  constructor(endpoint: Endpoint, length: number, limits: ChunkLimits, onAsked: () => void, blame = 400) {
    this.#endpoint = endpoint
    this.#onAsked = onAsked
    this.#length = length
    this.#most = limits.body
    this.#blame = blame
    this.#decoder = length === CHUNKED ? new ChunkDecoder(limits) : null
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
    return this.#length < 0 ? -1 : this.#length - this.received
  }

  /** The next octets, which are the caller's to keep; null at the end. One at a time may ask. */
  read(): Promise<Piece | null> {
    if (this.#resolve !== null) return Promise.reject(new TypeError('the body is being read by somebody else'))
    this.wasAsked = true
    if (this.isDone) return Promise.resolve(null)
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
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
    else if (this.#endpoint.isAtEnd) this.#end()
  }

  #end(): void {
    if (this.#length !== UNTIL_END) {
      this.fail(new HttpError(this.#blame, 'It ended in the middle of its body.'))
      return
    }
    this.isDone = true
    this.#give(null)
  }

  /** Piece after piece to the end. */
  async *pieces(): AsyncGenerator<Piece, void, undefined> {
    for (let piece = await this.read(); piece !== null; piece = await this.read()) yield piece
  }

  /** All of it. */
  async bytes(): Promise<Piece> {
    const pieces: Piece[] = []
    for await (const piece of this.pieces()) pieces.push(piece)
    if (pieces.length === 1) return pieces[0]
    const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0))
    let at = 0
    for (const piece of pieces) {
      whole.set(piece, at)
      at += piece.length
    }
    return whole
  }

  /** The same as a stream of the web. */
  stream(): ReadableStream<Piece> {
    return new ReadableStream<Piece>(
      {
        pull: async (controller) => {
          const piece = await this.read()
          if (piece === null) controller.close()
          else controller.enqueue(piece)
        },
      },
      { highWaterMark: 0 },
    )
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
    const piece = this.#endpoint.read(Math.min(this.#next(), PIECE))
    if (piece === null) return null
    this.received += piece.length
    if (this.received > this.#most) this.#error ??= new HttpError(this.#blame, 'It is larger than it may be.')
    if (this.#decoder === null) this.isDone = this.received === this.#length
    else {
      this.#decoder.took(piece.length)
      this.#frame(this.#decoder)
    }
    return piece
  }

  /** Octets of data that come next. */
  #next(): number {
    if (this.#decoder !== null) return this.#frame(this.#decoder)
    return this.#length === UNTIL_END ? PIECE : this.#length - this.received
  }

  /** Eats framing; the octets of data that come next. */
  #frame(decoder: ChunkDecoder): number {
    this.#endpoint.look((bytes, start, length) => decoder.frame(bytes, start, start + length) - start)
    if (decoder.status !== 0) {
      const status = this.#blame === 400 ? decoder.status : this.#blame
      this.#error ??= new HttpError(status, decoder.sentence === '' ? undefined : decoder.sentence)
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
