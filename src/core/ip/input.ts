// What arrives: from octets in a slot to a `Packet` that is whole, sound and ours (RFC 1122 §3.2.1, RFC 8200 §3).
// Called by the stack for every packet; what is not to be delivered is dropped with its reason, forwarded, or answered with an error.
import { Checksum, type Octets, type PacketBatch, Segmentation } from '../batch.ts'
import { Count, Drop, type DropReason, type Observer } from '../observer.ts'
import * as icmp from '../wire/icmp.ts'
import * as icmpv6 from '../wire/icmpv6.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6.ts'
import { Chain, ExtensionHeaders } from './extension-headers.ts'
import type { Forward } from './forward.ts'
import type { Fragments } from './fragments.ts'
import type { IcmpOutput } from './icmp-output.ts'
import type { Interface } from './interface.ts'
import type { Interfaces } from './interfaces.ts'
import { Packet } from './packet.ts'

export class IpInput {
  /** The packet that is arriving. */
  readonly packet = new Packet()
  readonly #interfaces: Interfaces
  readonly #fragments: Fragments
  readonly #errors: IcmpOutput
  readonly #forward: Forward
  readonly #observer: Observer
  readonly #chain = new ExtensionHeaders()

  constructor(interfaces: Interfaces, fragments: Fragments, errors: IcmpOutput, forward: Forward, observer: Observer) {
    this.#interfaces = interfaces
    this.#fragments = fragments
    this.#errors = errors
    this.#forward = forward
    this.#observer = observer
  }

  /** Returns the packet to be delivered by its protocol, or null where there is nothing (more) to do. */
  receive(batch: PacketBatch, row: number, from: Interface, now: number): Packet | null {
    const { packet } = this
    const length = batch.length[row]
    const { values } = this.#observer.counters
    values[Count.ipReceived]++
    values[Count.ipOctetsReceived] += length
    packet.bytes = batch.bytes
    packet.view = batch.view
    packet.batch = batch
    packet.row = row
    packet.interface = from
    packet.start = batch.offset[row]
    packet.checksum = batch.checksum[row]
    packet.segmentSize = batch.segmentation[row] === Segmentation.none ? 0 : batch.segmentSize[row]
    packet.firstFragment = null
    if (length < 1) return this.#drop(Drop.truncated)
    const version = batch.view.getUint8(packet.start) >>> 4
    if (version === 4) return this.#receiveIpv4(length, now)
    if (version === 6) return this.#receiveIpv6(length, now)
    return this.#drop(Drop.badVersion)
  }

  #receiveIpv4(length: number, now: number): Packet | null {
    const { packet } = this
    const { view, start } = packet
    // RFC 1122 §3.2.1.1, §3.2.1.2.
    if (length < ipv4.MINIMUM_LENGTH) return this.#drop(Drop.truncated)
    const headerLength = ipv4.headerLength(view, start)
    if (headerLength < ipv4.MINIMUM_LENGTH || headerLength > length) return this.#drop(Drop.badHeaderLength)
    const total = ipv4.totalLength(view, start)
    if (total < headerLength || total > length) return this.#drop(Drop.badTotalLength)
    if (!ipv4.checksumIsRight(view, start)) return this.#drop(Drop.badHeaderChecksum)
    packet.isIpv4 = true
    packet.offset = start + headerLength
    packet.length = total - headerLength
    packet.protocol = ipv4.protocol(view, start)
    packet.trafficClass = ipv4.trafficClass(view, start)
    packet.hopLimit = ipv4.hopLimit(view, start)
    packet.source.setIpv4(ipv4.source(view, start))
    packet.destination.setIpv4(ipv4.destination(view, start))
    if (!this.#isSane()) return null
    if (headerLength > ipv4.MINIMUM_LENGTH) {
      const options = ipv4.inspectOptions(view, start, headerLength)
      if (options === ipv4.Options.sourceRoute) return this.#drop(Drop.sourceRoute)
      if (options === ipv4.Options.malformed) {
        // RFC 1122 §3.2.1.3: of what is for others a host says nothing.
        if (!this.#concernsUs()) return this.#drop(Drop.notForUs)
        this.#errors.send(packet, icmp.Type.parameterProblem, 0, ipv4.MINIMUM_LENGTH << 24, now)
        return this.#drop(Drop.badOptions)
      }
    }
    if (!this.#isOurs(now)) return null
    if (ipv4.isFragment(view, start)) {
      const more = ipv4.moreFragments(view, start)
      const offset = ipv4.fragmentOffset(view, start)
      return this.#reassemble(ipv4.identification(view, start), packet.protocol, offset, more, now)
    }
    return this.#deliver()
  }

  #receiveIpv6(length: number, now: number): Packet | null {
    const { packet } = this
    const { view, start } = packet
    if (length < ipv6.HEADER_LENGTH) return this.#drop(Drop.truncated)
    const payload = ipv6.payloadLength(view, start)
    if (ipv6.HEADER_LENGTH + payload > length) return this.#drop(Drop.badTotalLength)
    packet.isIpv4 = false
    packet.offset = start + ipv6.HEADER_LENGTH
    packet.length = payload
    packet.trafficClass = ipv6.trafficClass(view, start)
    packet.hopLimit = ipv6.hopLimit(view, start)
    packet.protocol = ipv6.nextHeader(view, start)
    const { source, destination } = packet
    source.set(
      ipv6.source(view, start, 0),
      ipv6.source(view, start, 1),
      ipv6.source(view, start, 2),
      ipv6.source(view, start, 3),
    )
    destination.set(
      ipv6.destination(view, start, 0),
      ipv6.destination(view, start, 1),
      ipv6.destination(view, start, 2),
      ipv6.destination(view, start, 3),
    )
    // RFC 4291 §2.5.5.2: a mapped address never stands on the wire.
    if (source.isIpv4) return this.#drop(Drop.martianSource)
    if (destination.isIpv4) return this.#drop(Drop.martianDestination)
    if (!this.#isSane() || !this.#isOurs(now)) return null
    return this.#walk(packet.offset, packet.protocol, start + 6, true, now)
  }

  /**
   * Goes through the extension headers to what they carry. RFC 8200 §4.1 has each of them once: a fragment within a
   * fragment is nobody's honest packet, and thousands of them within each other must not be walked.
   */
  #walk(at: number, next: number, namedAt: number, mayBeFragment: boolean, now: number): Packet | null {
    const { packet } = this
    const chain = this.#chain
    const end = packet.offset + packet.length
    const result = chain.walk(packet.view, packet.start, at, end, next, namedAt, packet.isToGroup)
    packet.protocol = chain.protocol
    packet.offset = chain.offset
    packet.length = end - chain.offset
    switch (result) {
      case Chain.upper:
        return this.#deliver()
      case Chain.fragment:
        return mayBeFragment ? this.#receiveFragment(now) : this.#drop(Drop.badExtensionHeader)
      case Chain.nothing:
        return null
      case Chain.tooMany:
        return this.#drop(Drop.tooManyExtensionHeaders)
      case Chain.problem:
        this.#errors.send(packet, icmpv6.Type.parameterProblem, chain.code, chain.pointer, now)
        return this.#drop(chain.isRoutingProblem ? Drop.routingHeader : Drop.badExtensionHeader)
      default:
        return this.#drop(Drop.badExtensionHeader)
    }
  }

  #receiveFragment(now: number): Packet | null {
    const { packet } = this
    const { view } = packet
    const at = packet.offset
    const next = view.getUint8(at)
    const offset = ipv6.fragmentOffset(view, at)
    const more = ipv6.moreFragments(view, at)
    packet.offset += ipv6.FRAGMENT_HEADER_LENGTH
    packet.length -= ipv6.FRAGMENT_HEADER_LENGTH
    // RFC 6946: an atomic fragment is a packet of its own, whatever others of its identification wait.
    if (offset === 0 && !more) return this.#walk(packet.offset, next, at, false, now)
    if (more && packet.length % 8 !== 0) {
      // RFC 8200 §4.5: parameter problem, pointing at the payload length.
      this.#errors.send(packet, icmpv6.Type.parameterProblem, icmpv6.ParameterProblem.header, 4, now)
      return this.#drop(Drop.badFragment)
    }
    // RFC 7112, RFC 8200 §4.5: the first fragment holds the whole chain, up to the upper layer's header.
    if (offset === 0 && !this.#holdsUpperHeader(at, next)) {
      this.#errors.send(packet, icmpv6.Type.parameterProblem, icmpv6.ParameterProblem.incompleteChain, 0, now)
      return this.#drop(Drop.badFragment)
    }
    return this.#reassemble(ipv6.fragmentIdentification(view, at), next, offset, more, now)
  }

  #holdsUpperHeader(fragmentHeader: number, next: number): boolean {
    const { packet } = this
    const end = packet.offset + packet.length
    const result = this.#chain.walk(packet.view, packet.start, packet.offset, end, next, fragmentHeader, false)
    const left = end - this.#chain.offset
    if (result === Chain.truncated) return false
    return result !== Chain.upper || left >= (this.#chain.protocol === ipv4.Protocol.tcp ? 20 : 8)
  }

  #reassemble(identification: number, protocol: number, offset: number, more: boolean, now: number): Packet | null {
    const { packet } = this
    const fragments = this.#fragments
    const length = fragments.receive(packet, identification, protocol, offset, more, now)
    if (length < 0) return null
    const { bytes, view } = fragments.whole as Octets
    packet.bytes = bytes
    packet.view = view
    packet.start = 0
    packet.offset = 0
    packet.length = length
    packet.protocol = protocol
    packet.firstFragment = fragments.firstFragment
    packet.firstFragmentLength = fragments.firstFragmentLength
    // What a link says of a checksum, it says of one fragment.
    packet.checksum = Checksum.complete
    packet.segmentSize = 0
    if (packet.isIpv4) return this.#deliver()
    return this.#walk(0, protocol, 0, false, now)
  }

  #deliver(): Packet {
    this.#observer.counters.values[Count.ipDelivered]++
    return this.packet
  }

  /** Martians: RFC 1122 §3.2.1.3, RFC 1812 §5.3.7, RFC 4291 §2.5.2, §2.5.3, §2.7. */
  #isSane(): boolean {
    const { packet } = this
    const { source, destination } = packet
    const from = packet.interface as Interface
    packet.isToGroup = destination.isMulticast || from.isBroadcast(destination)
    if (source.isMulticast || from.isBroadcast(source)) return this.#refuse(Drop.martianSource)
    if (source.isUnspecified) return this.#refuse(Drop.martianSource)
    if (destination.isUnspecified) return this.#refuse(Drop.martianDestination)
    if (from.isLoopback) return true
    if (source.isLoopback) return this.#refuse(Drop.martianSource)
    if (destination.isLoopback) return this.#refuse(Drop.martianDestination)
    if (packet.isIpv4) {
      // 0.0.0.0/8 and 240.0.0.0/4 are nobody's source.
      if (source.word3 >>> 24 === 0 || source.word3 >>> 28 === 15) return this.#refuse(Drop.martianSource)
      if (destination.word3 >>> 24 === 0) return this.#refuse(Drop.martianDestination)
    }
    // LAND and its like: nobody else has our address.
    if (this.#interfaces.isLocal(source)) return this.#refuse(Drop.ownSource)
    return true
  }

  /** Whether it is for us; what is not is forwarded where the stack is a router. */
  #isOurs(now: number): boolean {
    const { packet } = this
    const from = packet.interface as Interface
    const { destination } = packet
    if (packet.isToGroup) {
      // Our own packets to groups come back by the loopback, for members on any interface.
      if (!destination.isMulticast || from.isLoopback || from.isMember(destination)) return true
      return this.#refuse(Drop.notForUs)
    }
    if (from.anyAddress || this.#interfaces.isLocal(destination)) return true
    return this.#forward.receive(packet, now)
  }

  /** Whether it is for us to say what is wrong with it. */
  #concernsUs(): boolean {
    const { isToGroup, destination } = this.packet
    const from = this.packet.interface as Interface
    return isToGroup || from.anyAddress || this.#forward.isOn || this.#interfaces.isLocal(destination)
  }

  #drop(reason: DropReason): null {
    this.#observer.drop(reason, this.packet.batch, this.packet.row)
    return null
  }

  #refuse(reason: DropReason): false {
    this.#observer.drop(reason, this.packet.batch, this.packet.row)
    return false
  }
}
