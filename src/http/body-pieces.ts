// The bodies that come by and by, of whatever kind, as pieces one after another.
import type { Body, HttpResponse, OctetSource } from './response.ts'

type Slow = Exclude<Body, string | Uint8Array>

export function isStream(body: Body | null): body is OctetSource {
  return typeof body === 'object' && body !== null && 'pieces' in body
}

export function piecesOf(body: Slow): AsyncIterable<Uint8Array | string> {
  if (isReadable(body)) return readAll(body)
  return 'pieces' in body ? body.pieces() : body
}

/** What a source or a Content-Length field says; null where nobody knows before the end. */
export function knownLength(response: HttpResponse, body: Slow): number | null {
  if (isStream(body) && body.length !== null) return body.length
  const field = response.fields?.get('content-length') ?? null
  return field !== null && /^\d{1,15}$/.test(field) ? Number(field) : null
}

/** Nobody will read it. */
export function cancelBody(body: Slow): void {
  if (isReadable(body)) body.cancel().catch(() => {})
  else if (isStream(body)) body.cancel?.()
}

function isReadable(body: Slow): body is ReadableStream<Uint8Array> {
  return 'getReader' in body
}

async function* readAll(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader()
  let isDone = false
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) {
        isDone = true
        return
      }
      yield value
    }
  } finally {
    if (!isDone) reader.cancel().catch(() => {})
  }
}
