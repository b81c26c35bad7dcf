// From a captured frame to what is inside of its IP packet, of either family, under the link layers that captures of hosts have.
// Called by segment.ts. Nothing is read that is not there, and nothing is thrown.
import { Address } from '../../core/ip/address.ts'
import * as ipv4 from '../../core/wire/ipv4.ts'
import * as ipv6 from '../../core/wire/ipv6.ts'

/** Of tcpdump.org's list, and where the IP packet begins under each. */
const LinkType = {
  null: 0,
  ethernet: 1,
  raw: 101,
  loop: 108,
  cooked: 113,
  ipv4: 228,
  ipv6: 229,
  cooked2: 276,
} as const
/** As BSDs number it themselves. */
const OLD_RAW: readonly number[] = [12, 14]
const EtherType = { ipv4: 0x0800, ipv6: 0x86dd } as const
const VLAN_TAGS: readonly number[] = [0x8100, 0x88a8, 0x9100]
const MOST_EXTENSIONS = 16

/** What an IP packet carries. */
export interface Content {
  readonly view: DataView
  readonly protocol: number
  /** Where it begins, and how long it was before anything was cut off. */
  readonly at: number
  readonly length: number
  readonly source: string
  readonly destination: string
  readonly isIpv6: boolean
  /** The path has marked it (RFC 3168). */
  readonly isMarked: boolean
}

export function contentOf(octets: Uint8Array, originalLength: number, linkType: number): Content | null {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length)
  const at = networkLayerAt(view, linkType)
  return at === null ? null : ipContent(view, at, originalLength - at)
}

/** Of a packet that is quoted in an ICMP message, too. */
export function ipContent(view: DataView, at: number, available: number): Content | null {
  if (at >= view.byteLength) return null
  const version = view.getUint8(at) >>> 4
  if (version === 4) return ipv4Content(view, at, available)
  return version === 6 ? ipv6Content(view, at, available) : null
}

function networkLayerAt(view: DataView, linkType: number): number | null {
  const { byteLength } = view
  switch (linkType) {
    case LinkType.raw:
    case LinkType.ipv4:
    case LinkType.ipv6:
      return 0
    case LinkType.null:
    case LinkType.loop:
      return 4
    case LinkType.ethernet:
      return byteLength < 14 ? null : afterEtherType(view, 12)
    case LinkType.cooked:
      return byteLength < 16 ? null : afterEtherType(view, 14)
    case LinkType.cooked2:
      return byteLength >= 20 && isIp(view.getUint16(0)) ? 20 : null
  }
  return OLD_RAW.includes(linkType) ? 0 : null
}

/** Behind the tags of virtual networks. */
function afterEtherType(view: DataView, first: number): number | null {
  let at = first
  while (at + 6 <= view.byteLength && VLAN_TAGS.includes(view.getUint16(at))) at += 4
  return isIp(view.getUint16(at)) ? at + 2 : null
}

function isIp(type: number): boolean {
  return type === EtherType.ipv4 || type === EtherType.ipv6
}

function ipv4Content(view: DataView, at: number, available: number): Content | null {
  if (at + ipv4.MINIMUM_LENGTH > view.byteLength) return null
  const header = ipv4.headerLength(view, at)
  // A card that cuts super-segments may have been given no length.
  const total = ipv4.totalLength(view, at) || available
  if (header < ipv4.MINIMUM_LENGTH || header > total || ipv4.fragmentOffset(view, at) > 0) return null
  return {
    view,
    protocol: ipv4.protocol(view, at),
    at: at + header,
    length: total - header,
    source: new Address().setIpv4(ipv4.source(view, at)).toString(),
    destination: new Address().setIpv4(ipv4.destination(view, at)).toString(),
    isIpv6: false,
    isMarked: (ipv4.trafficClass(view, at) & 3) === 3,
  }
}

function ipv6Content(view: DataView, at: number, available: number): Content | null {
  if (at + ipv6.HEADER_LENGTH > view.byteLength) return null
  const end = at + ipv6.HEADER_LENGTH + (ipv6.payloadLength(view, at) || Math.max(0, available - ipv6.HEADER_LENGTH))
  const { hopByHop, routing, destinationOptions, fragment } = ipv6.Extension
  let protocol = ipv6.nextHeader(view, at)
  let inside = at + ipv6.HEADER_LENGTH
  for (let count = 0; count < MOST_EXTENSIONS; count++) {
    const isFragment = protocol === fragment
    if (!isFragment && protocol !== hopByHop && protocol !== routing && protocol !== destinationOptions) break
    if (inside + 8 > view.byteLength) return null
    if (isFragment && ipv6.fragmentOffset(view, inside) > 0) return null
    protocol = view.getUint8(inside)
    inside += isFragment ? ipv6.FRAGMENT_HEADER_LENGTH : (view.getUint8(inside + 1) + 1) * 8
  }
  if (inside > end) return null
  const text = (read: typeof ipv6.source) =>
    new Address().set(read(view, at, 0), read(view, at, 1), read(view, at, 2), read(view, at, 3)).toString()
  return {
    view,
    protocol,
    at: inside,
    length: end - inside,
    source: text(ipv6.source),
    destination: text(ipv6.destination),
    isIpv6: true,
    isMarked: (ipv6.trafficClass(view, at) & 3) === 3,
  }
}
