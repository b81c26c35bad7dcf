// Tells the story of a capture: reads it, sorts its segments into conversations, and puts into plain sentences what happened in each.
// Used by `tunstack explain`, and by whoever has a file's octets, in any engine. Nothing in a file makes it throw.
import { readCapture } from '../capture-reader.ts'
import { Conversation, type StoryLine } from './conversation.ts'
import { findings } from './findings.ts'
import { type IcmpError, readSegment, type Segment, type Tuple } from './segment.ts'
import type { Side } from './side.ts'

export interface Explanation {
  readonly packets: number
  /** Those that are of no TCP conversation. */
  readonly others: number
  /** Milliseconds from the first to the last. */
  readonly length: number
  /** Milliseconds since 1970 of the first packet; null where the file does not say. */
  readonly beginning: number | null
  /** Why reading ended before the file did. */
  readonly problem: string | null
  readonly conversations: readonly ConversationStory[]
}

export interface ConversationStory {
  /** From 0 on, in the order of their first packets. */
  readonly stream: number
  /** Where it was captured; empty where the file does not say. */
  readonly interface: string
  /** Milliseconds since the file's first packet, and how long it lasted in it. */
  readonly began: number
  readonly length: number
  readonly packets: number
  /** Who asked, or was seen first; and the other one. */
  readonly sides: readonly [SideFigures, SideFigures]
  readonly lines: readonly StoryLine[]
}

export interface SideFigures {
  readonly name: string
  readonly segments: number
  readonly dataSegments: number
  /** Octets of text without what was sent again. */
  readonly octets: number
  /** Segments with text that were sent again, and octets of them. */
  readonly retransmittedSegments: number
  readonly retransmittedOctets: number
  readonly outOfOrder: number
  readonly duplicateAcks: number
  readonly keepAlives: number
  readonly windowProbes: number
  /** Octets that were in flight at most, as seen from where the capture was taken. */
  readonly largestFlight: number
  /** Mbit/s from its first segment with text to the last; null where there is only one. */
  readonly goodput: number | null
  /** Milliseconds from text to its acknowledgment, as seen from there; null where nothing could be timed. */
  readonly rtt: {
    readonly samples: number
    readonly least: number
    readonly p50: number
    readonly p95: number
    readonly p99: number
  } | null
}

const MOST_CONVERSATIONS = 100_000

export function explain(file: Uint8Array): { explanation: Explanation; conversations: readonly Conversation[] } {
  const { packets, interfaces, beginning, problem } = readCapture(file)
  const found: (Segment | IcmpError)[] = []
  let last = 0
  for (const packet of packets) {
    last = Math.max(last, packet.time)
    const segment = readSegment(packet, interfaces[packet.face].linkType)
    if (segment !== null) found.push(segment)
  }
  const conversations = sort(found, (face) => interfaces[face].name)
  const explanation = {
    ...{ packets: packets.length, others: packets.length - found.length, length: last, problem },
    beginning: beginning === null ? null : Number(beginning / 1000n) / 1000,
    conversations: conversations.map(story),
  }
  return { explanation, conversations }
}

/** One for each pair of ends and each place where it was captured, unless every place saw only one direction. */
function sort(found: readonly (Segment | IcmpError)[], nameOf: (face: number) => string): Conversation[] {
  const directions = new Map<string, Set<string>>()
  for (const one of found) {
    if (one.kind !== 'segment') continue
    const key = `${pairOf(one)} ${one.packet.face}`
    const seen = directions.get(key) ?? new Set()
    directions.set(key, seen.add(`${one.source} ${one.sourcePort}`))
  }
  const whole = new Set<string>()
  for (const [key, seen] of directions) if (seen.size > 1) whole.add(key.slice(0, key.lastIndexOf(' ')))
  const all: Conversation[] = []
  const open = new Map<string, Conversation>()
  for (const one of found) {
    const pair = pairOf(one)
    const key = whole.has(pair) ? `${pair} ${one.packet.face}` : pair
    const conversation = open.get(key)
    if (one.kind === 'icmp') {
      conversation?.icmp(one)
    } else if (conversation !== undefined && !conversation.isOver(one)) conversation.receive(one)
    else if (all.length < MOST_CONVERSATIONS) {
      const begun = new Conversation(all.length, nameOf(one.packet.face), one)
      all.push(begun)
      open.set(key, begun)
      begun.receive(one)
    }
  }
  return all
}

function pairOf({ source, sourcePort, destination, destinationPort }: Tuple): string {
  const [one, other] = [`${source} ${sourcePort}`, `${destination} ${destinationPort}`]
  return one < other ? `${one} ${other}` : `${other} ${one}`
}

function story(conversation: Conversation): ConversationStory {
  const { number, face, began, ended, packets, sides, handshake } = conversation
  const [one, other] = handshake.asker === sides[1] ? [sides[1], sides[0]] : sides
  return {
    ...{ stream: number, interface: face, began, length: ended - began, packets },
    sides: [figures(one), figures(other)],
    lines: findings(conversation),
  }
}

function figures(side: Side): SideFigures {
  const { name, segments, dataSegments, segmentsAgain, octetsAgain, segmentsLate, duplicateAcks, largestFlight } = side
  const { keepAlives, windowProbes, firstData, lastData, unique } = side
  const milliseconds = lastData - firstData
  const sorted = [...side.roundTrips].sort((first, second) => first - second)
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  return {
    ...{ name, segments, dataSegments, octets: unique, duplicateAcks, keepAlives, windowProbes, largestFlight },
    ...{ retransmittedSegments: segmentsAgain, retransmittedOctets: octetsAgain, outOfOrder: segmentsLate },
    goodput: milliseconds > 0 ? (unique * 8) / milliseconds / 1000 : null,
    rtt:
      sorted.length === 0
        ? null
        : { samples: sorted.length, least: sorted[0], p50: at(0.5), p95: at(0.95), p99: at(0.99) },
  }
}
