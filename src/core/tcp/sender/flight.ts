// What one connection has in flight: a list of transmissions, one record an emission, in the order of sequence numbers.
// The records are rows of a slab that all connections share. A record is split only at its MSS's boundaries, so that SACKs
// with arbitrary edges don't shatter it; whatever counts segments counts MSS units. RFC 6675's pipe is kept as four sums.
// A part: told numbers, knows no connection. Used by emit, acknowledge, scoreboard, retransmit, recovery, delivery-rate.
import { lessThan } from '../sequence.ts'

/** `flags` of a record. */
export const Sent = {
  syn: 1,
  fin: 2,
  /** The peer has it, says a SACK. */
  sacked: 4,
  /** Taken for lost, and not sent again since. */
  lost: 8,
  /** Taken for lost and sent again since; in flight once more. */
  again: 16,
  /** Sent more than once: Karn's algorithm takes no sample of it. */
  twice: 32,
  /** The application had nothing more when it was sent. */
  limited: 64,
  /** A zero-window or keep-alive probe. */
  probe: 128,
} as const

const NONE = -1
const START_ROWS = 16

/** The slab. What a delivery-rate sample needs stands beside each record (draft-cheng-iccrg-delivery-rate-estimation §3.2). */
export class FlightSlab {
  start = new Int32Array(START_ROWS)
  end = new Int32Array(START_ROWS)
  /** Payload of each segment that the emission was cut into. */
  mss = new Int32Array(START_ROWS)
  flags = new Uint8Array(START_ROWS)
  next = new Int32Array(START_ROWS)
  previous = new Int32Array(START_ROWS)
  /** In the order of their last transmissions: RFC 8985 §6.2. Only of rows that are neither sacked nor lost. */
  older = new Int32Array(START_ROWS)
  newer = new Int32Array(START_ROWS)
  transmissions = new Uint8Array(START_ROWS)
  /** Why it was taken for lost: a value of `Cause`. */
  cause = new Uint8Array(START_ROWS)
  delivered = new Int32Array(START_ROWS)
  inFlight = new Int32Array(START_ROWS)
  lost = new Int32Array(START_ROWS)
  sentAt = new Float64Array(START_ROWS)
  deliveredAt = new Float64Array(START_ROWS)
  firstSentAt = new Float64Array(START_ROWS)
  #free = NONE
  #rows = 0
  #used = 0

  get used(): number {
    return this.#used
  }

  take(): number {
    this.#used++
    let row = this.#free
    if (row !== NONE) {
      this.#free = this.next[row]
      return row
    }
    row = this.#rows++
    if (row === this.start.length) this.#grow()
    return row
  }

  give(row: number): void {
    this.next[row] = this.#free
    this.#free = row
    this.#used--
    if (this.#used === 0) this.#reset()
  }

  /** Nothing is in flight anywhere: what a busy time needed is given back. */
  #reset(): void {
    this.#free = NONE
    this.#rows = 0
    if (this.start.length <= 16 * START_ROWS) return
    this.#resize(START_ROWS)
  }

  #grow(): void {
    this.#resize(this.start.length * 2)
  }

  #resize(rows: number): void {
    this.start = resized(this.start, new Int32Array(rows))
    this.end = resized(this.end, new Int32Array(rows))
    this.mss = resized(this.mss, new Int32Array(rows))
    this.flags = resized(this.flags, new Uint8Array(rows))
    this.next = resized(this.next, new Int32Array(rows))
    this.previous = resized(this.previous, new Int32Array(rows))
    this.older = resized(this.older, new Int32Array(rows))
    this.newer = resized(this.newer, new Int32Array(rows))
    this.transmissions = resized(this.transmissions, new Uint8Array(rows))
    this.cause = resized(this.cause, new Uint8Array(rows))
    this.delivered = resized(this.delivered, new Int32Array(rows))
    this.inFlight = resized(this.inFlight, new Int32Array(rows))
    this.lost = resized(this.lost, new Int32Array(rows))
    this.sentAt = resized(this.sentAt, new Float64Array(rows))
    this.deliveredAt = resized(this.deliveredAt, new Float64Array(rows))
    this.firstSentAt = resized(this.firstSentAt, new Float64Array(rows))
  }
}

function resized<Column extends Int32Array | Uint8Array | Float64Array>(from: Column, to: Column): Column {
  to.set(from.length > to.length ? from.subarray(0, to.length) : from)
  return to
}

export class Flight {
  readonly slab: FlightSlab
  /** Rows: the oldest octets, the newest; -1 where there are none. */
  first = NONE
  last = NONE
  /** Rows of what is on its way: sent longest ago, and last; -1 where there are none. */
  oldest = NONE
  newest = NONE
  /** Where a SACK was last at work: the next one mostly begins near by. -1 for nowhere. */
  cursor = NONE
  count = 0
  /** Octets (SYN and FIN count) of all records, of those sacked, lost, and sent again. */
  octets = 0
  sacked = 0
  lost = 0
  again = 0
  /** Segments that are sacked. */
  sackedSegments = 0
  /** No record before this one is lost and unsent. */
  #hint = NONE

  constructor(slab: FlightSlab) {
    this.slab = slab
  }

  /** What is in the network, as far as we can tell: RFC 6675 §4, SetPipe. */
  get pipe(): number {
    return this.octets - this.sacked - this.lost
  }

  /** A transmission of octets not sent before. */
  append(start: number, end: number, mss: number, flags: number, now: number): number {
    const { slab } = this
    const row = slab.take()
    slab.start[row] = start
    slab.end[row] = end
    slab.mss[row] = mss
    slab.flags[row] = flags
    slab.transmissions[row] = 1
    slab.sentAt[row] = now
    slab.next[row] = NONE
    slab.previous[row] = this.last
    if (this.last === NONE) this.first = row
    else slab.next[this.last] = row
    this.last = row
    this.#link(row, this.newest)
    this.count++
    this.octets += (end - start) | 0
    return row
  }

  /** Cuts a record in two; the new one, which begins at `at`, is returned. */
  split(row: number, at: number): number {
    const { slab } = this
    const added = slab.take()
    slab.start[added] = at
    slab.end[added] = slab.end[row]
    slab.mss[added] = slab.mss[row]
    slab.flags[added] = slab.flags[row] & ~Sent.syn
    slab.transmissions[added] = slab.transmissions[row]
    slab.cause[added] = slab.cause[row]
    slab.delivered[added] = slab.delivered[row]
    slab.inFlight[added] = slab.inFlight[row]
    slab.lost[added] = slab.lost[row]
    slab.sentAt[added] = slab.sentAt[row]
    slab.deliveredAt[added] = slab.deliveredAt[row]
    slab.firstSentAt[added] = slab.firstSentAt[row]
    slab.end[row] = at
    slab.flags[row] &= ~Sent.fin
    const next = slab.next[row]
    slab.next[row] = added
    slab.previous[added] = row
    slab.next[added] = next
    if (next === NONE) this.last = added
    else slab.previous[next] = added
    if (this.#isUnderWay(row)) this.#link(added, row)
    this.count++
    return added
  }

  /** Where a record may be cut so that the first part ends at or before `limit`; its start where nowhere. */
  boundary(row: number, limit: number): number {
    const { start, end, mss } = this.slab
    if (!lessThan(limit, end[row])) return end[row]
    const octets = (limit - start[row]) | 0
    if (octets <= 0) return start[row]
    return (start[row] + octets - (octets % mss[row])) | 0
  }

  /** The oldest record goes, acknowledged. */
  removeFirst(): void {
    const { slab } = this
    const row = this.first
    const octets = this.length(row)
    this.#discount(row, octets)
    if (this.#isUnderWay(row)) this.#unlink(row)
    this.octets -= octets
    this.first = slab.next[row]
    if (this.#hint === row) this.#hint = this.first
    if (this.cursor === row) this.cursor = this.first
    if (this.first === NONE) this.last = NONE
    else slab.previous[this.first] = NONE
    this.count--
    slab.give(row)
  }

  /** The oldest record's first octets are acknowledged. */
  trimFirst(start: number): void {
    const { slab } = this
    const row = this.first
    const octets = (start - slab.start[row]) | 0
    this.#discount(row, octets)
    this.octets -= octets
    slab.start[row] = start
    if (slab.flags[row] & Sent.sacked) this.sackedSegments += this.segments(row)
    slab.flags[row] &= ~Sent.syn
  }

  length(row: number): number {
    return (this.slab.end[row] - this.slab.start[row]) | 0
  }

  /** How many segments it was sent as. */
  segments(row: number): number {
    return Math.max(1, Math.ceil(this.length(row) / this.slab.mss[row]))
  }

  has(row: number, flags: number): boolean {
    return (this.slab.flags[row] & flags) !== 0
  }

  markSacked(row: number): void {
    const octets = this.length(row)
    this.#discount(row, octets)
    if (this.#isUnderWay(row)) this.#unlink(row)
    this.slab.flags[row] = (this.slab.flags[row] & ~(Sent.lost | Sent.again)) | Sent.sacked
    this.sacked += octets
    this.sackedSegments += this.segments(row)
  }

  /** A sacked record takes in the one after it, if that is sacked too: nothing will ever be asked of them apart. */
  mergeSacked(row: number): void {
    const { slab } = this
    const next = row === NONE ? NONE : slab.next[row]
    if (next === NONE || (slab.flags[row] & slab.flags[next] & Sent.sacked) === 0) return
    if (slab.mss[row] !== slab.mss[next] || this.length(row) % slab.mss[row] !== 0) return
    slab.end[row] = slab.end[next]
    slab.flags[row] |= slab.flags[next]
    const after = slab.next[next]
    slab.next[row] = after
    if (after === NONE) this.last = row
    else slab.previous[after] = row
    if (this.#hint === next) this.#hint = after
    if (this.cursor === next) this.cursor = row
    this.count--
    slab.give(next)
  }

  /** Also one that was sent again and is lost again. */
  markLost(row: number, cause = 0): void {
    const octets = this.length(row)
    this.#discount(row, octets)
    if (this.#isUnderWay(row)) this.#unlink(row)
    this.slab.flags[row] = (this.slab.flags[row] & ~(Sent.sacked | Sent.again)) | Sent.lost
    this.lost += octets
    this.slab.cause[row] = cause
    if (this.#hint === NONE || lessThan(this.slab.start[row], this.slab.start[this.#hint])) this.#hint = row
  }

  /** It has just been sent once more. */
  markAgain(row: number, now: number): void {
    const octets = this.length(row)
    this.#discount(row, octets)
    if (this.#isUnderWay(row)) this.#unlink(row)
    this.slab.flags[row] = (this.slab.flags[row] & ~(Sent.sacked | Sent.lost)) | Sent.again | Sent.twice
    this.#link(row, this.newest)
    if (this.slab.transmissions[row] < 255) this.slab.transmissions[row]++
    this.slab.sentAt[row] = now
    this.again += octets
  }

  /** It was not lost after all. Looked for from the oldest on, since what was lost was sent long ago. */
  unmarkLost(row: number): void {
    const { slab } = this
    this.#discount(row, this.length(row))
    if (!this.#isUnderWay(row)) {
      let after = NONE
      for (let at = this.oldest; at !== NONE && slab.sentAt[at] <= slab.sentAt[row]; at = slab.newer[at]) after = at
      this.#link(row, after)
    }
    slab.flags[row] &= ~(Sent.lost | Sent.again)
  }

  #isUnderWay(row: number): boolean {
    return (this.slab.flags[row] & (Sent.sacked | Sent.lost)) === 0
  }

  /** Sent after that row, in the order of time; -1 for before all others. */
  #link(row: number, older: number): void {
    const { slab } = this
    const newer = older === NONE ? this.oldest : slab.newer[older]
    slab.older[row] = older
    slab.newer[row] = newer
    if (older === NONE) this.oldest = row
    else slab.newer[older] = row
    if (newer === NONE) this.newest = row
    else slab.older[newer] = row
  }

  #unlink(row: number): void {
    const { slab } = this
    const older = slab.older[row]
    const newer = slab.newer[row]
    if (older === NONE) this.oldest = newer
    else slab.newer[older] = newer
    if (newer === NONE) this.newest = older
    else slab.older[newer] = older
  }

  /** The oldest record that is lost and not sent again since; -1 where there is none. */
  nextLost(): number {
    if (this.lost === 0) return (this.#hint = NONE)
    const { slab } = this
    let at = this.#hint
    while (at !== NONE && (slab.flags[at] & Sent.lost) === 0) at = slab.next[at]
    return (this.#hint = at)
  }

  clear(): void {
    while (this.first !== NONE) this.removeFirst()
  }

  #discount(row: number, octets: number): void {
    const flags = this.slab.flags[row]
    if (flags & Sent.sacked) {
      this.sacked -= octets
      this.sackedSegments -= this.segments(row)
    }
    if (flags & Sent.lost) this.lost -= octets
    if (flags & Sent.again) this.again -= octets
  }
}
