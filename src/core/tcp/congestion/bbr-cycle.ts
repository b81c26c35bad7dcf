// BBR's probing cycle (draft-ietf-ccwg-bbr §5.3.3, ProbeBW): down, cruise, refill, up. When the next probe for bandwidth comes,
// when it has gone far enough or too far, and what it teaches about how much may be in flight for long.
// Holds the state of the whole machine. Only `bbr` uses it.
import { type BbrModel, BETA, isPast, isTooHigh, LOSS_THRESHOLD, UNBOUNDED } from './bbr-model.ts'
import type { Acknowledged, CongestionSettings } from './congestion.ts'

/** §5.1. */
export const BbrState = { startup: 0, drain: 1, down: 2, cruise: 3, refill: 4, up: 5, probeRtt: 6 } as const
export type BbrStateNumber = (typeof BbrState)[keyof typeof BbrState]

/** §2.11, BBR.ack_phase: what the ACKs that come in tell of. */
const Phase = { none: 0, refilling: 1, starting: 2, feedback: 3, stopping: 4 } as const
type PhaseNumber = (typeof Phase)[keyof typeof Phase]

/** §5.3.3.5.3, in milliseconds and rounds. */
const WAIT = 2000
const WAIT_SPREAD = 1000
const MOST_RENO_ROUNDS = 63
const NEVER = 0x7fffffff

/** What became of `onTooHigh` and `advance`. */
export const NO_STATE = -1

export class BbrCycle {
  state: BbrStateNumber = BbrState.startup
  readonly #model: BbrModel
  #random: number
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
  /** The state that losses have ended, to which an undoing goes back; NO_STATE for none. */
  undoState: BbrStateNumber | typeof NO_STATE = NO_STATE

  constructor(model: BbrModel, settings: CongestionSettings) {
    this.#model = model
    this.#random = settings.seed | 1
    this.#cycleAt = settings.now | 0
  }

  get isProbing(): boolean {
    return this.state === BbrState.startup || this.state === BbrState.refill || this.state === BbrState.up
  }

  /** In one of the cycle's four states. */
  get isCycling(): boolean {
    return this.state >= BbrState.down && this.state <= BbrState.up
  }

  /** §5.3.3.6, UpdateProbeBWCyclePhase: an ACK. */
  advance(ack: Acknowledged, isLimited: boolean, cwnd: number, pacingRate: number): void {
    const model = this.#model
    const now = ack.now | 0
    if (model.isRoundStart) this.#roundsSinceUp++
    if (!model.wasFilled || this.#adaptLongTerm(ack, isLimited, cwnd)) return
    switch (this.state) {
      case BbrState.down:
        if (this.#isTimeToProbe(cwnd, now)) this.startRefill(ack.totalDelivered)
        else if (this.#isDrained(ack.inFlight, pacingRate)) this.state = BbrState.cruise
        break
      case BbrState.cruise:
        if (this.#isTimeToProbe(cwnd, now)) this.startRefill(ack.totalDelivered)
        break
      case BbrState.refill:
        if (!model.isRoundStart) break
        this.#isProbeSample = true
        this.#startUp(ack.totalDelivered, cwnd)
        break
      case BbrState.up:
        if (!this.#isTimeToGoDown(ack, cwnd)) break
        this.#wasTooHigh = false
        this.startDown(ack.totalDelivered, now)
    }
  }

  /** AdaptLongTermModel: whether it decided on another state. */
  #adaptLongTerm(ack: Acknowledged, isLimited: boolean, cwnd: number): boolean {
    const model = this.#model
    if (this.#phase === Phase.starting && model.isRoundStart) this.#phase = Phase.feedback
    if (this.#phase === Phase.stopping && model.isRoundStart) {
      this.#isProbeSample = false
      this.#phase = Phase.none
      if (this.isCycling && !isLimited) model.advanceBandwidth()
      // §5.3.3.4.2: the careful probe lost nothing, so a bold one follows.
      if (this.isCycling && this.#wasPrecautionary && !this.#wasTooHigh) {
        this.startRefill(ack.totalDelivered)
        return true
      }
    }
    if (ack.rateDelivered < 0 || isTooHigh(ack.lostSince, ack.transmitInFlight)) return false
    if (model.inFlightLong === UNBOUNDED) return false
    model.inFlightLong = Math.max(model.inFlightLong, ack.transmitInFlight)
    if (this.state === BbrState.up) this.#raise(ack, cwnd)
    return false
  }

  /** §5.5.10.2, HandleLostPacket: one transmission of `octets` is lost. */
  onLost(
    octets: number,
    transmitInFlight: number,
    lostSince: number,
    isLimited: boolean,
    cwnd: number,
    totalDelivered: number,
    now: number,
  ): void {
    if (!this.#isProbeSample || !isTooHigh(lostSince, transmitInFlight)) return
    // InflightAtLoss: by which prefix of the emission the losses crossed the threshold.
    const before = Math.max(0, transmitInFlight - octets)
    const lostBefore = Math.max(0, lostSince - octets)
    const prefix = (LOSS_THRESHOLD * before - lostBefore) / (1 - LOSS_THRESHOLD)
    this.#goBack(Math.max(0, Math.floor(before + prefix)), isLimited, cwnd, totalDelivered, now)
  }

  /** HandleInflightTooHigh. */
  #goBack(inFlight: number, isLimited: boolean, cwnd: number, totalDelivered: number, now: number): void {
    const model = this.#model
    this.#wasTooHigh = true
    this.#isProbeSample = false
    if (!isLimited) model.inFlightLong = Math.max(inFlight, Math.floor(this.#target(cwnd) * BETA), model.leastWindow)
    if (this.state !== BbrState.up) return
    this.undoState = BbrState.up
    this.startDown(totalDelivered, now)
  }

  /** ProbeInflightLongtermUpward. */
  #raise(ack: Acknowledged, cwnd: number): void {
    const model = this.#model
    if (!ack.isWindowLimited || cwnd < model.inFlightLong) return
    this.#upAcked += Math.min(ack.delivered, UNBOUNDED)
    if (this.#upAcked >= this.#upAckedPerStep) {
      const steps = Math.floor(this.#upAcked / this.#upAckedPerStep)
      this.#upAcked -= steps * this.#upAckedPerStep
      model.inFlightLong = Math.min(UNBOUNDED - 1, model.inFlightLong + steps * model.mss)
    }
    if (model.isRoundStart) this.#raiseSlope(cwnd)
  }

  #raiseSlope(cwnd: number): void {
    const growth = 2 ** this.#upRounds
    this.#upRounds = Math.min(this.#upRounds + 1, 30)
    this.#upAckedPerStep = Math.max(Math.floor(cwnd / growth), this.#model.mss)
  }

  /** IsTimeToProbeBW: as often as Reno would come back to its window, but for large windows. */
  #isTimeToProbe(cwnd: number, now: number): boolean {
    if (isPast(now, this.#cycleAt, this.#wait) || this.#roundsSinceUp >= MOST_RENO_ROUNDS) return true
    return this.#roundsSinceUp >= Math.floor(this.#target(cwnd) / this.#model.mss)
  }

  /** §5.3.1.3, TargetInflight: what we want in flight. */
  #target(cwnd: number): number {
    return Math.min(this.#model.bdp(this.#model.bandwidth), cwnd)
  }

  /** IsTimeToCruise: no queue is left, and there is room for others. */
  #isDrained(inFlight: number, pacingRate: number): boolean {
    const model = this.#model
    return inFlight <= model.withHeadroom && inFlight <= model.quantized(model.bdp(model.largestBandwidth), pacingRate)
  }

  #isTimeToGoDown(ack: Acknowledged, cwnd: number): boolean {
    const model = this.#model
    if (this.#wasTooHigh && ack.inFlight >= model.inFlightLong) {
      this.#wasPrecautionary = true
      return true
    }
    if (ack.isWindowLimited && cwnd >= model.inFlightLong) model.resetFilled(model.rate)
    else if (model.isFilled) return true
    return false
  }

  startDown(totalDelivered: number, now: number): void {
    this.#model.resetCongestionSignals()
    this.#upAckedPerStep = NEVER
    // PickProbeWait: two to three seconds, and a round more or less.
    this.#roundsSinceUp = this.#draw() & 1
    this.#wait = WAIT + ((this.#draw() >>> 8) % WAIT_SPREAD)
    this.#cycleAt = now
    this.stopProbing(totalDelivered)
    this.state = BbrState.down
  }

  /** What is in flight will still tell of the probe, for a round. */
  stopProbing(totalDelivered: number): void {
    this.#phase = Phase.stopping
    this.#model.startRound(totalDelivered)
  }

  startRefill(totalDelivered: number): void {
    this.#model.resetShortTerm()
    this.#upRounds = 0
    this.#upAcked = 0
    this.#wasPrecautionary = false
    this.#phase = Phase.refilling
    this.#model.startRound(totalDelivered)
    this.state = BbrState.refill
  }

  #startUp(totalDelivered: number, cwnd: number): void {
    this.#phase = Phase.starting
    this.#model.startRound(totalDelivered)
    this.#model.resetFilled(this.#model.rate)
    this.state = BbrState.up
    this.#raiseSlope(cwnd)
  }

  /** The next number after the seed (Marsaglia's xorshift). */
  #draw(): number {
    let number = this.#random
    number ^= number << 13
    number ^= number >>> 17
    number ^= number << 5
    this.#random = number
    return number
  }
}
