// The head of a response, as a client reads it (RFC 9112 §4 to §6). Strict where leniency has been abused: line ends, names, lengths
// and codings must be as they should; what makes the length of a response doubtful is an error, and never a guess.
import { ReceivedHeaders } from './headers.ts'
import { COLON, CR, isDigit, isToken, isValue, latin1, SPACE, TAB } from './octets.ts'
import { CHUNKED, UNTIL_END } from './received-body.ts'
import { HttpError, isBodiless } from './status.ts'

const MOST_LENGTH_DIGITS = 15
/** `HTTP/1.1 200 `, after which the phrase comes. */
const LINE_START = 13

export class ResponseHead {
  readonly status: number
  readonly phrase: string
  /** HTTP/1.x. */
  readonly minor: number
  readonly headers: ReceivedHeaders
  /** Octets, or one of the two that stand for an end that is told otherwise. */
  readonly length: number
  /** The connection may be used again afterwards. */
  readonly persists: boolean

  /** The octets are one whole head, with its empty line, and nobody else's. Throws where it is none. `method` is what was asked with. */
  constructor(bytes: Uint8Array, start: number, end: number, method: string, mostFields: number) {
    const lineEnd = bytes.indexOf(CR, start)
    this.minor = readVersion(bytes, start, lineEnd)
    this.status = readStatus(bytes, start + 9)
    this.phrase = readPhrase(bytes, start + LINE_START, lineEnd)
    unfold(bytes, lineEnd + 2, end - 2)
    checkFields(bytes, lineEnd + 2, end - 2, mostFields)
    this.headers = new ReceivedHeaders(bytes, lineEnd + 2, end - 2)
    this.length = method === 'HEAD' || isBodiless(this.status) ? 0 : this.#readLength()
    this.persists = this.length !== UNTIL_END && this.#readPersistence()
  }

  /** RFC 9112 §6.3. */
  #readLength(): number {
    const codings = this.headers.get('transfer-encoding')
    const lengths = this.headers.get('content-length')
    if (codings === null) return lengths === null ? UNTIL_END : readLengths(lengths)
    // §6.1: either of them makes the framing faulty. Differs: it may be read up to the end, but here it is refused.
    if (this.minor === 0) throw wrong('A response of HTTP/1.0 has a transfer coding.')
    if (lengths !== null) throw wrong('The response has a length and a transfer coding.')
    if (codings.toLowerCase() === 'chunked') return CHUNKED
    throw wrong('The response has a transfer coding other than chunked, and none was asked for.')
  }

  /** RFC 9112 §9.3. */
  #readPersistence(): boolean {
    const options = (this.headers.get('connection') ?? '').toLowerCase().split(',')
    const has = (wanted: string) => options.some((option) => option.trim() === wanted)
    return !has('close') && (this.minor > 0 || has('keep-alive'))
  }
}

/** What is wrong is the server's mistake: for who asks on behalf of others, that of a bad gateway. */
function wrong(sentence: string): HttpError {
  return new HttpError(502, sentence)
}

function readVersion(bytes: Uint8Array, start: number, end: number): number {
  const isVersion =
    end - start >= LINE_START &&
    latin1(bytes, start, start + 5) === 'HTTP/' &&
    isDigit(bytes[start + 5]) &&
    bytes[start + 6] === 46 &&
    isDigit(bytes[start + 7]) &&
    bytes[start + 8] === SPACE
  if (!isVersion) throw wrong('The response does not begin with a version of HTTP and a status.')
  if (bytes[start + 5] !== 49) throw wrong('The response is of another version than HTTP/1.')
  return bytes[start + 7] === 48 ? 0 : 1
}

/** RFC 9112 §4: the space stands there even where no phrase follows. */
function readStatus(bytes: Uint8Array, at: number): number {
  const digits = latin1(bytes, at, at + 3)
  if (!/^[1-5]\d\d$/.test(digits) || bytes[at + 3] !== SPACE) throw wrong('The response has no proper status.')
  return Number(digits)
}

function readPhrase(bytes: Uint8Array, start: number, end: number): string {
  for (let at = start; at < end; at++) if (!isValue(bytes[at])) throw wrong('The phrase of the status is not text.')
  return latin1(bytes, start, end)
}

/** RFC 9112 §5.2: a folded line is read as one with spaces in it, which a client must do and a server need not. */
function unfold(bytes: Uint8Array, start: number, end: number): void {
  for (let at = bytes.indexOf(CR, start); at >= 0 && at < end; at = bytes.indexOf(CR, at + 1)) {
    if (bytes[at + 2] === SPACE || bytes[at + 2] === TAB) bytes.fill(SPACE, at, at + 2)
  }
}

function checkFields(bytes: Uint8Array, start: number, end: number, most: number): void {
  let count = 0
  for (let at = start; at < end; at += 2) {
    const name = at
    while (isToken(bytes[at])) at++
    if (at === name || bytes[at] !== COLON) throw wrong('A header field of the response has no proper name.')
    at++
    while (isValue(bytes[at])) at++
    if (bytes[at] !== CR) throw wrong('A header field of the response has an octet in it that may not stand there.')
    if (++count > most) throw wrong('The response has too many header fields.')
  }
}

/** The same length several times is one (RFC 9110 §8.6). */
function readLengths(field: string): number {
  const values = new Set(field.split(',').map((value) => value.trim()))
  const [value] = values
  if (values.size > 1 || !/^\d+$/.test(value)) throw wrong('The length of the response is no number, or several.')
  if (value.length > MOST_LENGTH_DIGITS) throw wrong('The response is longer than can be.')
  return Number(value)
}
