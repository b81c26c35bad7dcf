// ICMP and ICMPv6 that arrive (RFC 792, RFC 1122 §3.2.2, RFC 4443, RFC 5927): echo requests are answered at once, echo replies go to
// who asked, errors become an `IcmpError` that the stack shows to the transport whose packet they quote. Called by the stack.
import { copyOctets } from '../batch.ts'
import { Count, Drop, type DropReason, type Observer } from '../observer.ts'
import { fold, isRight, sum } from '../wire/checksum.ts'
import * as icmp from '../wire/icmp.ts'
import * as icmpv6 from '../wire/icmpv6.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6.ts'
import type { Address } from './address.ts'
import type { EchoSockets } from './echo.ts'
import { IcmpError, IcmpErrorKind } from './icmp-error.ts'
import type { Interface } from './interface.ts'
import type { Interfaces } from './interfaces.ts'
import { type IpOutput, NO_ROOM } from './output.ts'
import type { Packet } from './packet.ts'
import { MINIMUM_IPV4 } from './path-mtu.ts'
import type { TokenBucket } from './token-bucket.ts'

/** The quoted transport header must reach this far: RFC 792's 64 bits. */
const QUOTED_OCTETS = 8

export class IcmpInput {
  readonly #interfaces: Interfaces
  readonly #output: IpOutput
  readonly #echo: EchoSockets
  readonly #observer: Observer
  readonly #replyLimit: TokenBucket | null
  readonly #error = new IcmpError()

  constructor(
    interfaces: Interfaces,
    output: IpOutput,
    echo: EchoSockets,
    observer: Observer,
    replyLimit: TokenBucket | null,
  ) {
    this.#interfaces = interfaces
    this.#output = output
    this.#echo = echo
    this.#observer = observer
    this.#replyLimit = replyLimit
  }

  /** Returns an error to be shown to a transport, or null. */
  receive(packet: Packet, now: number): IcmpError | null {
    const { view, offset, length } = packet
    const { values } = this.#observer.counters
    values[Count.icmpReceived]++
    if (length < icmp.HEADER_LENGTH) return this.#drop(packet, Drop.icmpTruncated)
    const pseudo = packet.isIpv4 ? 0 : fold(packet.pseudoHeaderSum(length))
    if (!isRight(sum(view, offset, length, pseudo))) return this.#drop(packet, Drop.icmpBadChecksum)
    const type = icmp.type(view, offset)
    if (packet.isIpv4 ? type === icmp.Type.echoRequest : type === icmpv6.Type.echoRequest) {
      this.#answer(packet, now)
      return null
    }
    if (packet.isIpv4 ? type === icmp.Type.echoReply : type === icmpv6.Type.echoReply) {
      values[Count.echoRepliesReceived]++
      if (!this.#echo.receive(packet, now)) this.#drop(packet, Drop.icmpUnmatched)
      return null
    }
    const kind = packet.isIpv4 ? kindOfIpv4(type, icmp.code(view, offset)) : kindOfIpv6(type, icmp.code(view, offset))
    if (kind < 0) return this.#drop(packet, Drop.icmpUnknownType)
    values[Count.icmpErrorsReceived]++
    return this.#quote(packet, kind) ? this.#error : this.#drop(packet, Drop.icmpUnmatched)
  }

  /** The error quotes nothing of ours: nobody has sent it. */
  unmatched(packet: Packet): void {
    this.#drop(packet, Drop.icmpUnmatched)
  }

  /** RFC 1122 §3.2.2.6, RFC 4443 §4.2: everything comes back, in the packet's own traffic class. */
  #answer(packet: Packet, now: number): void {
    const { values } = this.#observer.counters
    values[Count.echoRequestsReceived]++
    // RFC 1122 §3.2.2.6 lets a host stay silent to a group; RFC 4443 §4.2 would have it answer. Silence amplifies nothing.
    if (packet.isToGroup) {
      this.#drop(packet, Drop.icmpToGroup)
      return
    }
    if (this.#replyLimit !== null && !this.#replyLimit.take(now)) {
      this.#drop(packet, Drop.icmpRateLimited)
      return
    }
    const { source, destination, length, isIpv4 } = packet
    const route = this.#interfaces.route(source)
    if (route === null) {
      this.#drop(packet, Drop.outputNoRoute)
      return
    }
    const output = this.#output
    const at = output.compose(route.interface.replies, route, destination, source, length, now)
    if (at < 0) {
      this.#drop(packet, at === NO_ROOM ? Drop.repliesFull : Drop.outputQueueFull)
      return
    }
    output.header.trafficClass = packet.trafficClass & ~ECN
    const { octets } = output
    icmp.write(octets.view, at, isIpv4 ? icmp.Type.echoReply : icmpv6.Type.echoReply, 0, 0)
    const body = icmp.HEADER_LENGTH - 4
    copyOctets(octets, at + body, packet, packet.offset + body, length - body)
    const protocol = isIpv4 ? ipv4.Protocol.icmp : ipv4.Protocol.icmpv6
    output.writeIcmpChecksum(protocol)
    output.send(protocol)
    if (length > MINIMUM_IPV4 - ipv4.MINIMUM_LENGTH) this.#echo.noteReply(source, icmp.rest(packet.view, packet.offset))
    values[Count.icmpSent]++
    values[Count.echoRepliesSent]++
  }

  /** Reads the packet that an error quotes; false where it can't be one of ours. */
  #quote(packet: Packet, kind: number): boolean {
    const { view } = packet
    const error = this.#error
    const start = packet.offset + icmp.HEADER_LENGTH
    const end = packet.offset + packet.length
    error.kind = kind
    error.type = icmp.type(view, packet.offset)
    error.code = icmp.code(view, packet.offset)
    error.mtu = 0
    if (kind === IcmpErrorKind.tooBig) {
      error.mtu = packet.isIpv4 ? icmp.nextHopMtu(view, packet.offset) : icmpv6.packetTooBigMtu(view, packet.offset)
    }
    error.from.assign(packet.source)
    const transport = packet.isIpv4 ? this.#quoteIpv4(view, start, end) : this.#quoteIpv6(view, start, end)
    if (transport < 0 || transport + QUOTED_OCTETS > end) return false
    error.sourcePort = view.getUint16(transport)
    error.destinationPort = view.getUint16(transport + 2)
    error.sequence = view.getInt32(transport + 4)
    // RFC 5927 §3: a packet that we never could have sent.
    return this.#interfaces.isLocal(error.source) || (packet.interface as Interface).anyAddress
  }

  #quoteIpv4(view: DataView, start: number, end: number): number {
    if (start + ipv4.MINIMUM_LENGTH > end || ipv4.version(view, start) !== 4) return -1
    if (ipv4.headerLength(view, start) < ipv4.MINIMUM_LENGTH || ipv4.fragmentOffset(view, start) !== 0) return -1
    const error = this.#error
    error.source.setIpv4(ipv4.source(view, start))
    error.destination.setIpv4(ipv4.destination(view, start))
    error.protocol = ipv4.protocol(view, start)
    error.packetLength = ipv4.totalLength(view, start)
    return start + ipv4.headerLength(view, start)
  }

  #quoteIpv6(view: DataView, start: number, end: number): number {
    if (start + ipv6.HEADER_LENGTH > end || ipv6.version(view, start) !== 6) return -1
    const error = this.#error
    setFrom(error.source, view, start + ipv6.SOURCE_AT)
    setFrom(error.destination, view, start + ipv6.DESTINATION_AT)
    error.packetLength = ipv6.HEADER_LENGTH + ipv6.payloadLength(view, start)
    error.protocol = ipv6.nextHeader(view, start)
    const transport = start + ipv6.HEADER_LENGTH
    // The one extension header that we send.
    if (error.protocol !== ipv6.Extension.fragment) return transport
    if (transport + ipv6.FRAGMENT_HEADER_LENGTH > end || ipv6.fragmentOffset(view, transport) !== 0) return -1
    error.protocol = view.getUint8(transport)
    return transport + ipv6.FRAGMENT_HEADER_LENGTH
  }

  #drop(packet: Packet, reason: DropReason): null {
    this.#observer.drop(reason, packet.batch, packet.row)
    return null
  }
}

/** RFC 3168 §5: a reply does not carry the request's congestion mark. */
const ECN = 3

function setFrom(address: Address, view: DataView, at: number): void {
  address.set(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12))
}

function kindOfIpv4(type: number, code: number): number {
  if (type === icmp.Type.timeExceeded) return IcmpErrorKind.timeExceeded
  if (type === icmp.Type.parameterProblem) return IcmpErrorKind.parameterProblem
  // Source quench (RFC 6633; MUST-55) and redirects are for nobody here.
  if (type !== icmp.Type.unreachable) return -1
  const { Unreachable } = icmp
  switch (code) {
    case Unreachable.port:
      return IcmpErrorKind.portUnreachable
    case Unreachable.protocol:
      return IcmpErrorKind.protocolUnreachable
    case Unreachable.fragmentationNeeded:
      return IcmpErrorKind.tooBig
    case Unreachable.network:
    case Unreachable.networkUnknown:
      return IcmpErrorKind.networkUnreachable
    case Unreachable.networkProhibited:
    case Unreachable.hostProhibited:
    case Unreachable.communicationProhibited:
      return IcmpErrorKind.prohibited
    default:
      return IcmpErrorKind.hostUnreachable
  }
}

function kindOfIpv6(type: number, code: number): number {
  if (type === icmpv6.Type.packetTooBig) return IcmpErrorKind.tooBig
  if (type === icmpv6.Type.timeExceeded) return IcmpErrorKind.timeExceeded
  if (type === icmpv6.Type.parameterProblem) return IcmpErrorKind.parameterProblem
  if (type !== icmpv6.Type.unreachable) return -1
  const { Unreachable } = icmpv6
  switch (code) {
    case Unreachable.port:
      return IcmpErrorKind.portUnreachable
    case Unreachable.noRoute:
      return IcmpErrorKind.networkUnreachable
    case Unreachable.prohibited:
    case Unreachable.policy:
    case Unreachable.reject:
      return IcmpErrorKind.prohibited
    default:
      return IcmpErrorKind.hostUnreachable
  }
}
