// One side of a conversation: what it has sent as far as the capture shows, what of that the other one has acknowledged, and the window that
// it was offered. Numbers of the sequence space are relative, do not wrap, and begin with 0 at the SYN. Filled by conversation.ts.
import { Ranges } from './ranges.ts'
import type { RepairList } from './repairs.ts'
import { Flag, type Segment } from './segment.ts'

/** What a segment's text is: seen for the first time; again; late, behind what was sent after it; a probe; or nothing. */
export type Verdict = 'new' | 'again' | 'late' | 'window-probe' | 'keep-alive' | 'none'

/** Below this reordering is likelier than a repair, where nobody knows the round trip: milliseconds. */
const SOON = 3
const LONGEST_PLACES = 100_000
/** Segments that show what a side usually sends. */
const STRETCH = 20

/** Something to be drawn: when, from where to where. */
export type Place = readonly [time: number, start: number, end: number]

export class Side {
  readonly name: string
  readonly address: string
  /** Of its SYN; null where the capture has none. */
  syn: Segment | null = null
  segments = 0
  dataSegments = 0
  /** Octets of text, each once; and those that were sent again. */
  unique = 0
  octetsAgain = 0
  segmentsAgain = 0
  segmentsLate = 0
  keepAlives = 0
  windowProbes = 0
  duplicateAcks = 0
  duplicateSacks = 0
  /** Segments that the path had marked, and those that told of marks. */
  marked = 0
  echoes = 0
  longest = 0
  firstData = Number.POSITIVE_INFINITY
  lastData = Number.NEGATIVE_INFINITY
  /** When a FIN and a RST of it were seen first. */
  finAt: number | null = null
  resetAt: number | null = null
  /** One behind what was sent last, and what the other one has acknowledged of it. */
  next = 0
  acknowledged = 0
  /** Duplicate acknowledgments since it moved. */
  duplicates = 0
  /** One behind what the other one takes; Infinity before anybody said. */
  edge = Number.POSITIVE_INFINITY
  window = 0
  /** The widest and the narrowest that were offered to it; and octets that were offered and taken back. */
  widest = 0
  narrowest = Number.POSITIVE_INFINITY
  takenBack = 0
  /** Since when the window is closed. */
  closedSince: number | null = null
  /** How often it was closed, and for how long in all, in milliseconds. */
  closings = 0
  closedFor = 0
  /** Segments that ended where the window did. */
  filled = 0
  largestFlight = 0
  /** Nothing of the last segment with text had been seen before. */
  wasUnseen = true
  roundTrips: number[] = []
  /** The usual length of segments, from when on. */
  readonly lengths: { length: number; time: number }[] = []
  /** How many segments of each length were sent again. */
  readonly lengthsAgain = new Map<number, number>()
  readonly rounds: { time: number; flight: number }[] = []
  readonly sacked = new Ranges()
  readonly seen = new Ranges()
  readonly repairs: RepairList
  readonly drawn: Record<'sent' | 'again' | 'acks' | 'edges' | 'sacks', Place[]> = {
    ...{ sent: [], again: [], acks: [], edges: [], sacks: [] },
  }
  /** Where what can be timed ends, and when that was sent. */
  #timed: { end: number; time: number }[] = []
  #timedFrom = 0
  #next32 = 0
  #isAnchored = false
  #latestTimestamp: number | null = null
  #gapSince = 0
  #roundEnd = 0
  #roundFlight = 0
  readonly #stretch = { count: 0, length: 0, same: 0, time: 0 }

  constructor(address: string, port: number, repairs: RepairList) {
    this.address = address
    this.name = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
    this.repairs = repairs
  }

  /** The first number that is seen of it. */
  anchor(number: number, relative: number): void {
    if (this.#isAnchored) return
    this.#isAnchored = true
    this.#next32 = number
    this.next = relative
    this.acknowledged = relative
    this.#roundEnd = relative
  }

  get isAnchored(): boolean {
    return this.#isAnchored
  }

  relative(number: number): number {
    return this.next + ((number - this.#next32) | 0)
  }

  get inFlight(): number {
    return Math.max(0, this.next - this.acknowledged)
  }

  get scale(): number {
    return this.syn?.options?.windowScale ?? 0
  }

  /** What is in it of text, SYN and FIN; `roundTrip` is what is known of it, in milliseconds. */
  send(segment: Segment, roundTrip: number | null): Verdict {
    const { flags, length, sequence, packet, options } = segment
    const { time } = packet
    this.segments++
    const isSyn = (flags & Flag.syn) !== 0
    this.anchor(sequence, isSyn ? 0 : 1)
    const start = this.relative(sequence)
    const end = start + length + (isSyn ? 1 : 0) + ((flags & Flag.fin) === 0 ? 0 : 1)
    const verdict = this.#judge(segment, start, end, roundTrip)
    if (verdict === 'keep-alive') this.keepAlives++
    if (verdict === 'window-probe') this.windowProbes++
    if (verdict === 'none' || verdict === 'keep-alive' || verdict === 'window-probe') {
      return verdict
    }
    if (length > 0) this.#count(segment, start)
    if (end > this.next) {
      if (start > this.next) this.#gapSince = time
      this.#advance(end)
      if (options?.timestamp != null) this.#latestTimestamp = options.timestamp
    }
    const isAgain = verdict === 'again'
    keep(isAgain ? this.drawn.again : this.drawn.sent, [time, start, end])
    if (isAgain && length > 0) {
      this.segmentsAgain++
      if (this.lengthsAgain.size < STRETCH) this.lengthsAgain.set(length, (this.lengthsAgain.get(length) ?? 0) + 1)
    }
    if (verdict === 'late') this.segmentsLate++
    const fresh = this.seen.add(start, end)
    this.wasUnseen = fresh === end - start
    if (isAgain) this.octetsAgain += length
    this.unique += Math.min(length, fresh)
    // Karn: what was sent twice, and what is behind it, times nothing.
    if (isAgain) this.#untime()
    else if (verdict === 'new') this.#timed.push({ end, time })
    return verdict
  }

  #judge({ flags, length, options, packet }: Segment, start: number, end: number, roundTrip: number | null): Verdict {
    if ((flags & Flag.rst) !== 0) return 'none'
    if (length <= 1 && (flags & (Flag.syn | Flag.fin)) === 0) {
      const isOutside = this.closedSince !== null && start >= this.edge - 1
      if (isOutside && (length === 1 || start === this.next - 1)) return 'window-probe'
      if (start === this.next - 1 && start === this.acknowledged - 1 && start > 0) return 'keep-alive'
    }
    if (end === start) return 'none'
    if (end > this.next) return 'new'
    if (this.seen.within(start, end) > 0 || end <= this.acknowledged) return 'again'
    // Never seen, and not the newest: it was overtaken on its way here, or lost before it came here and sent again.
    const timestamp = options?.timestamp
    if (timestamp != null && this.#latestTimestamp !== null) {
      const age = (timestamp - this.#latestTimestamp) | 0
      if (age !== 0) return age < 0 ? 'late' : 'again'
    }
    return packet.time - this.#gapSince < (roundTrip === null ? SOON : roundTrip / 2) ? 'late' : 'again'
  }

  #count({ packet, length, isMarked }: Segment, start: number): void {
    this.dataSegments++
    this.longest = Math.max(this.longest, length)
    this.firstData = Math.min(this.firstData, packet.time)
    this.lastData = Math.max(this.lastData, packet.time)
    if (isMarked) this.marked++
    if (start + length >= this.edge) this.filled++
    this.#usual(length, packet.time)
  }

  /** Of a stretch of segments nearly all have one length, and none a greater one. */
  #usual(length: number, time: number): void {
    const stretch = this.#stretch
    if (stretch.count === 0) stretch.time = time
    stretch.count++
    if (length > stretch.length) Object.assign(stretch, { length, same: 0 })
    if (length === stretch.length) stretch.same++
    if (stretch.count < STRETCH) return
    const last = this.lengths[this.lengths.length - 1]
    if (stretch.same >= 0.7 * STRETCH && last?.length !== stretch.length)
      this.lengths.push({ length: stretch.length, time: stretch.time })
    Object.assign(stretch, { count: 0, length: 0, same: 0 })
  }

  #advance(end: number): void {
    this.#next32 = (this.#next32 + (end - this.next)) | 0
    this.next = end
    this.largestFlight = Math.max(this.largestFlight, this.inFlight)
    this.#roundFlight = Math.max(this.#roundFlight, this.inFlight)
  }

  #untime(): void {
    this.#timed = []
    this.#timedFrom = 0
  }

  /** The other one acknowledges up to `end`; returns the round trip that this shows, in milliseconds, or null. */
  acknowledge(end: number, time: number): number | null {
    this.acknowledged = end
    this.duplicates = 0
    keep(this.drawn.acks, [time, end, end])
    this.sacked.forget(end)
    if (end > this.next) this.#advance(end)
    if (end > this.#roundEnd) {
      // A SYN is no round of text.
      if (this.#roundFlight > 1) this.rounds.push({ time, flight: this.#roundFlight })
      this.#roundEnd = this.next
      this.#roundFlight = this.inFlight
    }
    let sent: number | null = null
    while (this.#timedFrom < this.#timed.length && this.#timed[this.#timedFrom].end <= end)
      sent = this.#timed[this.#timedFrom++].time
    if (this.#timedFrom === this.#timed.length) this.#untime()
    if (sent === null) return null
    this.roundTrips.push(time - sent)
    return time - sent
  }

  /** A window that the other one offers, in units of so many octets; `acknowledged` is what its segment says. Returns how long one was closed that opens now, or null. */
  offer(acknowledged: number, window: number, unit: number, time: number): number | null {
    const edge = acknowledged + window
    // RFC 7323 §2.4: a scaled window may seem to shrink by less than its unit.
    if (this.edge !== Number.POSITIVE_INFINITY && this.edge - edge >= unit) this.takenBack += this.edge - edge
    keep(this.drawn.edges, [time, edge, edge])
    this.edge = edge
    this.window = window
    this.widest = Math.max(this.widest, window)
    this.narrowest = Math.min(this.narrowest, window)
    if (window === 0) {
      this.closings += this.closedSince === null ? 1 : 0
      this.closedSince ??= time
      return null
    }
    const since = this.closedSince
    this.closedSince = null
    if (since === null) return null
    this.closedFor += time - since
    return time - since
  }
}

/** No picture shows more, and no capture fills the memory with them. */
function keep(places: Place[], place: Place): void {
  if (places.length < LONGEST_PLACES) places.push(place)
}
