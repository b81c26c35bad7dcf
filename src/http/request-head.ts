// The head of a request, parsed where it lies (RFC 9112 §2 to §6): what the connection must know is read at once, in one walk;
// other fields are only checked, and looked up when somebody asks. One object a server, filled anew by each `parse`.
// Strict where leniency has been abused: a line ends with CR LF, no line is folded, no length is said twice.
import type { HttpLimits } from './limits.ts'
import { COLON, COMMA, CR, isDigit, isTarget, isToken, isValue, isWord, latin1, SLASH, SPACE, TAB } from './octets.ts'

const MOST_LENGTH_DIGITS = 15
const LONGEST_METHOD = 24
const MEANS_BODY = new Set(['POST', 'PUT', 'PATCH'])

/** What a head was refused for. */
export interface Refusal {
  status: number
  sentence: string
}

export class RequestHead {
  /** What was parsed, which stays as it is, and how long the head is; 0 octets where it was refused. */
  bytes: Uint8Array = NOTHING
  length = 0
  method = 'GET'
  /** HTTP/1.x. */
  minor = 1
  /** Places within the octets that were parsed. */
  targetStart = 0
  targetEnd = 0
  fieldsStart = 0
  fieldsEnd = 0
  /** The host that was asked: of an absolute target, or else of the Host field; the same place twice where there is none. */
  hostStart = 0
  hostEnd = 0
  /** -1 where there is no such field. */
  contentLength = -1
  isChunked = false
  expectsContinue = false
  wantsClose = false
  wantsKeepAlive = false
  readonly refusal: Refusal = { status: 400, sentence: '' }
  #view = viewOf(NOTHING)
  #start = 0
  #hosts = 0
  #hasLength = false
  #codings = 0

  get hasBody(): boolean {
    return this.isChunked || this.contentLength > 0
  }

  get persists(): boolean {
    return this.minor === 0 ? this.wantsKeepAlive && !this.wantsClose : !this.wantsClose
  }

  /** Whether what begins at `at` is the head that was parsed last, octet for octet: then all that was found in it holds. */
  standsAt(view: DataView, at: number, end: number): boolean {
    const { length } = this
    if (length === 0 || end - at < length) return false
    const known = this.#view
    const start = this.#start
    let place = 0
    for (; place + 4 <= length; place += 4)
      if (view.getInt32(at + place) !== known.getInt32(start + place)) return false
    for (; place < length; place++) if (view.getUint8(at + place) !== known.getUint8(start + place)) return false
    return true
  }

  /** The octets `start` to `end - 1` are one whole head, with its empty line, and stay as they are. False where it is refused. */
  parse(bytes: Uint8Array, start: number, end: number, limits: HttpLimits): boolean {
    this.#reset()
    if (!this.#parse(bytes, start, end, limits)) return false
    if (this.bytes !== bytes) this.#view = viewOf(bytes)
    this.bytes = bytes
    this.#start = start
    this.length = end - start
    return true
  }

  #parse(bytes: Uint8Array, start: number, end: number, limits: HttpLimits): boolean {
    const lineEnd = lineEndAt(bytes, start)
    if (!this.#parseLine(bytes, start, lineEnd, limits)) return false
    this.fieldsStart = lineEnd + 2
    this.fieldsEnd = end - 2
    let count = 0
    for (let at = this.fieldsStart; at < this.fieldsEnd; ) {
      if (++count > limits.fields) return this.refuse(431, 'The request has too many header fields.')
      const after = this.#parseField(bytes, at)
      if (after < 0) return false
      at = after
    }
    return this.#checkWhole()
  }

  #reset(): void {
    this.length = 0
    this.contentLength = -1
    this.isChunked = false
    this.expectsContinue = false
    this.wantsClose = false
    this.wantsKeepAlive = false
    this.hostStart = 0
    this.hostEnd = 0
    this.#hosts = 0
    this.#hasLength = false
    this.#codings = 0
  }

  /** RFC 9112 §3. */
  #parseLine(bytes: Uint8Array, start: number, end: number, limits: HttpLimits): boolean {
    let at = start
    while (at < end && isToken(bytes[at])) at++
    if (at === start || bytes[at] !== SPACE) return this.refuse(400, 'The request does not begin with a method.')
    if (at - start > LONGEST_METHOD) return this.refuse(501, 'This server knows no method with so long a name.')
    this.method = methodOf(bytes, start, at)
    this.targetStart = ++at
    while (at < end && isTarget(bytes[at])) at++
    this.targetEnd = at
    if (at === this.targetStart || bytes[at] !== SPACE)
      return this.refuse(400, 'The request line is not a method, a target and a version with one space between.')
    if (at - this.targetStart > limits.target) return this.refuse(414)
    return this.#parseVersion(bytes, at + 1, end) && this.#parseTarget(bytes)
  }

  #parseVersion(bytes: Uint8Array, at: number, end: number): boolean {
    const isVersion =
      end - at === 8 &&
      bytes[at] === 72 &&
      bytes[at + 1] === 84 &&
      bytes[at + 2] === 84 &&
      bytes[at + 3] === 80 &&
      bytes[at + 4] === SLASH &&
      isDigit(bytes[at + 5]) &&
      bytes[at + 6] === 46 &&
      isDigit(bytes[at + 7])
    if (!isVersion) return this.refuse(400, 'The request line does not end with a version of HTTP.')
    if (bytes[at + 5] !== 49) return this.refuse(505)
    // RFC 9110 §2.5: a higher minor version is understood as the highest that we know.
    this.minor = bytes[at + 7] === 48 ? 0 : 1
    return true
  }

  /** RFC 9112 §3.2: four forms, each for its methods. */
  #parseTarget(bytes: Uint8Array): boolean {
    const { targetStart: start, targetEnd: end, method } = this
    for (let at = start; at < end; at++) {
      if (bytes[at] === 35) return this.refuse(400, 'A request target has no fragment.')
    }
    if (method === 'CONNECT') return this.refuse(501, 'This server is not a proxy.')
    if (bytes[start] === SLASH) return true
    if (end - start === 1 && bytes[start] === 42) {
      return method === 'OPTIONS' || this.refuse(400, 'Only OPTIONS may ask about the server as a whole.')
    }
    if (!isWord(bytes, start, Math.min(end, start + 7), 'http://'))
      return this.refuse(400, 'The request target is neither a path nor an http address.')
    const authority = start + 7
    let at = authority
    while (at < end && bytes[at] !== SLASH && bytes[at] !== 63) at++
    if (!isHost(bytes, authority, at) || at === authority)
      return this.refuse(400, 'The host in the request target is no host.')
    this.hostStart = authority
    this.hostEnd = at
    // The path alone is what handlers see; `*` stands for none at all (§3.2.4).
    this.targetStart = at
    return true
  }

  /** Where the next line begins; -1 where it is refused. */
  #parseField(bytes: Uint8Array, start: number): number {
    let at = start
    while (isToken(bytes[at])) at++
    if (at === start || bytes[at] !== COLON) return this.#refuseField(bytes, start, at)
    const nameEnd = at++
    while (bytes[at] === SPACE || bytes[at] === TAB) at++
    const valueStart = at
    while (isValue(bytes[at])) at++
    if (bytes[at] !== CR) {
      this.refuse(400, 'A header field has an octet in it that may not stand there.')
      return -1
    }
    let valueEnd = at
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) valueEnd--
    return this.#understand(bytes, start, nameEnd, valueStart, valueEnd) ? at + 2 : -1
  }

  #refuseField(bytes: Uint8Array, start: number, at: number): number {
    const isSpace = bytes[at] === SPACE || bytes[at] === TAB
    // RFC 9112 §5.1 and §5.2.
    if (isSpace && at === start) this.refuse(400, 'A header field is folded over several lines.')
    else if (isSpace) this.refuse(400, 'There is a space between the name of a header field and its colon.')
    else this.refuse(400, 'A header field has no proper name.')
    return -1
  }

  /** The fields that say how the request is framed, told apart by their lengths. */
  #understand(bytes: Uint8Array, start: number, nameEnd: number, from: number, to: number): boolean {
    switch (nameEnd - start) {
      case 4:
        return !isWord(bytes, start, nameEnd, 'host') || this.#takeHost(bytes, from, to)
      case 6:
        return !isWord(bytes, start, nameEnd, 'expect') || this.#takeExpect(bytes, from, to)
      case 10:
        return !isWord(bytes, start, nameEnd, 'connection') || this.#takeConnection(bytes, from, to)
      case 14:
        return !isWord(bytes, start, nameEnd, 'content-length') || this.#takeLength(bytes, from, to)
      case 17:
        return !isWord(bytes, start, nameEnd, 'transfer-encoding') || this.#takeCoding(bytes, from, to)
      default:
        return true
    }
  }

  #takeHost(bytes: Uint8Array, from: number, to: number): boolean {
    if (++this.#hosts > 1) return this.refuse(400, 'The request names its host twice.')
    if (!isHost(bytes, from, to)) return this.refuse(400, 'The host of the request is no host.')
    // RFC 9112 §3.2.2: that of an absolute target goes before.
    if (this.hostEnd === 0) {
      this.hostStart = from
      this.hostEnd = to
    }
    return true
  }

  #takeExpect(bytes: Uint8Array, from: number, to: number): boolean {
    if (!isWord(bytes, from, to, '100-continue')) return this.refuse(417)
    // RFC 9110 §10.1.1: of HTTP/1.0 it is not heard.
    this.expectsContinue = this.minor > 0
    return true
  }

  #takeConnection(bytes: Uint8Array, from: number, to: number): boolean {
    for (let at = from; at < to; ) {
      let end = at
      while (end < to && bytes[end] !== COMMA) end++
      let last = end
      while (at < last && (bytes[at] === SPACE || bytes[at] === TAB)) at++
      while (last > at && (bytes[last - 1] === SPACE || bytes[last - 1] === TAB)) last--
      if (isWord(bytes, at, last, 'close')) this.wantsClose = true
      else if (isWord(bytes, at, last, 'keep-alive')) this.wantsKeepAlive = true
      at = end + 1
    }
    return true
  }

  /** RFC 9112 §6.3. Differs: the same length said twice is refused as well, since somebody between us may have read only one of them. */
  #takeLength(bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#hasLength) return this.refuse(400, 'The request says its length twice.')
    this.#hasLength = true
    let length = 0
    for (let at = from; at < to; at++) {
      if (!isDigit(bytes[at])) return this.refuse(400, 'The length of the request is no number.')
      length = length * 10 + bytes[at] - 48
    }
    if (from === to) return this.refuse(400, 'The length of the request is no number.')
    if (to - from > MOST_LENGTH_DIGITS) return this.refuse(413)
    this.contentLength = length
    return true
  }

  /** RFC 9112 §6.1. */
  #takeCoding(bytes: Uint8Array, from: number, to: number): boolean {
    if (++this.#codings > 1) return this.refuse(400, 'The request says its transfer coding twice.')
    if (isWord(bytes, from, to, 'chunked')) {
      this.isChunked = true
      return true
    }
    const codings = latin1(bytes, from, to).toLowerCase().split(',')
    const last = codings.pop()?.trim()
    if (last !== 'chunked' || codings.some((coding) => coding.trim() === 'chunked' || coding.trim() === ''))
      return this.refuse(400, 'The last transfer coding of a request, and only the last, is chunked.')
    return this.refuse(501, 'This server knows no transfer coding but chunked.')
  }

  /** What can be judged only when all fields have been read. */
  #checkWhole(): boolean {
    if (this.isChunked && this.#hasLength)
      return this.refuse(400, 'The request is both chunked and of a length that it gives.')
    // RFC 1945 §8.3: where it might end with the connection, nobody could answer it.
    if (this.minor === 0 && !this.#hasLength && !this.isChunked && MEANS_BODY.has(this.method)) return this.refuse(411)
    if (this.isChunked && this.minor === 0) return this.refuse(400, 'A request of HTTP/1.0 can not be chunked.')
    if (this.#hosts === 0 && this.minor > 0) return this.refuse(400, 'The request does not name its host.')
    return true
  }

  /** @returns false, for whoever says no with it. */
  refuse(status: number, sentence = ''): boolean {
    this.refusal.status = status
    this.refusal.sentence = sentence
    return false
  }
}

const NOTHING = new Uint8Array(0)

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

function lineEndAt(bytes: Uint8Array, start: number): number {
  let at = start
  while (bytes[at] !== CR) at++
  return at
}

/** Those that everybody uses are not made anew. */
function methodOf(bytes: Uint8Array, start: number, end: number): string {
  if (end - start === 3 && bytes[start] === 71 && bytes[start + 1] === 69 && bytes[start + 2] === 84) return 'GET'
  return latin1(bytes, start, end)
}

/** RFC 3986 §3.2.2: a name, an IPv4 address or one of IPv6 in brackets, and perhaps a port; no user. An empty one is allowed (RFC 9110 §7.2). */
function isHost(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from
  if (bytes[at] === 91 && at < to) {
    at++
    while (at < to && (isDigit(bytes[at]) || isHexOrColon(bytes[at]))) at++
    if (at === from + 1 || at >= to || bytes[at] !== 93) return false
    at++
  } else while (at < to && isHostOctet(bytes[at])) at++
  if (at < to && bytes[at] === COLON) {
    at++
    while (at < to && isDigit(bytes[at])) at++
  }
  return at === to
}

function isHexOrColon(octet: number): boolean {
  const lower = octet | 0x20
  return octet === COLON || octet === 46 || (lower >= 97 && lower <= 102)
}

/** unreserved, pct-encoded, sub-delims. */
function isHostOctet(octet: number): boolean {
  return (
    (isToken(octet) && octet !== 94 && octet !== 96 && octet !== 124 && octet !== 35) ||
    '();=,'.includes(String.fromCharCode(octet))
  )
}
