// The IPv6 header and the fragment header (RFC 8200 §3, §4.5): octets at an offset <-> numbers.
// Called by ip/input, ip/extension-headers, ip/output, ip/fragments and ip/icmp.

export const HEADER_LENGTH = 40
export const FRAGMENT_HEADER_LENGTH = 8

/** Next-header values that are extension headers. */
export const Extension = {
  hopByHop: 0,
  routing: 43,
  fragment: 44,
  encapsulatingSecurity: 50,
  authentication: 51,
  noNext: 59,
  destinationOptions: 60,
} as const

export function version(view: DataView, at: number): number {
  return view.getUint8(at) >>> 4
}

/** DSCP and ECN. */
export function trafficClass(view: DataView, at: number): number {
  return (view.getUint16(at) >>> 4) & 0xff
}

export function flowLabel(view: DataView, at: number): number {
  return view.getInt32(at) & 0xfffff
}

export function payloadLength(view: DataView, at: number): number {
  return view.getUint16(at + 4)
}

export function nextHeader(view: DataView, at: number): number {
  return view.getUint8(at + 6)
}

export function hopLimit(view: DataView, at: number): number {
  return view.getUint8(at + 7)
}

/** The word (0 to 3) of the source address. */
export function source(view: DataView, at: number, word: number): number {
  return view.getInt32(at + 8 + word * 4)
}

export function destination(view: DataView, at: number, word: number): number {
  return view.getInt32(at + 24 + word * 4)
}

/** All but the addresses, which `writeAddress` puts in. */
export function write(
  view: DataView,
  at: number,
  payloadLength: number,
  trafficClass: number,
  flowLabel: number,
  hopLimit: number,
  nextHeader: number,
): void {
  view.setInt32(at, (6 << 28) | (trafficClass << 20) | (flowLabel & 0xfffff))
  view.setUint16(at + 4, payloadLength)
  view.setUint8(at + 6, nextHeader)
  view.setUint8(at + 7, hopLimit)
}

export const SOURCE_AT = 8
export const DESTINATION_AT = 24

export function writeAddress(
  view: DataView,
  at: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): void {
  view.setInt32(at, word0)
  view.setInt32(at + 4, word1)
  view.setInt32(at + 8, word2)
  view.setInt32(at + 12, word3)
}

export function writeFragment(
  view: DataView,
  at: number,
  nextHeader: number,
  offset: number,
  more: boolean,
  identification: number,
): void {
  view.setUint8(at, nextHeader)
  view.setUint8(at + 1, 0)
  view.setUint16(at + 2, (offset & 0xfff8) | (more ? 1 : 0))
  view.setInt32(at + 4, identification)
}

/** In octets. */
export function fragmentOffset(view: DataView, at: number): number {
  return view.getUint16(at + 2) & 0xfff8
}

export function moreFragments(view: DataView, at: number): boolean {
  return (view.getUint8(at + 3) & 1) !== 0
}

export function fragmentIdentification(view: DataView, at: number): number {
  return view.getInt32(at + 4)
}
