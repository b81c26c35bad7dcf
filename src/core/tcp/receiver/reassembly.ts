// Which octets beyond RCV.NXT have arrived (RFC 9293 §3.10.7.4, seventh), and the SACK blocks that tell of them (RFC 2018 §4, RFC 2883).
// The octets themselves lie at their place in the receive buffer. Ranges are made when the first gap opens and let go when the last closes.
// Told by arriving/text, asked by tcp/emit.
import { atMost, between, earlier, later, lessThan } from '../sequence.ts'

/** What `insert` says of a segment. */
export const Inserted = {
  /** Some of it is new. */
  added: 0,
  /** All of it was here already. */
  duplicate: 1,
  /** A new range would be one too many: it must be dropped, and is not acknowledged. */
  refused: 2,
} as const

const START_RANGES = 16
/** How many ranges are remembered as the newest: as many as fit in an ACK, and some that merge meanwhile. */
const NEWEST = 8
/** What the pool keeps: so many, and none larger than this. */
const SPARE = 64
const SPARE_RANGES = 1024

/** Ranges of sequence numbers in rising order, none touching the next: found by halving, moved as whole columns. */
class Ranges {
  start = new Int32Array(START_RANGES)
  end = new Int32Array(START_RANGES)
  count = 0
  /** Where in the stream something arrived last, the newest first: a number in each of the ranges that changed last. */
  readonly newest = new Int32Array(NEWEST)
  newestCount = 0

  /** The first range that ends at `sequence` or after it. */
  search(sequence: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (lessThan(this.end[middle], sequence)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The `removed` ranges at `place` become one. */
  replace(place: number, removed: number, start: number, end: number): void {
    if (removed !== 1) {
      if (this.count - removed + 1 > this.start.length) this.#grow()
      this.start.copyWithin(place + 1, place + removed, this.count)
      this.end.copyWithin(place + 1, place + removed, this.count)
      this.count += 1 - removed
    }
    this.start[place] = start
    this.end[place] = end
  }

  /** The first ones go. */
  drop(count: number): void {
    this.start.copyWithin(0, count, this.count)
    this.end.copyWithin(0, count, this.count)
    this.count -= count
  }

  /** Something arrived at `sequence`, in the range from `start` to `end`: of each range the newest arrival is remembered. */
  remember(sequence: number, start: number, end: number): void {
    let kept = 0
    let arrival = sequence
    for (let place = 0; place < this.newestCount; place++) {
      const moved = this.newest[place]
      if (between(start, moved, end)) continue
      this.newest[kept++] = arrival
      arrival = moved
    }
    if (kept < NEWEST) this.newest[kept++] = arrival
    this.newestCount = kept
  }

  #grow(): void {
    const start = new Int32Array(this.start.length * 2)
    const end = new Int32Array(this.start.length * 2)
    start.set(this.start)
    end.set(this.end)
    this.start = start
    this.end = end
  }
}

/** Makes and keeps the ranges of all connections. One a stack. */
export class ReassemblyPool {
  /** Ranges that one connection may have. */
  readonly most: number
  readonly #spare: Ranges[] = []

  constructor(most: number) {
    this.most = most
  }

  take(): Ranges {
    return this.#spare.pop() ?? new Ranges()
  }

  give(ranges: Ranges): void {
    ranges.count = 0
    ranges.newestCount = 0
    if (this.#spare.length < SPARE && ranges.start.length <= SPARE_RANGES) this.#spare.push(ranges)
  }
}

export class Reassembly {
  readonly #pool: ReassemblyPool
  #ranges: Ranges | null = null
  /** RFC 2883: what came twice and has not been told; none where both are the same. */
  #twiceStart = 0
  #twiceEnd = 0
  /** The segment that is being taken has been told of already. */
  #isTold = false

  constructor(pool: ReassemblyPool) {
    this.#pool = pool
  }

  /** No gap is open. */
  get isEmpty(): boolean {
    return this.#ranges === null
  }

  /** Ranges beyond a gap. */
  get count(): number {
    return this.#ranges === null ? 0 : this.#ranges.count
  }

  /** Octets beyond a gap. */
  get octets(): number {
    const ranges = this.#ranges
    let octets = 0
    if (ranges !== null) {
      for (let place = 0; place < ranges.count; place++) octets += (ranges.end[place] - ranges.start[place]) | 0
    }
    return octets
  }

  /** Octets `start` to `end - 1`, beyond RCV.NXT and within the window, arrived: a value of `Inserted`. Notes what came twice. */
  insert(start: number, end: number): number {
    const ranges = (this.#ranges ??= this.#pool.take())
    const first = ranges.search(start)
    let after = first
    while (after < ranges.count && atMost(ranges.start[after], end)) after++
    if (after === first) {
      if (ranges.count >= this.#pool.most) return Inserted.refused
      ranges.replace(first, 0, start, end)
      ranges.remember(start, start, end)
      return Inserted.added
    }
    for (let place = first; place < after; place++) {
      const overlapStart = later(start, ranges.start[place])
      const overlapEnd = earlier(end, ranges.end[place])
      if (lessThan(overlapStart, overlapEnd)) {
        this.noteDuplicate(overlapStart, overlapEnd)
        break
      }
    }
    const mergedStart = earlier(start, ranges.start[first])
    const mergedEnd = later(end, ranges.end[after - 1])
    const isKnown = after - first === 1 && mergedStart === ranges.start[first] && mergedEnd === ranges.end[first]
    ranges.replace(first, after - first, mergedStart, mergedEnd)
    // RFC 2018 §4: the first block holds the segment that came last; RFC 2883 §4: the second, after a duplicate's own.
    ranges.remember(start, mergedStart, mergedEnd)
    return isKnown ? Inserted.duplicate : Inserted.added
  }

  /** Everything before `rcvNxt` is in order now: returns how far the text goes on without a gap. */
  advance(rcvNxt: number): number {
    const ranges = this.#ranges
    if (ranges === null) return rcvNxt
    let next = rcvNxt
    let reached = 0
    while (reached < ranges.count && atMost(ranges.start[reached], next)) {
      // RFC 2883 §4: what filled the gap may have held some of what waits behind it.
      const overlapEnd = earlier(rcvNxt, ranges.end[reached])
      if (lessThan(ranges.start[reached], overlapEnd)) this.noteDuplicate(ranges.start[reached], overlapEnd)
      next = later(next, ranges.end[reached])
      reached++
    }
    if (reached === ranges.count) this.#letGo()
    else if (reached > 0) ranges.drop(reached)
    return next
  }

  /** A segment arrives: what comes twice with it replaces what did with those before. */
  onSegment(): void {
    this.#isTold = false
  }

  /**
   * RFC 2883 §4: these octets came twice, the next acknowledgment says so. For text below RCV.NXT; `insert` sees the rest itself.
   * §4.2.3: of several stretches in one segment only the first is told.
   */
  noteDuplicate(start: number, end: number): void {
    if (this.#twiceStart !== this.#twiceEnd && start === this.#twiceEnd) {
      this.#twiceEnd = end
      return
    }
    if (this.#isTold) return
    this.#isTold = true
    this.#twiceStart = start
    this.#twiceEnd = end
  }

  /** Something came twice, and no acknowledgment has said so. */
  get hasDuplicate(): boolean {
    return this.#twiceStart !== this.#twiceEnd
  }

  /** Whether a segment with an acknowledgment has blocks to carry. */
  get hasBlocks(): boolean {
    return this.#ranges !== null || this.#twiceStart !== this.#twiceEnd
  }

  /** Fills in up to `room` blocks, a duplicate first, then the newest first; returns how many. A duplicate is told once: `onSent`. */
  blocks(room: number, starts: Int32Array, ends: Int32Array): number {
    let filled = 0
    if (this.#twiceStart !== this.#twiceEnd && room > 0) {
      starts[0] = this.#twiceStart
      ends[0] = this.#twiceEnd
      filled = 1
    }
    const ranges = this.#ranges
    if (ranges === null) return filled
    for (let newest = 0; newest < ranges.newestCount && filled < room; newest++) {
      const sequence = ranges.newest[newest]
      // A range that ends at the number does not hold it.
      const place = ranges.search((sequence + 1) | 0)
      if (place === ranges.count || lessThan(sequence, ranges.start[place])) continue
      starts[filled] = ranges.start[place]
      ends[filled++] = ranges.end[place]
    }
    return filled
  }

  /** An acknowledgment with `blocks` went out. */
  onSent(): void {
    this.#twiceStart = 0
    this.#twiceEnd = 0
  }

  clear(): void {
    this.#letGo()
    this.onSent()
  }

  #letGo(): void {
    if (this.#ranges === null) return
    this.#pool.give(this.#ranges)
    this.#ranges = null
  }
}
