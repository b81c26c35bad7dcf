// A segment in words: a line of it for the ladder, and what each of its fields means for who has chosen it.
import { SegmentFlag } from '../portable.ts'
import type { Conversation, Flight } from './conversation.ts'
import { count, octets } from './figures.ts'

export interface Field {
  readonly name: string
  readonly value: string
  readonly meaning: string
}

const FLAGS: readonly (readonly [number, string, string])[] = [
  [SegmentFlag.syn, 'SYN', 'synchronize: here the sender’s numbers begin'],
  [SegmentFlag.ack, 'ACK', 'the acknowledgment number counts'],
  [SegmentFlag.psh, 'PSH', 'hand it to the application without waiting for more'],
  [SegmentFlag.fin, 'FIN', 'the sender has nothing more to say'],
  [SegmentFlag.rst, 'RST', 'the connection is over, at once'],
  [SegmentFlag.urg, 'URG', 'the urgent pointer counts'],
  [SegmentFlag.ece, 'ECE', 'a congestion mark has come, or ECN is offered'],
  [SegmentFlag.cwr, 'CWR', 'the window was reduced because of a mark, or ECN is offered'],
]
const ECN = ['cannot be marked', 'can be marked (ECT 1)', 'can be marked (ECT 0)', 'was marked: a queue is full']

export function flagsOf({ segment }: Flight): string {
  return FLAGS.filter(([bit]) => (segment.flags & bit) !== 0)
    .map(([, name]) => name)
    .join(' ')
}

/** `1461–2921`, `ACK 2921`, `SYN`. */
export function lineOf(flight: Flight): string {
  const { segment, start, end, acked, sack } = flight
  const { flags, length } = segment
  const words: string[] = []
  for (const [bit, name] of [
    [SegmentFlag.syn, 'SYN'],
    [SegmentFlag.fin, 'FIN'],
    [SegmentFlag.rst, 'RST'],
  ] as const)
    if (flags & bit) words.push(name)
  if (length > 0) words.push(`${start}–${end - (flags & SegmentFlag.fin ? 1 : 0)}`)
  if (!Number.isNaN(acked) && (length === 0 || words.length > 1)) words.push(`ACK ${acked}`)
  if (sack.length > 0) words.push(`SACK ${sack.map(([left, right]) => `${left}–${right}`).join(' ')}`)
  return words.join(' ')
}

/** All fields of the header, in their order. */
export function fieldsOf(flight: Flight, { names }: Conversation): Field[] {
  const { segment, from, start, end, acked } = flight
  const { flags, length } = segment
  const peer = names[1 - from]
  const fields: Field[] = [
    {
      name: 'Ports',
      value: `${segment.sourcePort} → ${segment.destinationPort}`,
      meaning: `From ${ends(segment.source, segment.sourcePort)} to ${ends(segment.destination, segment.destinationPort)}.`,
    },
    { name: 'Sequence number', value: String(segment.sequence), meaning: sequenceMeaning(flight) },
    {
      name: 'Acknowledgment',
      value: Number.isNaN(acked) ? '–' : String(segment.acknowledgment),
      meaning: Number.isNaN(acked)
        ? 'Means nothing without the flag ACK.'
        : `Everything of ${peer}’s before number ${count(acked)} has arrived; that one is expected next.`,
    },
    {
      name: 'Flags',
      value: flagsOf(flight),
      meaning: `${FLAGS.filter(([bit]) => (flags & bit) !== 0)
        .map(([, name, meaning]) => `${name}: ${meaning}`)
        .join('; ')}.`,
    },
    { name: 'Window', value: String(segment.window), meaning: windowMeaning(flight, peer) },
    {
      name: 'Checksum',
      value: `0x${segment.checksum.toString(16).padStart(4, '0')}`,
      meaning: 'Over header, text, and the addresses of the packet.',
    },
  ]
  fields.push(...optionsOf(flight, peer))
  fields.push({
    name: 'Text',
    value: octets(length),
    meaning: length === 0 ? 'None: nothing but the header.' : `Numbers ${count(start)} to ${count(end - 1)}.`,
  })
  fields.push({
    name: 'IP',
    value: `${segment.octets} octets`,
    meaning: `May pass ${segment.hopLimit} more routers, and ${ECN[segment.ecn]}.`,
  })
  return fields
}

function ends(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function sequenceMeaning({ segment, start, end, isAgain }: Flight): string {
  if (segment.flags & SegmentFlag.syn)
    return 'Drawn so that nobody can guess it. Here it is shown as 0, and the text begins at 1.'
  if (end === start) return `Nothing is sent here; the next octet will be number ${count(start)}.`
  return `The first octet is number ${count(start)}${isAgain ? ', and has been sent before' : ''}.`
}

function windowMeaning({ segment, edge, acked }: Flight, peer: string): string {
  if (!Number.isFinite(edge)) return 'How much may be sent back.'
  const room = edge - acked
  if (room === 0) return `${peer} may send nothing for now.`
  const scale = segment.window === 0 ? 1 : room / segment.window
  const how = scale > 1 ? `, since it counts ${scale} octets each (RFC 7323)` : ''
  return `${peer} may send ${octets(room)} beyond what is acknowledged${how}.`
}

function optionsOf({ segment, sack }: Flight, peer: string): Field[] {
  const { mss, windowScale, sackPermitted, timestamps } = segment
  const fields: Field[] = []
  const add = (name: string, value: string, meaning: string) => fields.push({ name, value, meaning })
  if (mss !== null)
    add('Option: MSS', String(mss), `${peer} shall put no more text into one segment (RFC 9293 §3.7.1).`)
  if (sackPermitted) add('Option: SACK permitted', 'yes', `${peer} may say what has come beyond a gap (RFC 2018).`)
  if (windowScale !== null)
    add(
      'Option: window scale',
      String(windowScale),
      `Windows will be counted in units of ${2 ** windowScale} octets (RFC 7323).`,
    )
  if (timestamps !== null) {
    const echo =
      timestamps[1] === 0 ? 'no echo yet' : `${peer}’s ${timestamps[1]} comes back: a round trip is measured by it`
    add('Option: timestamps', String(timestamps[0]), `The sender’s clock; ${echo} (RFC 7323).`)
  }
  if (sack.length > 0) {
    const blocks = sack.map(([left, right]) => `${left}–${right}`).join(', ')
    add('Option: SACK', blocks, 'Has come beyond what is acknowledged: what lies between is missing (RFC 2018).')
  }
  return fields
}
