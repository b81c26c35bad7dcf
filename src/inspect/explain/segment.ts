// A captured packet as a TCP segment, or as an ICMP error about one. Sequence numbers are int32, as on the wire.
import * as icmp from '../../core/wire/icmp.ts'
import * as icmpv6 from '../../core/wire/icmpv6.ts'
import * as ipv4 from '../../core/wire/ipv4.ts'
import * as tcp from '../../core/wire/tcp.ts'
import { ABSENT, TcpOptions } from '../../core/wire/tcp-options.ts'
import type { CapturedPacket } from '../captured-packets.ts'
import { type Content, contentOf, ipContent } from './network-layer.ts'

export const { Flag } = tcp

export interface Tuple {
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  readonly destinationPort: number
}

export interface Segment extends Tuple {
  readonly kind: 'segment'
  readonly packet: CapturedPacket
  readonly sequence: number
  readonly acknowledgment: number
  readonly flags: number
  /** As it stands there, not scaled. */
  readonly window: number
  /** Octets of text, also those that were not kept. */
  readonly length: number
  readonly isMarked: boolean
  /** Null where there are none, or they were not kept. */
  readonly options: SegmentOptions | null
}

export interface SegmentOptions {
  readonly mss: number | null
  readonly windowScale: number | null
  readonly sackPermitted: boolean
  /** TSval; null without timestamps. */
  readonly timestamp: number | null
  readonly sacks: readonly (readonly [start: number, end: number])[]
}

/** An ICMP error that quotes a segment. */
export interface IcmpError extends Tuple {
  readonly kind: 'icmp'
  readonly packet: CapturedPacket
  /** Who says it. */
  readonly router: string
  /** What fits, where that is what it says; null for anything else. */
  readonly mtu: number | null
  readonly what: string
}

export function readSegment(packet: CapturedPacket, linkType: number): Segment | IcmpError | null {
  const content = contentOf(packet.octets, packet.length, linkType)
  if (content === null) return null
  const { icmp: four, icmpv6: six, tcp: ours } = ipv4.Protocol
  if (content.protocol === ours) return tcpSegment(packet, content)
  return content.protocol === (content.isIpv6 ? six : four) ? icmpError(packet, content) : null
}

function tcpSegment(packet: CapturedPacket, content: Content): Segment | null {
  const { view, at, length, source, destination, isMarked } = content
  if (at + tcp.MINIMUM_LENGTH > view.byteLength) return null
  const header = tcp.headerLength(view, at)
  if (header < tcp.MINIMUM_LENGTH || header > length) return null
  const flags = tcp.flags(view, at)
  return {
    kind: 'segment',
    packet,
    source,
    destination,
    sourcePort: tcp.sourcePort(view, at),
    destinationPort: tcp.destinationPort(view, at),
    sequence: tcp.sequence(view, at),
    acknowledgment: tcp.acknowledgment(view, at),
    flags,
    window: tcp.window(view, at),
    length: length - header,
    isMarked,
    options: readOptions(view, at, header),
  }
}

const parsed = new TcpOptions()

function readOptions(view: DataView, at: number, header: number): SegmentOptions | null {
  const kept = Math.min(header, view.byteLength - at)
  if (kept <= tcp.OPTIONS_AT) return null
  parsed.parse(view, at + tcp.OPTIONS_AT, kept - tcp.OPTIONS_AT)
  const { mss, windowScale, sackPermitted, hasTimestamps, timestampValue, sackCount, sackStart, sackEnd } = parsed
  const sacks: [number, number][] = []
  for (let block = 0; block < sackCount; block++) sacks.push([sackStart[block], sackEnd[block]])
  return {
    mss: mss === ABSENT ? null : mss,
    windowScale: windowScale === ABSENT ? null : windowScale,
    sackPermitted,
    timestamp: hasTimestamps ? timestampValue : null,
    sacks,
  }
}

function icmpError(packet: CapturedPacket, content: Content): IcmpError | null {
  const { view, at, source: router, isIpv6, length } = content
  if (at + icmp.HEADER_LENGTH > view.byteLength) return null
  const [type, code] = [icmp.type(view, at), icmp.code(view, at)]
  const { what, mtu } = isIpv6 ? sixSays(view, at, type) : fourSays(view, at, type, code)
  if (what === null) return null
  const quoted = ipContent(view, at + icmp.HEADER_LENGTH, length - icmp.HEADER_LENGTH)
  if (quoted === null || quoted.protocol !== ipv4.Protocol.tcp || quoted.at + 4 > view.byteLength) return null
  const { source, destination } = quoted
  const sourcePort = tcp.sourcePort(view, quoted.at)
  const destinationPort = tcp.destinationPort(view, quoted.at)
  return { kind: 'icmp', packet, router, mtu, what, source, sourcePort, destination, destinationPort }
}

interface Said {
  readonly what: string | null
  readonly mtu: number | null
}

function fourSays(view: DataView, at: number, type: number, code: number): Said {
  if (type === icmp.Type.timeExceeded) return { what: 'the hop limit was used up', mtu: null }
  if (type !== icmp.Type.unreachable) return { what: null, mtu: null }
  // RFC 1191 §4: the low half of the second word.
  if (code === icmp.Unreachable.fragmentationNeeded)
    return { what: 'packets are too long', mtu: view.getUint16(at + 6) }
  return { what: `the destination can't be reached (code ${code})`, mtu: null }
}

function sixSays(view: DataView, at: number, type: number): Said {
  if (type === icmpv6.Type.packetTooBig) return { what: 'packets are too long', mtu: icmpv6.packetTooBigMtu(view, at) }
  if (type === icmpv6.Type.timeExceeded) return { what: 'the hop limit was used up', mtu: null }
  return { what: type === icmpv6.Type.unreachable ? "the destination can't be reached" : null, mtu: null }
}
