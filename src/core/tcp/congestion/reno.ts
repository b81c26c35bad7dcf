// NewReno (RFC 5681, RFC 6582; RFC 8511 for marks): slow start and congestion avoidance in octets. Recovery itself is the sender's:
// this says to what it shrinks. Also the ground on which other controllers stand, a user's own included.
// Differs: slow start grows by every octet newly acknowledged, not by one MSS an ACK (RFC 5681 §3.1), since receivers
// acknowledge whole batches at once; dividing ACKs gains nobody anything where octets count. As Linux does.
import {
  type Acknowledged,
  type Congestion,
  type CongestionSettings,
  LARGEST_WINDOW,
  NO_THRESHOLD,
  UNPACED,
} from './congestion.ts'

/** RFC 8511 §3.1: a mark comes from a short queue, and is answered less hard than a loss. */
const BETA_MARKED = 0.8

export class Reno implements Congestion {
  readonly name: string = 'reno'
  cwnd: number
  ssthresh = NO_THRESHOLD
  pacingRate = UNPACED
  readonly steersRecovery: boolean = false
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
    // RFC 7661 §4.3, RFC 9293 §3.8.2: a window that isn't used says nothing about the path.
    if (ack.inRecovery || !ack.isWindowLimited || ack.acked === 0) return
    const rest = this.inSlowStart ? this.slowStart(ack.acked) : ack.acked
    if (rest > 0) this.avoid(rest)
  }

  /** RFC 5681 §3.1. Octets that are left when ssthresh is reached count for congestion avoidance. */
  protected slowStart(acked: number): number {
    const grown = Math.min(this.cwnd + acked, this.ssthresh, LARGEST_WINDOW)
    const rest = acked - (grown - this.cwnd)
    this.cwnd = grown
    return rest
  }

  /** RFC 5681 §3.1: one MSS for each window of octets acknowledged. */
  protected avoid(acked: number): void {
    this.counted += acked
    while (this.counted >= this.cwnd) {
      this.counted -= this.cwnd
      this.cwnd = Math.min(this.cwnd + this.mss, LARGEST_WINDOW)
    }
  }

  onSent(_octets: number, _inFlight: number, _isApplicationLimited: boolean, _now: number): void {}

  onLost(
    _octets: number,
    _transmitInFlight: number,
    _lostSince: number,
    _isApplicationLimited: boolean,
    _now: number,
  ): void {}

  onRecovery(inFlight: number, _now: number): void {
    this.remember()
    this.ssthresh = this.reduced(inFlight, 0.5)
    this.cwnd = this.ssthresh
    this.counted = 0
  }

  onRecovered(_now: number): void {
    // RFC 6582 §3.2 step 3: the window is deflated to ssthresh.
    this.cwnd = Math.min(this.cwnd, this.ssthresh)
  }

  onTimeout(inFlight: number, isRepeated: boolean, _now: number): void {
    if (!isRepeated) {
      this.remember()
      this.ssthresh = this.reduced(inFlight, 0.5)
    }
    // RFC 5681 §3.1: the loss window is one segment.
    this.cwnd = this.mss
    this.counted = 0
  }

  onMarked(inFlight: number, _now: number): void {
    this.remember()
    this.ssthresh = this.reduced(inFlight, BETA_MARKED)
    this.cwnd = this.ssthresh
    this.counted = 0
  }

  onUndone(_now: number): void {
    if (this.priorCwnd === 0) return
    this.cwnd = Math.max(this.cwnd, this.priorCwnd)
    this.ssthresh = Math.max(this.ssthresh, this.priorSsthresh)
    this.priorCwnd = 0
  }

  onRestart(_idle: number, _now: number): void {
    // RFC 5681 §4.1: RW = min(IW, cwnd).
    this.cwnd = Math.min(this.cwnd, this.initialWindow)
    this.counted = 0
  }

  onMss(mss: number): void {
    this.mss = mss
    this.cwnd = Math.max(this.cwnd, mss)
  }

  protected remember(): void {
    this.priorCwnd = this.cwnd
    this.priorSsthresh = this.ssthresh
  }

  /** RFC 5681 §3.1 equation 4: from what is in flight, not from a cwnd that may not be used. */
  protected reduced(inFlight: number, beta: number): number {
    return Math.max(Math.floor(Math.min(inFlight, this.cwnd) * beta), 2 * this.mss)
  }
}

export function reno(settings: CongestionSettings): Reno {
  return new Reno(settings)
}
