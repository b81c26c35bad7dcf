// A TCP segment as an object of plain numbers and texts, for views that people look at. Made of octets as they crossed a link, of
// either family; null for what is no whole TCP header. Nothing is borrowed.
import { Address } from '../core/ip/address.ts'
import * as ipv4 from '../core/wire/ipv4.ts'
import * as ipv6 from '../core/wire/ipv6.ts'
import * as tcp from '../core/wire/tcp.ts'
import { ABSENT, TcpOptions } from '../core/wire/tcp-options.ts'

export interface SegmentView {
  readonly source: string
  readonly sourcePort: number
  readonly destination: string
  readonly destinationPort: number
  /** The whole packet, with its IP header. */
  readonly octets: number
  readonly hopLimit: number
  /** The two bits of RFC 3168: 0 none, 2 and 1 able, 3 marked. */
  readonly ecn: number
  readonly sequence: number
  readonly acknowledgment: number
  /** As `SegmentFlag` has them. */
  readonly flags: number
  /** As it stands there, before any scale. */
  readonly window: number
  readonly urgentPointer: number
  readonly checksum: number
  /** Octets of text. */
  readonly length: number
  /** Null where the option is not there; so are the next two. */
  readonly mss: number | null
  readonly windowScale: number | null
  readonly timestamps: readonly [value: number, echo: number] | null
  readonly sackPermitted: boolean
  readonly sack: readonly (readonly [start: number, end: number])[]
}

export const SegmentFlag = tcp.Flag

const FRAGMENT_FLAGS = 0x3fff
/** Filled and read within one call. */
const options = new TcpOptions()

export function readSegment(bytes: Uint8Array<ArrayBuffer>, offset: number, length: number): SegmentView | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length)
  const version = length > 0 ? view.getUint8(0) >>> 4 : 0
  if (version === 4) return readIpv4(view)
  return version === 6 ? readIpv6(view) : null
}

function readIpv4(view: DataView): SegmentView | null {
  if (view.byteLength < ipv4.MINIMUM_LENGTH || ipv4.protocol(view, 0) !== ipv4.Protocol.tcp) return null
  if ((view.getUint16(6) & FRAGMENT_FLAGS) !== 0) return null
  return read(
    view,
    ipv4.headerLength(view, 0),
    Math.min(ipv4.totalLength(view, 0) || view.byteLength, view.byteLength),
    {
      source: new Address().setIpv4(ipv4.source(view, 0)).toString(),
      destination: new Address().setIpv4(ipv4.destination(view, 0)).toString(),
      hopLimit: view.getUint8(8),
      ecn: view.getUint8(1) & 3,
    },
  )
}

/** Behind extension headers nothing is looked for: no stack sends TCP so. */
function readIpv6(view: DataView): SegmentView | null {
  if (view.byteLength < ipv6.HEADER_LENGTH || ipv6.nextHeader(view, 0) !== ipv4.Protocol.tcp) return null
  const address = (word: typeof ipv6.source) =>
    new Address().set(word(view, 0, 0), word(view, 0, 1), word(view, 0, 2), word(view, 0, 3)).toString()
  const end = ipv6.HEADER_LENGTH + ipv6.payloadLength(view, 0)
  return read(view, ipv6.HEADER_LENGTH, Math.min(end, view.byteLength), {
    source: address(ipv6.source),
    destination: address(ipv6.destination),
    hopLimit: ipv6.hopLimit(view, 0),
    ecn: ipv6.trafficClass(view, 0) & 3,
  })
}

type Ends = Pick<SegmentView, 'source' | 'destination' | 'hopLimit' | 'ecn'>

function read(view: DataView, at: number, end: number, ends: Ends): SegmentView | null {
  if (at + tcp.MINIMUM_LENGTH > end) return null
  const headerLength = tcp.headerLength(view, at)
  if (headerLength < tcp.MINIMUM_LENGTH || at + headerLength > end) return null
  options.parse(view, at + tcp.OPTIONS_AT, headerLength - tcp.OPTIONS_AT)
  const present = (value: number) => (value === ABSENT ? null : value)
  const sack: [number, number][] = []
  for (let block = 0; block < options.sackCount; block++)
    sack.push([options.sackStart[block] >>> 0, options.sackEnd[block] >>> 0])
  return {
    ...ends,
    sourcePort: tcp.sourcePort(view, at),
    destinationPort: tcp.destinationPort(view, at),
    octets: end,
    sequence: tcp.sequence(view, at) >>> 0,
    acknowledgment: tcp.acknowledgment(view, at) >>> 0,
    flags: tcp.flags(view, at),
    window: tcp.window(view, at),
    urgentPointer: tcp.urgentPointer(view, at),
    checksum: view.getUint16(at + tcp.CHECKSUM_AT),
    length: end - at - headerLength,
    mss: present(options.mss),
    windowScale: present(options.windowScale),
    timestamps: options.hasTimestamps ? [options.timestampValue >>> 0, options.timestampEcho >>> 0] : null,
    sackPermitted: options.sackPermitted,
    sack,
  }
}
