// Packets of the stack in the language of the scripts, with the script's numbers: the right column of a trace.

import type { Flow } from './flow.ts'
import { describeIcmp } from './icmp-names.ts'
import { FLAG_LETTERS } from './packet-parser.ts'
import type { OptionSpec } from './script.ts'
import type { Seen, SeenTcp } from './seen.ts'

const ECN_NAMES = ['noecn', 'ect1', 'ect0', 'ce']

export function describeSeen(seen: Seen, flow: Flow | null): string {
  return `> ${describeIp(seen)}${describeBody(seen, flow)}`
}

function describeIp(seen: Seen): string {
  const parts: string[] = []
  if ((seen.trafficClass & 3) !== 0) parts.push(ECN_NAMES[seen.trafficClass & 3])
  if (seen.trafficClass > 3) parts.push(`tos 0x${seen.trafficClass.toString(16)}`)
  if (seen.fragment !== null) {
    const { start, end, more } = seen.fragment
    parts.push(`frag ${start}:${end}${more ? '+' : ''}`)
  }
  return parts.length === 0 ? '' : `[${parts.join(', ')}] `
}

function describeBody(seen: Seen, flow: Flow | null): string {
  if (seen.tcp !== null) return describeTcp(seen.tcp, flow)
  if (seen.udp !== null) return `udp(${seen.udp.length})`
  if (seen.icmp !== null) return describeIcmp(seen.icmp.type, seen.icmp.code, seen.source.isIpv4)
  return `protocol ${seen.protocol}`
}

export function describeFlags(flags: number): string {
  return FLAG_LETTERS.flatMap(([bit, letter]) => (flags & bit ? [letter] : [])).join('') || '-'
}

function describeTcp(tcp: SeenTcp, flow: Flow | null): string {
  const start = flow === null ? tcp.sequence >>> 0 : flow.written32(tcp.sequence)
  const words = [describeFlags(tcp.flags), `${start}:${(start + tcp.length) >>> 0}(${tcp.length})`]
  if (tcp.flags & 0x10) words.push(`ack ${tcp.ack >>> 0}`)
  words.push(`win ${tcp.window}`)
  if (tcp.flags & 0x20) words.push(`urg ${tcp.urgent}`)
  if (tcp.options.length > 0) words.push(`<${tcp.options.map(describeOption).join(',')}>`)
  return words.join(' ')
}

export function describeOption(option: OptionSpec): string {
  switch (option.kind) {
    case 'mss':
    case 'wscale':
      return `${option.kind} ${option.value ?? '*'}`
    case 'TS':
      return `TS val ${option.value ?? '*'} ecr ${option.echo ?? '*'}`
    case 'sack':
      return `sack ${option.blocks.map(([start, end]) => `${start}:${end}`).join(' ')}`
    case 'other':
      return `0x${option.number.toString(16)} ${option.octets.map((octet) => octet.toString(16).padStart(2, '0')).join('')}`
    default:
      return option.kind
  }
}
