// BBR version 3 (draft-ietf-ccwg-bbr): paces at the bandwidth that the path has been seen to deliver, and bounds what is in flight
// by that and the least round trip. This is its state machine and its three answers; what it knows of the path is `bbr-model`.
// Units are those of the model. Sections named here are the draft's.
import { BbrModel, BETA, isPast, LOSS_THRESHOLD, SPAN, UNBOUNDED, volume } from './bbr-model.ts'
import { type Acknowledged, type Congestion, type CongestionSettings, NO_THRESHOLD, UNPACED } from './congestion.ts'
import { windowRate } from './pacing.ts'

/** §5.1. */
export const BbrState = { startup: 0, drain: 1, down: 2, cruise: 3, refill: 4, up: 5, probeRtt: 6 } as const
type StateNumber = (typeof BbrState)[keyof typeof BbrState]

/** §5.3.3.6, BBR.ack_phase: what the ACKs that come in tell of. */
const Phase = { none: 0, refilling: 1, starting: 2, feedback: 3, stopping: 4 } as const
type PhaseNumber = (typeof Phase)[keyof typeof Phase]

/** §5.6.1, by state. */
const PACING_GAIN = Object.freeze([2.77, 0.5, 0.9, 1, 1, 1.25, 1])
const WINDOW_GAIN = Object.freeze([2, 2, 2, 2, 2, 2.25, 0.5])
const PACING_MARGIN = 0.99
const HEADROOM = 0.15
const MINIMUM_SEGMENTS = 4
const PROBE_RTT_DURATION = 200
const PROBE_WAIT = 2000
const MOST_RENO_ROUNDS = 63
const STARTUP_LOSSES = 6
const LARGEST_QUANTUM = 65_536
const NEVER = 0x7fffffff

export class Bbr implements Congestion {
  readonly name = 'bbr'
  readonly steersRecovery = true
  readonly ssthresh = NO_THRESHOLD
  cwnd: number
  pacingRate: number
  state: StateNumber = BbrState.startup
  readonly model: BbrModel
  #mss: number
  readonly #initialWindow: number
  #random: number
  #totalDelivered = 0
  #hasDelivered = false
  #isIdleRestart = false
  #inRecovery = false
  /** Losses in this round, and the round in which recovery began: §5.3.1.3. */
  #lossEvents = 0
  #recoveryRound = 0
  #drainRound = 0
  #phase: PhaseNumber = Phase.none
  /** Samples are of what was sent while probing: BBR.is_bw_probe_sample. */
  #isProbeSample = false
  #wasTooHigh = false
  #wasPrecautionary = false
  #upAcked = 0
  #upAckedPerStep = NEVER
  #upRounds = 0
  #roundsSinceUp = 0
  #cycleAt: number
  #wait = 0
  /** ProbeRTT: when it may end; 0 for not yet known. While `totalDelivered` is before `limitedUntil`, samples are too low. */
  #probeRttDone = 0
  #isProbeRttRoundDone = false
  #limitedUntil = 0
  #priorCwnd = 0
  // §5.5.11: for the undoing of a needless recovery.
  #undoState = -1
  #undoBandwidthShort = 0
  #undoInFlightShort = 0
  #undoInFlightLong = 0

  constructor(settings: CongestionSettings) {
    const now = settings.now | 0
    this.cwnd = settings.initialWindow
    this.#initialWindow = settings.initialWindow
    this.#mss = settings.mss
    this.#random = settings.seed | 1
    this.#cycleAt = now
    this.model = new BbrModel(now, settings.rtt)
    // §5.6.2: an initial window in a round trip, or in a millisecond where none is known.
    this.pacingRate = windowRate(this.cwnd, settings.rtt > 0 ? settings.rtt : 1000, PACING_GAIN[BbrState.startup])
  }

  /** §5.2.3, UpdateOnACK. */
  onAcknowledged(ack: Acknowledged): void {
    const { model } = this
    const now = ack.now | 0
    this.#totalDelivered = ack.totalDelivered
    this.#hasDelivered = true
    const isLimited = this.#isLimited(ack)
    if (ack.lost > 0) this.#noteLoss()
    model.update(ack, isLimited, this.#isProbing, this.cwnd)
    if (model.isRoundStart) {
      this.#roundsSinceUp++
    }
    model.updateAggregation(ack.delivered, this.cwnd, now)
    model.checkFilled(isLimited)
    this.#checkStartupDone(ack)
    if (
      this.state === BbrState.drain &&
      (ack.inFlight <= this.#inFlight(model.bandwidth, 1) || ((model.roundCount - this.#drainRound) | 0) > 3)
    ) {
      this.#startDown(now)
    }
    this.#advanceCycle(ack, isLimited, now)
    model.updateRoundTrip(ack.rtt, now)
    this.#checkProbeRtt(ack, now)
    model.finish(ack)
    if (model.isRoundStart) this.#lossEvents = 0
    this.#setPacingRate(PACING_GAIN[this.state])
    this.#setWindow(ack.delivered)
  }

  #isLimited(ack: Acknowledged): boolean {
    return ack.isApplicationLimited || ((ack.priorDelivered - this.#limitedUntil) | 0) < 0
  }

  get #isProbing(): boolean {
    return this.state === BbrState.startup || this.state === BbrState.refill || this.state === BbrState.up
  }

  get #inProbeBandwidth(): boolean {
    return this.state >= BbrState.down && this.state <= BbrState.up
  }

  get #leastWindow(): number {
    return MINIMUM_SEGMENTS * this.#mss
  }

  // --- §5.3.1, §5.3.2: Startup and Drain

  #checkStartupDone(ack: Acknowledged): void {
    if (this.state !== BbrState.startup) return
    if (this.#isLossHigh(ack)) {
      this.#undoState = BbrState.startup
      this.model.wasFilled = true
      this.model.inFlightLong = Math.max(this.#bdp(this.model.bandwidth), this.model.inFlightLatest)
    }
    if (!this.model.wasFilled) return
    this.state = BbrState.drain
    this.#drainRound = this.model.roundCount
  }

  /** §5.3.1.3, CheckStartupHighLoss. */
  #isLossHigh(ack: Acknowledged): boolean {
    const { model } = this
    return (
      this.#inRecovery &&
      model.isRoundStart &&
      ((model.roundCount - this.#recoveryRound) | 0) >= 1 &&
      this.#lossEvents >= STARTUP_LOSSES &&
      this.#isTooHigh(ack.lostSince, ack.transmitInFlight)
    )
  }

  // --- §5.3.3: ProbeBW

  /** §5.3.3.6, UpdateProbeBWCyclePhase. */
  #advanceCycle(ack: Acknowledged, isLimited: boolean, now: number): void {
    const { model } = this
    if (!model.wasFilled || this.#adaptLongTerm(ack, isLimited, now)) return
    switch (this.state) {
      case BbrState.down:
        if (this.#isTimeToProbe(now)) this.#startRefill()
        else if (this.#isTimeToCruise(ack.inFlight)) this.state = BbrState.cruise
        break
      case BbrState.cruise:
        if (this.#isTimeToProbe(now)) this.#startRefill()
        break
      case BbrState.refill:
        if (!model.isRoundStart) break
        this.#isProbeSample = true
        this.#startUp()
        break
      case BbrState.up:
        if (!this.#isTimeToGoDown(ack)) break
        this.#wasTooHigh = false
        this.#startDown(now)
    }
  }

  /** §5.3.3.6, AdaptLongTermModel: whether it decided on another state. */
  #adaptLongTerm(ack: Acknowledged, isLimited: boolean, now: number): boolean {
    const { model } = this
    if (this.#phase === Phase.starting && model.isRoundStart) this.#phase = Phase.feedback
    if (this.#phase === Phase.stopping && model.isRoundStart) {
      this.#isProbeSample = false
      this.#phase = Phase.none
      if (this.#inProbeBandwidth && !isLimited) model.advanceBandwidth()
      if (this.#inProbeBandwidth && this.#wasPrecautionary && !this.#wasTooHigh) {
        this.#startRefill()
        return true
      }
    }
    if (ack.rateDelivered < 0) return false
    if (this.#isTooHigh(ack.lostSince, ack.transmitInFlight)) {
      if (!this.#isProbeSample) return false
      this.#onTooHigh(ack.transmitInFlight, isLimited, now)
      return true
    }
    if (model.inFlightLong === UNBOUNDED) return false
    model.inFlightLong = Math.max(model.inFlightLong, ack.transmitInFlight)
    if (this.state === BbrState.up) this.#raiseLongTerm(ack)
    return false
  }

  #isTooHigh(lost: number, inFlight: number): boolean {
    return lost > inFlight * LOSS_THRESHOLD
  }

  /** §5.5.10.2, HandleInflightTooHigh. */
  #onTooHigh(inFlight: number, isLimited: boolean, now: number): void {
    this.#wasTooHigh = true
    this.#isProbeSample = false
    if (!isLimited) {
      this.model.inFlightLong = Math.max(inFlight, Math.floor(this.#targetInFlight() * BETA), this.#leastWindow)
    }
    if (this.state !== BbrState.up) return
    this.#undoState = BbrState.up
    this.#startDown(now)
  }

  /** ProbeInflightLongtermUpward. */
  #raiseLongTerm(ack: Acknowledged): void {
    const { model } = this
    if (!ack.isWindowLimited || this.cwnd < model.inFlightLong) return
    this.#upAcked += Math.min(ack.delivered, UNBOUNDED)
    if (this.#upAcked >= this.#upAckedPerStep) {
      const steps = Math.floor(this.#upAcked / this.#upAckedPerStep)
      this.#upAcked -= steps * this.#upAckedPerStep
      model.inFlightLong = Math.min(UNBOUNDED - 1, model.inFlightLong + steps * this.#mss)
    }
    if (model.isRoundStart) this.#raiseSlope()
  }

  #raiseSlope(): void {
    const growth = 2 ** this.#upRounds
    this.#upRounds = Math.min(this.#upRounds + 1, 30)
    this.#upAckedPerStep = Math.max(Math.floor(this.cwnd / growth), this.#mss)
  }

  #isTimeToProbe(now: number): boolean {
    const rounds = Math.min(Math.floor(this.#targetInFlight() / this.#mss), MOST_RENO_ROUNDS)
    return isPast(now, this.#cycleAt, this.#wait) || this.#roundsSinceUp >= rounds
  }

  #isTimeToCruise(inFlight: number): boolean {
    return inFlight <= this.#withHeadroom() && inFlight <= this.#inFlight(this.model.largestBandwidth, 1)
  }

  #isTimeToGoDown(ack: Acknowledged): boolean {
    const { model } = this
    if (this.#wasTooHigh && ack.inFlight >= model.inFlightLong) {
      this.#wasPrecautionary = true
      return true
    }
    if (ack.isWindowLimited && this.cwnd >= model.inFlightLong) model.resetFilled(model.rate)
    else if (model.isFilled) return true
    return false
  }

  #startDown(now: number): void {
    this.model.resetCongestionSignals()
    this.#upAckedPerStep = NEVER
    // §5.3.3.5.3, PickProbeWait: two to three seconds, and a round more or less.
    this.#roundsSinceUp = this.#draw() & 1
    this.#wait = PROBE_WAIT + ((this.#draw() >>> 8) % 1000)
    this.#cycleAt = now
    this.#phase = Phase.stopping
    this.model.startRound(this.#totalDelivered)
    this.state = BbrState.down
  }

  #startRefill(): void {
    this.model.resetShortTerm()
    this.#upRounds = 0
    this.#upAcked = 0
    this.#wasPrecautionary = false
    this.#phase = Phase.refilling
    this.model.startRound(this.#totalDelivered)
    this.state = BbrState.refill
  }

  #startUp(): void {
    this.#phase = Phase.starting
    this.model.startRound(this.#totalDelivered)
    this.model.resetFilled(this.model.rate)
    this.state = BbrState.up
    this.#raiseSlope()
  }

  /** The next number after the seed (xorshift). */
  #draw(): number {
    let x = this.#random
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#random = x
    return x
  }

  // --- §5.3.4: ProbeRTT

  #checkProbeRtt(ack: Acknowledged, now: number): void {
    const { model } = this
    if (this.state !== BbrState.probeRtt && model.isProbeRttDue && !this.#isIdleRestart) {
      this.#saveWindow()
      this.state = BbrState.probeRtt
      this.#probeRttDone = 0
      this.#phase = Phase.stopping
      model.startRound(this.#totalDelivered)
    }
    if (this.state === BbrState.probeRtt) this.#goOnProbingRtt(ack, now)
    if (ack.delivered > 0) this.#isIdleRestart = false
  }

  #goOnProbingRtt(ack: Acknowledged, now: number): void {
    const { model } = this
    // MarkConnectionAppLimited: what is in flight now will give samples that are too low.
    this.#limitedUntil = (this.#totalDelivered + ack.inFlight) | 0
    if (this.#probeRttDone === 0) {
      if (ack.inFlight > this.#probeRttWindow()) return
      this.#probeRttDone = (now + PROBE_RTT_DURATION) | 0 || 1
      this.#isProbeRttRoundDone = false
      model.startRound(this.#totalDelivered)
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
      this.#startDown(now)
      this.state = BbrState.cruise
    } else this.state = BbrState.startup
  }

  #probeRttWindow(): number {
    return Math.max(Math.floor(this.#bdp(this.model.bandwidth) * WINDOW_GAIN[BbrState.probeRtt]), this.#leastWindow)
  }

  // --- §5.4 and §5.5.10: what it is told besides

  onSent(_octets: number, inFlight: number, _isApplicationLimited: boolean, now: number): void {
    if (inFlight > 0 || !this.#hasDelivered) return
    // §5.4.1: a restart from idle is paced at the bandwidth itself.
    this.#isIdleRestart = true
    this.model.restartAggregation(now | 0)
    if (this.#inProbeBandwidth) this.#setPacingRate(1)
    else if (this.state === BbrState.probeRtt) this.#checkProbeRttDone(now | 0)
  }

  /** §5.5.10.2, HandleLostPacket. */
  onLost(octets: number, transmitInFlight: number, lostSince: number, isLimited: boolean, now: number): void {
    this.#noteLoss()
    this.#lossEvents++
    if (!this.#isProbeSample || !this.#isTooHigh(lostSince, transmitInFlight)) return
    // InflightAtLoss: by which prefix of the emission the losses crossed the threshold.
    const before = Math.max(0, transmitInFlight - octets)
    const lostBefore = Math.max(0, lostSince - octets)
    const prefix = (LOSS_THRESHOLD * before - lostBefore) / (1 - LOSS_THRESHOLD)
    this.#onTooHigh(Math.max(0, Math.floor(before + prefix)), isLimited, now | 0)
  }

  #noteLoss(): void {
    if (this.model.isLossInRound) return
    this.model.startLossRound(this.#totalDelivered)
    this.#saveState()
  }

  onRecovery(_inFlight: number, _now: number): void {
    this.#saveState()
    this.#inRecovery = true
    this.#recoveryRound = this.model.roundCount
    this.#noteLoss()
  }

  onRecovered(_now: number): void {
    this.#inRecovery = false
    this.#restoreWindow()
    this.#boundWindow()
  }

  onTimeout(_inFlight: number, _isRepeated: boolean, _now: number): void {
    this.#saveState()
    this.#inRecovery = true
    this.#recoveryRound = this.model.roundCount
    this.#noteLoss()
    // §5.6.4.4: one segment, and then as much more as is acknowledged.
    this.cwnd = this.#mss
  }

  /** Differs: a mark counts as a loss, since the draft has no answer to RFC 3168's one mark a window. */
  onMarked(_inFlight: number, _now: number): void {
    this.#noteLoss()
  }

  /** §5.5.11.2. */
  onUndone(_now: number): void {
    const { model } = this
    this.#inRecovery = false
    this.#restoreWindow()
    model.isLossInRound = false
    model.resetFilled(0)
    model.bandwidthShort = Math.max(model.bandwidthShort, this.#undoBandwidthShort)
    model.inFlightShort = Math.max(model.inFlightShort, this.#undoInFlightShort)
    model.inFlightLong = Math.max(model.inFlightLong, this.#undoInFlightLong)
    if (this.#undoState === BbrState.startup && this.state !== BbrState.startup) {
      model.wasFilled = false
      if (this.state !== BbrState.probeRtt) this.state = BbrState.startup
    } else if (this.#undoState === BbrState.up && this.state !== BbrState.up && this.state !== BbrState.probeRtt) {
      this.#startRefill()
    }
    this.#undoState = -1
  }

  /** §5.4: cwnd stays; `onSent` does the rest. */
  onRestart(_idle: number, _now: number): void {}

  onMss(mss: number): void {
    this.#mss = mss
    this.cwnd = Math.max(this.cwnd, mss)
  }

  #saveState(): void {
    this.#saveWindow()
    this.#undoState = -1
    this.#undoBandwidthShort = this.model.bandwidthShort
    this.#undoInFlightShort = this.model.inFlightShort
    this.#undoInFlightLong = this.model.inFlightLong
  }

  #saveWindow(): void {
    const isLastGood = !this.#inRecovery && this.state !== BbrState.probeRtt
    this.#priorCwnd = isLastGood ? this.cwnd : Math.max(this.#priorCwnd, this.cwnd)
  }

  #restoreWindow(): void {
    this.cwnd = Math.max(this.cwnd, this.#priorCwnd)
  }

  // --- §5.6: the answers

  #setPacingRate(gain: number): void {
    const rate = Math.min(UNPACED, Math.floor((this.model.bandwidth * gain * PACING_MARGIN * 1000) / SPAN))
    if (rate > 0 && (this.model.wasFilled || rate > this.pacingRate)) this.pacingRate = rate
  }

  /** §5.6.3: octets that leave together. */
  get quantum(): number {
    return Math.max(2 * this.#mss, Math.min(LARGEST_QUANTUM, Math.floor(this.pacingRate / 1000)))
  }

  #bdp(bandwidth: number): number {
    return this.model.hasRoundTrip ? volume(bandwidth, this.model.minimumRtt) : this.#initialWindow
  }

  /** QuantizationBudget. */
  #quantized(octets: number): number {
    const budget = Math.max(octets, 3 * this.quantum, this.#leastWindow)
    return this.state === BbrState.up ? budget + 2 * this.#mss : budget
  }

  #inFlight(bandwidth: number, gain: number): number {
    return this.#quantized(Math.floor(this.#bdp(bandwidth) * gain))
  }

  #targetInFlight(): number {
    return Math.min(this.#bdp(this.model.bandwidth), this.cwnd)
  }

  #withHeadroom(): number {
    const { inFlightLong } = this.model
    if (inFlightLong === UNBOUNDED) return UNBOUNDED
    return Math.max(inFlightLong - Math.max(this.#mss, Math.floor(HEADROOM * inFlightLong)), this.#leastWindow)
  }

  /** §5.6.4.6, SetCwnd. */
  #setWindow(delivered: number): void {
    const { model } = this
    const most = this.#quantized(Math.floor(this.#bdp(model.bandwidth) * WINDOW_GAIN[this.state]) + model.extraAcked)
    const grown = Math.min(this.cwnd + delivered, UNBOUNDED)
    if (model.wasFilled) this.cwnd = Math.min(grown, most)
    else if (this.cwnd < most || (this.#totalDelivered >>> 0) < this.#initialWindow) this.cwnd = grown
    this.cwnd = Math.max(this.cwnd, this.#leastWindow)
    if (this.state === BbrState.probeRtt) this.cwnd = Math.min(this.cwnd, this.#probeRttWindow())
    this.#boundWindow()
  }

  /** §5.6.4.7, BoundCwndForModel. */
  #boundWindow(): void {
    const { model } = this
    let cap = UNBOUNDED
    if (this.state === BbrState.probeRtt || this.state === BbrState.cruise) cap = this.#withHeadroom()
    else if (this.#inProbeBandwidth) cap = model.inFlightLong
    this.cwnd = Math.min(this.cwnd, Math.max(Math.min(cap, model.inFlightShort), this.#leastWindow))
  }
}

export function bbr(settings: CongestionSettings): Bbr {
  return new Bbr(settings)
}
