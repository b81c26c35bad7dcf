// An IP packet as one line of text: who to whom, which protocol, and what a reader of a conversation wants of its header.
// Anything may be given; what is too short or unknown is said to be so.
import { Address } from '../core/ip/address.ts'
import * as icmp from '../core/wire/icmp.ts'
import * as icmpv6 from '../core/wire/icmpv6.ts'
import * as ipv4 from '../core/wire/ipv4.ts'
import * as ipv6 from '../core/wire/ipv6.ts'
import * as tcp from '../core/wire/tcp.ts'
import * as udp from '../core/wire/udp.ts'

/** What is between an IP header and the packet's end. */
interface Content {
  readonly view: DataView
  readonly protocol: number
  readonly at: number
  readonly length: number
  readonly source: string
  readonly destination: string
  readonly isIpv6: boolean
  /** Empty unless it is a fragment. */
  readonly fragment: string
  readonly isFirst: boolean
}

/** `10.7.0.1 → 10.7.0.2  ICMP echo request 1, 56 octets`; ports stand after the addresses, as in `10.7.0.2:7`. */
export function describePacket(packet: Uint8Array): string {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength)
  if (packet.length === 0) return 'an empty packet'
  const version = packet[0] >>> 4
  const content = version === 4 ? contentOfIpv4(view) : version === 6 ? contentOfIpv6(view) : null
  if (content === null) return `${packet.length} octets that are no IP packet`
  if (!content.isFirst) return line(content, `${nameOf(content.protocol)}, ${content.length} octets`)
  switch (content.protocol) {
    case ipv4.Protocol.icmp:
    case ipv4.Protocol.icmpv6:
      return line(content, describeIcmp(content))
    case ipv4.Protocol.udp:
      return describeUdp(content)
    case ipv4.Protocol.tcp:
      return describeTcp(content)
    default:
      return line(content, `${nameOf(content.protocol)}, ${content.length} octets`)
  }
}

function contentOfIpv4(view: DataView): Content | null {
  if (view.byteLength < ipv4.MINIMUM_LENGTH) return null
  const header = ipv4.headerLength(view, 0)
  const total = Math.min(ipv4.totalLength(view, 0), view.byteLength)
  if (header < ipv4.MINIMUM_LENGTH || header > total) return null
  const offset = ipv4.fragmentOffset(view, 0)
  return {
    view,
    protocol: ipv4.protocol(view, 0),
    at: header,
    length: total - header,
    source: new Address().setIpv4(ipv4.source(view, 0)).toString(),
    destination: new Address().setIpv4(ipv4.destination(view, 0)).toString(),
    isIpv6: false,
    fragment: ipv4.isFragment(view, 0) ? describeFragment(offset, ipv4.moreFragments(view, 0)) : '',
    isFirst: offset === 0,
  }
}

function contentOfIpv6(view: DataView): Content | null {
  if (view.byteLength < ipv6.HEADER_LENGTH) return null
  let at = ipv6.HEADER_LENGTH
  const end = Math.min(at + ipv6.payloadLength(view, 0), view.byteLength)
  let protocol = ipv6.nextHeader(view, 0)
  let fragment = ''
  let isFirst = true
  while (isExtension(protocol) && at + 8 <= end) {
    const next = view.getUint8(at)
    if (protocol === ipv6.Extension.fragment) {
      const offset = ipv6.fragmentOffset(view, at)
      fragment = describeFragment(offset, ipv6.moreFragments(view, at))
      isFirst = offset === 0
      at += ipv6.FRAGMENT_HEADER_LENGTH
    } else {
      at += (view.getUint8(at + 1) + 1) * 8
    }
    protocol = next
    if (!isFirst) break
  }
  const word = (read: typeof ipv6.source) =>
    new Address().set(read(view, 0, 0), read(view, 0, 1), read(view, 0, 2), read(view, 0, 3)).toString()
  return {
    view,
    protocol,
    at: Math.min(at, end),
    length: Math.max(0, end - at),
    source: word(ipv6.source),
    destination: word(ipv6.destination),
    isIpv6: true,
    fragment,
    isFirst,
  }
}

function isExtension(protocol: number): boolean {
  const { hopByHop, routing, fragment, destinationOptions } = ipv6.Extension
  return protocol === hopByHop || protocol === routing || protocol === fragment || protocol === destinationOptions
}

function describeFragment(offset: number, hasMore: boolean): string {
  return ` (fragment from octet ${offset}${hasMore ? ', more to come' : ', the last'})`
}

function line(content: Content, what: string, sourcePort = '', destinationPort = ''): string {
  const end = (address: string, port: string) => {
    if (port === '') return address
    return content.isIpv6 ? `[${address}]:${port}` : `${address}:${port}`
  }
  return `${end(content.source, sourcePort)} → ${end(content.destination, destinationPort)}  ${what}${content.fragment}`
}

function nameOf(protocol: number): string {
  const name = Object.entries(ipv4.Protocol).find(([, number]) => number === protocol)?.[0]
  return name === undefined || name === 'noNext' ? `protocol ${protocol}` : name.toUpperCase().replace('V6', 'v6')
}

function describeIcmp({ view, at, length, isIpv6 }: Content): string {
  const name = isIpv6 ? 'ICMPv6' : 'ICMP'
  if (length < icmp.HEADER_LENGTH) return `${name}, cut off`
  const type = icmp.type(view, at)
  const types: Record<string, number> = isIpv6 ? icmpv6.Type : icmp.Type
  const known = Object.entries(types).find(([, number]) => number === type)?.[0]
  if (known === 'echoRequest' || known === 'echoReply') {
    const what = known === 'echoRequest' ? 'echo request' : 'echo reply'
    return `${name} ${what} ${icmp.sequenceNumber(view, at)}, ${length - icmp.HEADER_LENGTH} octets`
  }
  const code = icmp.code(view, at)
  if (known === undefined) return `${name} type ${type}, code ${code}`
  const codes: Record<string, number> = known === 'unreachable' ? (isIpv6 ? icmpv6 : icmp).Unreachable : {}
  const reason = Object.entries(codes).find(([, number]) => number === code)?.[0] ?? `code ${code}`
  return `${name} ${spelledOut(known)} (${spelledOut(reason)})`
}

function spelledOut(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function describeUdp(content: Content): string {
  const { view, at, length } = content
  if (length < udp.HEADER_LENGTH) return line(content, 'UDP, cut off')
  const octets = udp.length(view, at) - udp.HEADER_LENGTH
  const what = octets === 1 ? 'UDP, 1 octet' : `UDP, ${octets} octets`
  return line(content, what, String(udp.sourcePort(view, at)), String(udp.destinationPort(view, at)))
}

function describeTcp(content: Content): string {
  const { view, at, length } = content
  if (length < tcp.MINIMUM_LENGTH) return line(content, 'TCP, cut off')
  const flags = tcp.flags(view, at)
  const names = Object.entries(tcp.Flag)
    .filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => name.toUpperCase())
  const words = ['TCP', ...names, `seq ${tcp.sequence(view, at) >>> 0}`]
  if (flags & tcp.Flag.ack) words.push(`ack ${tcp.acknowledgment(view, at) >>> 0}`)
  words.push(`window ${tcp.window(view, at)},`, `${Math.max(0, length - tcp.headerLength(view, at))} octets`)
  return line(content, words.join(' '), String(tcp.sourcePort(view, at)), String(tcp.destinationPort(view, at)))
}
