// RACK (RFC 8985 §6): what was sent before something that has arrived is lost when a round trip and a reordering window have passed since.
// A part: reads the records of the flight, told numbers, marks nothing. Instants are int32 microseconds modulo 2^32 (good for half an hour:
// nothing is in flight for longer), durations int32 microseconds. Called by arriving/acknowledge, and when its timer expires.
import type { Flight } from './flight.ts'

const NONE = -1
/** What a sum of times may be off by: a nanosecond. */
const TOLERANCE = 0.001
/** No more is believed of a path, in microseconds: as of the RTO's samples. */
const LONGEST_ROUND_TRIP = 120_000_000
/** §6.2 step 4. */
const PERSISTENCE = 16
const MOST_MULTIPLES = 255
/** As RFC 6675 has it. */
const DUPLICATE_THRESHOLD = 3

export class Rack {
  /** RACK.xmit_ts, RACK.end_seq and RACK.rtt: of what was sent last among all that has arrived; a round trip of 0 for nothing yet. */
  #sentAt = 0
  #end = 0
  #roundTrip = 0
  /** RACK.fack, now and before the present ACK. */
  #furthest: number
  #furthestBefore: number
  /** RACK.reordering_seen. */
  hasReordering = false
  /** RACK.reo_wnd_mult, RACK.reo_wnd_persist, RACK.dsack_round. */
  #multiplier = 1
  #persistence = PERSISTENCE
  #inDuplicateRound = false
  #duplicateRoundEnd = 0
  /** RACK.reo_wnd as of the last `update`. */
  reorderingWindow = 0
  /** After `nextLost` has said NONE: how long until more may be lost; 0 where nothing waits. */
  wait = 0

  /** `sequence` is where the connection's numbers begin. */
  constructor(sequence: number) {
    this.#furthest = sequence
    this.#furthestBefore = sequence
  }

  /** An ACK comes. */
  begin(): void {
    this.#furthestBefore = this.#furthest
  }

  /**
   * §6.2 steps 2 and 3: a record of the flight is acknowledged or sacked for the first time, in any order. `isRetransmitted` where it
   * was sent more than once; `isEcho` where the timestamp says that it is not the last transmission that arrived.
   */
  onDelivered(
    sentAt: number,
    end: number,
    isRetransmitted: boolean,
    isEcho: boolean,
    minimumRtt: number,
    now: number,
  ): void {
    const stamp = stampOf(sentAt)
    // Not by the stamps: a machine that slept for a day would seem to have slept for minutes.
    const roundTrip = Math.max(1, Math.min(Math.round((now - sentAt) * 1000), LONGEST_ROUND_TRIP)) | 0
    if (((end - this.#furthest) | 0) > 0) this.#furthest = end
    // Below what had arrived before this ACK, and sent once only: it was overtaken on its way.
    else if (!isRetransmitted && ((end - this.#furthestBefore) | 0) < 0) this.hasReordering = true
    // It may well be the first transmission that arrived.
    if (isRetransmitted && (isEcho || roundTrip < minimumRtt)) return
    const isFirst = this.#roundTrip === 0
    this.#roundTrip = roundTrip
    if (isFirst || isSentAfter(stamp, end, this.#sentAt, this.#end)) {
      this.#sentAt = stamp
      this.#end = end
    }
  }

  /** A recovery was needless: its originals arrived after what had been sent behind them. */
  onOvertaken(): void {
    this.hasReordering = true
  }

  /** §6.2 step 4: a D-SACK came, at most one widening a round trip; `sndUna` and `sndNxt` after the ACK. */
  onDuplicate(sndUna: number, sndNxt: number): void {
    if (this.#inDuplicateRound && ((sndUna - this.#duplicateRoundEnd) | 0) < 0) return
    this.#inDuplicateRound = true
    this.#duplicateRoundEnd = sndNxt
    this.#multiplier = Math.min(this.#multiplier + 1, MOST_MULTIPLES)
    this.#persistence = PERSISTENCE
  }

  /** §6.2 step 4: a recovery is over. */
  onRecovered(): void {
    if (--this.#persistence > 0) return
    this.#multiplier = 1
    this.#persistence = PERSISTENCE
  }

  /** §6.2 step 4: how long what may have been overtaken is waited for. Before `nextLost`, at an ACK or when the timer has expired. */
  update(minimumRtt: number, srtt: number, sackedSegments: number, isRecovering: boolean): void {
    if (!this.hasReordering && (isRecovering || sackedSegments >= DUPLICATE_THRESHOLD)) this.reorderingWindow = 0
    else this.reorderingWindow = Math.min(Math.floor((this.#multiplier * minimumRtt) / 4), srtt)
    this.wait = 0
  }

  /**
   * §6.2 step 5: the next record from `from` on, in the order of time, that is lost, for the caller to mark. It begins with `flight.oldest` and
   * goes on with the one that was `slab.newer` before a record was marked. Only what was sent before the last arrival is looked at.
   */
  nextLost(flight: Flight, from: number, now: number): number {
    if (this.#roundTrip === 0) return NONE
    const { slab } = flight
    for (let row = from; row !== NONE; row = slab.newer[row]) {
      const sentAt = stampOf(slab.sentAt[row])
      if (!isSentAfter(this.#sentAt, this.#end, sentAt, slab.end[row])) {
        // Of one instant, those with later numbers may stand before earlier ones.
        if (sentAt === this.#sentAt) continue
        return NONE
      }
      const remaining = this.#remaining(slab.sentAt[row], now)
      if (remaining <= 0) return row
      this.wait = Math.max(this.wait, remaining)
    }
    return NONE
  }

  /** §6.3: at a retransmission timeout the oldest record is lost, and of the others those that have had a round trip's time. */
  isLostAtTimeout(flight: Flight, row: number, now: number): boolean {
    if (row === flight.first || this.#roundTrip === 0) return true
    return this.#remaining(flight.slab.sentAt[row], now) <= 0
  }

  #remaining(sentAt: number, now: number): number {
    return Math.max(0, Math.ceil((sentAt - now) * 1000 + this.#roundTrip + this.reorderingWindow - TOLERANCE)) | 0
  }
}

/** §6.2, RACK_sent_after. */
function isSentAfter(stamp: number, end: number, otherStamp: number, otherEnd: number): boolean {
  const later = (stamp - otherStamp) | 0
  return later > 0 || (later === 0 && ((end - otherEnd) | 0) > 0)
}

function stampOf(milliseconds: number): number {
  return Math.round(milliseconds * 1000) | 0
}
