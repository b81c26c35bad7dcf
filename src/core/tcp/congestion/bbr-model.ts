// What BBR knows of its path (draft-ietf-ccwg-bbr §5.5): the bandwidth filter, the least round trip, aggregation, bounds learnt from losses.
// Bandwidths are int32 octets in 128 ms (0.06 kbit/s to 134 Gbit/s), volumes int32 octets, instants int32 milliseconds modulo 2^32,
// durations int32 microseconds: no double is kept. Only `bbr` uses it.
import { type Acknowledged, type CongestionSettings, LARGEST_WINDOW } from './congestion.ts'

/** Milliseconds over which a bandwidth counts octets. */
export const SPAN = 128
const LARGEST_BANDWIDTH = 0x7fffffff
/** No bound has been learnt. */
export const UNBOUNDED = LARGEST_WINDOW
const NO_ROUND_TRIP = 0x7fffffff

/** Constants of the draft, §2.5 to §2.13. */
export const BETA = 0.7
export const LOSS_THRESHOLD = 0.02
const HEADROOM = 0.15
const MINIMUM_SEGMENTS = 4
const LARGEST_QUANTUM = 65_536
const MINIMUM_RTT_WINDOW = 10_000
const PROBE_RTT_INTERVAL = 5000
const EXTRA_ACKED_ROUNDS = 10

/** Octets that a bandwidth delivers in so many microseconds. */
export function volume(bandwidth: number, microseconds: number): number {
  return Math.min(LARGEST_WINDOW, Math.floor((bandwidth * microseconds) / (SPAN * 1000)))
}

export class BbrModel {
  // §5.5.1: packet-timed round trips, by the count of octets delivered.
  roundCount = 0
  isRoundStart = false
  #roundEnd = 0
  // §5.5.2: the largest delivery rate of this probing cycle, and of the one before.
  #bandwidth = 0
  #bandwidthBefore = 0
  /** BBR.bw: what is safe now. */
  bandwidth = 0
  // §5.5.5, §5.3.4.
  minimumRtt: number
  #minimumRttAt: number
  #probeRttMinimum = NO_ROUND_TRIP
  #probeRttAt: number
  isProbeRttDue = false
  // §5.5.9: aggregation; the largest of this half of the filter's window, and of the half before.
  #extraAcked = 0
  #extraAckedBefore = 0
  #extraRound = 0
  #extraAt: number
  #extraDelivered = 0
  // §5.5.10: what losses have taught, for now and for long.
  isLossInRound = false
  isMarkedInRound = false
  isLossRoundStart = false
  #lossRoundEnd = 0
  /** Octets lost since the first loss of this round. */
  #lostInRound = 0
  #bandwidthLatest = 0
  inFlightLatest = 0
  bandwidthShort = LARGEST_BANDWIDTH
  inFlightShort = UNBOUNDED
  inFlightLong = UNBOUNDED
  // §5.3.1.2: has the pipe been filled, ever, and since we last began to look?
  wasFilled = false
  isFilled = false
  #fullBandwidth = 0
  #fullRounds = 0
  /** The present sample's. */
  rate = 0
  mss: number
  readonly #initialWindow: number

  constructor({ mss, initialWindow, now: time, rtt }: CongestionSettings) {
    const now = time | 0
    this.mss = mss
    this.#initialWindow = initialWindow
    this.minimumRtt = rtt > 0 ? rtt : NO_ROUND_TRIP
    this.#minimumRttAt = now
    this.#probeRttAt = now
    this.#extraAt = now
  }

  /** BBR.max_bw. */
  get largestBandwidth(): number {
    return Math.max(this.#bandwidth, this.#bandwidthBefore)
  }

  get extraAcked(): number {
    return Math.max(this.#extraAcked, this.#extraAckedBefore)
  }

  get hasRoundTrip(): boolean {
    return this.minimumRtt !== NO_ROUND_TRIP
  }

  /** §5.6.4.2, BBR.bdp. */
  bdp(bandwidth: number): number {
    return this.hasRoundTrip ? volume(bandwidth, this.minimumRtt) : this.#initialWindow
  }

  /** §5.6.4.3. */
  get leastWindow(): number {
    return MINIMUM_SEGMENTS * this.mss
  }

  /** QuantizationBudget: room for three emissions, each of a millisecond at the pacing rate (§5.6.3). */
  quantized(octets: number, pacingRate: number): number {
    const quantum = Math.max(2 * this.mss, Math.min(LARGEST_QUANTUM, Math.floor(pacingRate / 1000)))
    return Math.max(octets, 3 * quantum, this.leastWindow)
  }

  /** InflightWithHeadroom: leaves something for others. */
  get withHeadroom(): number {
    if (this.inFlightLong === UNBOUNDED) return UNBOUNDED
    const headroom = Math.max(this.mss, Math.floor(HEADROOM * this.inFlightLong))
    return Math.max(this.inFlightLong - headroom, this.leastWindow)
  }

  /** §5.5.10.3, UpdateLatestDeliverySignals; §5.5.2, UpdateMaxBw. The first step of an ACK. */
  update(ack: Acknowledged, isLimited: boolean, isProbing: boolean, cwnd: number): void {
    this.rate = rateOf(ack)
    const hasSample = ack.rateDelivered >= 0
    this.isLossRoundStart = false
    if (hasSample) {
      this.#bandwidthLatest = Math.max(this.#bandwidthLatest, this.rate)
      this.inFlightLatest = Math.max(this.inFlightLatest, ack.rateDelivered)
    }
    const isLossHigh = this.#isLossHigh(ack.totalDelivered)
    if (this.#isSentAfter(ack, this.#lossRoundEnd)) {
      this.#lossRoundEnd = ack.totalDelivered
      this.isLossRoundStart = true
    }
    this.isRoundStart = this.#isSentAfter(ack, this.#roundEnd)
    if (this.isRoundStart) {
      this.startRound(ack.totalDelivered)
      this.roundCount = (this.roundCount + 1) | 0
    }
    if (this.rate > 0 && (!isLimited || this.rate >= this.largestBandwidth)) {
      this.#bandwidth = Math.max(this.#bandwidth, this.rate)
    }
    if (this.isLossRoundStart) this.#adaptLowerBounds(isLossHigh && !isProbing, cwnd)
  }

  /** The ACK tells of something that was sent when so much had been delivered, or later. */
  #isSentAfter(ack: Acknowledged, delivered: number): boolean {
    return ack.delivered > 0 && ((ack.priorDelivered - delivered) | 0) >= 0
  }

  /**
   * Differs: §5.5.10.3 lets any loss in a round bring the lower bounds down. With one percent of chance losses that goes on from round to
   * round, and much of the bandwidth lies idle, though §3.1 wants all of it used up to there. Here losses must be above the threshold that
   * probes have, and the first, without which there would be no such round, doesn't count. A mark does: §3.7 has it be congestion.
   */
  #isLossHigh(totalDelivered: number): boolean {
    if (!this.isLossInRound || this.isMarkedInRound) return this.isMarkedInRound
    const delivered = Math.max(0, (totalDelivered - this.#lossRoundEnd) | 0)
    return isTooHigh(this.#lostInRound - this.mss, delivered + this.#lostInRound)
  }

  /** §5.5.10.3: once a round with losses, unless it is our own probing that makes them. */
  #adaptLowerBounds(isCongested: boolean, cwnd: number): void {
    if (isCongested) {
      if (this.bandwidthShort === LARGEST_BANDWIDTH) this.bandwidthShort = this.largestBandwidth
      if (this.inFlightShort === UNBOUNDED) this.inFlightShort = cwnd
      this.bandwidthShort = Math.max(this.#bandwidthLatest, Math.floor(this.bandwidthShort * BETA))
      this.inFlightShort = Math.max(this.inFlightLatest, Math.floor(this.inFlightShort * BETA))
    }
    this.forgetLosses()
  }

  /** §5.5.9, UpdateACKAggregation. */
  updateAggregation(delivered: number, cwnd: number, now: number): void {
    let expected = volume(this.bandwidth, ((now - this.#extraAt) | 0) * 1000)
    if (this.#extraDelivered <= expected) {
      this.#extraDelivered = 0
      this.#extraAt = now
      expected = 0
    }
    this.#extraDelivered = Math.min(this.#extraDelivered + delivered, LARGEST_WINDOW)
    const extra = Math.min(this.#extraDelivered - expected, cwnd)
    // Differs: two halves of the window stand for the filter of Nichols, since a half more or less of ten rounds changes nothing.
    const half = this.wasFilled ? EXTRA_ACKED_ROUNDS / 2 : 1
    const age = (this.roundCount - this.#extraRound) | 0
    if (age >= half) {
      this.#extraAckedBefore = age >= 2 * half || !this.wasFilled ? 0 : this.#extraAcked
      this.#extraAcked = 0
      this.#extraRound = this.roundCount
    }
    this.#extraAcked = Math.max(this.#extraAcked, extra)
  }

  /** A connection that was idle begins to send. */
  restartAggregation(now: number): void {
    this.#extraAt = now
    this.#extraDelivered = 0
  }

  /** §5.3.1.2, CheckFullBWReached. */
  checkFilled(isLimited: boolean): void {
    if (this.isFilled || !this.isRoundStart || isLimited || this.rate === 0) return
    if (this.rate >= this.#fullBandwidth * 1.25) {
      this.resetFilled(this.rate)
      return
    }
    this.#fullRounds++
    this.isFilled = this.#fullRounds >= 3
    if (this.isFilled) this.wasFilled = true
  }

  /** Looks anew, from this bandwidth on. */
  resetFilled(bandwidth: number): void {
    this.#fullBandwidth = bandwidth
    this.#fullRounds = 0
    this.isFilled = false
  }

  /** §5.3.4.3, UpdateMinRTT. */
  updateRoundTrip(rtt: number, now: number): void {
    this.isProbeRttDue = isPast(now, this.#probeRttAt, PROBE_RTT_INTERVAL)
    if (rtt > 0 && (rtt < this.#probeRttMinimum || this.isProbeRttDue)) {
      this.#probeRttMinimum = rtt
      this.#probeRttAt = now
    }
    if (this.#probeRttMinimum < this.minimumRtt || isPast(now, this.#minimumRttAt, MINIMUM_RTT_WINDOW)) {
      if (this.#probeRttMinimum === NO_ROUND_TRIP) return
      this.minimumRtt = this.#probeRttMinimum
      this.#minimumRttAt = this.#probeRttAt
    }
  }

  /** ProbeRTT has been gone through: the next one is a whole interval away. */
  scheduleProbeRtt(now: number): void {
    this.#probeRttAt = now
  }

  /** The last step: §5.5.10.3, AdvanceLatestDeliverySignals and BoundBWForModel. */
  finish(ack: Acknowledged): void {
    if (this.isLossRoundStart && ack.rateDelivered >= 0) {
      this.#bandwidthLatest = this.rate
      this.inFlightLatest = ack.rateDelivered
    }
    this.bandwidth = Math.min(this.largestBandwidth, this.bandwidthShort)
  }

  startRound(totalDelivered: number): void {
    this.#roundEnd = totalDelivered
  }

  /** The first loss in this round. */
  startLossRound(totalDelivered: number): void {
    this.#lossRoundEnd = totalDelivered
    this.isLossInRound = true
  }

  onLost(octets: number): void {
    this.#lostInRound = Math.min(this.#lostInRound + octets, LARGEST_WINDOW)
  }

  forgetLosses(): void {
    this.isLossInRound = false
    this.isMarkedInRound = false
    this.#lostInRound = 0
  }

  /** §5.5.4: another probing cycle. */
  advanceBandwidth(): void {
    if (this.#bandwidth === 0) return
    this.#bandwidthBefore = this.#bandwidth
    this.#bandwidth = 0
  }

  resetCongestionSignals(): void {
    this.forgetLosses()
    this.#bandwidthLatest = 0
    this.inFlightLatest = 0
  }

  resetShortTerm(): void {
    this.bandwidthShort = LARGEST_BANDWIDTH
    this.inFlightShort = UNBOUNDED
  }
}

/** Whether `now` is more than `interval` milliseconds after `then`; also after more than three weeks. */
export function isPast(now: number, then: number, interval: number): boolean {
  const age = (now - then) | 0
  return age > interval || age < 0
}

function rateOf(ack: Acknowledged): number {
  if (ack.rateDelivered <= 0 || ack.rateInterval <= 0) return 0
  return Math.min(LARGEST_BANDWIDTH, Math.floor((ack.rateDelivered * SPAN * 1000) / ack.rateInterval))
}

/** §5.5.10.2, IsInflightTooHigh: more than two percent were lost. */
export function isTooHigh(lost: number, inFlight: number): boolean {
  return lost > inFlight * LOSS_THRESHOLD
}
