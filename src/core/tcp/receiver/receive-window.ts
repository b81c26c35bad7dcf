// RCV.WND: how much more the peer may send. The edge that was offered is never withdrawn (SHLD-14), moves in steps worth a segment
// (RFC 9293 §3.8.6.2.2), and follows the receive buffer's size, which is tuned to twice what the application took in the last round trip.
// Asked by tcp/emit for every segment that acknowledges; told by arriving/text and by the user's reads.
// Its stamps are int32 microseconds of the clock, modulo 2^32: good for spans below half an hour, and it measures round trips.
import { distance, lessThan } from '../sequence.ts'

/** RFC 7323 §2.3. */
const LARGEST_SCALE = 14
const LARGEST_FIELD = 65_535
/** A measurement that took longer was interrupted by silence. */
const LONGEST_ROUND = 60_000_000
/**
 * Tuning looks at no less than a millisecond: on a path as fast as that a handshake is over long before a window of text is, and a window that
 * fits the handshake would hold the sender back for ever. Linux's samples, which are of its timestamps' clock, are never shorter either.
 */
const SHORTEST_ROUND = 1000

/** RFC 7323 §2.3: the shift that lets a window of `most` octets be said. */
export function scaleFor(most: number): number {
  let scale = 0
  while (scale < LARGEST_SCALE && most >>> scale > LARGEST_FIELD) scale++
  return scale
}

export class ReceiveWindow {
  /** The receive buffer's size: unread octets and the window together stay within it. The connection may change it. */
  limit: number
  /** What tuning may raise `limit` to. */
  most: number
  /** Rcv.Wind.Shift: 0 until both sides have agreed. */
  scale = 0
  /** RCV.NXT + RCV.WND: the furthest edge that was ever offered. */
  edge = 0
  /** Our estimate of the round trip as the receiver sees it, in microseconds; 0 where there is none yet. */
  roundTrip = 0
  /** The round trip comes from samples, and need not be guessed from the window. */
  #isSampled = false
  /** A window's worth is under way: since when, and to which number; a stamp of 0 for no measurement. */
  #windowStamp = 0
  #windowEnd = 0
  /** What the application took since the stamp, and the most that it took in a round before. */
  #roundStamp = 0
  #taken = 0
  #takenBefore: number

  constructor(limit: number, most: number) {
    this.limit = limit
    this.most = most
    this.#takenBefore = limit >>> 1
  }

  /** The peer's SYN gave RCV.NXT: the window that our own SYN says begins there. */
  start(rcvNxt: number): void {
    this.edge = (rcvNxt + Math.min(this.limit, LARGEST_FIELD)) | 0
  }

  /** RCV.WND for the acceptance test: what has been offered. MAY-8: 0 for as long as nobody reads. */
  size(rcvNxt: number): number {
    return Math.max(0, distance(rcvNxt, this.edge))
  }

  /**
   * The window field for the next segment, scaled unless it is a SYN; offers it. `readable` counts unread octets in order.
   * MUST-39: the edge moves by at least a segment or half the buffer, or not at all.
   */
  offer(rcvNxt: number, readable: number, mss: number, isSyn: boolean): number {
    const scale = isSyn ? 0 : this.scale
    const free = this.limit - readable
    let window = this.size(rcvNxt)
    if (this.#isWorthwhile(free, window, mss)) window = free
    else window = this.#kept(window, readable, scale)
    const field = Math.min(window >>> scale, LARGEST_FIELD)
    const edge = (rcvNxt + (field << scale)) | 0
    if (lessThan(this.edge, edge)) this.edge = edge
    return field
  }

  /** RFC 9293 §3.8.6.2.2. */
  #isWorthwhile(free: number, window: number, mss: number): boolean {
    return free - window >= Math.min(this.limit >>> 1, mss)
  }

  /**
   * SHLD-14: the edge stays, so what the scale can't say is rounded up, as Linux does. One small segment after another could creep on
   * for ever that way while nobody reads: a quarter beyond the limit it is rounded down, which RFC 7323 §2.4 lets senders expect.
   */
  #kept(window: number, readable: number, scale: number): number {
    const unit = 1 << scale
    if (readable + window >= this.limit + (this.limit >>> 2)) return window
    return window + unit - 1
  }

  /**
   * Whether the application has read so much that the peer should hear of it at once: the window doubles. Not by what the field can't
   * say: to the peer that would be a duplicate ACK.
   */
  needsUpdate(rcvNxt: number, readable: number, mss: number): boolean {
    const free = Math.min(this.limit - readable, LARGEST_FIELD << this.scale)
    const window = this.size(rcvNxt)
    return free >= 2 * window && this.#isWorthwhile(free, window, mss)
  }

  /** A round trip that our own timestamps or the handshake measured, in microseconds. */
  onRoundTrip(microseconds: number): void {
    const sample = Math.min(Math.max(1, microseconds), LONGEST_ROUND)
    if (!this.#isSampled) this.roundTrip = sample
    else this.roundTrip = Math.max(1, this.roundTrip + ((sample - this.roundTrip) >> 3))
    this.#isSampled = true
  }

  /** Text came in and RCV.NXT moved: measures the round trip by the time a window's worth takes, where nothing better is known. */
  onText(rcvNxt: number, now: number): void {
    if (this.#isSampled) return
    const stamp = stampOf(now)
    if (this.#windowStamp !== 0) {
      if (lessThan(rcvNxt, this.#windowEnd)) return
      const taken = (stamp - this.#windowStamp) | 0
      const isFirst = this.roundTrip === 0
      if (taken > 0 && taken < LONGEST_ROUND && (isFirst || taken < this.roundTrip)) this.roundTrip = taken
    }
    this.#windowStamp = stamp
    this.#windowEnd = this.edge
  }

  /** The application took octets: once a round trip `limit` is tuned. `mayGrow` is false under memory pressure. */
  onTaken(octets: number, mss: number, now: number, mayGrow: boolean): void {
    if (this.limit >= this.most || this.roundTrip === 0) return
    const stamp = stampOf(now)
    const round = Math.max(SHORTEST_ROUND, this.roundTrip)
    this.#taken += octets
    const elapsed = (stamp - this.#roundStamp) | 0
    if (this.#roundStamp !== 0 && elapsed >= 0 && elapsed < round) return
    // After silence the round was longer than a round trip, and counts for its part.
    const isRound = this.#roundStamp !== 0 && elapsed > 0
    const taken = isRound ? Math.floor((this.#taken * round) / elapsed) : 0
    this.#roundStamp = stamp
    this.#taken = 0
    if (taken <= this.#takenBefore) return
    // While it rises the sender's window is still doubling: room for what comes by the time that the peer hears of it. As Linux does.
    const wanted = 2 * taken + 16 * mss
    const growth = (2 * wanted * (taken - this.#takenBefore)) / this.#takenBefore
    this.#takenBefore = taken
    if (mayGrow) this.limit = Math.min(this.most, Math.max(this.limit, Math.floor(wanted + growth)))
  }
}

/** Never 0. */
function stampOf(now: number): number {
  return (now * 1000) | 1
}
