// What is clear only when all of a conversation has been seen: repairs, the end of slow start, limits, paths that took shorter segments,
// what is missing in the capture. Lines for its story. Called by explain.ts when a conversation is over.
import type { Conversation, StoryLine } from './conversation.ts'
import type { Repair, RepairKind } from './repairs.ts'
import type { Side } from './side.ts'
import { counted, milliseconds, octets, times } from './words.ts'

/** Repairs that are told one by one; the others are counted together. */
const MOST_REPAIRS = 40
const MOST_COMMENTS = 8
const LONGEST_COMMENT = 200
/** Segments that must have been sent before anything is said of slow start. */
const ENOUGH_SEGMENTS = 50
const GROWTH = 1.25
/** Segments of a shorter length, sent again, that say that longer ones were given up. */
const ENOUGH_SHORTER = 2

export function findings(conversation: Conversation): StoryLine[] {
  const { handshake, sides, began } = conversation
  const opening = handshake.sentences(sides).map((text) => ({ time: 0, packet: 0, text }))
  const lines = [
    ...opening,
    ...conversation.lines,
    ...sides.flatMap((side, place) => ofSide(conversation, side, sides[1 - place])),
    ...ofComments(conversation),
  ]
  const ordered = lines
    .map((line, place) => ({ line, place }))
    .sort((one, other) => one.line.time - other.line.time || one.place - other.place)
    .map(({ line }) => line)
  return [...ordered, ...atEnd(conversation, conversation.ended - began)]
}

function ofSide(conversation: Conversation, side: Side, other: Side): StoryLine[] {
  const { began } = conversation
  const line = (time: number, packet: number, text: string): StoryLine => ({ time: time - began, packet, text })
  const { all } = side.repairs
  const lines = all.slice(0, MOST_REPAIRS).map((repair) => line(repair.time, repair.packet, repairText(side, repair)))
  if (all.length > MOST_REPAIRS) {
    const rest = all.slice(MOST_REPAIRS)
    const segments = rest.reduce((sum, repair) => sum + repair.segments, 0)
    const text = `${side.name} repairs ${counted(rest.length, 'more loss', 'more losses')} like these, with ${counted(segments, 'segment')} sent again`
    lines.push(line(rest[0].time, rest[0].packet, text))
  }
  const slowStart = slowStartText(conversation, side)
  if (slowStart !== null) lines.push(line(slowStart.time, 0, slowStart.text))
  const shorter = shorterText(side, other)
  if (shorter !== null) lines.push(line(shorter.time, 0, shorter.text))
  return lines
}

const WHY: Record<RepairKind, string> = {
  fast: 'fast retransmit',
  early: 'a repair before three duplicate acknowledgments, as by RACK or early retransmit',
  probe: 'a probe of the tail (TLP), as it looks',
  timeout: 'the retransmission timer, as it looks',
  needless: 'needless: its acknowledgment had already passed the capture',
  unknown: 'why, the capture does not show',
}

function repairText(side: Side, repair: Repair): string {
  const {
    kind,
    segments,
    octets: count,
    silence,
    duplicates,
    sacked,
    timeouts,
    needless,
    isUnseen,
    comment,
    ended,
    time,
  } = repair
  const seen = [
    duplicates === 0 ? '' : counted(duplicates, 'duplicate ACK'),
    sacked === 0 ? '' : `SACKs for ${counted(sacked, 'segment')}`,
  ].filter((part) => part !== '')
  const after =
    kind === 'fast' || kind === 'early'
      ? `, after ${seen.join(' with ')}`
      : kind === 'timeout' || kind === 'probe'
        ? `, after ${milliseconds(silence)} of silence`
        : ''
  const what = `${side.name} sends ${counted(segments, 'segment')} again (${octets(count)}): ${WHY[kind]}${after}`
  const more = [
    isUnseen ? 'the first of them the capture had not seen: it was lost before it came there' : '',
    timeouts > 0 ? `the timer seems to have expired ${times(timeouts)} more in it` : '',
    needless > 0 ? `D-SACKs say that ${times(needless)} what had been taken for lost had arrived` : '',
    comment === null ? '' : `the capture has the comment "${comment.slice(0, LONGEST_COMMENT)}"`,
    ended === null ? 'not all of it was acknowledged in the capture' : '',
  ].filter((part) => part !== '')
  const end = ended === null || kind === 'needless' ? '' : `; all was acknowledged ${milliseconds(ended - time)} later`
  return `${what}${end}${more.map((part) => `; ${part}`).join('')}`
}

/** Where the flight stopped growing by much from round trip to round trip. Only near the sender is the flight what the sender has in flight. */
function slowStartText({ handshake, sides }: Conversation, side: Side): { time: number; text: string } | null {
  if (handshake.nearer(sides) !== side || side.dataSegments < ENOUGH_SEGMENTS) return null
  const rounds = side.rounds.filter(({ flight }) => flight > 0)
  for (let at = 1; at < rounds.length; at++) {
    const [before, { time, flight }] = [rounds[at - 1], rounds[at]]
    if (flight >= GROWTH * before.flight) continue
    if (before.flight < 4 * rounds[0].flight) {
      // A short round, for want of text, ends no slow start.
      if (at < 3) continue
      return null
    }
    const repair = side.repairs.all.find((one) => one.time <= time && one.kind !== 'needless')
    const isFull = side.filled > 0 && before.flight >= 0.9 * side.widest
    const why = repair !== undefined ? 'with a loss' : isFull ? "at the other end's window" : 'without a loss'
    const grown = `from ${octets(rounds[0].flight)} to ${octets(before.flight)} in flight within ${counted(at, 'round trip')}`
    return {
      time,
      text: `${side.name} seems to leave slow start ${why}: it grew ${grown}, and grows more slowly from here on`,
    }
  }
  return null
}

/** RFC 1191, 4821: long segments were given up for shorter ones, which repaired what the long ones had not brought. */
function shorterText(side: Side, other: Side): { time: number; text: string } | null {
  const [ours, theirs] = [side.syn?.options?.mss, other.syn?.options?.mss]
  const mss = Math.min(theirs ?? Number.POSITIVE_INFINITY, ours ?? Number.POSITIVE_INFINITY)
  for (const [place, { length, time }] of side.lengths.entries()) {
    const before = side.lengths[place - 1]
    if (before === undefined || length >= before.length || before.length > mss) continue
    if ((side.lengthsAgain.get(length) ?? 0) < ENOUGH_SHORTER) continue
    const text = `from about here on the segments of ${side.name} have ${octets(length)}, where they had ${octets(before.length)}, and repairs were made in the shorter length: the path seems to take no longer packets any more`
    return { time, text }
  }
  return null
}

/** What has no moment of its own. */
function atEnd({ sides, handshake, cut }: Conversation, time: number): StoryLine[] {
  const texts = sides.flatMap((side, place) => habits(side, sides[1 - place]))
  const [one, other] = sides
  const isClosed = (one.finAt !== null && other.finAt !== null) || one.resetAt !== null || other.resetAt !== null
  if (!isClosed && handshake.synAckAt !== null)
    texts.push(
      one.finAt !== null || other.finAt !== null
        ? 'the capture ends with one side closed'
        : 'the capture ends with the connection open',
    )
  if (handshake.asker === null)
    texts.push('the capture begins in the middle: window scales are not known, so nothing is said of windows')
  if (cut > 0) texts.push(`${counted(cut, 'packet')} ended before TCP's options: the capture kept too little of them`)
  return texts.map((text) => ({ time, packet: 0, text }))
}

/** Where each comes first. */
function ofComments({ comments, ended, began }: Conversation): StoryLine[] {
  const ordered = [...comments].sort(([, first], [, second]) => second.count - first.count)
  const lines = ordered.slice(0, MOST_COMMENTS).map(([text, { count, first, time }]) => ({
    ...{ time, packet: first },
    text: `a comment in the capture, on ${counted(count, 'packet')}, number ${first} first: ${text.slice(0, LONGEST_COMMENT)}`,
  }))
  const others = ordered.length - lines.length
  const rest = `${counted(others, 'other comment')} in the capture`
  return others === 0 ? lines : [...lines, { time: ended - began, packet: 0, text: rest }]
}

function habits(side: Side, other: Side): string[] {
  const {
    name,
    segmentsLate,
    keepAlives,
    filled,
    widest,
    narrowest,
    closings,
    closedFor,
    takenBack,
    duplicateSacks,
    longest,
    marked,
    echoes,
  } = side
  const texts: string[] = []
  if (segmentsLate > 0)
    texts.push(`${counted(segmentsLate, 'segment')} of ${name} came out of order, overtaken on the way to the capture`)
  if (keepAlives > 0) texts.push(`${name} asks ${times(keepAlives)} whether the other one is there (keep-alive)`)
  if (filled > 0) {
    const window = narrowest === widest ? octets(widest) : `${octets(narrowest)} to ${octets(widest)}`
    texts.push(
      `${name} filled the window of ${other.name} (${window}) ${times(filled)}: then the receiver held it back, not the path`,
    )
  }
  if (closings > 1)
    texts.push(`${other.name} closed its window ${times(closings)}, for ${milliseconds(closedFor)} in all`)
  if (takenBack > 0) texts.push(`${other.name} took back ${octets(takenBack)} of window that it had offered`)
  if (duplicateSacks > 0) texts.push(`${other.name} tells ${times(duplicateSacks)} of text that arrived twice (D-SACK)`)
  const mss = other.syn?.options?.mss ?? null
  if (mss !== null && longest > mss)
    texts.push(
      `segments of ${name} have up to ${octets(longest)}, more than the MSS: the capture was taken where a network card, or the kernel, cuts or joins them`,
    )
  if (marked > 0) texts.push(`the path marked ${counted(marked, 'segment')} of ${name} (ECN)`)
  if (echoes > 0) texts.push(`${name} told of marks in ${counted(echoes, 'segment')} (ECE)`)
  const missing = Math.max(0, side.acknowledged - side.seen.within(0, side.acknowledged) - (side.syn === null ? 1 : 0))
  if (missing > 0 && side.unique > 0)
    texts.push(
      `${octets(missing)} of ${name} were acknowledged and are not in the capture: it missed packets, or they went another way`,
    )
  return texts
}
