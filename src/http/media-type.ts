// What a request says of the kind of its body (RFC 9110 §8.3, §8.4), held against what is wanted of it: 415 where the two don't fit.
import type { ReceivedHeaders } from './headers.ts'
import { HttpError } from './status.ts'

const CHARSET = /;[ \t]*charset="?([^\s;"]+)"?/i
/** RFC 8259, and RFC 6839 for what builds on it. */
const JSON_TYPE = /^application\/(?:[\w!#$&^.+-]+\+)?json$/i

/** For a body that is text. */
export function textDecoder(headers: ReceivedHeaders): TextDecoder {
  const coding = headers.get('content-encoding')
  // RFC 9110 §12.5.3: such an answer names the codings that would have been understood.
  if (coding !== null && coding.trim().toLowerCase() !== 'identity')
    throw new HttpError(415, 'This server reads no body that is compressed.', { 'Accept-Encoding': 'identity' })
  const charset = CHARSET.exec(headers.get('content-type') ?? '')?.[1] ?? 'utf-8'
  try {
    return new TextDecoder(charset)
  } catch {
    throw new HttpError(415, 'This server does not know the charset of the body.')
  }
}

/** One that says nothing of its type may be JSON. */
export function checkJson(headers: ReceivedHeaders): void {
  const [type] = (headers.get('content-type') ?? 'application/json').split(';')
  if (JSON_TYPE.test(type.trim())) return
  throw new HttpError(415, 'The body must be JSON, and say so.', { Accept: 'application/json' })
}
