// Composes the heads of answers, and small bodies right behind them, in one stretch of octets, so that an answer, or all answers
// to a batch of pipelined requests, leave by one call. One a server; whoever composes flushes before anybody else does.
import { DateLine } from './date.ts'
import { utf8, writeLatin1 } from './octets.ts'
import type { HttpResponse } from './response.ts'
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

  /** There is room for a head and a small body. */
  get hasRoom(): boolean {
    return this.end < SCRATCH - INLINE - MOST_FIELDS
  }

  /** What is composed, lent until something else is; nothing is composed any more. */
  take(): Uint8Array {
    const { end } = this
    this.end = 0
    if (this.#taken.length !== end) this.#taken = this.bytes.subarray(0, end)
    return this.#taken
  }

  head(response: HttpResponse, framing: number, length: number, minor: number, closes: boolean, wall: number): void {
    const { bytes } = this
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

  body(octets: Uint8Array): void {
    this.bytes.set(octets, this.end)
    this.end += octets.length
  }

  ascii(text: string): void {
    this.end = writeLatin1(this.bytes, this.end, text)
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
