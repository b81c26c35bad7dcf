// A packet that the stack has sent, read: what drill/comparison compares and drill/description writes. Octets are the reader's own.
import { Address } from '../core/ip/address.ts'
import * as checksum from '../core/wire/checksum.ts'
import * as ipv4 from '../core/wire/ipv4.ts'
import * as ipv6 from '../core/wire/ipv6.ts'
import * as tcp from '../core/wire/tcp.ts'
import * as udp from '../core/wire/udp.ts'
import { pseudoHeader } from './composer.ts'
import type { OptionSpec } from './script.ts'

const { Protocol } = ipv4

export interface SeenTcp {
  readonly flags: number
  readonly sequence: number
  readonly ack: number
  readonly window: number
  readonly urgent: number
  readonly options: readonly OptionSpec[]
  /** Where the text lies in the octets, and how long it is. */
  readonly text: number
  readonly length: number
}

export interface SeenIcmp {
  readonly type: number
  readonly code: number
  /** The second word. */
  readonly rest: number
  readonly length: number
  /** Where what it carries begins. */
  readonly body: number
}

export interface Seen {
  /** Microseconds of the script. */
  readonly at: number
  readonly octets: Uint8Array<ArrayBuffer>
  readonly source: Address
  readonly destination: Address
  readonly trafficClass: number
  readonly hopLimit: number
  readonly flowLabel: number
  readonly identification: number
  readonly fragment: { readonly start: number; readonly end: number; readonly more: boolean } | null
  readonly protocol: number
  /** Of TCP and UDP, but not of a fragment that isn't the first. */
  readonly sourcePort: number
  readonly destinationPort: number
  readonly tcp: SeenTcp | null
  readonly udp: { readonly length: number; readonly text: number } | null
  readonly icmp: SeenIcmp | null
  /** What is wrong with it whatever the script says: a checksum, a length. */
  readonly faults: readonly string[]
}

type Writable<Type> = { -readonly [Name in keyof Type]: Type[Name] }

export function read(octets: Uint8Array<ArrayBuffer>, at: number): Seen {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
  const faults: string[] = []
  const { seen, start } = ipv4.version(view, 0) === 4 ? readIpv4(view, faults) : readIpv6(view)
  const whole: Writable<Seen> = {
    ...seen,
    at,
    octets,
    sourcePort: 0,
    destinationPort: 0,
    tcp: null,
    udp: null,
    icmp: null,
    faults,
  }
  if (whole.fragment !== null && whole.fragment.start > 0) return whole
  if (whole.fragment === null) checkTransport(view, start, whole, faults)
  readTransport(view, start, whole)
  return whole
}

function readTransport(view: DataView, start: number, whole: Writable<Seen>): void {
  const { protocol } = whole
  const length = view.byteLength - start
  if (protocol === Protocol.tcp) {
    whole.sourcePort = tcp.sourcePort(view, start)
    whole.destinationPort = tcp.destinationPort(view, start)
    whole.tcp = readTcp(view, start)
  } else if (protocol === Protocol.udp) {
    whole.sourcePort = udp.sourcePort(view, start)
    whole.destinationPort = udp.destinationPort(view, start)
    whole.udp = { length: udp.length(view, start) - udp.HEADER_LENGTH, text: start + udp.HEADER_LENGTH }
  } else if (protocol === Protocol.icmp || protocol === Protocol.icmpv6) {
    const rest = view.getUint32(start + 4)
    whole.icmp = {
      type: view.getUint8(start),
      code: view.getUint8(start + 1),
      rest,
      length: length - 8,
      body: start + 8,
    }
  }
}

type IpPart = Omit<Seen, 'at' | 'octets' | 'sourcePort' | 'destinationPort' | 'tcp' | 'udp' | 'icmp' | 'faults'>

function readIpv4(view: DataView, faults: string[]): { seen: IpPart; start: number } {
  const start = ipv4.headerLength(view, 0)
  if (!ipv4.checksumIsRight(view, 0)) faults.push("the IP header's checksum is wrong")
  if (ipv4.totalLength(view, 0) !== view.byteLength) faults.push("the IP header's length is wrong")
  const offset = ipv4.fragmentOffset(view, 0)
  const more = ipv4.moreFragments(view, 0)
  const seen = {
    source: new Address().setIpv4(ipv4.source(view, 0)),
    destination: new Address().setIpv4(ipv4.destination(view, 0)),
    trafficClass: ipv4.trafficClass(view, 0),
    hopLimit: ipv4.hopLimit(view, 0),
    flowLabel: 0,
    identification: ipv4.identification(view, 0),
    fragment: ipv4.isFragment(view, 0) ? { start: offset, end: offset + view.byteLength - start, more } : null,
    protocol: ipv4.protocol(view, 0),
  }
  return { seen, start }
}

function readIpv6(view: DataView): { seen: IpPart; start: number } {
  const words = (at: number) =>
    [0, 4, 8, 12].map((word) => view.getInt32(at + word)) as [number, number, number, number]
  const isFragment = ipv6.nextHeader(view, 0) === ipv6.Extension.fragment
  const start = ipv6.HEADER_LENGTH + (isFragment ? ipv6.FRAGMENT_HEADER_LENGTH : 0)
  const offset = isFragment ? ipv6.fragmentOffset(view, ipv6.HEADER_LENGTH) : 0
  const more = isFragment && ipv6.moreFragments(view, ipv6.HEADER_LENGTH)
  const seen = {
    source: new Address().set(...words(ipv6.SOURCE_AT)),
    destination: new Address().set(...words(ipv6.DESTINATION_AT)),
    trafficClass: ipv6.trafficClass(view, 0),
    hopLimit: ipv6.hopLimit(view, 0),
    flowLabel: ipv6.flowLabel(view, 0),
    identification: isFragment ? ipv6.fragmentIdentification(view, ipv6.HEADER_LENGTH) : 0,
    fragment: isFragment ? { start: offset, end: offset + view.byteLength - start, more } : null,
    protocol: isFragment ? view.getUint8(ipv6.HEADER_LENGTH) : ipv6.nextHeader(view, 0),
  }
  return { seen, start }
}

function checkTransport(view: DataView, start: number, seen: Writable<Seen>, faults: string[]): void {
  const { source, destination, protocol } = seen
  const length = view.byteLength - start
  if (protocol === Protocol.udp && source.isIpv4 && udp.checksum(view, start) === 0) return
  const begin = protocol === Protocol.icmp ? 0 : pseudoHeader(source, destination, protocol, length)
  if (!checksum.isRight(checksum.sum(view, start, length, checksum.fold(begin)))) faults.push('the checksum is wrong')
}

function readTcp(view: DataView, start: number): SeenTcp {
  const headerLength = tcp.headerLength(view, start)
  return {
    flags: tcp.flags(view, start),
    sequence: tcp.sequence(view, start),
    ack: tcp.acknowledgment(view, start),
    window: tcp.window(view, start),
    urgent: tcp.urgentPointer(view, start),
    options: readOptions(view, start + tcp.OPTIONS_AT, start + headerLength),
    text: start + headerLength,
    length: Math.max(0, view.byteLength - start - headerLength),
  }
}

function readOptions(view: DataView, from: number, end: number): OptionSpec[] {
  const list: OptionSpec[] = []
  for (let at = from; at < end; ) {
    const number = view.getUint8(at)
    const length = number < 2 ? 1 : view.getUint8(at + 1)
    list.push(readOption(view, at, number, length))
    at += Math.max(1, length)
  }
  return list
}

function readOption(view: DataView, at: number, number: number, length: number): OptionSpec {
  switch (number) {
    case 0:
      return { kind: 'eol' }
    case 1:
      return { kind: 'nop' }
    case 2:
      return { kind: 'mss', value: view.getUint16(at + 2) }
    case 3:
      return { kind: 'wscale', value: view.getUint8(at + 2) }
    case 4:
      return { kind: 'sackOK' }
    case 5: {
      const blocks: [number, number][] = []
      for (let block = at + 2; block + 8 <= at + length; block += 8) {
        blocks.push([view.getUint32(block), view.getUint32(block + 4)])
      }
      return { kind: 'sack', blocks }
    }
    case 8:
      return { kind: 'TS', value: view.getUint32(at + 2), echo: view.getUint32(at + 6) }
    default: {
      const octets = Array.from({ length: Math.max(0, length - 2) }, (_, octet) => view.getUint8(at + 2 + octet))
      return { kind: 'other', number, octets }
    }
  }
}
