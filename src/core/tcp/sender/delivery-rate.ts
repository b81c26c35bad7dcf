// Delivery-rate samples (draft-cheng-iccrg-delivery-rate-estimation §3): how much was delivered over how long, for each ACK.
// What a record needs for it is written at its transmission (`stamp`), read when it is acknowledged or SACKed (`take`), and
// summed up into the ACK's figures at its end (`finish`). `delivered` counts octets modulo 2^32. RACK hears of every record on the way.
// A part: told numbers, knows no connection. One a stack; a sample lasts until the next ACK.
import type { Acknowledged } from '../congestion/congestion.ts'
import { distance, lessThan } from '../sequence.ts'
import { Instant, type Timers } from '../timers.ts'
import { type Flight, Sent } from './flight.ts'
import type { Rack } from './rack.ts'

const NONE = -1

/** What is kept for each connection, beside two instants. */
export interface Delivery {
  /** Octets ever acknowledged or SACKed. */
  delivered: number
  /** Octets ever taken for lost. */
  lostOctets: number
  /** While `delivered` is below this, samples say that the application had nothing more; 0 for never. */
  limitedUntil: number
  /** The largest segment that has arrived. */
  largestDelivered: number
}

export class RateSample {
  /** When the sampled record was sent; what it noted: when something had last been delivered, and when its flight began. */
  readonly #times = new Float64Array(3)
  /** Of the ACK: when it came, who is told of what arrived, what it echoes as a time of our clock, where the recovery ends. */
  readonly #now = new Float64Array(1)
  #rack: Rack | null = null
  #hasEcho = false
  #echo = 0
  #recover = 0
  #minimumRtt = 0
  #row = NONE
  #delivered = 0
  #inFlight = 0
  #lost = 0
  #isLimited = false
  #isRetransmitted = false
  /** Of this ACK: octets below `recover` that were sent once only are among them, and octets that were sent again. */
  hasOriginal = false
  hasAgain = false

  /** An ACK comes; `echo` is its TSecr as milliseconds of our clock. */
  begin(rack: Rack | null, recover: number, hasEcho: boolean, echo: number, minimumRtt: number, now: number): void {
    this.#row = NONE
    this.hasOriginal = false
    this.hasAgain = false
    this.#rack = rack
    this.#recover = recover
    this.#hasEcho = hasEcho
    this.#echo = echo
    this.#minimumRtt = minimumRtt
    this.#now[0] = now
    rack?.begin()
  }

  /** `octets` of a record are acknowledged or SACKed, for the first time. The record sent last is the sampled one. */
  take(flight: Flight, row: number, octets: number, delivery: Delivery): void {
    const { slab } = flight
    delivery.delivered = (delivery.delivered + octets) | 0
    const size = Math.min(slab.mss[row], octets)
    if (size > delivery.largestDelivered) delivery.largestDelivered = size
    const isRetransmitted = (slab.flags[row] & Sent.twice) !== 0
    const sentAt = slab.sentAt[row]
    const end = (slab.start[row] + octets) | 0
    if (isRetransmitted) this.hasAgain = true
    else if (!lessThan(this.#recover, end)) this.hasOriginal = true
    if (this.#rack !== null) {
      const isEcho = this.#hasEcho && ((this.#echo - Math.floor(sentAt)) | 0) < 0
      this.#rack.onDelivered(sentAt, end, isRetransmitted, isEcho, this.#minimumRtt, this.#now[0])
    }
    if (this.#row !== NONE && sentAt < this.#times[0]) return
    this.#row = row
    this.#times[0] = sentAt
    this.#times[1] = slab.deliveredAt[row]
    this.#times[2] = slab.firstSentAt[row]
    this.#delivered = slab.delivered[row]
    this.#inFlight = slab.inFlight[row]
    this.#lost = slab.lost[row]
    this.#isLimited = (slab.flags[row] & Sent.limited) !== 0
    this.#isRetransmitted = isRetransmitted
  }

  /**
   * All records of this ACK are taken: fills in the sample and, unless Karn forbids it, the round trip.
   * Says whether something was delivered: then the next flight's first octets were sent at `sentAt`.
   */
  finish(ack: Acknowledged, delivery: Delivery, now: number): boolean {
    if (this.#row === NONE) return false
    if (delivery.limitedUntil !== 0 && distance(delivery.limitedUntil, delivery.delivered) > 0)
      delivery.limitedUntil = 0
    ack.delivered = distance(ack.totalDelivered, delivery.delivered)
    ack.totalDelivered = delivery.delivered
    ack.priorDelivered = this.#delivered
    ack.transmitInFlight = this.#inFlight
    ack.lostSince = distance(this.#lost, delivery.lostOctets)
    ack.isApplicationLimited = this.#isLimited
    if (!this.#isRetransmitted) ack.rtt = microseconds(now - this.#times[0])
    const interval = microseconds(Math.max(this.#times[0] - this.#times[2], now - this.#times[1]))
    // §3.3: no interval can be shorter than the least round trip: ACKs were squeezed together.
    if (interval > 0 && interval >= ack.minimumRtt) {
      ack.rateInterval = interval
      ack.rateDelivered = distance(this.#delivered, delivery.delivered)
    }
    return true
  }

  get sentAt(): number {
    return this.#times[0]
  }
}

/** A duration of milliseconds as int32 microseconds, at least 0. */
export function microseconds(milliseconds: number): number {
  return Math.max(0, Math.min(0x7fffffff, Math.round(milliseconds * 1000)))
}

/** A record is being sent, and is counted in the flight already: §3.2. */
export function stamp(flight: Flight, row: number, delivery: Delivery, timers: Timers, timersRow: number): void {
  const { slab } = flight
  slab.delivered[row] = delivery.delivered
  slab.lost[row] = delivery.lostOctets
  // From row to row: an instant that is handed over as a number is a box on the heap.
  slab.deliveredAt[row] = timers.get(timersRow, Instant.delivered)
  slab.firstSentAt[row] = timers.get(timersRow, Instant.firstSent)
  slab.inFlight[row] = flight.pipe
  if (delivery.limitedUntil !== 0) slab.flags[row] |= Sent.limited
  else slab.flags[row] &= ~Sent.limited
}
