// ICMPv6 (RFC 4443): types and codes; the header has the places of ICMP's, which `wire/icmp` reads and writes.
// Called by ip/icmp and ip/echo.

export const Type = {
  unreachable: 1,
  packetTooBig: 2,
  timeExceeded: 3,
  parameterProblem: 4,
  echoRequest: 128,
  echoReply: 129,
  redirect: 137,
} as const

/** Codes of `unreachable`. */
export const Unreachable = {
  noRoute: 0,
  prohibited: 1,
  beyondScope: 2,
  address: 3,
  port: 4,
  policy: 5,
  reject: 6,
} as const

/** Codes of `timeExceeded`. */
export const TimeExceeded = { inTransit: 0, inReassembly: 1 } as const

/** Codes of `parameterProblem`. */
export const ParameterProblem = { header: 0, nextHeader: 1, option: 2, incompleteChain: 3 } as const

/** RFC 4443 §2.1: errors have the high bit clear. §2.4 (e.2): about a redirect no error is sent either. */
export function isError(type: number): boolean {
  return type < 128 || type === Type.redirect
}

/** RFC 4443 §3.2: all 32 bits of the second word. */
export function packetTooBigMtu(view: DataView, at: number): number {
  return view.getUint32(at + 4)
}
