// Reads a packet of a script: `< [ect0] P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 200 ecr 100>`, UDP, ICMP with what it quotes,
// and our own `[frag 0:1480]` for fragments. Called by drill/parser.
import { Flag } from '../core/wire/tcp.ts'
import type { Scanner } from './scanner.ts'
import type { IcmpSpec, IpSpec, OptionSpec, OptionsSpec, PacketSpec, QuoteSpec, TcpSpec } from './script.ts'

const NAME = /[A-Za-z_]\w*/y
const FLAGS: Readonly<Record<string, number>> = {
  F: Flag.fin,
  S: Flag.syn,
  R: Flag.rst,
  P: Flag.psh,
  '.': Flag.ack,
  U: Flag.urg,
  E: Flag.ece,
  W: Flag.cwr,
  C: Flag.cwr,
  A: Flag.ae,
  '-': 0,
}
export const FLAG_LETTERS: readonly (readonly [number, string])[] = [
  [Flag.syn, 'S'],
  [Flag.fin, 'F'],
  [Flag.rst, 'R'],
  [Flag.psh, 'P'],
  [Flag.urg, 'U'],
  [Flag.ece, 'E'],
  [Flag.cwr, 'W'],
  [Flag.ae, 'A'],
  [Flag.ack, '.'],
]
const ECN: Readonly<Record<string, number>> = { noecn: 0, ect1: 1, ect01: 1, ect0: 2, ce: 3 }

export function readPacket(scanner: Scanner): PacketSpec {
  const isDialect = scanner.take(/UDP\b/y) !== null
  const direction = scanner.need(/[<>]/y, 'a "<" or a ">"')[0] === '<' ? 'in' : 'out'
  if (isDialect) {
    const length = Number(scanner.need(/len\s+(\d+)/y, 'the length')[1])
    return { direction, ip: readIp(scanner), ports: null, body: { protocol: 'udp', length } }
  }
  const ip = readIp(scanner)
  const ports = scanner.take(/(\d+)\s*>\s*(\d+)(?!\S*\()/y)
  const body = readBody(scanner)
  return {
    direction,
    ip,
    ports: ports === null ? null : { source: Number(ports[1]), destination: Number(ports[2]) },
    body,
  }
}

function readBody(scanner: Scanner): PacketSpec['body'] {
  if (scanner.take(/icmp(?:v6)?\b/y) !== null) return readIcmp(scanner)
  const datagram = scanner.take(/udp\s*\(\s*(\d+)\s*\)/y)
  if (datagram !== null) return { protocol: 'udp', length: Number(datagram[1]) }
  return readTcp(scanner)
}

type Writable<Type> = { -readonly [Name in keyof Type]: Type[Name] }

function readIp(scanner: Scanner): IpSpec {
  const ip: Writable<IpSpec> = {
    ecn: null,
    trafficClass: null,
    hopLimit: null,
    flowLabel: null,
    identification: null,
    fragment: null,
  }
  if (scanner.take(/[[(]/y) === null) return ip
  do readIpPart(scanner, ip)
  while (scanner.take(/,/y) !== null)
  scanner.need(/[\])]/y, 'a "]"')
  return ip
}

function readIpPart(scanner: Scanner, ip: Writable<IpSpec>): void {
  const name = scanner.need(NAME, 'a property of the IP header, such as ect0 or ttl')[0]
  if (name in ECN) {
    ip.ecn = ECN[name]
    return
  }
  if (name === 'frag') {
    const [, start, end, more] = scanner.need(/(\d+):(\d+)(\+?)/y, 'the octets of the fragment, such as 0:1480+')
    ip.fragment = { start: Number(start), end: Number(end), more: more === '+' ? true : null }
    return
  }
  const value = Number(scanner.need(/0x[0-9a-fA-F]+|\d+/y, 'a number')[0])
  if (name === 'tos') ip.trafficClass = value
  else if (name === 'ttl' || name === 'hlim') ip.hopLimit = value
  else if (name === 'flowlabel') ip.flowLabel = value
  else if (name === 'id') ip.identification = value
  else scanner.fail(`"${name}" is not known in an IP header`)
}

function readTcp(scanner: Scanner): TcpSpec {
  const letters = scanner.need(/[SFRPUEWCA.]+(?=[\s(])|-/y, "a segment's flags")[0]
  let flags = 0
  for (const letter of letters) flags |= FLAGS[letter]
  const { sequence, length } = readRange(scanner)
  let ack: number | null = null
  let window: number | null = null
  let urgent: number | null = null
  for (let found = readField(scanner); found !== null; found = readField(scanner)) {
    if (found.name === 'ack') ack = found.value
    else if (found.name === 'win') window = found.value
    else urgent = found.value
  }
  const options = scanner.take(/<(?=[^<>]*>)/y) === null ? NO_OPTIONS : readOptions(scanner)
  return { protocol: 'tcp', flags, sequence, length, ack, window, urgent, options }
}

function readField(scanner: Scanner): { name: string; value: number | null } | null {
  const found = scanner.take(/(ack|win|urg)\s+(\d+|\*)/y)
  return found === null ? null : { name: found[1], value: found[2] === '*' ? null : Number(found[2]) }
}

function readRange(scanner: Scanner): { sequence: number; length: number } {
  const [, start, end, length] = scanner.need(/(\d+):(\d+)\s*\(\s*(\d+)\s*\)/y, 'a range of sequence numbers')
  if (((Number(end) - Number(start)) | 0) !== (Number(length) | 0)) scanner.fail('the range and its length differ')
  return { sequence: Number(start), length: Number(length) }
}

const NO_OPTIONS: OptionsSpec = { list: [], isOpen: false }

function readOptions(scanner: Scanner): OptionsSpec {
  const list: OptionSpec[] = []
  let isOpen = false
  if (scanner.take(/>/y) !== null) return NO_OPTIONS
  do {
    if (scanner.take(/\.\.\./y) !== null) isOpen = true
    else list.push(readOption(scanner))
  } while (scanner.take(/,/y) !== null)
  scanner.need(/>/y, 'a ">"')
  return { list, isOpen }
}

function readOption(scanner: Scanner): OptionSpec {
  const number = scanner.take(/0x[0-9a-fA-F]+/y)
  if (number !== null) return { kind: 'other', number: Number(number[0]), octets: readOctets(scanner) }
  const kind = scanner.need(NAME, 'an option')[0]
  switch (kind) {
    case 'mss':
    case 'wscale':
      return { kind, value: readNumber(scanner) }
    case 'nop':
    case 'eol':
    case 'sackOK':
      return { kind }
    case 'sack':
      return { kind, blocks: readBlocks(scanner) }
    case 'TS': {
      scanner.need(/val/y, '"val"')
      const value = readNumber(scanner)
      scanner.need(/ecr/y, '"ecr"')
      return { kind, value, echo: readNumber(scanner) }
    }
    case 'FO':
      return { kind: 'other', number: 34, octets: readOctets(scanner) }
    case 'FOEXP':
      return { kind: 'other', number: 254, octets: [0xf9, 0x89, ...readOctets(scanner)] }
    default:
      return scanner.fail(`the option "${kind}" is not known`)
  }
}

/** Null for `*`. */
function readNumber(scanner: Scanner): number | null {
  const text = scanner.need(/\d+|\*/y, 'a number')[0]
  return text === '*' ? null : Number(text)
}

function readBlocks(scanner: Scanner): (readonly [number, number])[] {
  const blocks: (readonly [number, number])[] = []
  for (;;) {
    const found = scanner.take(/(\d+):(\d+)/y)
    if (found === null) return blocks
    blocks.push([Number(found[1]), Number(found[2])])
  }
}

function readOctets(scanner: Scanner): number[] {
  const hex = scanner.take(/[0-9a-fA-F]+(?![\w:])/y)?.[0] ?? ''
  return (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
}

function readIcmp(scanner: Scanner): IcmpSpec {
  const type = scanner.need(/[A-Za-z_]\w*|\d+/y, 'a type of ICMP')[0]
  const code = scanner.take(/(?!(?:mtu|id|seq)\b)[A-Za-z_]\w*(?!\s*\()/y)?.[0] ?? null
  const numbers = new Map<string, number>()
  for (let found = readIcmpField(scanner); found !== null; found = readIcmpField(scanner)) {
    numbers.set(found[1], Number(found[2]))
  }
  const length = scanner.take(/\(\s*(\d+)\s*\)/y)
  const quote = scanner.take(/\[/y) === null ? null : readQuote(scanner)
  return {
    protocol: 'icmp',
    type,
    code,
    mtu: numbers.get('mtu') ?? null,
    identifier: numbers.get('id') ?? null,
    number: numbers.get('seq') ?? null,
    length: length === null ? null : Number(length[1]),
    quote,
  }
}

function readIcmpField(scanner: Scanner): RegExpExecArray | null {
  return scanner.take(/(mtu|id|seq)\s+(\d+)/y)
}

function readQuote(scanner: Scanner): QuoteSpec {
  const datagram = scanner.take(/udp\s*\(\s*(\d+)\s*\)/y)
  let quote: QuoteSpec
  if (datagram !== null) quote = { protocol: 'udp', flags: 0, sequence: 0, length: Number(datagram[1]) }
  else {
    const letters = scanner.take(/[SFRPUEWCA.]+(?=\s)/y)?.[0] ?? '.'
    let flags = 0
    for (const letter of letters) flags |= FLAGS[letter]
    quote = { protocol: 'tcp', flags, ...readRange(scanner) }
  }
  scanner.need(/[^\]\n]*\]/y, 'a "]"')
  return quote
}
