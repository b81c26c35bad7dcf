// One TCP connection as a page shows it: the packets that crossed between its two ends, in the order in which things happened, with
// relative numbers; figures of either end over time; and the states that each end went through. Experiments and live views fill it.
import { type ChangeOfState, SegmentFlag, type SegmentView, type SenderSample, type SentReason } from '../portable.ts'

/** Who opened the connection, and who was asked; live views have the peer and this stack. */
export const Side = { client: 0, server: 1 } as const
export type Side = (typeof Side)[keyof typeof Side]

export function otherSide(side: Side): Side {
  return side === Side.client ? Side.server : Side.client
}

export interface Flight {
  readonly number: number
  readonly from: Side
  /** Milliseconds; live views know one of the two. */
  readonly sentAt: number
  arrivedAt: number
  isLost: boolean
  readonly segment: SegmentView
  /** In the sender's sequence numbers, from 0 at its SYN. */
  readonly start: number
  readonly end: number
  /** In the receiver's, NaN without ACK: what is acknowledged, and up to where may be sent. */
  readonly acked: number
  readonly edge: number
  readonly sack: readonly (readonly [number, number])[]
  /** Octets that were sent before. */
  readonly isAgain: boolean
  /** Why it was sent, where that is known. */
  reason: SentReason | null
}

export interface Happening {
  readonly at: number
  readonly kind: 'sent' | 'arrived'
  readonly flight: Flight
}

export interface StateChange extends ChangeOfState {
  readonly side: Side
}

/** A moment of one round trip that was measured, in milliseconds both. */
export interface RoundTrip {
  readonly at: number
  readonly measured: number
}

/** The numbers of one direction: unwrapped, and relative to where they began. */
class Numbers {
  #base: number | null = null
  #last = 0
  highest = 0

  relative(number: number): number {
    this.#base ??= number
    const wrapped = (this.#base + this.#last) >>> 0
    this.#last += (number - wrapped) | 0
    return this.#last
  }
}

const NO_TEXT = SegmentFlag.syn | SegmentFlag.fin

export class Conversation {
  readonly names: readonly [string, string]
  /** Watched at one end only: nobody knows what becomes of a packet on its way. */
  readonly isOneSided: boolean
  flights: Flight[] = []
  log: Happening[] = []
  readonly samples: [SenderSample[], SenderSample[]] = [[], []]
  readonly roundTrips: [RoundTrip[], RoundTrip[]] = [[], []]
  states: StateChange[] = []
  /** What the views need to know of a beginning that they have not seen. */
  readonly scales: [number, number] = [0, 0]
  #offered: [number | null, number | null] = [null, null]
  readonly #numbers = [new Numbers(), new Numbers()] as const
  #count = 0

  constructor(names: readonly [string, string], isOneSided = false) {
    this.names = names
    this.isOneSided = isOneSided
  }

  sent(from: Side, at: number, segment: SegmentView, isLogged = true): Flight {
    const { flags, sequence, length } = segment
    const mine = this.#numbers[from]
    const theirs = this.#numbers[otherSide(from)]
    const start = mine.relative(sequence)
    const end = start + length + (flags & SegmentFlag.syn ? 1 : 0) + (flags & SegmentFlag.fin ? 1 : 0)
    const isAgain = end > start && start < mine.highest
    mine.highest = Math.max(mine.highest, end)
    this.#learnScale(from, segment)
    const hasAck = (flags & SegmentFlag.ack) !== 0
    const acked = hasAck ? theirs.relative(segment.acknowledgment) : Number.NaN
    const scale = flags & SegmentFlag.syn ? 0 : this.scales[from]
    const flight: Flight = {
      number: ++this.#count,
      from,
      sentAt: at,
      arrivedAt: Number.NaN,
      isLost: false,
      segment,
      start,
      end,
      acked,
      edge: hasAck ? acked + segment.window * 2 ** scale : Number.NaN,
      sack: segment.sack.map(([left, right]) => [near(theirs, left, acked), near(theirs, right, acked)] as const),
      isAgain,
      reason: null,
    }
    this.flights.push(flight)
    if (isLogged) this.log.push({ at, kind: 'sent', flight })
    return flight
  }

  arrived(flight: Flight, at: number): void {
    flight.arrivedAt = at
    this.log.push({ at, kind: 'arrived', flight })
  }

  /** Told late, of an earlier time, now and then. */
  changed(change: StateChange): void {
    this.states.splice(countUpTo(this.states, change.at), 0, change)
  }

  /** How many things have happened up to then. */
  upTo(at: number): number {
    return countUpTo(this.log, at)
  }

  /** Lets go of the oldest, where it has become too much. */
  trim(most: number): void {
    if (this.log.length <= most) return
    this.log = this.log.slice(-Math.floor(most * 0.75))
    const from = this.log[0].at
    this.flights = this.flights.filter((flight) => flight.sentAt >= from)
    for (const lists of [this.samples, this.roundTrips]) {
      for (const list of lists) list.splice(0, countUpTo(list, from))
    }
  }

  /** RFC 7323 §2.2: only where both have offered it. */
  #learnScale(from: Side, { flags, windowScale }: SegmentView): void {
    if ((flags & SegmentFlag.syn) === 0) return
    this.#offered[from] = windowScale
    const [one, other] = this.#offered
    if (one === null || other === null) return
    this.scales[0] = one
    this.scales[1] = other
  }
}

/** Blocks lie beside what is acknowledged; they must not move the direction's place. */
function near(numbers: Numbers, number: number, acked: number): number {
  const relative = numbers.relative(number)
  numbers.relative((number - (relative - acked)) >>> 0)
  return relative
}

export function isText({ segment }: Flight): boolean {
  return segment.length > 0
}

/** An acknowledgment and nothing else. */
export function isBare({ segment }: Flight): boolean {
  return segment.length === 0 && (segment.flags & NO_TEXT) === 0
}

/** Of a list in the order of time, how many are not later. */
export function countUpTo(list: readonly { readonly at: number }[], at: number): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (list[middle].at <= at) low = middle + 1
    else high = middle
  }
  return low
}
