// Gathers the head of a request: where it comes whole it is kept beside others, where it comes in pieces in octets of its own.
import { HeadScanner, INCOMPLETE, MALFORMED } from './head-scanner.ts'

/** Where heads stay as they are: `kept` has one from the place on that `keep` returns. */
export interface Keeper {
  readonly kept: Uint8Array
  keep(bytes: Uint8Array, start: number, end: number): number
}

/** What became of the octets. */
export const Heard = { part: 0, whole: 1, refused: 2 } as const

const FIRST_PIECE = 256

export class HeadReader {
  /** After a whole head: its octets, and where it begins and ends in them. */
  bytes: Uint8Array = NOTHING
  start = 0
  end = 0
  /** How many octets of those that were given are done with. */
  taken = 0
  /** After a refusal. */
  status = 400
  readonly #keeper: Keeper
  readonly #scanner = new HeadScanner()
  #partial: Uint8Array<ArrayBuffer> | null = null
  #length = 0

  constructor(keeper: Keeper) {
    this.#keeper = keeper
  }

  take(bytes: Uint8Array, start: number, end: number, most: number): number {
    const stop = this.#scanner.scan(bytes, start, end)
    const to = stop < 0 ? end : stop
    const length = to - start + this.#length
    this.taken = to - start
    if (length > most || stop === MALFORMED) {
      this.status = length <= most ? 400 : this.#scanner.hasLine ? 431 : 414
      this.forget()
      return Heard.refused
    }
    if (stop === INCOMPLETE) {
      this.#keepPart(bytes, start, end)
      return Heard.part
    }
    if (this.#partial === null) {
      this.start = this.#keeper.keep(bytes, start, stop)
      this.bytes = this.#keeper.kept
    } else {
      this.#keepPart(bytes, start, stop)
      this.start = 0
      this.bytes = this.#partial
    }
    this.end = this.start + length
    this.start += this.#scanner.skipped
    this.forget()
    return Heard.whole
  }

  forget(): void {
    this.#partial = null
    this.#length = 0
    this.#scanner.reset()
  }

  #keepPart(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.#length + end - start
    if (this.#partial === null || this.#partial.length < needed) {
      const grown = new Uint8Array(Math.max(FIRST_PIECE, needed, (this.#partial?.length ?? 0) * 2))
      if (this.#partial !== null) grown.set(this.#partial.subarray(0, this.#length))
      this.#partial = grown
    }
    for (let at = start; at < end; at++) this.#partial[this.#length++] = bytes[at]
  }
}

const NOTHING = new Uint8Array(0)
