// An answer as handlers make it, with the names of the web's `Response`, which may be returned as well; texts and octets too.
import { HeaderFields, type HeadersInit } from './headers.ts'
import { utf8 } from './octets.ts'
import { HttpError, sentenceOf } from './status.ts'

/** Octets that come by and by. */
export interface OctetSource {
  /** In octets; null where nobody knows before the end. */
  readonly length: number | null
  /** Nobody changes what it gives, so that it may be sent without a copy. */
  readonly isLent?: boolean
  /** Its client has finished, or gone. */
  ended?(): void
  /** Nobody will read it. */
  cancel?(): void
  pieces(): AsyncIterable<Uint8Array>
}

export type Body =
  | string
  | Uint8Array<ArrayBuffer>
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>
  | OctetSource

export interface ResponseInit {
  status?: number
  headers?: HeadersInit
}

export class HttpResponse {
  readonly status: number
  /** Octets must not change any more. */
  readonly body: Body | null
  #headers: HeaderFields | null = null
  /** @internal The status line and the fields as they go out, kept from the second use on: an answer may be given many times. */
  composed: Uint8Array | null = null
  /** @internal */
  uses = 0

  constructor(body: Body | null = null, init: ResponseInit = {}) {
    const { status = 200, headers } = init
    if (!Number.isInteger(status) || status < 200 || status > 599)
      throw new RangeError(`${status} is no status of an answer: those are 200 to 599`)
    this.status = status
    this.body = body
    if (headers !== undefined) this.#headers = new HeaderFields(headers)
  }

  get headers(): HeaderFields {
    this.composed = null
    this.#headers ??= new HeaderFields()
    return this.#headers
  }

  /** @internal Null where there are none. */
  get fields(): HeaderFields | null {
    return this.#headers
  }

  static json(value: unknown, init: ResponseInit = {}): HttpResponse {
    const response = new HttpResponse(utf8(JSON.stringify(value)), init)
    if (!response.headers.has('content-type')) response.headers.append('Content-Type', 'application/json')
    return response
  }

  static html(text: string, init: ResponseInit = {}): HttpResponse {
    const response = new HttpResponse(utf8(text), init)
    if (!response.headers.has('content-type')) response.headers.append('Content-Type', 'text/html; charset=utf-8')
    return response
  }

  static redirect(location: string, status: 301 | 302 | 303 | 307 | 308 = 302): HttpResponse {
    return new HttpResponse(`${sentenceOf(status)}\n`, { status, headers: { Location: asciiLocation(location) } })
  }

  /** One plain sentence. */
  static error(status: number, sentence = sentenceOf(status), headers: HeadersInit = {}): HttpResponse {
    return new HttpResponse(sentence === '' ? null : `${sentence}\n`, { status, headers })
  }
}

/** What a handler may return. */
export type Answer = HttpResponse | Response | string | Uint8Array<ArrayBuffer>

/** What it threw, as an answer; `failed` hears of what was no answer. */
export function answerTo(error: unknown, failed: (error: unknown) => void): HttpResponse {
  if (error instanceof HttpError) return HttpResponse.error(error.status, error.message, error.headers)
  failed(error)
  return HttpResponse.error(500)
}

export function toResponse(answer: Answer): HttpResponse {
  if (answer instanceof HttpResponse) return answer
  if (typeof answer === 'string' || answer instanceof Uint8Array) return new HttpResponse(answer)
  if (typeof Response !== 'undefined' && answer instanceof Response) return fromWeb(answer)
  throw new TypeError('a handler returns a response, a text or octets')
}

/** Nobody is there any more who could be given it: what it holds open is let go. */
export function discard(answer: Answer): void {
  const body = typeof answer === 'object' && 'body' in answer ? answer.body : null
  if (typeof body !== 'object' || body === null || body instanceof Uint8Array) return
  if ('cancel' in body) Promise.resolve(body.cancel?.()).catch(() => {})
}

function fromWeb(response: Response): HttpResponse {
  const { status, headers, body } = response
  return new HttpResponse(body, { status: status === 0 ? 500 : status, headers })
}

function asciiLocation(location: string): string {
  return location.replace(/[^!-~]/gu, (character) => encodeURIComponent(character))
}
