// A message of a transport becomes a packet in a batch, or a row of fragments (RFC 791 §3.2, RFC 8200 §4.5).
// First `compose` says where its octets may be written, then `send` puts the header before them. One message at a time.
// Called by udp/output, tcp/emit, tcp/reply, ip/icmp, ip/echo. The places are borrowed until `send`.
import { Checksum, copyOctets, type Octets, type PacketBatch } from '../batch.ts'
import { Count, type Counters, type Observer } from '../observer.ts'
import type { SipHash } from '../siphash.ts'
import * as checksum from '../wire/checksum.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6.ts'
import type { Address } from './address.ts'
import type { Interface } from './interface.ts'
import { DEFAULT_HOP_LIMIT, type Oversized, PacketHeader } from './message.ts'
import { pseudoHeaderSum } from './packet.ts'
import type { PathMtu } from './path-mtu.ts'
import type { Route } from './routes.ts'

/** What `compose` answers when a message can't be written. */
export const NO_ROOM = -1
export const TOO_MUCH = -2

export class IpOutput {
  /** Of the message being composed: `compose` sets addresses and protocol, and the rest to what is usual. */
  readonly header = new PacketHeader()
  /** Where the message's octets are written: the batch, or a buffer of its own where it will be cut into fragments. */
  octets: Octets
  readonly #counters: Counters
  readonly #pathMtu: PathMtu
  readonly #hash: SipHash
  #batch: PacketBatch
  #route: Route | null = null
  #at = 0
  #length = 0
  #packetLimit = 0
  #partialField = -1
  /** The last identification for a pair of addresses. */
  readonly #identifications = new Map<number, number>()
  /** How many were begun: no pair begins twice where it began before. */
  #begun = 0

  constructor(observer: Observer, pathMtu: PathMtu, hash: SipHash, scratch: PacketBatch) {
    this.#counters = observer.counters
    this.#pathMtu = pathMtu
    this.#hash = hash
    this.#batch = scratch
    this.octets = scratch
  }

  /**
   * Where a message of `length` transport octets may be written in `octets`; NO_ROOM where the batch has none now,
   * TOO_MUCH where the message is too large for any packet, or too many wait to be cut into fragments.
   */
  compose(
    batch: PacketBatch,
    route: Route,
    source: Address,
    destination: Address,
    length: number,
    now: number,
  ): number {
    const headerLength = destination.isIpv4 ? ipv4.MINIMUM_LENGTH : ipv6.HEADER_LENGTH
    this.#packetLimit = this.#pathMtu.get(destination, route.interface.mtu, now)
    if (headerLength + length <= this.#packetLimit)
      return this.composeSegment(batch, route, source, destination, length)
    const { interface: by } = route
    if (headerLength + length > LONGEST_DATAGRAM || by.oversizedOctets + length > by.oversizedLimit) return TOO_MUCH
    this.#begin(batch, route, source, destination, length)
    const bytes = new Uint8Array(length)
    this.octets = { bytes, view: new DataView(bytes.buffer) }
    this.#at = 0
    return 0
  }

  /**
   * As `compose`, but never in fragments, for a transport that cuts its own to size or leaves that to the link:
   * `length` may go beyond the MTU where the link segments; `header` is what of it comes before the text.
   */
  composeSegment(
    batch: PacketBatch,
    route: Route,
    source: Address,
    destination: Address,
    length: number,
    header = length,
  ): number {
    const headerLength = destination.isIpv4 ? ipv4.MINIMUM_LENGTH : ipv6.HEADER_LENGTH
    const at = batch.reserve(headerLength + length, headerLength + header)
    if (at < 0) return NO_ROOM
    this.#begin(batch, route, source, destination, length)
    this.octets = batch
    this.#at = at + headerLength
    return this.#at
  }

  #begin(batch: PacketBatch, route: Route, source: Address, destination: Address, length: number): void {
    const header = this.header
    header.source.assign(source)
    header.destination.assign(destination)
    header.hopLimit = DEFAULT_HOP_LIMIT
    header.trafficClass = 0
    header.flowLabel = 0
    this.#batch = batch
    this.#route = route
    this.#length = length
  }

  /**
   * Puts the transport's checksum into its field, `field` octets from the message's beginning; as a partial one where the link completes it.
   * The field must hold 0.
   */
  writeChecksum(protocol: number, field: number): void {
    const { view } = this.octets
    const { source, destination } = this.header
    const pseudo = pseudoHeaderSum(source, destination, protocol, this.#length)
    const at = this.#at
    if (this.octets === this.#batch && this.#route?.interface.offload.checksum === true) {
      view.setUint16(at + field, checksum.partial(pseudo))
      this.#partialField = field
      return
    }
    const value = checksum.finish(checksum.sum(view, at, this.#length, checksum.fold(pseudo)))
    // RFC 768, RFC 8200 §8.1: a computed zero goes as all ones; in TCP and ICMP the two mean the same.
    view.setUint16(at + field, value === 0 && protocol === ipv4.Protocol.udp ? 0xffff : value)
  }

  /** ICMP's checksum, which the pseudo-header is part of in IPv6 alone (RFC 4443 §2.3); links never complete it. */
  writeIcmpChecksum(protocol: number): void {
    const { view } = this.octets
    const { source, destination } = this.header
    const pseudo = destination.isIpv4 ? 0 : pseudoHeaderSum(source, destination, protocol, this.#length)
    view.setUint16(this.#at + 2, checksum.finish(checksum.sum(view, this.#at, this.#length, checksum.fold(pseudo))))
  }

  /** The message goes out. Returns its row in the batch; -1 where it waits to be cut into fragments. */
  send(protocol: number, segmentation = 0, segmentSize = 0): number {
    const header = this.header
    header.protocol = protocol
    const route = this.#route as Route
    const nextHop = route.gateway ?? header.destination
    if (this.octets !== this.#batch) {
      this.#postpone(route.interface, nextHop)
      return -1
    }
    const batch = this.#batch
    const headerLength = header.destination.isIpv4 ? ipv4.MINIMUM_LENGTH : ipv6.HEADER_LENGTH
    const start = this.#at - headerLength
    if (header.destination.isIpv4) {
      // RFC 6864 §4.1: an atomic datagram's identification says nothing, so it is 0.
      const mayBeCut = this.#pathMtu.mayBeCut(header.destination)
      const identification = mayBeCut ? this.#nextIdentification(header) & 0xffff : 0
      const flags = mayBeCut ? 0 : ipv4.DONT_FRAGMENT
      this.#writeIpv4(batch.view, start, header, headerLength + this.#length, identification, flags)
    } else this.#writeIpv6(batch.view, start, header, this.#length, protocol)
    const row = batch.commit(headerLength + this.#length)
    if (this.#partialField >= 0) {
      batch.checksum[row] = Checksum.partial
      batch.checksumStart[row] = headerLength
      batch.checksumField[row] = this.#partialField
      this.#partialField = -1
    }
    batch.segmentation[row] = segmentation
    batch.segmentSize[row] = segmentSize
    setNextHop(batch, row, nextHop)
    this.#counters.values[Count.ipSent]++
    this.#counters.values[Count.ipOctetsSent] += headerLength + this.#length
    return row
  }

  /** Cuts what waits on the interface into the batch, as far as there is room. */
  sendFragments(batch: PacketBatch, from: Interface): void {
    while (from.oversized.length > 0) {
      const message = from.oversized[0]
      while (message.sent < message.length) if (!this.#sendFragment(batch, message)) return
      from.oversized.shift()
      from.oversizedOctets -= message.length
    }
  }

  #postpone(by: Interface, nextHop: Address): void {
    const { bytes, view } = this.octets
    by.oversized.push({
      bytes,
      view,
      header: new PacketHeader().assign(this.header),
      length: this.#length,
      nextHop: nextHop.copy(),
      identification: this.#nextIdentification(this.header),
      packetLimit: this.#packetLimit,
      sent: 0,
    })
    by.oversizedOctets += this.#length
  }

  #sendFragment(batch: PacketBatch, message: Oversized): boolean {
    const { header } = message
    const isIpv4 = header.destination.isIpv4
    const headerLength = isIpv4 ? ipv4.MINIMUM_LENGTH : ipv6.HEADER_LENGTH + ipv6.FRAGMENT_HEADER_LENGTH
    const most = (message.packetLimit - headerLength) & ~7
    const length = Math.min(most, message.length - message.sent)
    const at = batch.reserve(headerLength + length)
    if (at < 0) return false
    const more = message.sent + length < message.length
    if (isIpv4) {
      const fragment = (message.sent >>> 3) | (more ? ipv4.MORE_FRAGMENTS : 0)
      this.#writeIpv4(batch.view, at, header, headerLength + length, message.identification & 0xffff, fragment)
    } else {
      const payload = ipv6.FRAGMENT_HEADER_LENGTH + length
      this.#writeIpv6(batch.view, at, header, payload, ipv6.Extension.fragment)
      const { identification, sent } = message
      ipv6.writeFragment(batch.view, at + ipv6.HEADER_LENGTH, header.protocol, sent, more, identification)
    }
    copyOctets(batch, at + headerLength, message, message.sent, length)
    message.sent += length
    setNextHop(batch, batch.commit(headerLength + length), message.nextHop)
    this.#counters.values[Count.fragmentsSent]++
    this.#counters.values[Count.ipSent]++
    this.#counters.values[Count.ipOctetsSent] += headerLength + length
    return true
  }

  #writeIpv4(
    view: DataView,
    at: number,
    header: PacketHeader,
    total: number,
    identification: number,
    fragment: number,
  ): void {
    const { trafficClass, hopLimit, protocol, source, destination } = header
    ipv4.write(
      view,
      at,
      total,
      trafficClass,
      identification,
      fragment,
      hopLimit,
      protocol,
      source.word3,
      destination.word3,
    )
  }

  #writeIpv6(view: DataView, at: number, header: PacketHeader, payload: number, nextHeader: number): void {
    const { source, destination } = header
    ipv6.write(view, at, payload, header.trafficClass, header.flowLabel, header.hopLimit, nextHeader)
    ipv6.writeAddress(view, at + ipv6.SOURCE_AT, source.word0, source.word1, source.word2, source.word3)
    ipv6.writeAddress(
      view,
      at + ipv6.DESTINATION_AT,
      destination.word0,
      destination.word1,
      destination.word2,
      destination.word3,
    )
  }

  /** RFC 6864 §4.3, RFC 7739 §5.1: a counter of its own for each pair of addresses, begun where nobody can foresee. */
  #nextIdentification({ source, destination, protocol }: PacketHeader): number {
    const hash = this.#hash.begin().word(source.word0).word(source.word1).word(source.word2).word(source.word3)
    hash.word(destination.word0).word(destination.word1).word(destination.word2).word(destination.word3)
    const key = hash.word(protocol).end()
    const last = this.#identifications.get(key)
    const next =
      last === undefined
        ? hash
            .begin()
            .word(key)
            .word(this.#begun++)
            .end()
        : (last + 1) | 0
    if (last === undefined && this.#identifications.size >= MOST_IDENTIFICATIONS) this.#identifications.clear()
    this.#identifications.set(key, next)
    return next
  }
}

/** What a 16-bit length can say. RFC 8200 leaves the header out of it; that we ask the same of both families costs 40 octets. */
export const LONGEST_DATAGRAM = 65_535

const MOST_IDENTIFICATIONS = 4096

/** Where the packet is to be handed next on its interface's network. */
export function setNextHop(batch: PacketBatch, row: number, address: Address): void {
  const at = row * 4
  batch.nextHop[at] = address.word0
  batch.nextHop[at + 1] = address.word1
  batch.nextHop[at + 2] = address.word2
  batch.nextHop[at + 3] = address.word3
}
