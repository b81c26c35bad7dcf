// ICMP errors that we send (RFC 792, RFC 1122 §3.2.2, RFC 4443 §2.4): never about an error, a later fragment or a group address,
// limited by a token bucket, composed at once into the reply batch. Called by ip/input, ip/forward, the transports and the stack.
import { copyOctets, type Octets } from '../batch.ts'
import { Count, Drop, type Observer } from '../observer.ts'
import * as icmp from '../wire/icmp.ts'
import * as icmpv6 from '../wire/icmpv6.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6.ts'
import type { Address } from './address.ts'
import type { Interfaces } from './interfaces.ts'
import type { IpOutput } from './output.ts'
import type { Packet } from './packet.ts'
import type { TokenBucket } from './token-bucket.ts'

/** RFC 1812 §4.3.2.3, RFC 4443 §2.4 (c): as much of the offending packet as fits into these. */
const LONGEST_IPV4 = 576
const LONGEST_IPV6 = 1280

export class IcmpOutput {
  readonly #interfaces: Interfaces
  readonly #output: IpOutput
  readonly #observer: Observer
  readonly #bucket: TokenBucket

  constructor(interfaces: Interfaces, output: IpOutput, observer: Observer, bucket: TokenBucket) {
    this.#interfaces = interfaces
    this.#output = output
    this.#observer = observer
    this.#bucket = bucket
  }

  /** An error about the packet that is arriving. `rest` is the header's second word: an MTU, or a pointer. */
  send(packet: Packet, type: number, code: number, rest: number, now: number): void {
    // RFC 4443 §2.4 (e.3): to a group, only packet-too-big and an unknown option that asks for it.
    const toGroupToo = !packet.isIpv4 && (type === icmpv6.Type.packetTooBig || (type === 4 && code === 2))
    if (packet.isToGroup && !toGroupToo) return
    // Of what was put together from fragments, the first one is quoted.
    const { firstFragment } = packet
    const quote = firstFragment ?? packet
    const start = firstFragment === null ? packet.start : 0
    const length = firstFragment === null ? packet.offset + packet.length - start : packet.firstFragmentLength
    if (!mayBeAnswered(quote, start, length)) return
    this.#compose(quote, start, length, packet.source, packet.destination, type, code, rest, now)
  }

  /** A port or a protocol that nobody here has. */
  sendPortUnreachable(packet: Packet, now: number): void {
    if (packet.isIpv4) this.send(packet, icmp.Type.unreachable, icmp.Unreachable.port, 0, now)
    else this.send(packet, icmpv6.Type.unreachable, icmpv6.Unreachable.port, 0, now)
  }

  sendProtocolUnreachable(packet: Packet, now: number): void {
    if (packet.isIpv4) this.send(packet, icmp.Type.unreachable, icmp.Unreachable.protocol, 0, now)
    else this.#sendUnknownNextHeader(packet, now)
  }

  /** RFC 8200 §4: the pointer is at the field that named it. */
  #sendUnknownNextHeader(packet: Packet, now: number): void {
    if (packet.firstFragment !== null) return
    let namedAt = packet.start + 6
    let at = packet.start + ipv6.HEADER_LENGTH
    while (at < packet.offset) {
      const kind = packet.view.getUint8(namedAt)
      namedAt = at
      at += kind === ipv6.Extension.fragment ? 8 : (packet.view.getUint8(at + 1) + 1) * 8
    }
    const { nextHeader } = icmpv6.ParameterProblem
    this.send(packet, icmpv6.Type.parameterProblem, nextHeader, namedAt - packet.start, now)
  }

  /** A datagram whose fragments did not all come: its first fragment's octets, from the IP header on. */
  sendReassemblyTimeout(head: Octets, source: Address, destination: Address, now: number): void {
    if (!mayBeAnswered(head, 0, head.bytes.length) || destination.isMulticast) return
    const type = source.isIpv4 ? icmp.Type.timeExceeded : icmpv6.Type.timeExceeded
    this.#compose(head, 0, head.bytes.length, source, destination, type, icmp.TimeExceeded.inReassembly, 0, now)
  }

  #compose(
    offending: Octets,
    start: number,
    length: number,
    to: Address,
    destination: Address,
    type: number,
    code: number,
    rest: number,
    now: number,
  ): void {
    const route = this.#interfaces.route(to)
    if (route === null) return
    // From the address it was sent to, where that is ours; else (a router) from the interface's.
    const ours = this.#interfaces.isLocal(destination) || route.interface.anyAddress
    const source = ours && !destination.isMulticast ? destination : this.#interfaces.selectSource(to, route)
    if (source === null) return
    if (!this.#bucket.take(now)) {
      this.#observer.drop(Drop.icmpRateLimited, null, 0)
      return
    }
    const most = to.isIpv4 ? LONGEST_IPV4 : LONGEST_IPV6
    const headers = to.isIpv4 ? ipv4.MINIMUM_LENGTH : ipv6.HEADER_LENGTH
    const quoted = Math.min(length, Math.min(most, route.interface.mtu) - headers - icmp.HEADER_LENGTH)
    const output = this.#output
    const at = output.composeSegment(route.interface.replies, route, source, to, icmp.HEADER_LENGTH + quoted)
    if (at < 0) {
      this.#observer.drop(Drop.repliesFull, null, 0)
      return
    }
    const { view } = output.octets
    icmp.write(view, at, type, code, rest)
    copyOctets(output.octets, at + icmp.HEADER_LENGTH, offending, start, quoted)
    const protocol = to.isIpv4 ? ipv4.Protocol.icmp : ipv4.Protocol.icmpv6
    output.writeIcmpChecksum(protocol)
    output.send(protocol)
    this.#observer.counters.values[Count.icmpSent]++
    this.#observer.counters.values[Count.icmpErrorsSent]++
  }
}

/** RFC 1122 §3.2.2, RFC 4443 §2.4 (e): not an error, not a later fragment, not from an address that is no single host's. */
function mayBeAnswered({ view }: Octets, start: number, length: number): boolean {
  if (view.getUint8(start) >>> 4 === 4) {
    if (ipv4.fragmentOffset(view, start) !== 0) return false
    const source = ipv4.source(view, start)
    if (source === 0 || source === -1 || source >>> 28 === 14) return false
    const headerLength = ipv4.headerLength(view, start)
    if (ipv4.protocol(view, start) !== ipv4.Protocol.icmp) return true
    return length > headerLength && !icmp.isError(icmp.type(view, start + headerLength))
  }
  if (ipv6.source(view, start, 0) >>> 24 === 0xff) return false
  let next = ipv6.nextHeader(view, start)
  let at = start + ipv6.HEADER_LENGTH
  const end = start + length
  while (at + 8 <= end) {
    if (next === ipv6.Extension.fragment && ipv6.fragmentOffset(view, at) !== 0) return false
    if (next === ipv4.Protocol.icmpv6) return !icmpv6.isError(icmp.type(view, at))
    const isExtension = next === ipv6.Extension.hopByHop || next === ipv6.Extension.routing
    if (!isExtension && next !== ipv6.Extension.destinationOptions && next !== ipv6.Extension.fragment) return true
    const step = next === ipv6.Extension.fragment ? 8 : (view.getUint8(at + 1) + 1) * 8
    next = view.getUint8(at)
    at += step
  }
  return true
}
