// ICMP for IPv4 (RFC 792, RFC 1122 §3.2.2): octets at an offset <-> numbers. Called by ip/icmp and ip/echo.

export const HEADER_LENGTH = 8

export const Type = {
  echoReply: 0,
  unreachable: 3,
  sourceQuench: 4,
  redirect: 5,
  echoRequest: 8,
  timeExceeded: 11,
  parameterProblem: 12,
} as const

/** Codes of `unreachable`. */
export const Unreachable = {
  network: 0,
  host: 1,
  protocol: 2,
  port: 3,
  fragmentationNeeded: 4,
  sourceRouteFailed: 5,
  networkUnknown: 6,
  hostUnknown: 7,
  networkProhibited: 9,
  hostProhibited: 10,
  communicationProhibited: 13,
} as const

/** Codes of `timeExceeded`. */
export const TimeExceeded = { inTransit: 0, inReassembly: 1 } as const

export function type(view: DataView, at: number): number {
  return view.getUint8(at)
}

export function code(view: DataView, at: number): number {
  return view.getUint8(at + 1)
}

/** The second word: identifier and sequence number, a next-hop MTU, or a pointer, as the type has it. */
export function rest(view: DataView, at: number): number {
  return view.getInt32(at + 4)
}

export function identifier(view: DataView, at: number): number {
  return view.getUint16(at + 4)
}

export function sequenceNumber(view: DataView, at: number): number {
  return view.getUint16(at + 6)
}

/** RFC 1191 §4: the low half of the second word. */
export function nextHopMtu(view: DataView, at: number): number {
  return view.getUint16(at + 6)
}

/** The header with a checksum field of 0: the checksum needs the body too. */
export function write(view: DataView, at: number, type: number, code: number, rest: number): void {
  view.setUint8(at, type)
  view.setUint8(at + 1, code)
  view.setUint16(at + 2, 0)
  view.setInt32(at + 4, rest)
}

export const CHECKSUM_AT = 2

/** RFC 1122 §3.2.2: the errors, about which no error may be sent. An unknown type counts as one. */
export function isError(type: number): boolean {
  return (
    type !== Type.echoReply && type !== Type.echoRequest && !(type >= 13 && type <= 18) && type !== 9 && type !== 10
  )
}
