// One TCP conversation as a capture shows it, segment by segment. What is noteworthy becomes a line of its story; some of it is clear only at
// the end. What an observer on the way can't know is not claimed. Called by explain.ts.
import type { CapturedPacket } from '../captured-packets.ts'
import { Handshake } from './handshake.ts'
import { RepairList } from './repairs.ts'
import { Flag, type IcmpError, type Segment } from './segment.ts'
import { Side, type Verdict } from './side.ts'
import { counted, milliseconds, octets } from './words.ts'

export interface StoryLine {
  /** Milliseconds since the conversation's first packet. */
  readonly time: number
  /** The number of the packet that shows it. */
  readonly packet: number
  readonly text: string
}

/** Milliseconds without a packet that are worth a line. */
const LONG_SILENCE = 5000
const MOST_LINES = 2000
/** Of a window: those that follow are counted. */
const MOST_CLOSINGS = 10
const MOST_SACKS = 100_000

export class Conversation {
  readonly number: number
  /** Where it was captured; empty where the file does not say. */
  readonly face: string
  readonly sides: readonly [Side, Side]
  readonly handshake = new Handshake()
  readonly lines: StoryLine[] = []
  /** Those that say what the packets themselves do not. */
  readonly comments = new Map<string, { count: number; first: number; time: number }>()
  packets = 0
  /** Milliseconds since the file's first packet. */
  readonly began: number
  ended: number
  /** Packets that were cut off before their options. */
  cut = 0
  #lastAt: number
  /** When the last packet was seen that a timer would have been started by: text of a side's, or an acknowledgment of it. */
  readonly #stirred: [number, number]

  constructor(number: number, face: string, first: Segment) {
    this.number = number
    this.face = face
    this.sides = [
      new Side(first.source, first.sourcePort, new RepairList()),
      new Side(first.destination, first.destinationPort, new RepairList()),
    ]
    this.began = first.packet.time
    this.ended = this.began
    this.#lastAt = this.began
    this.#stirred = [this.began, this.began]
  }

  /** Whether a SYN with another number begins another conversation on the same ports. */
  isOver(segment: Segment): boolean {
    if ((segment.flags & (Flag.syn | Flag.ack)) !== Flag.syn) return false
    const [one, other] = this.sides
    const from = this.#sideOf(segment) === 0 ? one : other
    if (from.syn !== null && from.syn.sequence === segment.sequence) return false
    // A simultaneous opening has a SYN of each side.
    if (from.syn === null && this.handshake.synAckAt === null && from.segments === 0) return false
    return true
  }

  receive(segment: Segment): void {
    const { packet } = segment
    const place = this.#sideOf(segment)
    const [from, to] = place === 0 ? this.sides : ([this.sides[1], this.sides[0]] as const)
    this.packets++
    this.ended = packet.time
    if (packet.octets.length < packet.length && segment.options === null) this.cut++
    if (packet.comment !== null) this.#comment(packet.comment, packet)
    if (packet.time - this.#lastAt >= LONG_SILENCE)
      this.#say(packet.time, packet.number, `no packet for ${milliseconds(packet.time - this.#lastAt)}`)
    this.#lastAt = packet.time
    this.handshake.receive(segment, from, to)
    const text = this.#text(segment, from, place)
    if ((segment.flags & Flag.ack) !== 0) this.#acknowledgment(segment, from, to, place, text)
    this.#closing(segment, from, to)
  }

  icmp(error: IcmpError): void {
    const { router, what, mtu, packet, source, sourcePort } = error
    const says = mtu === null ? what : mtu === 0 ? `${what}, and not what would fit` : `${what}: ${mtu} octets fit`
    const about = source.includes(':') ? `[${source}]:${sourcePort}` : `${source}:${sourcePort}`
    this.#say(packet.time, packet.number, `${router} says by ICMP about a segment of ${about}: ${says}`)
  }

  /** Milliseconds; null where nothing shows it. */
  get roundTrip(): number | null {
    return this.handshake.roundTrip
  }

  #text(segment: Segment, from: Side, place: 0 | 1): Verdict {
    const { packet, flags, length } = segment
    const before = { next: from.next, acknowledged: from.acknowledged, stirred: this.#stirred[place] }
    const verdict = from.send(segment, this.roundTrip)
    const end = from.relative(segment.sequence) + length
    if (verdict === 'again' && length > 0) {
      const start = end - length
      from.repairs.add({
        ...{ time: packet.time, packet: packet.number, start, end, length, duplicates: from.duplicates },
        silence: packet.time - before.stirred,
        sacked: from.sacked.within(end, before.next),
        mss: Math.max(1, Math.min(from.longest, from.syn?.options?.mss ?? from.longest)),
        roundTrip: from.roundTrips[from.roundTrips.length - 1] ?? this.roundTrip,
        ...{ acknowledged: before.acknowledged, next: before.next, isUnseen: from.wasUnseen },
        comment: packet.comment,
      })
    }
    if ((flags & Flag.ece) !== 0 && (flags & Flag.syn) === 0) from.echoes++
    if (verdict === 'new' || verdict === 'again') this.#stirred[place] = packet.time
    return verdict
  }

  /** What it says of the other side's text, and of the window. */
  #acknowledgment(segment: Segment, from: Side, to: Side, place: 0 | 1, verdict: Verdict): void {
    const { acknowledgment, packet, flags, window, length, options } = segment
    to.anchor(acknowledgment, 1)
    const number = to.relative(acknowledgment)
    const scaled = this.#scaled(window, flags, from)
    const isBare = length === 0 && (flags & (Flag.syn | Flag.fin | Flag.rst)) === 0
    const other = place === 0 ? 1 : 0
    if (number > to.acknowledged) {
      to.acknowledge(number, packet.time)
      to.repairs.acknowledge(number, packet.time)
      this.#stirred[other] = packet.time
    } else if (number === to.acknowledged && isBare && verdict === 'none' && to.inFlight > 0) {
      const hasSacks = (options?.sacks.length ?? 0) > 0
      if (hasSacks || to.acknowledged + (scaled ?? 0) === to.edge) {
        to.duplicates++
        from.duplicateAcks++
        this.#stirred[other] = packet.time
      }
    }
    for (const [block, [start, end]] of (options?.sacks ?? []).entries()) this.#sack(segment, to, block, start, end)
    if ((flags & Flag.rst) === 0 && number === to.acknowledged) this.#window(segment, from, to, scaled)
  }

  #window({ packet, window }: Segment, from: Side, to: Side, scaled: number | null): void {
    const wasOpen = to.closedSince === null
    if (scaled === null && wasOpen) return
    const closed = to.offer(to.acknowledged, scaled ?? window, 2 ** from.scale, packet.time)
    const isTold = to.closings <= MOST_CLOSINGS
    if (scaled === 0 && wasOpen && isTold)
      this.#say(packet.time, packet.number, `${from.name} closes its window: it takes nothing more`)
    if (scaled === null) to.edge = Number.POSITIVE_INFINITY
    if (closed === null || !isTold) return
    const size = scaled === null ? 'again' : `to ${octets(scaled)}`
    const probes = to.windowProbes === 0 ? '' : ` (${counted(to.windowProbes, 'probe')} of ${to.name} so far)`
    const text = `${from.name} opens its window ${size}, which was closed for ${milliseconds(closed)}${probes}`
    this.#say(packet.time, packet.number, text)
  }

  /** RFC 2883: the first block may name what arrived twice. */
  #sack({ acknowledgment, options, packet }: Segment, to: Side, block: number, start: number, end: number): void {
    const [from, until] = [to.relative(start), to.relative(end)]
    if (until <= from) return
    const next = options?.sacks[1]
    const isInside = next !== undefined && to.relative(next[0]) <= from && until <= to.relative(next[1])
    if (block === 0 && (until <= to.relative(acknowledgment) || isInside)) {
      to.duplicateSacks++
      to.repairs.arrivedTwice(from, until)
      return
    }
    if (until > to.next) return
    to.sacked.add(from, until)
    if (to.drawn.sacks.length < MOST_SACKS) to.drawn.sacks.push([packet.time, from, until])
  }

  /** Null where the scale is not known: the capture has not both SYNs. */
  #scaled(window: number, flags: number, from: Side): number | null {
    if ((flags & Flag.syn) !== 0) return window
    const [one, other] = this.sides
    if (one.syn === null || other.syn === null) return window === 0 ? 0 : null
    const isScaled = one.syn.options?.windowScale != null && other.syn.options?.windowScale != null
    return isScaled ? window * 2 ** from.scale : window
  }

  #closing({ flags, packet, sequence, length }: Segment, from: Side, to: Side): void {
    const { time, number } = packet
    if ((flags & Flag.rst) !== 0 && from.resetAt === null) {
      from.resetAt = time
      if (this.handshake.synAckAt === null && to.syn !== null && from.syn === null) return
      const left = to.inFlight > 0 ? `, while ${octets(to.inFlight)} of ${to.name} were not acknowledged` : ''
      const after = from.finAt !== null ? ' after its FIN' : ''
      this.#say(time, number, `${from.name} resets the connection (RST)${after}${left}`)
    }
    if ((flags & Flag.fin) === 0) return
    if (from.finAt !== null) return
    from.finAt = time
    const sent = octets(Math.max(0, from.relative(sequence) + length - 1))
    const answer = to.finAt === null ? 'closes first' : `closes too, ${milliseconds(time - to.finAt)} after ${to.name}`
    this.#say(time, number, `${from.name} ${answer} (FIN), after ${sent}`)
  }

  #comment(text: string, { number, time, isOurs }: CapturedPacket): void {
    // Why our own stack sent a segment, and what one brought about, is told of where it happens.
    if (isOurs && !text.startsWith('dropped')) return
    const known = this.comments.get(text)
    if (known !== undefined) known.count++
    else if (this.comments.size < MOST_LINES)
      this.comments.set(text, { count: 1, first: number, time: time - this.began })
  }

  #say(time: number, packet: number, text: string): void {
    if (this.lines.length < MOST_LINES) this.lines.push({ time: time - this.began, packet, text })
  }

  #sideOf({ source, sourcePort }: Segment): 0 | 1 {
    const [one] = this.sides
    const name = source.includes(':') ? `[${source}]:${sourcePort}` : `${source}:${sourcePort}`
    return name === one.name ? 0 : 1
  }
}
