// The names that scripts have for types and codes of ICMP (RFC 792 and its followers) and ICMPv6 (RFC 4443).
import type { IcmpSpec } from './script.ts'
import { Unsupported } from './script.ts'

type Codes = Readonly<Record<string, number>>
interface Named {
  readonly type: number
  readonly codes?: Codes
}

const UNREACHABLE: Codes = {
  net_unreachable: 0,
  host_unreachable: 1,
  protocol_unreachable: 2,
  port_unreachable: 3,
  frag_needed: 4,
  source_route_failed: 5,
  net_unknown: 6,
  host_unknown: 7,
  source_host_isolated: 8,
  net_prohibited: 9,
  host_prohibited: 10,
  net_unreachable_for_tos: 11,
  host_unreachable_for_tos: 12,
  packet_filtered: 13,
  precedence_violation: 14,
  precedence_cutoff: 15,
}

const IPV4: Readonly<Record<string, Named>> = {
  echo_reply: { type: 0 },
  unreachable: { type: 3, codes: UNREACHABLE },
  destination_unreachable: { type: 3, codes: UNREACHABLE },
  source_quench: { type: 4 },
  redirect: {
    type: 5,
    codes: { redirect_net: 0, redirect_host: 1, redirect_net_for_tos: 2, redirect_host_for_tos: 3 },
  },
  echo_request: { type: 8 },
  time_exceeded: { type: 11, codes: { exceeded_in_transit: 0, exceeded_reassembly: 1, ttl_exceeded: 0 } },
  parameter_problem: { type: 12 },
  timestamp_request: { type: 13 },
  timestamp_reply: { type: 14 },
  information_request: { type: 15 },
  information_reply: { type: 16 },
  address_mask_request: { type: 17 },
  address_mask_reply: { type: 18 },
}

const UNREACHABLE6: Codes = {
  no_route: 0,
  administratively_prohibited: 1,
  beyond_scope: 2,
  address_unreachable: 3,
  port_unreachable: 4,
  ingress_egress_policy: 5,
  reject_route: 6,
}

const IPV6: Readonly<Record<string, Named>> = {
  unreachable: { type: 1, codes: UNREACHABLE6 },
  destination_unreachable: { type: 1, codes: UNREACHABLE6 },
  packet_too_big: { type: 2 },
  time_exceeded: { type: 3, codes: { exceeded_in_transit: 0, exceeded_reassembly: 1 } },
  parameter_problem: { type: 4, codes: { header: 0, next_header: 1, option: 2 } },
  echo_request: { type: 128 },
  echo_reply: { type: 129 },
}

/** The numbers that a script means. */
export function icmpNumbers(spec: IcmpSpec, isIpv4: boolean): { type: number; code: number } {
  const names = isIpv4 ? IPV4 : IPV6
  const named = names[spec.type]
  const type = named?.type ?? numbered(spec.type, 'type_')
  if (type === null) throw new Unsupported(`there is no type "${spec.type}" in ICMP${isIpv4 ? '' : 'v6'}`)
  if (spec.code === null) return { type, code: 0 }
  const code = named?.codes?.[spec.code] ?? numbered(spec.code, 'code_')
  if (code === null) throw new Unsupported(`there is no code "${spec.code}" of "${spec.type}"`)
  return { type, code }
}

function numbered(text: string, prefix: string): number | null {
  const digits = text.startsWith(prefix) ? text.slice(prefix.length) : text
  return /^\d+$/.test(digits) ? Number(digits) : null
}

/** As a script would write it. */
export function describeIcmp(type: number, code: number, isIpv4: boolean): string {
  const found = Object.entries(isIpv4 ? IPV4 : IPV6).find(([, named]) => named.type === type)
  if (found === undefined) return `icmp type_${type} code_${code}`
  const [name, { codes = {} }] = found
  const coded = Object.entries(codes).find(([, value]) => value === code)
  if (coded !== undefined) return `icmp ${name} ${coded[0]}`
  return code === 0 ? `icmp ${name}` : `icmp ${name} code_${code}`
}
