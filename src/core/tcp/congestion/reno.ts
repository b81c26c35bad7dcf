// NewReno (RFC 5681, RFC 6582; RFC 7661 for windows that are not used, RFC 8511 for marks): slow start and congestion avoidance in octets.
// Recovery itself is the sender's: this says to what it shrinks. Also the ground on which other controllers stand, a user's own included.
// Differs: slow start grows by every octet newly acknowledged, not by one MSS an ACK (RFC 5681 §3.1), since receivers
// acknowledge whole batches at once; dividing ACKs gains nobody anything where octets count; the growth is paced. As Linux does.
import {
  type Acknowledged,
  type Congestion,
  type CongestionSettings,
  LARGEST_WINDOW,
  NO_THRESHOLD,
  UNPACED,
} from './congestion.ts'
import { avoidanceRate, SLOW_START_GAIN, UNUSED_GAIN, windowRate } from './pacing.ts'
import { Validation } from './validation.ts'

export class Reno implements Congestion {
  cwnd: number
  ssthresh = NO_THRESHOLD
  pacingRate = UNPACED
  protected mss: number
  protected readonly initialWindow: number
  /** Octets acknowledged in congestion avoidance since cwnd last grew: RFC 5681 §3.1. */
  protected counted = 0
  /** cwnd and ssthresh before the last reduction, for its undoing; 0 where there is nothing to undo. */
  protected priorCwnd = 0
  protected priorSsthresh = NO_THRESHOLD
  /** Made when there is an ACK that did not need the window, and that is more than anybody may begin with again (RFC 5681 §4.1). */
  #validation: Validation | null = null
  #srtt = 0

  constructor(settings: CongestionSettings) {
    this.mss = settings.mss
    this.initialWindow = settings.initialWindow
    this.cwnd = settings.initialWindow
  }

  /** Not a field, which every connection would have. */
  get name(): string {
    return 'reno'
  }

  get steersRecovery(): boolean {
    return false
  }

  /** What is left of the window after a loss: RFC 5681 §3.1. */
  protected get betaLost(): number {
    return 0.5
  }

  /** And after a mark, which comes from a short queue, and is answered less hard: RFC 8511 §3.1. */
  protected get betaMarked(): number {
    return 0.8
  }

  get inSlowStart(): boolean {
    return this.cwnd < this.ssthresh
  }

  onAcknowledged(ack: Acknowledged): void {
    if (ack.inRecovery || ack.acked <= 0) return
    this.#srtt = ack.srtt
    // RFC 9293 §3.8.2 and RFC 7661 §4.4: a window that isn't used says nothing about the path.
    if (ack.isWindowLimited) {
      const rest = this.inSlowStart ? this.slowStart(ack) : ack.acked
      if (rest > 0) this.avoid(rest, ack)
    } else if (this.cwnd > this.initialWindow) this.#validation ??= new Validation()
    this.#validation?.onAcknowledged(ack, this.cwnd)
    this.#shrinkUnused(ack.now | 0)
    this.pace()
  }

  /** Whether used or not: a rate from a first round trip that was slow would itself keep the window from being used. */
  protected pace(): void {
    if (this.inSlowStart) this.pacingRate = windowRate(this.cwnd, this.#srtt, SLOW_START_GAIN)
    // RFC 7661 §4.4.2: no bursts from a window that was not used lately.
    else if (this.isUnused) this.pacingRate = windowRate(this.cwnd, this.#srtt, UNUSED_GAIN)
    else this.pacingRate = avoidanceRate(this.cwnd, this.#srtt)
  }

  /** RFC 7661 §4.3: less than half of the window has been used lately. */
  get isUnused(): boolean {
    return this.#validation?.isUnused === true
  }

  /** RFC 7661 §4.4.3: a window is not kept for ever; but ssthresh remembers what the path has borne. Says whether it shrank. */
  #shrinkUnused(now: number): boolean {
    const periods = this.#validation?.periods(now) ?? 0
    const before = this.cwnd
    for (let period = 0; period < periods; period++) {
      this.ssthresh = Math.max(this.ssthresh, Math.floor((this.cwnd * 3) / 4))
      this.cwnd = Math.min(this.cwnd, Math.max(this.cwnd >> 1, this.initialWindow))
    }
    if (periods > 0) this.counted = 0
    return this.cwnd < before
  }

  /** RFC 5681 §3.1. Returns the octets that are left when ssthresh is reached: they count for congestion avoidance. */
  protected slowStart(ack: Acknowledged): number {
    return this.grow(ack.acked)
  }

  /** Raises cwnd up to ssthresh; returns what is left of `octets`. */
  protected grow(octets: number): number {
    const grown = Math.min(this.cwnd + octets, this.ssthresh, LARGEST_WINDOW)
    const rest = octets - (grown - this.cwnd)
    this.cwnd = grown
    return rest
  }

  /** RFC 5681 §3.1 (MUST-19): one MSS for each window of octets acknowledged. */
  protected avoid(octets: number, _ack: Acknowledged): void {
    this.counted += Math.min(octets, this.cwnd)
    if (this.counted < this.cwnd) return
    this.counted -= this.cwnd
    this.cwnd = Math.min(this.cwnd + this.mss, LARGEST_WINDOW)
  }

  onSent(_octets: number, _inFlight: number, _isApplicationLimited: boolean, _now: number): void {}

  onLost(
    octets: number,
    _transmitInFlight: number,
    _lostSince: number,
    _isApplicationLimited: boolean,
    _now: number,
  ): void {
    this.#validation?.onLost(octets)
  }

  onRecovery(inFlight: number, now: number): void {
    this.reduce(inFlight, this.betaLost, now)
    this.cwnd = this.ssthresh
  }

  onRecovered(_now: number): void {
    const borne = this.#validation?.borne ?? -1
    if (borne >= 0) {
      // RFC 7661 §4.4.1: the path has borne less by what was lost.
      this.cwnd = Math.max(this.mss, Math.min(this.cwnd, Math.round(borne * this.betaLost)))
      this.ssthresh = Math.max(this.cwnd, 2 * this.mss)
    }
    // RFC 6582 §3.2 step 3: the window is deflated to ssthresh.
    this.cwnd = Math.max(this.mss, Math.min(this.cwnd, this.ssthresh))
    this.#validation?.clear()
  }

  onTimeout(inFlight: number, isRepeated: boolean, now: number): void {
    // RFC 5681 §3.1: ssthresh is reduced once for the same octets; the loss window is one segment.
    // RFC 7661 §4.4: the non-validated phase is over, and this is as after any other timeout.
    this.#validation?.clear()
    if (!isRepeated) this.reduce(inFlight, this.betaLost, now)
    this.cwnd = this.mss
    this.counted = 0
    this.pacingRate = UNPACED
  }

  onMarked(inFlight: number, now: number): void {
    // RFC 3168 §6.1.2, RFC 9438 §4.6: marks that do not end bring the window down to one segment, below ssthresh's least.
    const reduced = this.reduce(inFlight, this.betaMarked, now)
    this.cwnd = Math.max(this.mss, Math.min(reduced, this.ssthresh))
    this.#validation?.clear()
  }

  onUndone(_now: number): void {
    if (this.priorCwnd === 0) return
    this.cwnd = Math.max(this.cwnd, this.priorCwnd)
    this.ssthresh = Math.max(this.ssthresh, this.priorSsthresh)
    this.priorCwnd = 0
    this.#validation?.clear()
  }

  /**
   * RFC 7661 §4.3 in place of RFC 5681 §4.1: after silence the window is not given up at once, but kept, paced when it is used again,
   * and halved for each five minutes.
   */
  onRestart(idle: number, now: number): void {
    if (this.cwnd > this.initialWindow) this.#validation ??= new Validation()
    this.#validation?.onSilence(Math.round(idle / 1000), now | 0)
    if (this.#shrinkUnused(now | 0)) this.onShrunk()
    this.pace()
  }

  /** Silence has made the window smaller: slow start leads back. */
  protected onShrunk(): void {}

  onMss(mss: number): void {
    this.mss = mss
    this.cwnd = Math.max(this.cwnd, mss)
    this.ssthresh = Math.max(this.ssthresh, 2 * mss)
  }

  /**
   * RFC 5681 §3.1 equation 4: ssthresh from what is in flight, not from a cwnd that may not be used; RFC 7661 §4.4.1: or from what
   * was used lately, if that was more. Returns the same without ssthresh's least of two segments.
   */
  protected reduce(inFlight: number, beta: number, now: number): number {
    this.priorCwnd = this.cwnd
    this.priorSsthresh = this.ssthresh
    const used = this.#validation?.onReduced(inFlight, now | 0) ?? inFlight
    const reduced = Math.round(Math.min(used, this.cwnd) * beta)
    this.ssthresh = Math.max(reduced, 2 * this.mss)
    this.counted = 0
    this.pacingRate = UNPACED
    return reduced
  }
}

export function reno(settings: CongestionSettings): Reno {
  return new Reno(settings)
}
