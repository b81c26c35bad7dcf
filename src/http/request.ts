// A request as handlers see it, with the names of the web's `Request`, and made of octets as late as can be: nothing is parsed
// that nobody asks for. A real `Request` is made by `toWeb`.
import type { Endpoint } from '../runtime/endpoint.ts'
import { parseCookies } from './cookies.ts'
import { ReceivedHeaders } from './headers.ts'
import { checkJson, textDecoder } from './media-type.ts'
import { latin1 } from './octets.ts'
import type { ReceivedBody } from './received-body.ts'
import type { RequestHead } from './request-head.ts'
import { HttpError } from './status.ts'

export class HttpRequest {
  readonly method: string
  /** The connection that it came by: addresses, and TCP's own figures. */
  readonly endpoint: Endpoint
  /** How many came before it on this connection. */
  readonly number: number
  /** When its head was complete, on the stack's clock, in milliseconds. */
  readonly at: number
  readonly minor: number
  readonly #bytes: Uint8Array
  readonly #targetStart: number
  readonly #targetEnd: number
  readonly #fieldsStart: number
  readonly #fieldsEnd: number
  readonly #hostStart: number
  readonly #hostEnd: number
  readonly #content: ReceivedBody | null
  #target: string | null = null
  #headers: ReceivedHeaders | null = null
  #body: ReadableStream<Uint8Array<ArrayBuffer>> | null = null
  #controller: AbortController | null = null
  #isGone = false

  /** @internal The octets of the head stay as they are; the head itself is filled anew. */
  constructor(head: RequestHead, endpoint: Endpoint, content: ReceivedBody | null, number: number, at: number) {
    this.method = head.method
    this.endpoint = endpoint
    this.number = number
    this.at = at
    this.minor = head.minor
    this.#bytes = head.bytes
    this.#targetStart = head.targetStart
    this.#targetEnd = head.targetEnd
    this.#fieldsStart = head.fieldsStart
    this.#fieldsEnd = head.fieldsEnd
    this.#hostStart = head.hostStart
    this.#hostEnd = head.hostEnd
    this.#content = content
  }

  /** What was asked for: the path as it was sent, with its query; `*` for the server as a whole. */
  get target(): string {
    this.#target ??= this.#readTarget()
    return this.#target
  }

  #readTarget(): string {
    const start = this.#targetStart
    const end = this.#targetEnd
    if (end - start === 1) return this.#bytes[start] === 42 ? '*' : '/'
    if (end === start) return this.method === 'OPTIONS' ? '*' : '/'
    const text = latin1(this.#bytes, start, end)
    return text.startsWith('?') ? `/${text}` : text
  }

  /** Without the query; still percent-encoded. */
  get path(): string {
    const { target } = this
    const place = target.indexOf('?')
    return place < 0 ? target : target.slice(0, place)
  }

  /** After the question mark; '' where there is none. */
  get query(): string {
    const { target } = this
    const place = target.indexOf('?')
    return place < 0 ? '' : target.slice(place + 1)
  }

  get host(): string {
    const host = latin1(this.#bytes, this.#hostStart, this.#hostEnd)
    if (host !== '') return host
    const address = this.endpoint.localAddress.toString()
    return address.includes(':') ? `[${address}]` : address
  }

  /** Absolute, as the web's is. */
  get url(): string {
    const { target } = this
    return `http://${this.host}${target === '*' ? '/' : target}`
  }

  get headers(): ReceivedHeaders {
    this.#headers ??= new ReceivedHeaders(this.#bytes, this.#fieldsStart, this.#fieldsEnd)
    return this.#headers
  }

  get cookies(): ReadonlyMap<string, string> {
    return parseCookies(this.headers.get('cookie'))
  }

  get remoteAddress(): string {
    return this.endpoint.remoteAddress.toString()
  }

  get remotePort(): number {
    return this.endpoint.remotePort
  }

  /** Its reading has begun. */
  get bodyUsed(): boolean {
    return this.#content?.wasAsked ?? false
  }

  /** Null where the request has none. */
  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    const content = this.#content
    if (content === null) return null
    this.#body ??= content.stream()
    return this.#body
  }

  /** The body piece by piece, without the machinery of streams. */
  async *pieces(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    const content = this.#begin()
    if (content !== null) yield* content.pieces()
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#begin()?.bytes() ?? new Uint8Array(0)
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const { buffer, byteOffset, byteLength } = await this.bytes()
    return buffer.slice(byteOffset, byteOffset + byteLength)
  }

  /** By the charset that the request names. What can't be read so is answered with 415, unless the handler does something else about it. */
  async text(): Promise<string> {
    const decoder = textDecoder(this.headers)
    return decoder.decode(await this.bytes())
  }

  /** What is said to be something else is answered with 415, what is no JSON with 400. */
  async json(): Promise<unknown> {
    checkJson(this.headers)
    const text = await this.text()
    try {
      return JSON.parse(text)
    } catch {
      throw new HttpError(400, 'The body of the request is not JSON.')
    }
  }

  /** Aborted when the client has gone before it had its answer. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.#isGone) this.#controller.abort()
    }
    return this.#controller.signal
  }

  /** A `Request` of the web, which costs ten times as much as this one. */
  toWeb(): Request {
    const { method, url, signal, body } = this
    const headers = new Headers()
    for (const [name, value] of this.headers) headers.append(name, value)
    const init = { method, headers, signal, body, duplex: 'half' }
    return new Request(url, init as RequestInit)
  }

  /** @internal The client has gone. */
  abort(): void {
    this.#isGone = true
    this.#controller?.abort()
  }

  #begin(): ReceivedBody | null {
    if (this.bodyUsed) throw new TypeError('the body has been read already')
    return this.#content
  }
}
