// Octets as HTTP sees them: which may stand where, and their way to text and back. Header fields are ISO 8859-1 here, an octet
// a character, so that nothing is lost on the way (RFC 9110 §5.5).

export const TAB = 9
export const LF = 10
export const CR = 13
export const SPACE = 32
export const COMMA = 44
export const SLASH = 47
export const COLON = 58

const TOKEN = 1
const VALUE = 2
const TARGET = 4
const DIGIT = 8

const CLASSES = classes()

function classes(): Uint8Array {
  const table = new Uint8Array(256)
  // RFC 9110 §5.6.2: tchar.
  for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
    table[character.charCodeAt(0)] |= TOKEN
  }
  for (let octet = 0; octet < 256; octet++) {
    // RFC 9110 §5.5: field-vchar, and the spaces within.
    if (octet === TAB || (octet >= SPACE && octet !== 127)) table[octet] |= VALUE
    if (octet > SPACE && octet < 127) table[octet] |= TARGET
    if (octet >= 48 && octet <= 57) table[octet] |= DIGIT
  }
  return table
}

export function isToken(octet: number): boolean {
  return (CLASSES[octet] & TOKEN) !== 0
}

/** May stand in a field's value. */
export function isValue(octet: number): boolean {
  return (CLASSES[octet] & VALUE) !== 0
}

/** May stand in a request target: what is visible of ASCII. */
export function isTarget(octet: number): boolean {
  return (CLASSES[octet] & TARGET) !== 0
}

export function isDigit(octet: number): boolean {
  return (CLASSES[octet] & DIGIT) !== 0
}

/** The value of a hexadecimal digit, or -1. */
export function hexadecimal(octet: number): number {
  if (octet >= 48 && octet <= 57) return octet - 48
  const lower = octet | 0x20
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

const BY_LOOP = 24
const MOST_AT_ONCE = 8192

/** An octet a character. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  if (end - start <= BY_LOOP) {
    for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at])
    return text
  }
  for (let at = start; at < end; at += MOST_AT_ONCE) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, Math.min(end, at + MOST_AT_ONCE)) as unknown as number[])
  }
  return text
}

/** Whether the octets are this text of lower-case letters, in whatever case. */
export function isWord(bytes: Uint8Array, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false
  for (let at = 0; at < word.length; at++) {
    const octet = bytes[start + at]
    const lower = octet >= 65 && octet <= 90 ? octet | 0x20 : octet
    if (lower !== word.charCodeAt(at)) return false
  }
  return true
}

/** Writes a text of one-octet characters; returns where it ends. */
export function writeLatin1(target: Uint8Array, at: number, text: string): number {
  for (let place = 0; place < text.length; place++) target[at + place] = text.charCodeAt(place)
  return at + text.length
}

export function isTokenText(text: string): boolean {
  if (text === '') return false
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127 || !isToken(text.charCodeAt(at))) return false
  return true
}

/** May stand as a field's value: no line end can be smuggled in by it. */
export function isValueText(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 255 || !isValue(text.charCodeAt(at))) return false
  return true
}

const encoder = new TextEncoder()

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text)
}

/** Writes UTF-8 into `target`, which must have three octets of room for each character; returns where it ends. */
export function writeUtf8(target: Uint8Array, at: number, text: string): number {
  for (let place = 0; place < text.length; place++) {
    const code = text.charCodeAt(place)
    if (code > 127) return at + place + encoder.encodeInto(text.slice(place), target.subarray(at + place)).written
    target[at + place] = code
  }
  return at + text.length
}
