// Reassembly (RFC 791 §3.2, RFC 815, RFC 8200 §4.5): fragments wait until their datagram is whole, within limits by octets in
// total and by source, and for 30 seconds. Each octet is copied to its place at once, in pages that are used again, and which
// places are filled is kept in bits, eight octets each: no order of arrival costs more than another.
// Called by ip/input; `whole` and `firstFragment` are borrowed until the next call.
import { copyOctets, type Octets } from '../batch.ts'
import type { Deadlines } from '../deadlines.ts'
import { Count, Drop, type DropReason, type Observer } from '../observer.ts'
import type { SipHash } from '../siphash.ts'
import { Address } from './address.ts'
import { FragmentPages, PAGE } from './fragment-pages.ts'
import type { Packet } from './packet.ts'

export interface FragmentLimits {
  /** Octets that all datagrams in the making may hold, with what their keeping costs. */
  readonly octets: number
  readonly octetsPerSource: number
  readonly lifetime: number
}

/** Differs: RFC 8200 §4.5 has 60 seconds and RFC 1122 §3.3.2 60 to 120; Linux keeps 30 (ipfrag_time), which bounds what an attacker can hold. */
export const FRAGMENT_LIMITS: FragmentLimits = { octets: 4 << 20, octetsPerSource: 1 << 20, lifetime: 30_000 }

const LONGEST = 65_535
const UNIT = 8
const UNITS = (LONGEST + 1) / UNIT
const MOST_PAGES = (LONGEST + 1) / PAGE
const NO_PAGE = -1
/** What keeping a datagram costs beside its pages. */
const DATAGRAM_COST = 512
/** Of the first fragment's headers so many octets are kept, for an error about the datagram. */
const HEADERS = 128
/** What an ICMP error quotes at most: headers and a good part of the first fragment. */
const QUOTED = 1232
const MOST_ABANDONED = 16

/** A datagram in the making: made once, used for many. */
class Datagram {
  readonly source = new Address()
  readonly destination = new Address()
  hash = 0
  sourceHash = 0
  identification = 0
  protocol = 0
  /** RFC 1122 §3.2.2: then no error is sent about it. */
  isToGroup = false
  until = Number.POSITIVE_INFINITY
  /** A page of bits: which units are filled, then at which ones a fragment begins. */
  map = NO_PAGE
  /** Where the octets are, a page for each 2,048 of them. */
  readonly pages = new Int32Array(MOST_PAGES).fill(NO_PAGE)
  cost = 0
  received = 0
  /** Known once the last fragment is here. */
  length = -1
  reach = 0
  /** The first fragment's headers, from the IP header on; none until it is here. */
  readonly headers: Octets
  headerLength = 0
  /** Octets that the first fragment brought. */
  firstLength = 0
  /** Neighbours in the order of making. */
  older: Datagram | null = null
  newer: Datagram | null = null

  constructor() {
    const bytes = new Uint8Array(HEADERS)
    this.headers = { bytes, view: new DataView(bytes.buffer) }
  }

  begin(hash: number, sourceHash: number, packet: Packet, identification: number, protocol: number, until: number) {
    this.hash = hash
    this.sourceHash = sourceHash
    this.source.assign(packet.source)
    this.destination.assign(packet.destination)
    this.identification = identification
    this.protocol = protocol
    this.isToGroup = packet.isToGroup
    this.until = until
    this.cost = 0
    this.received = 0
    this.length = -1
    this.reach = 0
    this.headerLength = 0
    this.firstLength = 0
  }

  is(packet: Packet, identification: number, protocol: number): boolean {
    return (
      this.identification === identification &&
      this.protocol === protocol &&
      this.source.equals(packet.source) &&
      this.destination.equals(packet.destination)
    )
  }
}

/** A datagram that was given up with its first fragment at hand: the caller may send an error about it. */
export interface Abandoned extends Octets {
  readonly source: Address
  readonly destination: Address
}

export class Fragments {
  readonly #observer: Observer
  readonly #hash: SipHash
  readonly #limits: FragmentLimits
  readonly #deadlines: Deadlines
  readonly #row: number
  readonly #pages = new FragmentPages()
  readonly #datagrams = new Map<number, Datagram>()
  readonly #sources = new Map<number, number>()
  #oldest: Datagram | null = null
  #newest: Datagram | null = null
  readonly #unused: Datagram[] = []
  /** Timed out since the stack last looked. */
  readonly abandoned: Abandoned[] = []
  /** Of the datagram that `receive` has just completed: its octets, as many as `receive` said, and its first fragment's. */
  whole: Octets | null = null
  firstFragment: Octets | null = null
  firstFragmentLength = 0
  #octets = 0

  constructor(observer: Observer, hash: SipHash, deadlines: Deadlines, limits: FragmentLimits) {
    this.#observer = observer
    this.#hash = hash
    this.#limits = limits
    this.#deadlines = deadlines
    this.#row = deadlines.add(this)
  }

  /** Octets held now, with what keeping them costs. */
  get octets(): number {
    return this.#octets
  }

  get count(): number {
    return this.#datagrams.size
  }

  /**
   * One fragment: `packet.offset` and `packet.length` are its part of the datagram, `start` its place there.
   * Returns the datagram's length when this was the last one missing, and -1 otherwise.
   */
  receive(packet: Packet, identification: number, protocol: number, start: number, more: boolean, now: number): number {
    this.#observer.counters.values[Count.fragmentsReceived]++
    const { length } = packet
    if (length === 0 || (more && length % UNIT !== 0)) return this.#refuse(packet, Drop.badFragment)
    // The ping of death: RFC 8200 §4.5, RFC 791 §3.1's total length.
    const most = packet.isIpv4 ? LONGEST - (packet.offset - packet.start) : LONGEST
    if (start + length > most) return this.#refuse(packet, Drop.fragmentTooLong)
    const datagram = this.#find(packet, identification, protocol, now)
    if (datagram === null) return this.#refuse(packet, Drop.fragmentLimit)
    const end = start + length
    if (this.#isRepeated(datagram, start, end, more)) return -1
    // RFC 5722, RFC 8200 §4.5: overlapping fragments end the datagram. Differs: RFC 791 lets the newer octets win;
    // Linux drops as here for both families, since every choice of a winner has been used to hide things from filters.
    const isBeyond = datagram.length >= 0 && end > datagram.length
    const isShort = !more && (datagram.reach > end || (datagram.length >= 0 && datagram.length !== end))
    if (isBeyond || isShort || !this.#pages.areBits(datagram.map, start / UNIT, Math.ceil(end / UNIT), 0)) {
      this.#discard(datagram)
      return this.#refuse(packet, Drop.fragmentOverlap)
    }
    if (!this.#mayGrow(datagram, this.#missing(datagram, start, end) * PAGE)) {
      this.#discard(datagram)
      return this.#refuse(packet, Drop.fragmentLimit)
    }
    this.#keep(datagram, packet, start, more)
    return datagram.received === datagram.length ? this.#assemble(datagram) : -1
  }

  expire(now: number): void {
    for (let datagram = this.#oldest; datagram !== null && datagram.until <= now; datagram = this.#oldest) {
      this.#observer.drop(Drop.fragmentTimeout, null, 0)
      // RFC 792: time exceeded in reassembly is sent only where fragment zero has arrived.
      if (datagram.headerLength > 0 && !datagram.isToGroup && this.abandoned.length < MOST_ABANDONED) {
        const { source, destination } = datagram
        const quote = octetsOf(quotedLength(datagram))
        this.#quote(datagram, quote)
        this.abandoned.push({ ...quote, source: source.copy(), destination: destination.copy() })
      }
      this.#discard(datagram)
    }
  }

  #find(packet: Packet, identification: number, protocol: number, now: number): Datagram | null {
    const { source, destination } = packet
    const hash = this.#hash.begin().word(source.word0).word(source.word1).word(source.word2).word(source.word3)
    const sourceHash = hash.end()
    hash.begin().word(sourceHash).word(identification).word(protocol)
    hash.word(destination.word0).word(destination.word1).word(destination.word2).word(destination.word3)
    const key = hash.end()
    const known = this.#datagrams.get(key)
    if (known !== undefined) {
      if (known.is(packet, identification, protocol)) return known
      this.#discard(known)
    }
    const cost = DATAGRAM_COST + PAGE
    if (this.#shareOf(sourceHash) + cost > this.#limits.octetsPerSource || !this.#makeSpace(cost, null)) return null
    const datagram = this.#unused.pop() ?? new Datagram()
    datagram.begin(key, sourceHash, packet, identification, protocol, now + this.#limits.lifetime)
    datagram.map = this.#pages.take()
    this.#pages.clear(datagram.map)
    this.#datagrams.set(key, datagram)
    datagram.older = this.#newest
    if (this.#newest === null) this.#setOldest(datagram)
    else this.#newest.newer = datagram
    this.#newest = datagram
    this.#charge(datagram, cost)
    return datagram
  }

  /** Whether exactly this fragment is there already: filled, begun at its start, nowhere in it, and again (or not filled) at its end. */
  #isRepeated(datagram: Datagram, start: number, end: number, more: boolean): boolean {
    if (end > datagram.reach || (!more && datagram.length !== end)) return false
    const pages = this.#pages
    const { map } = datagram
    const first = start / UNIT
    const last = Math.ceil(end / UNIT)
    return (
      pages.areBits(map, first, last, -1) &&
      pages.areBits(map, UNITS + first, UNITS + first + 1, -1) &&
      pages.areBits(map, UNITS + first + 1, UNITS + last, 0) &&
      (last === UNITS ||
        pages.areBits(map, last, last + 1, 0) ||
        pages.areBits(map, UNITS + last, UNITS + last + 1, -1))
    )
  }

  /** How many pages a range still lacks. */
  #missing({ pages }: Datagram, start: number, end: number): number {
    let missing = 0
    for (let page = (start / PAGE) | 0; page * PAGE < end; page++) if (pages[page] === NO_PAGE) missing++
    return missing
  }

  #shareOf(sourceHash: number): number {
    return this.#sources.get(sourceHash) ?? 0
  }

  /** A source that has its share gets no more. */
  #mayGrow(datagram: Datagram, octets: number): boolean {
    if (octets === 0) return true
    if (this.#shareOf(datagram.sourceHash) + octets > this.#limits.octetsPerSource) return false
    return this.#makeSpace(octets, datagram)
  }

  /** The oldest datagrams go until there is room; false where the next to go would be the one that asks. */
  #makeSpace(octets: number, asking: Datagram | null): boolean {
    while (this.#octets + octets > this.#limits.octets) {
      const oldest = this.#oldest
      if (oldest === null || oldest === asking) return false
      this.#observer.drop(Drop.fragmentLimit, null, 0)
      this.#discard(oldest)
    }
    return true
  }

  #keep(datagram: Datagram, packet: Packet, start: number, more: boolean): void {
    const { length } = packet
    const end = start + length
    for (let at = start; at < end; ) {
      const place = (at / PAGE) | 0
      const count = Math.min((place + 1) * PAGE, end) - at
      this.#pages.write(this.#pageOf(datagram, place), at % PAGE, packet, packet.offset + at - start, count)
      at += count
    }
    const first = start / UNIT
    this.#pages.setBits(datagram.map, first, Math.ceil(end / UNIT))
    this.#pages.setBits(datagram.map, UNITS + first, UNITS + first + 1)
    datagram.received += length
    datagram.reach = Math.max(datagram.reach, end)
    if (!more) datagram.length = end
    if (start > 0) return
    datagram.headerLength = Math.min(packet.offset - packet.start, HEADERS)
    datagram.firstLength = length
    copyOctets(datagram.headers, 0, packet, packet.start, datagram.headerLength)
  }

  #pageOf(datagram: Datagram, place: number): number {
    const { pages } = datagram
    if (pages[place] === NO_PAGE) {
      pages[place] = this.#pages.take()
      this.#charge(datagram, PAGE)
    }
    return pages[place]
  }

  #assemble(datagram: Datagram): number {
    const { length } = datagram
    this.whole ??= octetsOf(LONGEST + 1)
    for (let at = 0; at < length; at += PAGE) {
      this.#pages.read(datagram.pages[at / PAGE], this.whole, at, Math.min(PAGE, length - at))
    }
    this.firstFragment ??= octetsOf(QUOTED)
    this.firstFragmentLength = quotedLength(datagram)
    this.#quote(datagram, this.firstFragment)
    this.#discard(datagram)
    this.#observer.counters.values[Count.reassembled]++
    return length
  }

  /** The first fragment as far as an error would quote it. */
  #quote(datagram: Datagram, quote: Octets): void {
    const { headers, headerLength, pages } = datagram
    copyOctets(quote, 0, headers, 0, headerLength)
    this.#pages.read(pages[0], quote, headerLength, quotedLength(datagram) - headerLength)
  }

  #charge(datagram: Datagram, octets: number): void {
    datagram.cost += octets
    this.#octets += octets
    this.#sources.set(datagram.sourceHash, this.#shareOf(datagram.sourceHash) + octets)
  }

  #discard(datagram: Datagram): void {
    this.#datagrams.delete(datagram.hash)
    this.#octets -= datagram.cost
    const left = this.#shareOf(datagram.sourceHash) - datagram.cost
    if (left > 0) this.#sources.set(datagram.sourceHash, left)
    else this.#sources.delete(datagram.sourceHash)
    const { older, newer, pages } = datagram
    datagram.older = null
    datagram.newer = null
    if (newer === null) this.#newest = older
    else newer.older = older
    if (older === null) this.#setOldest(newer)
    else older.newer = newer
    this.#pages.give(datagram.map)
    for (let place = 0; place < MOST_PAGES; place++) {
      if (pages[place] !== NO_PAGE) this.#pages.give(pages[place])
      pages[place] = NO_PAGE
    }
    this.#unused.push(datagram)
    if (this.#datagrams.size > 0) return
    this.#pages.shrink()
    this.#unused.length = 1
  }

  #refuse(packet: Packet, reason: DropReason): -1 {
    this.#observer.drop(reason, packet.batch, packet.row)
    return -1
  }

  /** All live equally long, so the oldest is due first. */
  #setOldest(datagram: Datagram | null): void {
    this.#oldest = datagram
    this.#deadlines.set(this.#row, datagram === null ? Number.POSITIVE_INFINITY : datagram.until)
  }
}

/** Headers longer than are kept end the quote. */
function quotedLength({ headerLength, firstLength }: Datagram): number {
  return headerLength === HEADERS ? HEADERS : Math.min(headerLength + firstLength, QUOTED)
}

function octetsOf(length: number): Octets {
  const bytes = new Uint8Array(length)
  return { bytes, view: new DataView(bytes.buffer) }
}
