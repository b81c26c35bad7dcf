// The UDP header (RFC 768): octets at an offset <-> numbers. Called by udp/input, udp/output and ip/icmp's readers of quotes.

export const HEADER_LENGTH = 8
export const CHECKSUM_AT = 6

export function sourcePort(view: DataView, at: number): number {
  return view.getUint16(at)
}

export function destinationPort(view: DataView, at: number): number {
  return view.getUint16(at + 2)
}

export function length(view: DataView, at: number): number {
  return view.getUint16(at + 4)
}

export function checksum(view: DataView, at: number): number {
  return view.getUint16(at + 6)
}

/** The header with a checksum field of 0. */
export function write(view: DataView, at: number, source: number, destination: number, length: number): void {
  view.setUint16(at, source)
  view.setUint16(at + 2, destination)
  view.setUint16(at + 4, length)
  view.setUint16(at + 6, 0)
}
