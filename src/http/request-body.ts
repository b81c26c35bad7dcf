// The body of a request that is to be sent: whole, so that it may be sent again, or by and by in chunks (RFC 9112 §7.1).
import { utf8 } from './octets.ts'
import type { Outlet } from './outlet.ts'

export type RequestContent = string | Uint8Array<ArrayBuffer> | AsyncIterable<Uint8Array | string>

const CHUNK_END = utf8('\r\n')
const LAST_CHUNK = utf8('0\r\n\r\n')

export class RequestBody {
  /** Null for none, and where nobody knows before the end. */
  readonly length: number | null
  readonly #whole: Uint8Array | null
  readonly #pieces: AsyncIterable<Uint8Array | string> | null

  constructor(content: RequestContent | null) {
    const isWhole = typeof content === 'string' || content instanceof Uint8Array
    this.#whole = isWhole ? octetsOf(content) : null
    this.#pieces = isWhole ? null : content
    this.length = this.#whole?.length ?? null
  }

  get isChunked(): boolean {
    return this.#pieces !== null
  }

  /** It can be sent once more. */
  get isWhole(): boolean {
    return this.#pieces === null
  }

  /** Fulfilled with false where the connection was over before all of it was taken. */
  async sendTo(outlet: Outlet): Promise<boolean> {
    if (this.#whole !== null) outlet.put(this.#whole)
    if (this.#pieces === null) return outlet.ready()
    for await (const given of this.#pieces) {
      const piece = octetsOf(given)
      if (piece.length === 0) continue
      if (!(await outlet.ready())) return false
      outlet.put(utf8(`${piece.length.toString(16)}\r\n`))
      outlet.put(piece)
      outlet.put(CHUNK_END)
      if (!(await outlet.ready())) return false
    }
    outlet.put(LAST_CHUNK)
    return outlet.ready()
  }
}

function octetsOf(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? utf8(content) : content
}
