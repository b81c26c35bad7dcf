// A stack that is a router (RFC 1812 §5.2, §5.3; RFC 8200 §3, RFC 4443 §3): packets for others go on by their route.
// They are composed into the reply batch of the interface they leave by, within the turn in which they came.
// Called by ip/input for what is not ours.
import { Checksum, copyOctets, type PacketBatch, Segmentation } from '../batch.ts'
import { Count, Drop, type DropReason, type Observer } from '../observer.ts'
import { finish, replaced, sum } from '../wire/checksum.ts'
import * as icmp from '../wire/icmp.ts'
import * as icmpv6 from '../wire/icmpv6.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6.ts'
import type { IcmpOutput } from './icmp-output.ts'
import type { Interface } from './interface.ts'
import type { Interfaces } from './interfaces.ts'
import { setNextHop } from './output.ts'
import type { Packet } from './packet.ts'
import type { Route } from './routes.ts'

export class Forward {
  readonly isOn: boolean
  readonly #interfaces: Interfaces
  readonly #errors: IcmpOutput
  readonly #observer: Observer

  constructor(isOn: boolean, interfaces: Interfaces, errors: IcmpOutput, observer: Observer) {
    this.isOn = isOn
    this.#interfaces = interfaces
    this.#errors = errors
    this.#observer = observer
  }

  /** Always false: the packet is not ours to deliver. */
  receive(packet: Packet, now: number): false {
    if (!this.isOn || packet.source.isLinkLocal || packet.destination.isLinkLocal)
      return this.#drop(packet, Drop.notForUs)
    if (packet.hopLimit <= 1) {
      const type = packet.isIpv4 ? icmp.Type.timeExceeded : icmpv6.Type.timeExceeded
      this.#errors.send(packet, type, icmp.TimeExceeded.inTransit, 0, now)
      return this.#drop(packet, Drop.hopLimitExceeded)
    }
    const route = this.#interfaces.route(packet.destination)
    if (route === null) {
      if (packet.isIpv4) this.#errors.send(packet, icmp.Type.unreachable, icmp.Unreachable.network, 0, now)
      else this.#errors.send(packet, icmpv6.Type.unreachable, icmpv6.Unreachable.noRoute, 0, now)
      return this.#drop(packet, Drop.noRoute)
    }
    // RFC 2644: a network's broadcast address is a neighbour's to use, and nobody's from afar.
    if (route.interface.isBroadcast(packet.destination)) return this.#drop(packet, Drop.notForUs)
    const length = packet.offset + packet.length - packet.start
    if (packet.segmentSize > 0) {
      if (!canSegment(route.interface, packet)) return this.#drop(packet, Drop.offloadMismatch)
    } else if (length > route.interface.mtu) return this.#tooBig(packet, route, now)
    return this.#pass(packet, route, length)
  }

  #pass(packet: Packet, route: Route, length: number): false {
    const { replies } = route.interface
    const at = replies.reserve(length)
    if (at < 0) return this.#drop(packet, Drop.repliesFull)
    copyOctets(replies, at, packet, packet.start, length)
    age(replies.view, at, packet.isIpv4)
    const row = replies.commit(length)
    this.#carryOffload(packet, replies, row, route.interface)
    setNextHop(replies, row, route.gateway ?? packet.destination)
    this.#observer.counters.values[Count.ipForwarded]++
    return false
  }

  /** A partial checksum is completed where the next link does not do it. */
  #carryOffload(packet: Packet, replies: PacketBatch, row: number, by: Interface): void {
    const from = packet.batch as PacketBatch
    replies.checksum[row] = from.checksum[packet.row]
    replies.checksumStart[row] = from.checksumStart[packet.row]
    replies.checksumField[row] = from.checksumField[packet.row]
    replies.segmentation[row] = from.segmentation[packet.row]
    replies.segmentSize[row] = from.segmentSize[packet.row]
    if (replies.checksum[row] !== Checksum.partial || by.offload.checksum) return
    const start = replies.offset[row] + replies.checksumStart[row]
    const end = replies.offset[row] + replies.length[row]
    if (start + replies.checksumField[row] + 2 > end) return
    // The field holds the pseudo-header's sum, which is so counted with the rest.
    const value = finish(sum(replies.view, start, end - start))
    replies.view.setUint16(start + replies.checksumField[row], value)
    replies.checksum[row] = Checksum.complete
  }

  #tooBig(packet: Packet, route: Route, now: number): false {
    const { mtu } = route.interface
    if (!packet.isIpv4) {
      this.#errors.send(packet, icmpv6.Type.packetTooBig, 0, mtu, now)
      return this.#drop(packet, Drop.tooBig)
    }
    if (ipv4.dontFragment(packet.view, packet.start)) {
      this.#errors.send(packet, icmp.Type.unreachable, icmp.Unreachable.fragmentationNeeded, mtu, now)
      return this.#drop(packet, Drop.tooBig)
    }
    return this.#fragment(packet, route)
  }

  /** RFC 791 §3.2, RFC 1812 §5.3.3. Every header keeps its length: options that only the first piece has become no-operations. */
  #fragment(packet: Packet, route: Route): false {
    const { replies, mtu } = route.interface
    const { view, start } = packet
    const headerLength = ipv4.headerLength(view, start)
    const payload = packet.offset + packet.length - start - headerLength
    const most = (mtu - headerLength) & ~7
    if (replies.capacity - replies.count < Math.ceil(payload / most)) return this.#drop(packet, Drop.repliesFull)
    const firstOffset = ipv4.fragmentOffset(view, start)
    const hasMore = ipv4.moreFragments(view, start)
    for (let done = 0; done < payload; done += most) {
      const length = Math.min(most, payload - done)
      const at = replies.reserve(headerLength + length)
      if (at < 0) return this.#drop(packet, Drop.repliesFull)
      copyOctets(replies, at, packet, start, headerLength)
      if (done > 0) ipv4.blankUncopiedOptions(replies.view, at)
      copyOctets(replies, at + headerLength, packet, start + headerLength + done, length)
      const more = hasMore || done + length < payload
      replies.view.setUint16(at + 2, headerLength + length)
      replies.view.setUint16(at + 6, ((firstOffset + done) >>> 3) | (more ? ipv4.MORE_FRAGMENTS : 0))
      replies.view.setUint8(at + 8, packet.hopLimit - 1)
      ipv4.writeChecksum(replies.view, at)
      setNextHop(replies, replies.commit(headerLength + length), route.gateway ?? packet.destination)
    }
    this.#observer.counters.values[Count.ipForwarded]++
    return false
  }

  #drop(packet: Packet, reason: DropReason): false {
    this.#observer.drop(reason, packet.batch, packet.row)
    return false
  }
}

function canSegment(by: Interface, packet: Packet): boolean {
  const kind = (packet.batch as PacketBatch).segmentation[packet.row] & ~Segmentation.ecn
  const headers = packet.isIpv4 ? 60 : 80
  if (packet.segmentSize + headers > by.mtu) return false
  if (kind === Segmentation.tcp4) return by.offload.tcp4
  if (kind === Segmentation.tcp6) return by.offload.tcp6
  return kind === Segmentation.udp && by.offload.udp
}

/** One hop less: RFC 1141's incremental update of the header's checksum. */
function age(view: DataView, at: number, isIpv4: boolean): void {
  if (!isIpv4) {
    view.setUint8(at + 7, ipv6.hopLimit(view, at) - 1)
    return
  }
  const before = view.getUint16(at + 8)
  view.setUint16(at + 8, before - 0x100)
  view.setUint16(at + 10, replaced(view.getUint16(at + 10), before, before - 0x100))
}
