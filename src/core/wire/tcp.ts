// The TCP header (RFC 9293 §3.1): octets at an offset <-> numbers. Sequence numbers are int32.
// Called by tcp/input, tcp/emit, tcp/reply, tcp/unreachable and by whoever prints packets.

export const MINIMUM_LENGTH = 20
export const CHECKSUM_AT = 16
export const OPTIONS_AT = 20

/** The control bits; the last is the accurate-ECN bit of RFC 9768, which ECN (RFC 3168) must find to be 0. */
export const Flag = {
  fin: 0x01,
  syn: 0x02,
  rst: 0x04,
  psh: 0x08,
  ack: 0x10,
  urg: 0x20,
  ece: 0x40,
  cwr: 0x80,
  ae: 0x100,
} as const

export function sourcePort(view: DataView, at: number): number {
  return view.getUint16(at)
}

export function destinationPort(view: DataView, at: number): number {
  return view.getUint16(at + 2)
}

export function sequence(view: DataView, at: number): number {
  return view.getInt32(at + 4)
}

export function acknowledgment(view: DataView, at: number): number {
  return view.getInt32(at + 8)
}

/** In octets, options included. Anything from 0 to 60: the caller checks it. */
export function headerLength(view: DataView, at: number): number {
  return (view.getUint8(at + 12) >>> 4) << 2
}

/** Values of `Flag`. The three reserved bits beside them are not looked at. */
export function flags(view: DataView, at: number): number {
  return view.getUint16(at + 12) & 0x1ff
}

/** As it stands there, not scaled. MUST-1: unsigned. */
export function window(view: DataView, at: number): number {
  return view.getUint16(at + 14)
}

export function checksum(view: DataView, at: number): number {
  return view.getUint16(at + 16)
}

export function urgentPointer(view: DataView, at: number): number {
  return view.getUint16(at + 18)
}

/** The header with a checksum field of 0; options come after it, at `OPTIONS_AT`. */
export function write(
  view: DataView,
  at: number,
  source: number,
  destination: number,
  sequence: number,
  acknowledgment: number,
  headerLength: number,
  flags: number,
  window: number,
  urgentPointer: number,
): void {
  view.setUint16(at, source)
  view.setUint16(at + 2, destination)
  view.setInt32(at + 4, sequence)
  view.setInt32(at + 8, acknowledgment)
  view.setUint16(at + 12, (headerLength << 10) | flags)
  view.setUint16(at + 14, window)
  view.setUint16(at + 16, 0)
  view.setUint16(at + 18, urgentPointer)
}
