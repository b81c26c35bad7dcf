// What a script expects to be sent, held against what was: every difference by its name. Rules: PSH counts only where it is written and
// the text ends what the application has written; a window only where it is written; the order of options, and their padding, only on request;
// a range beyond the MSS stands for its pieces. docs/drill.md has them in words.
import { Flag } from '../core/wire/tcp.ts'
import { describeFlags, describeOption } from './description.ts'
import { type Flow, findStrange } from './flow.ts'
import { icmpNumbers } from './icmp-names.ts'
import type { IcmpSpec, IpSpec, OptionSpec, OptionsSpec, PacketSpec, TcpSpec, UdpSpec } from './script.ts'
import type { Seen, SeenTcp } from './seen.ts'

export interface Difference {
  readonly what: string
  readonly expected: string
  readonly got: string
}

export interface Rules {
  /** Options stand in the order and with the padding that is written. */
  readonly strictOptions: boolean
  /** A tick of our timestamps in microseconds; 0 where their values don't count. */
  readonly stampTick: number
  readonly tolerance: number
}

/** Octets of options that a peer's MSS doesn't count: a piece may be that much smaller. */
const MOST_OPTIONS = 40

/** A packet that is waited for; it may come in pieces. */
export class Expectation {
  readonly #spec: PacketSpec
  readonly #rules: Rules
  /** Octets of the range that have come, in pieces of one size. */
  #done = 0
  #piece = 0

  constructor(spec: PacketSpec, rules: Rules) {
    this.#spec = spec
    this.#rules = rules
  }

  /** What is different about the packet; the expectation is met when nothing is and `isMet` says so. */
  compare(seen: Seen, flow: Flow): Difference[] {
    const { body, ip, ports } = this.#spec
    const differences = [
      ...seen.faults.map((fault) => ({ what: 'soundness', expected: 'a sound packet', got: fault })),
      ...compareIp(ip, seen),
    ]
    if (ports !== null) {
      differ(differences, 'source port', ports.source, seen.sourcePort)
      differ(differences, 'destination port', ports.destination, seen.destinationPort)
    }
    if (ip.fragment !== null && ip.fragment.start > 0) return differences
    if (body.protocol === 'tcp') differences.push(...this.#compareTcp(body, seen, flow))
    else if (body.protocol === 'udp') differences.push(...compareUdp(body, seen))
    else differences.push(...compareIcmp(body, seen))
    return differences
  }

  get isMet(): boolean {
    const { body } = this.#spec
    return body.protocol !== 'tcp' || this.#done >= body.length
  }

  #compareTcp(spec: TcpSpec, seen: Seen, flow: Flow): Difference[] {
    const { tcp } = seen
    if (tcp === null) return [{ what: 'protocol', expected: 'a segment of TCP', got: 'something else' }]
    if (tcp.flags & Flag.syn && flow.mayRenumber) {
      flow.offset = (tcp.sequence - spec.sequence) | 0
      flow.mayRenumber = false
      flow.localStart = (spec.sequence + 1) >>> 0
    }
    const isPiece = this.#isPiece(spec, tcp, flow)
    const start = (spec.sequence + this.#done) >>> 0
    const length = isPiece ? tcp.length : spec.length - this.#done
    const differences: Difference[] = []
    differ(differences, 'flags', ...this.#flags(spec, tcp, flow, isPiece))
    differ(differences, 'sequence', range(start, length), range(flow.written32(tcp.sequence), tcp.length))
    if (spec.ack !== null && spec.flags & Flag.ack) differ(differences, 'ack', spec.ack >>> 0, tcp.ack >>> 0)
    if (spec.window !== null) differ(differences, 'win', spec.window, tcp.window)
    if (spec.urgent !== null) differ(differences, 'urg', spec.urgent, tcp.urgent)
    differences.push(...compareOptions(spec.options, tcp.options, flow, seen.at, this.#rules))
    const place = (flow.written32(tcp.sequence) + (tcp.flags & Flag.syn ? 1 : 0) - flow.localStart) >>> 0
    const strange = findStrange(seen.octets, tcp.text, tcp.length, place)
    if (strange >= 0) differ(differences, 'text', "the stream's octets", `another octet at ${place + strange}`)
    if (differences.length === 0) {
      if (isPiece) this.#piece = tcp.length
      this.#done += tcp.length
    }
    return differences
  }

  /** Whether the segment is one of those that the range stands for, and not its last. */
  #isPiece(spec: TcpSpec, tcp: SeenTcp, flow: Flow): boolean {
    const left = spec.length - this.#done
    if (spec.length <= flow.mss || tcp.length >= left) return false
    return this.#piece > 0 ? tcp.length === this.#piece : tcp.length >= flow.mss - MOST_OPTIONS
  }

  #flags(spec: TcpSpec, tcp: SeenTcp, flow: Flow, isPiece: boolean): [string, string] {
    // A FIN ends the last piece; PSH may stand on any.
    const ends = isPiece ? Flag.fin | Flag.psh : 0
    const end = (spec.sequence + spec.length - flow.localStart) >>> 0
    const asksPush = (spec.flags & Flag.psh) !== 0 && !isPiece && spec.length > 0 && end === flow.written
    const ignored = asksPush ? 0 : Flag.psh
    return [describeFlags(spec.flags & ~ends & ~ignored), describeFlags(tcp.flags & ~ignored)]
  }
}

function range(start: number, length: number): string {
  return `${start}:${(start + length) >>> 0}(${length})`
}

function differ(into: Difference[], what: string, expected: string | number, got: string | number): void {
  if (expected !== got) into.push({ what, expected: String(expected), got: String(got) })
}

function compareIp(spec: IpSpec, seen: Seen): Difference[] {
  const differences: Difference[] = []
  if (spec.ecn !== null) differ(differences, 'ECN', spec.ecn, seen.trafficClass & 3)
  if (spec.trafficClass !== null) differ(differences, 'tos', spec.trafficClass & ~3, seen.trafficClass & ~3)
  if (spec.hopLimit !== null) differ(differences, 'ttl', spec.hopLimit, seen.hopLimit)
  if (spec.flowLabel !== null) differ(differences, 'flowlabel', spec.flowLabel, seen.flowLabel)
  if (spec.identification !== null) differ(differences, 'id', spec.identification, seen.identification)
  const { fragment } = seen
  const got = fragment === null ? 'a whole packet' : `${fragment.start}:${fragment.end}${fragment.more ? '+' : ''}`
  if (spec.fragment !== null) {
    const { start, end, more } = spec.fragment
    differ(differences, 'fragment', `${start}:${end}${more === true ? '+' : ''}`, got)
  } else if (fragment !== null) differ(differences, 'fragment', 'a whole packet', got)
  return differences
}

function compareUdp(spec: UdpSpec, seen: Seen): Difference[] {
  const { udp } = seen
  if (udp === null) return [{ what: 'protocol', expected: 'a datagram of UDP', got: 'something else' }]
  const differences: Difference[] = []
  differ(differences, 'length', spec.length, udp.length)
  const held = Math.min(udp.length, seen.octets.length - udp.text)
  if (findStrange(seen.octets, udp.text, held, 0) >= 0) differ(differences, 'text', 'what was written', 'other octets')
  return differences
}

function compareIcmp(spec: IcmpSpec, seen: Seen): Difference[] {
  const { icmp } = seen
  if (icmp === null) return [{ what: 'protocol', expected: 'a message of ICMP', got: 'something else' }]
  const { type, code } = icmpNumbers(spec, seen.source.isIpv4)
  const differences: Difference[] = []
  differ(differences, 'type', type, icmp.type)
  if (spec.code !== null) differ(differences, 'code', code, icmp.code)
  if (spec.mtu !== null) differ(differences, 'mtu', spec.mtu, icmp.rest)
  if (spec.identifier !== null) differ(differences, 'id', spec.identifier, icmp.rest >>> 16)
  if (spec.number !== null) differ(differences, 'seq', spec.number, icmp.rest & 0xffff)
  if (spec.length !== null) differ(differences, 'length', spec.length, icmp.length)
  return differences
}

function compareOptions(
  spec: OptionsSpec,
  seen: readonly OptionSpec[],
  flow: Flow,
  at: number,
  rules: Rules,
): Difference[] {
  const got = seen.map((option) => (option.kind === 'TS' ? stamped(option, flow, at, spec, rules) : option))
  const expected = describeOptions(spec.list, rules)
  const shown = describeOptions(got, rules)
  if (spec.isOpen) {
    const missing = expected.filter((option) => !shown.includes(option))
    return missing.length === 0 ? [] : [{ what: 'options', expected: missing.join(','), got: shown.join(',') }]
  }
  if (expected.join() === shown.join()) return []
  return [{ what: 'options', expected: `<${expected.join(',')}>`, got: `<${shown.join(',')}>` }]
}

function describeOptions(list: readonly OptionSpec[], { strictOptions }: Rules): string[] {
  if (strictOptions) return list.map(describeOption)
  return list
    .filter(({ kind }) => kind !== 'nop' && kind !== 'eol')
    .map(describeOption)
    .sort()
}

/** Our timestamp in the script's numbers: what is written for it, unless a tick is given and it is not what the time makes of it. */
function stamped(
  option: OptionSpec & { kind: 'TS' },
  flow: Flow,
  at: number,
  spec: OptionsSpec,
  rules: Rules,
): OptionSpec {
  const written = spec.list.find((one) => one.kind === 'TS')
  if (written?.kind !== 'TS') return option
  const real = option.value ?? 0
  if (written.value !== null) {
    flow.stamps.set(written.value, real)
    flow.firstStamp ??= { real, written: written.value, at }
  }
  const echo = written.echo === null ? null : option.echo
  if (rules.stampTick === 0 || flow.firstStamp === null || written.value === null) {
    return { kind: 'TS', value: written.value, echo }
  }
  const value = (flow.firstStamp.written + (real - flow.firstStamp.real)) >>> 0
  const isNear = Math.abs(((value - written.value) | 0) * rules.stampTick) <= rules.tolerance + rules.stampTick
  return { kind: 'TS', value: isNear ? written.value : value, echo }
}
