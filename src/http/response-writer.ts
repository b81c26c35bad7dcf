// Composes the heads of answers, and small bodies right behind them, in one stretch of octets, so that an answer, or all answers
// to a batch of pipelined requests, leave by one call. One a server; whoever composes flushes before anybody else does.
import { DateLine } from './date.ts'
import { utf8, writeLatin1 } from './octets.ts'
import { type Answer, type HttpResponse, toResponse } from './response.ts'
import { isBodiless, phraseOf } from './status.ts'

const SCRATCH = 131_072
/** Larger bodies are not copied. */
export const INLINE = 16_384
const MOST_FIELDS = 65_536

/** RFC 9112 §6: how the end of a body is told. */
export const Framing = { none: 0, length: 1, chunked: 2, close: 3 } as const

/** What this server says itself, whatever a handler says. */
const OURS = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'date', 'te', 'trailer'])

export class ResponseWriter {
  readonly bytes = new Uint8Array(SCRATCH)
  /** What is composed and not flushed yet ends here. */
  end = 0
  readonly #date = new DateLine()
  /** The view of the last answers that left, for those that are as long. */
  #taken = this.bytes.subarray(0, 0)
  /** The answer that was composed last, where it was the first since what was composed left: how it was said, and where it ends. */
  #last: HttpResponse | null = null
  #lastFixed: Uint8Array | null = null
  #lastWay = 0
  #lastDate = 0
  #lastBody = 0
  #lastEnd = 0
  /** Its octets, once it is given again. */
  #lent: Uint8Array<ArrayBuffer> | null = null
  #isLent = false
  #text: HttpResponse | null = null

  /** What the handler gave, as a response; the same text twice is the same one, which nobody else ever sees. */
  responseTo(answer: Answer): HttpResponse {
    if (typeof answer !== 'string') return toResponse(answer)
    if (this.#text?.body !== answer) this.#text = toResponse(answer)
    return this.#text
  }

  /** There is room for a head and a small body. */
  get hasRoom(): boolean {
    return this.end < SCRATCH - INLINE - MOST_FIELDS
  }

  /** All that is composed is one answer that was given before: then its octets are the same, and never change. */
  get isLent(): boolean {
    return this.#isLent
  }

  /** As `take`, where `isLent`. */
  lend(): Uint8Array<ArrayBuffer> {
    this.end = 0
    this.#isLent = false
    this.#lent ??= this.bytes.slice(0, this.#lastEnd)
    return this.#lent
  }

  /** What is composed, until something else is; nothing is composed any more. */
  take(): Uint8Array {
    const { end } = this
    this.end = 0
    if (this.#taken.length !== end) this.#taken = this.bytes.subarray(0, end)
    return this.#taken
  }

  /** Where it is the same answer as last, said in the same way within the same second, it lies there still: octets of its body; else -1. */
  repeat(response: HttpResponse, minor: number, closes: boolean, isMute: boolean, wall: number): number {
    if (response !== this.#last || this.end !== 0 || response.composed !== this.#lastFixed) return -1
    if (this.#lastWay !== wayOf(minor, closes, isMute) || this.#lastDate !== this.#date.second(wall)) return -1
    this.end = this.#lastEnd
    this.#isLent = true
    return this.#lastBody
  }

  /** An answer with the whole of its body, of up to INLINE octets, or none. */
  whole(
    response: HttpResponse,
    framing: number,
    body: string | Uint8Array | null,
    isMute: boolean,
    minor: number,
    closes: boolean,
    wall: number,
  ): void {
    const isFirst = this.end === 0
    this.head(response, framing, body === null ? 0 : body.length, minor, closes, wall)
    if (body !== null && !isMute) {
      if (typeof body === 'string') this.end = writeLatin1(this.bytes, this.end, body)
      else this.end = put(this.bytes, this.end, body)
    }
    // One that is made anew for each request never comes again.
    if (!isFirst || response.composed === null) return
    this.#last = response
    this.#lastFixed = response.composed
    this.#lastWay = wayOf(minor, closes, isMute)
    this.#lastDate = this.#date.second(wall)
    this.#lastBody = body === null || isMute ? 0 : body.length
    this.#lastEnd = this.end
    this.#lent = null
  }

  head(response: HttpResponse, framing: number, length: number, minor: number, closes: boolean, wall: number): void {
    const { bytes } = this
    if (this.end === 0) this.#last = null
    this.#isLent = false
    let at = this.#fixed(response, this.end)
    const date = this.#date.at(wall)
    bytes.set(date, at)
    at += date.length
    if (framing === Framing.length) {
      bytes.set(LENGTH, at)
      at = writeLineEnd(bytes, writeNumber(bytes, at + LENGTH.length, length))
    } else if (framing === Framing.chunked) at = put(bytes, at, CHUNKED)
    if (closes) at = put(bytes, at, CLOSE)
    else if (minor === 0) at = put(bytes, at, KEEP_ALIVE)
    this.end = writeLineEnd(bytes, at)
  }

  /** The status line and the handler's fields: what is the same however often the answer is given. */
  #fixed(response: HttpResponse, at: number): number {
    const { composed } = response
    if (composed !== null) return put(this.bytes, at, composed)
    const end = this.#compose(response, at)
    if (response.uses++ > 0) response.composed = this.bytes.slice(at, end)
    return end
  }

  #compose(response: HttpResponse, from: number): number {
    const { bytes } = this
    const { status, fields } = response
    let at = writeLatin1(bytes, from, `HTTP/1.1 ${status} ${phraseOf(status)}\r\n`)
    let hasType = false
    if (fields !== null) {
      const { list } = fields
      for (let place = 0; place < list.length; place += 2) {
        const name = list[place]
        const lower = name.toLowerCase()
        if (OURS.has(lower)) continue
        if (lower === 'content-type') hasType = true
        // RFC 9110 §7.8.
        else if (lower === 'upgrade') at = put(bytes, at, UPGRADE)
        if (at - from + name.length + list[place + 1].length + 512 > MOST_FIELDS)
          throw new RangeError('the header fields of an answer are too large')
        at = writeLatin1(bytes, at, name)
        bytes[at] = 58
        bytes[at + 1] = 32
        at = writeLineEnd(bytes, writeLatin1(bytes, at + 2, list[place + 1]))
      }
    }
    if (!hasType && typeof response.body === 'string' && !isBodiless(status)) at = put(bytes, at, PLAIN)
    return at
  }
}

/** How an answer is said, but for what it says. */
function wayOf(minor: number, closes: boolean, isMute: boolean): number {
  return minor | (closes ? 2 : 0) | (isMute ? 4 : 0)
}

const LENGTH = utf8('Content-Length: ')
const CHUNKED = utf8('Transfer-Encoding: chunked\r\n')
const CLOSE = utf8('Connection: close\r\n')
const UPGRADE = utf8('Connection: upgrade\r\n')
const KEEP_ALIVE = utf8('Connection: keep-alive\r\n')
const PLAIN = utf8('Content-Type: text/plain; charset=utf-8\r\n')

function put(bytes: Uint8Array, at: number, octets: Uint8Array): number {
  bytes.set(octets, at)
  return at + octets.length
}

function writeLineEnd(bytes: Uint8Array, at: number): number {
  bytes[at] = 13
  bytes[at + 1] = 10
  return at + 2
}

function writeNumber(bytes: Uint8Array, at: number, number: number): number {
  if (number > 0x7fffffff) return writeLatin1(bytes, at, String(number))
  let digits = 1
  for (let rest = number; rest > 9; rest = (rest / 10) | 0) digits++
  let rest = number
  for (let place = at + digits - 1; place >= at; place--) {
    bytes[place] = 48 + (rest % 10)
    rest = (rest / 10) | 0
  }
  return at + digits
}

/** Whether each character is an octet of UTF-8 by itself. */
export function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false
  return true
}
