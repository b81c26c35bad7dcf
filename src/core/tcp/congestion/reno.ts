// NewReno (RFC 5681, RFC 6582; RFC 8511 for marks): slow start and congestion avoidance in octets. Recovery itself is the sender's:
// this says to what it shrinks. Also the ground on which other controllers stand, a user's own included.
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
import { SLOW_START_GAIN, windowRate } from './pacing.ts'

/** RFC 5681 §3.1, RFC 8511 §3.1: a mark comes from a short queue, and is answered less hard than a loss. */
const BETA_LOST = 0.5
const BETA_MARKED = 0.8

export class Reno implements Congestion {
  readonly name: string = 'reno'
  readonly steersRecovery: boolean = false
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

  constructor(settings: CongestionSettings) {
    this.mss = settings.mss
    this.initialWindow = settings.initialWindow
    this.cwnd = settings.initialWindow
  }

  get inSlowStart(): boolean {
    return this.cwnd < this.ssthresh
  }

  onAcknowledged(ack: Acknowledged): void {
    if (ack.inRecovery || ack.acked <= 0) return
    // RFC 9293 §3.8.2 and RFC 7661 §4.3: a window that isn't used says nothing about the path.
    if (ack.isWindowLimited) {
      const rest = this.inSlowStart ? this.slowStart(ack) : ack.acked
      if (rest > 0) this.avoid(rest, ack)
    }
    // Whether used or not: a rate from a first round trip that was slow would itself keep the window from being used.
    this.pacingRate = this.inSlowStart ? windowRate(this.cwnd, ack.srtt, SLOW_START_GAIN) : UNPACED
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
    _octets: number,
    _transmitInFlight: number,
    _lostSince: number,
    _isApplicationLimited: boolean,
    _now: number,
  ): void {}

  onRecovery(inFlight: number, now: number): void {
    this.reduce(inFlight, BETA_LOST, now)
    this.cwnd = this.ssthresh
  }

  onRecovered(_now: number): void {
    // RFC 6582 §3.2 step 3: the window is deflated to ssthresh.
    this.cwnd = Math.max(this.mss, Math.min(this.cwnd, this.ssthresh))
  }

  onTimeout(inFlight: number, isRepeated: boolean, now: number): void {
    // RFC 5681 §3.1: ssthresh is reduced once for the same octets; the loss window is one segment.
    if (!isRepeated) this.reduce(inFlight, BETA_LOST, now)
    this.cwnd = this.mss
    this.counted = 0
    this.pacingRate = UNPACED
  }

  onMarked(inFlight: number, now: number): void {
    this.reduce(inFlight, BETA_MARKED, now)
    this.cwnd = this.ssthresh
  }

  onUndone(_now: number): void {
    if (this.priorCwnd === 0) return
    this.cwnd = Math.max(this.cwnd, this.priorCwnd)
    this.ssthresh = Math.max(this.ssthresh, this.priorSsthresh)
    this.priorCwnd = 0
  }

  onRestart(_idle: number, _now: number): void {
    // RFC 5681 §4.1: RW = min(IW, cwnd); RFC 7661 §4.4.3: ssthresh remembers what the path has borne, so that slow start leads back there.
    this.ssthresh = Math.max(this.ssthresh, Math.floor((this.cwnd * 3) / 4))
    this.cwnd = Math.min(this.cwnd, this.initialWindow)
    this.counted = 0
  }

  onMss(mss: number): void {
    this.mss = mss
    this.cwnd = Math.max(this.cwnd, mss)
    this.ssthresh = Math.max(this.ssthresh, 2 * mss)
  }

  /** RFC 5681 §3.1 equation 4: ssthresh from what is in flight, not from a cwnd that may not be used. */
  protected reduce(inFlight: number, beta: number, _now: number): void {
    this.priorCwnd = this.cwnd
    this.priorSsthresh = this.ssthresh
    this.ssthresh = Math.max(Math.round(Math.min(inFlight, this.cwnd) * beta), 2 * this.mss)
    this.counted = 0
    this.pacingRate = UNPACED
  }
}

export function reno(settings: CongestionSettings): Reno {
  return new Reno(settings)
}
