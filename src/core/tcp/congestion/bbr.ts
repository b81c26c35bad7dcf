// BBR version 3 (draft-ietf-ccwg-bbr): paces at the bandwidth that the path has been seen to deliver, and bounds what is in flight
// by that and the least round trip. Here are its three answers, Startup, Drain and ProbeRTT; `bbr-cycle` has the probing for bandwidth,
// `bbr-model` what it knows of the path, and the units. Sections named here are the draft's.
import { BbrCycle, BbrState, type BbrStateNumber, NO_STATE } from './bbr-cycle.ts'
import { BbrModel, isTooHigh, SPAN, UNBOUNDED } from './bbr-model.ts'
import { type Acknowledged, type Congestion, type CongestionSettings, NO_THRESHOLD, UNPACED } from './congestion.ts'
import { windowRate } from './pacing.ts'

/** §5.6.1, by state. */
const PACING_GAIN = Object.freeze([2.77, 0.5, 0.9, 1, 1, 1.25, 1])
const WINDOW_GAIN = Object.freeze([2, 2, 2, 2, 2, 2.25, 0.5])
const PACING_MARGIN = 0.99
/** §2.13, in milliseconds. */
const PROBE_RTT_DURATION = 200
/** §5.3.1.3. */
const STARTUP_LOSSES = 6
const DRAIN_ROUNDS = 3

export class Bbr implements Congestion {
  readonly name = 'bbr'
  readonly steersRecovery = true
  readonly ssthresh = NO_THRESHOLD
  cwnd: number
  pacingRate: number
  readonly needsPacing = true
  readonly model: BbrModel
  readonly #cycle: BbrCycle
  readonly #initialWindow: number
  /** Octets delivered so far, and whether any have been. */
  #delivered = 0
  #hasDelivered = false
  #isIdleRestart = false
  #inRecovery = false
  /** Losses in this round, and the round in which recovery began: §5.3.1.3. */
  #losses = 0
  #recoveryRound = 0
  #drainRound = 0
  /** When ProbeRTT may end; 0 for not known yet. */
  #probeRttDone = 0
  #isProbeRttRoundDone = false
  /** Until so much is delivered, samples are too low: MarkConnectionAppLimited. */
  #limitedUntil = 0
  #isLimited = false
  #priorCwnd = 0
  // §5.5.11: for the undoing of a needless recovery.
  #undoBandwidthShort = 0
  #undoInFlightShort = 0
  #undoInFlightLong = 0

  constructor(settings: CongestionSettings) {
    this.cwnd = settings.initialWindow
    this.#initialWindow = settings.initialWindow
    this.model = new BbrModel(settings)
    this.#cycle = new BbrCycle(this.model, settings)
    // §5.6.2: an initial window in a round trip, or in a millisecond where none is known.
    this.pacingRate = windowRate(this.cwnd, settings.rtt > 0 ? settings.rtt : 1000, PACING_GAIN[BbrState.startup])
  }

  get state(): BbrStateNumber {
    return this.#cycle.state
  }

  /** §5.2.3, UpdateOnACK. */
  onAcknowledged(ack: Acknowledged): void {
    const model = this.model
    const cycle = this.#cycle
    const now = ack.now | 0
    const isProbeRttSample = this.#isLimited && ((ack.priorDelivered - this.#limitedUntil) | 0) < 0
    if (!isProbeRttSample) this.#isLimited = false
    const isLimited = ack.isApplicationLimited || isProbeRttSample
    this.#delivered = ack.totalDelivered
    this.#hasDelivered = true
    if (ack.lost > 0) this.#noteLoss()
    model.update(ack, isLimited, cycle.isProbing, this.cwnd)
    model.updateAggregation(ack.delivered, this.cwnd, now)
    model.checkFilled(isLimited)
    this.#checkStartupDone(ack)
    this.#checkDrainDone(ack, now)
    cycle.advance(ack, isLimited, this.cwnd, this.pacingRate)
    model.updateRoundTrip(ack.rtt, now)
    this.#checkProbeRtt(ack, now)
    model.finish(ack)
    if (model.isRoundStart) this.#losses = 0
    this.#setPacingRate(PACING_GAIN[cycle.state])
    this.#setWindow(ack.delivered)
  }

  // §5.3.1, §5.3.2: Startup and Drain.

  #checkStartupDone(ack: Acknowledged): void {
    const model = this.model
    if (this.#cycle.state !== BbrState.startup) return
    if (this.#isLossHigh(ack)) {
      this.#cycle.undoState = BbrState.startup
      model.wasFilled = true
      model.inFlightLong = Math.max(model.bdp(model.bandwidth), model.inFlightLatest, model.leastWindow)
    }
    if (!model.wasFilled) return
    this.#cycle.state = BbrState.drain
    this.#drainRound = model.roundCount
  }

  /** §5.3.1.3, CheckStartupHighLoss. */
  #isLossHigh(ack: Acknowledged): boolean {
    const model = this.model
    return (
      this.#inRecovery &&
      model.isRoundStart &&
      model.roundCount !== this.#recoveryRound &&
      this.#losses >= STARTUP_LOSSES &&
      isTooHigh(ack.lostSince, ack.transmitInFlight)
    )
  }

  #checkDrainDone(ack: Acknowledged, now: number): void {
    const model = this.model
    if (this.#cycle.state !== BbrState.drain) return
    const isDrained = ack.inFlight <= model.quantized(model.bdp(model.bandwidth), this.pacingRate)
    const rounds = (model.roundCount - this.#drainRound) | 0
    if (isDrained || rounds > DRAIN_ROUNDS) this.#cycle.startDown(ack.totalDelivered, now)
  }

  // §5.3.4: ProbeRTT.

  #checkProbeRtt(ack: Acknowledged, now: number): void {
    const cycle = this.#cycle
    if (cycle.state !== BbrState.probeRtt && this.model.isProbeRttDue && !this.#isIdleRestart) {
      this.#saveWindow()
      cycle.state = BbrState.probeRtt
      this.#probeRttDone = 0
      cycle.stopProbing(ack.totalDelivered)
    }
    if (cycle.state === BbrState.probeRtt) this.#goOnProbingRtt(ack, now)
    if (ack.delivered > 0) this.#isIdleRestart = false
  }

  #goOnProbingRtt(ack: Acknowledged, now: number): void {
    const model = this.model
    this.#limitedUntil = (ack.totalDelivered + ack.inFlight) | 0
    this.#isLimited = true
    if (this.#probeRttDone === 0) {
      if (ack.inFlight > this.#probeRttWindow) return
      this.#probeRttDone = (now + PROBE_RTT_DURATION) | 0 || 1
      this.#isProbeRttRoundDone = false
      model.startRound(ack.totalDelivered)
      return
    }
    if (model.isRoundStart) this.#isProbeRttRoundDone = true
    if (this.#isProbeRttRoundDone) this.#checkProbeRttDone(now)
  }

  #checkProbeRttDone(now: number): void {
    if (this.#probeRttDone === 0 || ((now - this.#probeRttDone) | 0) <= 0) return
    this.model.scheduleProbeRtt(now)
    this.#restoreWindow()
    this.model.resetShortTerm()
    if (this.model.wasFilled) {
      this.#cycle.startDown(this.#delivered, now)
      this.#cycle.state = BbrState.cruise
    } else this.#cycle.state = BbrState.startup
  }

  get #probeRttWindow(): number {
    const bdp = this.model.bdp(this.model.bandwidth)
    return Math.max(Math.floor(bdp * WINDOW_GAIN[BbrState.probeRtt]), this.model.leastWindow)
  }

  // What else it is told.

  /** §5.4.1: after silence it sends at the bandwidth itself. */
  onSent(_octets: number, inFlight: number, _isApplicationLimited: boolean, now: number): void {
    if (inFlight > 0 || !this.#hasDelivered) return
    this.#isIdleRestart = true
    this.model.restartAggregation(now | 0)
    if (this.#cycle.isCycling) this.#setPacingRate(1)
    else if (this.#cycle.state === BbrState.probeRtt) this.#checkProbeRttDone(now | 0)
  }

  onLost(octets: number, transmitInFlight: number, lostSince: number, isLimited: boolean, now: number): void {
    this.#noteLoss()
    this.#losses++
    this.model.onLost(octets)
    this.#cycle.onLost(octets, transmitInFlight, lostSince, isLimited, this.cwnd, this.#delivered, now | 0)
  }

  #noteLoss(): void {
    if (this.model.isLossInRound) return
    this.model.startLossRound(this.#delivered)
    this.#saveState()
  }

  onRecovery(_inFlight: number, _now: number): void {
    this.#beginRecovery()
  }

  /** §5.6.4.4: the window is what it was; its bounds have learnt. */
  onRecovered(_now: number): void {
    this.#inRecovery = false
    this.#restoreWindow()
    this.#boundWindow()
  }

  /** §5.6.4.4: one segment, and then as much more as is acknowledged. */
  onTimeout(_inFlight: number, _isRepeated: boolean, _now: number): void {
    this.#beginRecovery()
    this.cwnd = this.model.mss
  }

  #beginRecovery(): void {
    // What `onLost` has saved for this loss is from before its answer to it.
    if (!this.model.isLossInRound) this.#saveState()
    else this.#saveWindow()
    this.#inRecovery = true
    this.#recoveryRound = this.model.roundCount
    this.#noteLoss()
  }

  /** Differs: a mark counts as a loss in this round, since the draft has no answer to RFC 3168's one mark a window. */
  onMarked(_inFlight: number, _now: number): void {
    this.#noteLoss()
    this.model.isMarkedInRound = true
  }

  /** §5.5.11.2, HandleSpuriousLossDetection. */
  onUndone(_now: number): void {
    const model = this.model
    const cycle = this.#cycle
    this.#inRecovery = false
    this.#restoreWindow()
    model.forgetLosses()
    model.resetFilled(0)
    model.bandwidthShort = Math.max(model.bandwidthShort, this.#undoBandwidthShort)
    model.inFlightShort = Math.max(model.inFlightShort, this.#undoInFlightShort)
    model.inFlightLong = Math.max(model.inFlightLong, this.#undoInFlightLong)
    const wasStartup = cycle.undoState === BbrState.startup && cycle.state !== BbrState.startup
    const wasUp = cycle.undoState === BbrState.up && cycle.state !== BbrState.up
    if (wasStartup) model.wasFilled = false
    if (cycle.state !== BbrState.probeRtt) {
      if (wasStartup) cycle.state = BbrState.startup
      else if (wasUp) cycle.startRefill(this.#delivered)
    }
    cycle.undoState = NO_STATE
  }

  /** §5.4.1: cwnd stays; `onSent` does the rest. */
  onRestart(_idle: number, _now: number): void {}

  onMss(mss: number): void {
    this.model.mss = mss
    this.cwnd = Math.max(this.cwnd, mss)
  }

  #saveState(): void {
    this.#saveWindow()
    this.#cycle.undoState = NO_STATE
    this.#undoBandwidthShort = this.model.bandwidthShort
    this.#undoInFlightShort = this.model.inFlightShort
    this.#undoInFlightLong = this.model.inFlightLong
  }

  #saveWindow(): void {
    const isGood = !this.#inRecovery && this.#cycle.state !== BbrState.probeRtt
    this.#priorCwnd = isGood ? this.cwnd : Math.max(this.#priorCwnd, this.cwnd)
  }

  #restoreWindow(): void {
    this.cwnd = Math.max(this.cwnd, this.#priorCwnd)
  }

  // §5.6: the answers.

  #setPacingRate(gain: number): void {
    const rate = Math.min(UNPACED, Math.floor((this.model.bandwidth * gain * PACING_MARGIN * 1000) / SPAN))
    if (rate > 0 && (this.model.wasFilled || rate > this.pacingRate)) this.pacingRate = rate
  }

  /** §5.6.4.6, SetCwnd. */
  #setWindow(delivered: number): void {
    const model = this.model
    const state = this.#cycle.state
    const wanted = Math.floor(model.bdp(model.bandwidth) * WINDOW_GAIN[state]) + model.extraAcked
    const most = model.quantized(wanted, this.pacingRate) + (state === BbrState.up ? 2 * model.mss : 0)
    const grown = Math.min(this.cwnd + delivered, UNBOUNDED)
    if (model.wasFilled) this.cwnd = Math.min(grown, most)
    else if (this.cwnd < most || this.#delivered >>> 0 < this.#initialWindow) this.cwnd = grown
    this.cwnd = Math.max(this.cwnd, model.leastWindow)
    if (state === BbrState.probeRtt) this.cwnd = Math.min(this.cwnd, this.#probeRttWindow)
    this.#boundWindow()
  }

  /** §5.6.4.7, BoundCwndForModel. */
  #boundWindow(): void {
    const model = this.model
    const state = this.#cycle.state
    let cap = UNBOUNDED
    if (state === BbrState.probeRtt || state === BbrState.cruise) cap = model.withHeadroom
    else if (this.#cycle.isCycling) cap = model.inFlightLong
    this.cwnd = Math.min(this.cwnd, Math.max(Math.min(cap, model.inFlightShort), model.leastWindow))
  }
}

export function bbr(settings: CongestionSettings): Bbr {
  return new Bbr(settings)
}
