// Reassembly (RFC 791 §3.2, RFC 815, RFC 8200 §4.5): fragments wait until their datagram is whole, within limits by octets in
// total and by source, and for 30 seconds. Costs are in proportion to the octets: places are bits, eight octets each.
// Called by ip/input; a datagram that comes out is the caller's own.
import type { Octets } from '../batch.ts'
import type { Deadlines } from '../deadlines.ts'
import { Count, Drop, type DropReason, type Observer } from '../observer.ts'
import type { SipHash } from '../siphash.ts'
import { Address } from './address.ts'
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
const BITMAP_WORDS = (LONGEST + 1) / UNIT / 32
/** What keeping a datagram and a fragment costs beside the octets. */
const DATAGRAM_COST = BITMAP_WORDS * 4 + 512
const FRAGMENT_COST = 128

interface Fragment {
  readonly start: number
  readonly bytes: Uint8Array
}

/** A datagram in the making. */
class Datagram {
  readonly source = new Address()
  readonly destination = new Address()
  readonly hash: number
  readonly sourceHash: number
  readonly identification: number
  readonly protocol: number
  /** RFC 1122 §3.2.2: then no error is sent about it. */
  readonly isToGroup: boolean
  readonly until: number
  readonly fragments: Fragment[] = []
  /** Lengths by start, to tell a repeated fragment from one that overlaps. */
  readonly lengths = new Map<number, number>()
  readonly filled = new Int32Array(BITMAP_WORDS)
  /** The first fragment's octets from the IP header on, for an ICMP error. */
  head: Uint8Array<ArrayBuffer> | null = null
  received = 0
  /** Known once the last fragment is here. */
  length = -1
  reach = 0
  cost = 0

  constructor(
    hash: number,
    sourceHash: number,
    packet: Packet,
    identification: number,
    protocol: number,
    until: number,
  ) {
    this.hash = hash
    this.sourceHash = sourceHash
    this.source.assign(packet.source)
    this.destination.assign(packet.destination)
    this.identification = identification
    this.protocol = protocol
    this.isToGroup = packet.isToGroup
    this.until = until
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
  readonly #datagrams = new Map<number, Datagram>()
  readonly #sources = new Map<number, number>()
  /** Timed out since the stack last looked. */
  readonly abandoned: Abandoned[] = []
  /** Of the datagram that `receive` has just returned. */
  firstFragment: Octets | null = null
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
   * Returns the whole datagram's octets when this was the last one missing, null otherwise.
   */
  receive(
    packet: Packet,
    identification: number,
    protocol: number,
    start: number,
    more: boolean,
    now: number,
  ): Uint8Array<ArrayBuffer> | null {
    this.#observer.counters.values[Count.fragmentsReceived]++
    const { length } = packet
    if (length === 0 || (more && length % UNIT !== 0)) return this.#refuse(packet, Drop.badFragment)
    // The ping of death: RFC 8200 §4.5, RFC 791 §3.1's total length.
    const most = packet.isIpv4 ? LONGEST - (packet.offset - packet.start) : LONGEST
    if (start + length > most) return this.#refuse(packet, Drop.fragmentTooLong)
    const datagram = this.#find(packet, identification, protocol, now)
    if (datagram === null) return this.#refuse(packet, Drop.fragmentLimit)
    const end = start + length
    if (datagram.lengths.get(start) === length && (more || datagram.length === end)) return null
    // RFC 5722, RFC 8200 §4.5: overlapping fragments end the datagram. Differs: RFC 791 lets the newer octets win;
    // Linux drops as here for both families, since every choice of a winner has been used to hide things from filters.
    const isBeyond = datagram.length >= 0 && end > datagram.length
    const isShort = !more && (datagram.reach > end || (datagram.length >= 0 && datagram.length !== end))
    if (isBeyond || isShort || !claim(datagram.filled, start, end)) {
      this.#discard(datagram)
      return this.#refuse(packet, Drop.fragmentOverlap)
    }
    this.#keep(datagram, packet, start, more)
    return datagram.received === datagram.length ? this.#assemble(datagram) : null
  }

  expire(now: number): void {
    for (const datagram of this.#datagrams.values()) {
      if (datagram.until > now) break
      this.#observer.drop(Drop.fragmentTimeout, null, 0)
      // RFC 792: time exceeded in reassembly is sent only where fragment zero has arrived.
      if (datagram.head !== null && !datagram.isToGroup && this.abandoned.length < MOST_ABANDONED) {
        const { head: bytes, source, destination } = datagram
        this.abandoned.push({ bytes, view: new DataView(bytes.buffer), source, destination })
      }
      this.#discard(datagram)
    }
    this.#arm()
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
    if (!this.#makeRoom(sourceHash, DATAGRAM_COST + packet.length)) return null
    const datagram = new Datagram(key, sourceHash, packet, identification, protocol, now + this.#limits.lifetime)
    this.#datagrams.set(key, datagram)
    this.#charge(datagram, DATAGRAM_COST)
    this.#arm()
    return datagram
  }

  /** A source that has its share gets no more; when the whole is full the oldest datagram goes. */
  #makeRoom(sourceHash: number, octets: number): boolean {
    if ((this.#sources.get(sourceHash) ?? 0) + octets > this.#limits.octetsPerSource) return false
    return this.#makeSpace(octets, null)
  }

  #keep(datagram: Datagram, packet: Packet, start: number, more: boolean): void {
    const { length } = packet
    const bytes = packet.bytes.slice(packet.offset, packet.offset + length)
    datagram.fragments.push({ start, bytes })
    datagram.lengths.set(start, length)
    datagram.received += length
    datagram.reach = Math.max(datagram.reach, start + length)
    if (!more) datagram.length = start + length
    if (start === 0) {
      const end = Math.min(packet.offset + length, packet.start + HEAD)
      datagram.head = packet.bytes.slice(packet.start, end)
    }
    this.#charge(datagram, length + FRAGMENT_COST)
    if (datagram.received === datagram.length) return
    const isOverShare = (this.#sources.get(datagram.sourceHash) ?? 0) > this.#limits.octetsPerSource
    if (isOverShare || !this.#makeSpace(0, datagram)) {
      this.#observer.drop(Drop.fragmentLimit, null, 0)
      this.#discard(datagram)
    }
  }

  /** The oldest datagrams go until there is room; false where the next to go would be the one that asks. */
  #makeSpace(octets: number, asking: Datagram | null): boolean {
    while (this.#octets + octets > this.#limits.octets) {
      const oldest = this.#datagrams.values().next().value
      if (oldest === undefined || oldest === asking) return false
      this.#observer.drop(Drop.fragmentLimit, null, 0)
      this.#discard(oldest)
    }
    return true
  }

  #assemble(datagram: Datagram): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(datagram.length)
    for (const { start, bytes } of datagram.fragments) whole.set(bytes, start)
    const { head } = datagram
    this.firstFragment = head === null ? null : { bytes: head, view: new DataView(head.buffer) }
    this.#discard(datagram)
    this.#observer.counters.values[Count.reassembled]++
    return whole
  }

  #charge(datagram: Datagram, octets: number): void {
    datagram.cost += octets
    this.#octets += octets
    this.#sources.set(datagram.sourceHash, (this.#sources.get(datagram.sourceHash) ?? 0) + octets)
  }

  #discard(datagram: Datagram): void {
    if (!this.#datagrams.delete(datagram.hash)) return
    this.#octets -= datagram.cost
    const left = (this.#sources.get(datagram.sourceHash) ?? 0) - datagram.cost
    if (left > 0) this.#sources.set(datagram.sourceHash, left)
    else this.#sources.delete(datagram.sourceHash)
  }

  #refuse(packet: Packet, reason: DropReason): null {
    this.#observer.drop(reason, packet.batch, packet.row)
    return null
  }

  /** The map is in the order of making, and all live equally long: the first is due first. */
  #arm(): void {
    const oldest = this.#datagrams.values().next().value
    this.#deadlines.set(this.#row, oldest === undefined ? Number.POSITIVE_INFINITY : oldest.until)
  }
}

/** What an ICMP error quotes at most: header and a good part of the first fragment. */
const HEAD = 1232
const MOST_ABANDONED = 16

/** Marks the units of the range; false where one is marked already. */
function claim(filled: Int32Array, start: number, end: number): boolean {
  const first = start / UNIT
  const last = Math.ceil(end / UNIT)
  for (let unit = first; unit < last; unit++) if ((filled[unit >>> 5] & (1 << (unit & 31))) !== 0) return false
  for (let unit = first; unit < last; unit++) filled[unit >>> 5] |= 1 << (unit & 31)
  return true
}
