// The framing of a chunked body (RFC 9112 §7.1), octet by octet over whatever pieces it comes in. It eats sizes, extensions and
// trailers, and says how many octets of data come next; the data themselves are the caller's, who says by `took` how many it had.
import { EXTENSION_BAD, EXTENSION_START, mayEnd, nextState } from './chunk-extension.ts'
import { COLON, CR, hexadecimal, isToken, isValue, LF, TAB } from './octets.ts'

export interface ChunkLimits {
  readonly body: number
  readonly chunkLine: number
  readonly trailers: number
}

const SIZE = 0
const EXTENSION = 1
const SIZE_LF = 2
const DATA = 3
const DATA_CR = 4
const DATA_LF = 5
const TRAILER = 6
const TRAILER_NAME = 7
const TRAILER_VALUE = 8
const TRAILER_LF = 9
const LAST_LF = 10
const DONE = 11
const BAD = 12

const SEMICOLON = 59
const MOST_DIGITS = 12
/** All extensions of a body together: they mean nothing to us, and each octet of data could bring many (CVE-2023-39326). */
const MOST_EXTENSIONS = 16_384

export class ChunkDecoder {
  /** Octets of data that come next. */
  left = 0
  /** Octets of data so far, with those of the chunk that has begun. */
  total = 0
  /** 400, or 413 where the body grows too long; 0 while nothing is wrong. */
  status = 0
  sentence = ''
  readonly #limits: ChunkLimits
  #state = SIZE
  #digits = 0
  #line = 0
  #extensions = 0
  #extension = EXTENSION_START
  #trailers = 0

  constructor(limits: ChunkLimits) {
    this.#limits = limits
  }

  get isDone(): boolean {
    return this.#state === DONE
  }

  /** The data that `left` speaks of come next. */
  get isInData(): boolean {
    return this.#state === DATA
  }

  took(octets: number): void {
    this.left -= octets
    if (this.left === 0) this.#state = DATA_CR
  }

  /** Eats framing up to the next data or the end; returns the place after what it ate. */
  frame(bytes: Uint8Array, from: number, to: number): number {
    let at = from
    while (at < to && this.#state !== DATA && this.#state < DONE) this.#take(bytes[at++])
    return at
  }

  #take(octet: number): void {
    if (this.#state <= SIZE_LF) this.#takeSize(octet)
    else if (this.#state === DATA_CR) this.#expect(octet, CR, DATA_LF)
    else if (this.#state === DATA_LF) {
      this.#expect(octet, LF, SIZE)
      this.#digits = 0
      this.#line = 0
    } else this.#takeTrailer(octet)
  }

  #takeSize(octet: number): void {
    if (this.#state === SIZE_LF) {
      if (octet !== LF) this.#fail('A chunk is not framed as chunks are.')
      else this.#begin()
      return
    }
    if (++this.#line > this.#limits.chunkLine) {
      this.#fail('A chunk has more extensions than this server reads.')
      return
    }
    if (this.#state === EXTENSION) {
      if (octet === CR && mayEnd(this.#extension)) this.#state = SIZE_LF
      else if ((this.#extension = nextState(this.#extension, octet)) === EXTENSION_BAD)
        this.#fail('A chunk has extensions that are none.')
      else if (++this.#extensions > MOST_EXTENSIONS)
        this.#fail('The chunks have more extensions than this server reads.')
      return
    }
    const digit = hexadecimal(octet)
    if (digit >= 0 && this.#digits < MOST_DIGITS) {
      this.left = this.left * 16 + digit
      this.#digits++
    } else if (this.#digits === 0 || digit >= 0) this.#fail('The size of a chunk is no number.')
    else if (octet === CR) this.#state = SIZE_LF
    else if (octet === SEMICOLON) {
      this.#state = EXTENSION
      this.#extension = EXTENSION_START
    } else this.#fail('The size of a chunk is no number.')
  }

  #begin(): void {
    this.total += this.left
    if (this.total > this.#limits.body) this.#fail('', 413)
    else this.#state = this.left === 0 ? TRAILER : DATA
  }

  #takeTrailer(octet: number): void {
    if (++this.#trailers > this.#limits.trailers) {
      this.#fail('The trailer is too large.')
      return
    }
    switch (this.#state) {
      case TRAILER:
        if (octet === CR) this.#state = LAST_LF
        else if (isToken(octet)) this.#state = TRAILER_NAME
        else this.#fail('The trailer has no proper field in it.')
        return
      case TRAILER_NAME:
        if (octet === COLON) this.#state = TRAILER_VALUE
        else if (!isToken(octet)) this.#fail('The trailer has no proper field in it.')
        return
      case TRAILER_VALUE:
        if (octet === CR) this.#state = TRAILER_LF
        else if (!isValue(octet) && octet !== TAB) this.#fail('The trailer has no proper field in it.')
        return
      case TRAILER_LF:
        this.#expect(octet, LF, TRAILER)
        return
      default:
        this.#expect(octet, LF, DONE)
    }
  }

  #expect(octet: number, expected: number, next: number): void {
    if (octet === expected) this.#state = next
    else this.#fail('A chunk is not framed as chunks are.')
  }

  #fail(sentence: string, status = 400): void {
    this.#state = BAD
    this.status = status
    this.sentence = sentence
  }
}
