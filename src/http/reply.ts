// One answer at a time on its way out: how its end is told (RFC 9112 §6), its head, and its body, at once or by and by.
import { cancelBody, isStream, knownLength, piecesOf } from './body-pieces.ts'
import { utf8 } from './octets.ts'
import type { Outlet } from './outlet.ts'
import type { HttpRequest } from './request.ts'
import type { Body, HttpResponse } from './response.ts'
import { Framing, INLINE, isAscii, type ResponseWriter } from './response-writer.ts'
import { isBodiless } from './status.ts'

type SlowBody = Exclude<Body, string | Uint8Array>

const CHUNK_END = utf8('\r\n')
const LAST_CHUNK = utf8('0\r\n\r\n')

export class Reply {
  status = 0
  /** Of the body, so far. */
  octets = 0
  /** The connection can't be used again. */
  closes = false
  readonly #writer: ResponseWriter
  readonly #outlet: Outlet
  #source: SlowBody | null = null
  #framing: number = Framing.none
  #length: number | null = null

  constructor(writer: ResponseWriter, outlet: Outlet) {
    this.#writer = writer
    this.#outlet = outlet
  }

  /** False where the body comes by and by: `stream` must follow. */
  begin(response: HttpResponse, request: HttpRequest | null, wall: number): boolean {
    let { body } = response
    this.status = response.status
    this.octets = 0
    const minor = request?.minor ?? 1
    const isMute = request?.method === 'HEAD' || isBodiless(response.status)
    const repeated = this.#writer.repeat(response, minor, this.closes, isMute, wall)
    if (repeated >= 0) {
      this.octets = repeated
      return true
    }
    if (typeof body === 'string' && !isAscii(body)) body = utf8(body)
    if (!this.#writer.hasRoom) this.flush()
    if (body === null || typeof body === 'string' || body instanceof Uint8Array) {
      this.#writeWhole(response, body, isMute, minor, wall)
      return true
    }
    const length = knownLength(response, body)
    this.#framing = length !== null ? Framing.length : minor === 0 ? Framing.close : Framing.chunked
    if (isBodiless(response.status)) this.#framing = Framing.none
    if (this.#framing === Framing.close) this.closes = true
    this.#writer.head(response, this.#framing, length ?? 0, minor, this.closes, wall)
    if (isMute) {
      cancelBody(body)
      return true
    }
    this.#length = length
    this.#source = body
    this.flush()
    return false
  }

  /** What is composed leaves. */
  flush(): void {
    const writer = this.#writer
    if (writer.isLent) this.#outlet.give(writer.lend())
    else if (writer.end > 0) this.#outlet.copy(writer.take())
  }

  /** Fulfilled when all is written, or the client has gone; rejected where the body broke off. */
  async stream(): Promise<void> {
    const body = this.#source
    const outlet = this.#outlet
    if (body === null) return
    const isLent = isStream(body) && body.isLent === true
    if (!(await outlet.ready())) return cancelBody(body)
    for await (const given of piecesOf(body)) {
      if (outlet.isClosed) return
      const piece = typeof given === 'string' ? utf8(given) : given
      if (piece.length === 0) continue
      this.octets += piece.length
      if (this.#length !== null && this.octets > this.#length)
        throw new RangeError('a body is longer than it was said to be')
      if (this.#framing === Framing.chunked) outlet.put(utf8(`${piece.length.toString(16)}\r\n`))
      if (isLent) outlet.lend(piece)
      else outlet.put(piece)
      if (this.#framing === Framing.chunked) outlet.put(CHUNK_END)
      if (outlet.isBlocked && !(await outlet.ready())) return
    }
    if (this.#length !== null && this.octets < this.#length)
      throw new RangeError('a body is shorter than it was said to be')
    if (this.#framing === Framing.chunked) outlet.put(LAST_CHUNK)
    this.#source = null
  }

  /** The client has finished, or gone. */
  end(): void {
    if (isStream(this.#source)) this.#source.ended?.()
  }

  #writeWhole(
    response: HttpResponse,
    body: string | Uint8Array | null,
    isMute: boolean,
    minor: number,
    wall: number,
  ): void {
    const framing = isBodiless(response.status) ? Framing.none : Framing.length
    const length = body === null ? 0 : body.length
    if (!isMute) this.octets = length
    if (body === null || isMute || length <= INLINE) {
      this.#writer.whole(response, framing, body, isMute, minor, this.closes, wall)
      return
    }
    this.#writer.head(response, framing, length, minor, this.closes, wall)
    this.flush()
    this.#outlet.lend(typeof body === 'string' ? utf8(body) : body)
  }
}
