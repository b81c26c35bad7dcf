// The one form of an address above the wire: four int32 words, an IPv4 address as its v4-mapped form (RFC 4291 §2.5.5.2).
// Transport knows no family. An `Address` that is kept is never changed; those of an arriving packet are borrowed: `copy` to keep.

/** The third word of every IPv4 address. */
export const MAPPED = 0xffff

export class Address {
  word0 = 0
  word1 = 0
  word2 = 0
  word3 = 0

  set(word0: number, word1: number, word2: number, word3: number): this {
    this.word0 = word0 | 0
    this.word1 = word1 | 0
    this.word2 = word2 | 0
    this.word3 = word3 | 0
    return this
  }

  setIpv4(word: number): this {
    return this.set(0, 0, MAPPED, word)
  }

  assign(other: Address): this {
    return this.set(other.word0, other.word1, other.word2, other.word3)
  }

  copy(): Address {
    return new Address().assign(this)
  }

  equals(other: Address): boolean {
    return (
      this.word3 === other.word3 &&
      this.word2 === other.word2 &&
      this.word1 === other.word1 &&
      this.word0 === other.word0
    )
  }

  get isIpv4(): boolean {
    return this.word2 === MAPPED && this.word1 === 0 && this.word0 === 0
  }

  /** 0.0.0.0 or ::. */
  get isUnspecified(): boolean {
    return this.word3 === 0 && (this.word2 === 0 || this.word2 === MAPPED) && this.word1 === 0 && this.word0 === 0
  }

  get isLoopback(): boolean {
    if (this.isIpv4) return this.word3 >>> 24 === 127
    return this.word3 === 1 && this.word2 === 0 && this.word1 === 0 && this.word0 === 0
  }

  get isMulticast(): boolean {
    return this.isIpv4 ? this.word3 >>> 28 === 14 : this.word0 >>> 24 === 0xff
  }

  /** 255.255.255.255; a subnet's own broadcast address is known to its interface. */
  get isLimitedBroadcast(): boolean {
    return this.isIpv4 && this.word3 === -1
  }

  /** 169.254.0.0/16 or fe80::/10. */
  get isLinkLocal(): boolean {
    return this.isIpv4 ? this.word3 >>> 16 === 0xa9fe : this.word0 >>> 22 === 0x3fa
  }

  /** Whether the first `length` bits (of 128) are those of `prefix`. */
  isWithin(prefix: Address, length: number): boolean {
    return (
      agrees(this.word0, prefix.word0, length) &&
      agrees(this.word1, prefix.word1, length - 32) &&
      agrees(this.word2, prefix.word2, length - 64) &&
      agrees(this.word3, prefix.word3, length - 96)
    )
  }

  /** How many leading bits two addresses have in common. */
  commonPrefix(other: Address): number {
    if (this.word0 !== other.word0) return Math.clz32(this.word0 ^ other.word0)
    if (this.word1 !== other.word1) return 32 + Math.clz32(this.word1 ^ other.word1)
    if (this.word2 !== other.word2) return 64 + Math.clz32(this.word2 ^ other.word2)
    return 96 + Math.clz32(this.word3 ^ other.word3)
  }

  toString(): string {
    return this.isIpv4 ? formatIpv4(this.word3) : formatIpv6(this)
  }
}

function agrees(word: number, prefix: number, bits: number): boolean {
  if (bits <= 0) return true
  return bits >= 32 ? word === prefix : (word ^ prefix) >>> (32 - bits) === 0
}

/** An address with the length of its network's prefix, counted in 128 bits. */
export interface Prefix {
  readonly address: Address
  readonly length: number
}

export function unspecified(ipv4: boolean): Address {
  return ipv4 ? new Address().setIpv4(0) : new Address()
}

/** Null where the text is no address. Shorthand such as `10.1` and octal parts are refused. */
export function parseAddress(text: string): Address | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** `10.7.0.2/24`, `fd00::/8`; a bare address has the full length. */
export function parsePrefix(text: string): Prefix | null {
  const [addressText, lengthText, ...rest] = text.split('/')
  const address = parseAddress(addressText)
  if (address === null || rest.length > 0) return null
  const bits = address.isIpv4 && !addressText.includes(':') ? 32 : 128
  if (lengthText === undefined) return { address, length: 128 }
  if (!/^\d{1,3}$/.test(lengthText)) return null
  const length = Number(lengthText)
  return length > bits ? null : { address, length: length + 128 - bits }
}

function parseIpv4(text: string): Address | null {
  const word = ipv4Word(text)
  return word === null ? null : new Address().setIpv4(word)
}

function ipv4Word(text: string): number | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return null
  let word = 0
  for (let part = 1; part <= 4; part++) {
    const octet = match[part]
    if (Number(octet) > 255 || (octet.length > 1 && octet[0] === '0')) return null
    word = (word << 8) | Number(octet)
  }
  return word
}

/** RFC 4291 §2.2, without a zone. */
function parseIpv6(text: string): Address | null {
  let source = text
  const lastColon = source.lastIndexOf(':')
  if (source.includes('.')) {
    const word = ipv4Word(source.slice(lastColon + 1))
    if (word === null) return null
    source = `${source.slice(0, lastColon + 1)}${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`
  }
  const halves = source.split('::')
  if (halves.length > 2) return null
  const head = groups(halves[0])
  const tail = halves.length === 2 ? groups(halves[1]) : []
  if (head === null || tail === null) return null
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null
  const all = [...head, ...new Array<number>(missing).fill(0), ...tail]
  return new Address().set(
    (all[0] << 16) | all[1],
    (all[2] << 16) | all[3],
    (all[4] << 16) | all[5],
    (all[6] << 16) | all[7],
  )
}

function groups(text: string): number[] | null {
  if (text === '') return []
  const parts = text.split(':')
  if (!parts.every((part) => /^[0-9a-fA-F]{1,4}$/.test(part))) return null
  return parts.map((part) => Number.parseInt(part, 16))
}

function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
}

/** RFC 5952: the longest run of zero groups (of two or more, the first of equals) becomes `::`. */
function formatIpv6(address: Address): string {
  const all: number[] = []
  for (const word of [address.word0, address.word1, address.word2, address.word3]) all.push(word >>> 16, word & 0xffff)
  let start = -1
  let longest = 1
  for (let from = 0; from < 8; from++) {
    let to = from
    while (to < 8 && all[to] === 0) to++
    if (to - from > longest) {
      start = from
      longest = to - from
    }
  }
  const hex = (list: number[]) => list.map((group) => group.toString(16)).join(':')
  return start < 0 ? hex(all) : `${hex(all.slice(0, start))}::${hex(all.slice(start + longest))}`
}
