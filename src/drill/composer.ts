// The octets of a packet that a script injects: what the peer of its flow would send. Checksums are right; the numbers are the flow's.
import type { Address } from '../core/ip/address.ts'
import * as checksum from '../core/wire/checksum.ts'
import * as ipv4 from '../core/wire/ipv4.ts'
import * as ipv6 from '../core/wire/ipv6.ts'
import * as tcp from '../core/wire/tcp.ts'
import * as udp from '../core/wire/udp.ts'
import { type Flow, fillPattern } from './flow.ts'
import { icmpNumbers } from './icmp-names.ts'
import type { IcmpSpec, IpSpec, OptionSpec, PacketSpec, QuoteSpec, TcpSpec, UdpSpec } from './script.ts'

const { Protocol } = ipv4
const ICMP_HEADER = 8
/** RFC 1812 §4.3.2.3 lets a router quote more; this is what every one quotes beyond the IP header. */
const LEAST_QUOTE = 8

export interface Composing {
  readonly flow: Flow
  /** The identification of the next packet; fragments of one have the same. */
  readonly identification: number
}

/** Packets that arrive from the flow's remote end. */
export function compose(spec: PacketSpec, composing: Composing): Uint8Array<ArrayBuffer> {
  const { flow } = composing
  const { remote, local } = flow
  const { body } = spec
  if (body.protocol === 'tcp') return wrap(spec.ip, composing, remote, local, Protocol.tcp, segment(body, spec, flow))
  if (body.protocol === 'udp') return wrap(spec.ip, composing, remote, local, Protocol.udp, datagram(body, spec, flow))
  const protocol = remote.isIpv4 ? Protocol.icmp : Protocol.icmpv6
  return wrap(spec.ip, composing, remote, local, protocol, message(body, composing))
}

function segment(spec: TcpSpec, { ports }: PacketSpec, flow: Flow): Uint8Array<ArrayBuffer> {
  const options = optionOctets(spec.options.list, flow)
  const headerLength = tcp.MINIMUM_LENGTH + options.length
  const bytes = new Uint8Array(headerLength + spec.length)
  const view = new DataView(bytes.buffer)
  const source = ports?.source ?? flow.remotePort
  const destination = ports?.destination ?? flow.localPort
  const ack = spec.ack === null ? 0 : flow.real(spec.ack)
  const window = spec.window ?? 0
  tcp.write(view, 0, source, destination, spec.sequence | 0, ack, headerLength, spec.flags, window, spec.urgent ?? 0)
  bytes.set(options, tcp.OPTIONS_AT)
  const text = (spec.sequence + (spec.flags & tcp.Flag.syn ? 1 : 0)) >>> 0
  fillPattern(bytes, headerLength, spec.length, (text - flow.remoteStart) >>> 0)
  return bytes
}

function optionOctets(list: readonly OptionSpec[], flow: Flow): Uint8Array {
  const octets: number[] = []
  for (const option of list) octets.push(...octetsOf(option, flow))
  // RFC 9293 §3.1: the header ends at a word.
  while (octets.length % 4 !== 0) octets.push(0)
  return Uint8Array.from(octets)
}

function octetsOf(option: OptionSpec, flow: Flow): number[] {
  switch (option.kind) {
    case 'eol':
      return [0]
    case 'nop':
      return [1]
    case 'mss':
      return [2, 4, ...half(option.value ?? 0)]
    case 'wscale':
      return [3, 3, option.value ?? 0]
    case 'sackOK':
      return [4, 2]
    case 'sack': {
      // The peer tells of our numbers.
      const words = option.blocks.flatMap(([start, end]) => [...word(flow.real(start)), ...word(flow.real(end))])
      return [5, 2 + words.length, ...words]
    }
    case 'TS': {
      const echo = option.echo ?? 0
      return [8, 10, ...word(option.value ?? 0), ...word(flow.stamps.get(echo) ?? guessStamp(echo, flow))]
    }
    case 'other':
      return [option.number, 2 + option.octets.length, ...option.octets]
  }
}

/** An echo of something that no packet has said: as far from the first one as the script has it. */
function guessStamp(echo: number, { firstStamp }: Flow): number {
  return firstStamp === null || echo === 0 ? echo : (firstStamp.real + echo - firstStamp.written) | 0
}

function half(value: number): number[] {
  return [(value >>> 8) & 0xff, value & 0xff]
}

function word(value: number): number[] {
  return [...half(value >>> 16), ...half(value & 0xffff)]
}

function datagram(spec: UdpSpec, { ports }: PacketSpec, flow: Flow): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(udp.HEADER_LENGTH + spec.length)
  const view = new DataView(bytes.buffer)
  udp.write(view, 0, ports?.source ?? flow.remotePort, ports?.destination ?? flow.localPort, bytes.length)
  fillPattern(bytes, udp.HEADER_LENGTH, spec.length, 0)
  return bytes
}

function message(spec: IcmpSpec, composing: Composing): Uint8Array<ArrayBuffer> {
  const isIpv4 = composing.flow.remote.isIpv4
  const { type, code } = icmpNumbers(spec, isIpv4)
  const isError = isIpv4 ? [3, 4, 5, 11, 12].includes(type) : type < 128
  const body = isError ? quoted(spec.quote, composing) : new Uint8Array(spec.length ?? 0)
  const bytes = new Uint8Array(ICMP_HEADER + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, type)
  view.setUint8(1, code)
  if (spec.mtu !== null) view.setUint32(4, spec.mtu)
  if (spec.identifier !== null) view.setUint16(4, spec.identifier)
  if (spec.number !== null) view.setUint16(6, spec.number)
  bytes.set(body, ICMP_HEADER)
  return bytes
}

/** A packet of ours as a router quotes it: its headers and eight octets. */
function quoted(quote: QuoteSpec | null, composing: Composing): Uint8Array {
  const { flow } = composing
  const { local, remote } = flow
  const protocol = quote?.protocol ?? flow.protocol
  const header = protocol === 'tcp' ? tcp.MINIMUM_LENGTH : udp.HEADER_LENGTH
  const bytes = new Uint8Array(header + (quote?.length ?? 0))
  const view = new DataView(bytes.buffer)
  const { localPort, remotePort } = flow
  if (protocol === 'tcp') {
    const sequence = flow.real(quote?.sequence ?? 0)
    tcp.write(view, 0, localPort, remotePort, sequence, 0, header, quote?.flags ?? tcp.Flag.ack, 0, 0)
  } else udp.write(view, 0, localPort, remotePort, bytes.length)
  const transport = protocol === 'tcp' ? Protocol.tcp : Protocol.udp
  const whole = wrap(PLAIN, composing, local, remote, transport, bytes)
  return whole.subarray(0, whole.length - bytes.length + Math.min(bytes.length, Math.max(header, LEAST_QUOTE)))
}

const PLAIN: IpSpec = {
  ecn: null,
  trafficClass: null,
  hopLimit: null,
  flowLabel: null,
  identification: null,
  fragment: null,
}
const HOP_LIMIT = 64

function wrap(
  ip: IpSpec,
  { identification }: Composing,
  source: Address,
  destination: Address,
  protocol: number,
  payload: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  writeChecksum(source, destination, protocol, payload)
  const { fragment } = ip
  const part = fragment === null ? payload : payload.subarray(fragment.start, fragment.end)
  const more = fragment?.more ?? (fragment !== null && fragment.end < payload.length)
  const trafficClass = ((ip.trafficClass ?? 0) & ~3) | (ip.ecn ?? (ip.trafficClass ?? 0) & 3)
  const hopLimit = ip.hopLimit ?? HOP_LIMIT
  const id = ip.identification ?? identification
  if (source.isIpv4) {
    const flags = fragment === null ? ipv4.DONT_FRAGMENT : (fragment.start >>> 3) | (more ? ipv4.MORE_FRAGMENTS : 0)
    const bytes = new Uint8Array(ipv4.MINIMUM_LENGTH + part.length)
    const view = new DataView(bytes.buffer)
    ipv4.write(
      view,
      0,
      bytes.length,
      trafficClass,
      id & 0xffff,
      flags,
      hopLimit,
      protocol,
      source.word3,
      destination.word3,
    )
    bytes.set(part, ipv4.MINIMUM_LENGTH)
    return bytes
  }
  const between = fragment === null ? 0 : ipv6.FRAGMENT_HEADER_LENGTH
  const bytes = new Uint8Array(ipv6.HEADER_LENGTH + between + part.length)
  const view = new DataView(bytes.buffer)
  const next = fragment === null ? protocol : ipv6.Extension.fragment
  ipv6.write(view, 0, between + part.length, trafficClass, ip.flowLabel ?? 0, hopLimit, next)
  ipv6.writeAddress(view, ipv6.SOURCE_AT, source.word0, source.word1, source.word2, source.word3)
  const { word0, word1, word2, word3 } = destination
  ipv6.writeAddress(view, ipv6.DESTINATION_AT, word0, word1, word2, word3)
  if (fragment !== null) ipv6.writeFragment(view, ipv6.HEADER_LENGTH, protocol, fragment.start, more, id)
  bytes.set(part, ipv6.HEADER_LENGTH + between)
  return bytes
}

/** Where each protocol has its checksum. */
const CHECKSUM_AT: Readonly<Record<number, number>> = {
  [Protocol.tcp]: tcp.CHECKSUM_AT,
  [Protocol.udp]: udp.CHECKSUM_AT,
  [Protocol.icmp]: 2,
  [Protocol.icmpv6]: 2,
}

function writeChecksum(
  source: Address,
  destination: Address,
  protocol: number,
  payload: Uint8Array<ArrayBuffer>,
): void {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const at = CHECKSUM_AT[protocol]
  view.setUint16(at, 0)
  const begin = protocol === Protocol.icmp ? 0 : pseudoHeader(source, destination, protocol, payload.length)
  const value = checksum.finish(checksum.sum(view, 0, payload.length, checksum.fold(begin)))
  // RFC 768: a sum of zero is said as all ones.
  view.setUint16(at, value === 0 && protocol === Protocol.udp ? 0xffff : value)
}

/** RFC 9293 §3.1 and RFC 8200 §8.1: an IPv4 address counts by its last word alone. */
export function pseudoHeader(source: Address, destination: Address, protocol: number, length: number): number {
  let total = checksum.addWord(checksum.addWord(0, protocol), length)
  for (const address of [source, destination]) {
    if (!address.isIpv4) {
      total = checksum.addWord(total, address.word0)
      total = checksum.addWord(total, address.word1)
      total = checksum.addWord(total, address.word2)
    }
    total = checksum.addWord(total, address.word3)
  }
  return total
}
