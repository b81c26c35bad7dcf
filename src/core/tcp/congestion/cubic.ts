// CUBIC (RFC 9438) with HyStart++ (RFC 9406): the window is a cubic function of the time since it was last reduced, flat where it was then.
// Instants are int32 milliseconds modulo 2^32, durations int32 milliseconds, windows octets: no double is kept.
// What slow start, idle times and undoing have in common with NewReno comes from there.
import { type Acknowledged, type CongestionSettings, LARGEST_WINDOW, NO_THRESHOLD } from './congestion.ts'
import { Growth, HyStart } from './hystart.ts'
import { Reno } from './reno.ts'

/** §4.6: β; RFC 8511 §3.1 has a gentler one for marks. */
const BETA_LOST = 0.7
const BETA_MARKED = 0.85
/** §5.1: C, in segments a second cubed. */
const AGGRESSION = 0.4
/** §4.3: α = 3 (1 - β) / (1 + β) = 9/17. */
const FRIENDLY_NUMERATOR = 9
const FRIENDLY_DENOMINATOR = 17
/** §4.2. */
const MOST_GROWTH = 1.5

/** What the undoing of a reduction brings back. */
interface Prior {
  readonly maximum: number
  readonly before: number
  readonly epoch: number
  readonly plateauAfter: number
  readonly plateau: number
  readonly friendly: number
}

export class Cubic extends Reno {
  /** For the first slow start; then it is let go. */
  #hystart: HyStart | null = null
  /** W_max: the window at the last reduction; 0 where there is none to come back to. */
  #maximum = 0
  /** cwnd_prior: from W_est there on, it grows as Reno's. */
  #before = 0
  /** An epoch of congestion avoidance: when it began, K, the window on its plateau, and W_est with what counts for its growth. */
  #inEpoch = false
  #epoch = 0
  #plateauAfter = 0
  #plateau = 0
  #friendly = 0
  #friendlyCounted = 0
  /** When the last ACK came: time without need of the window is taken out of the epoch. */
  #heard: number
  /** As of the last reduction; null before the first, so that an idle connection is small. */
  #prior: Prior | null = null

  constructor(settings: CongestionSettings) {
    super(settings)
    this.#heard = settings.now | 0
  }

  override get name(): string {
    return 'cubic'
  }

  protected override get betaLost(): number {
    return BETA_LOST
  }

  protected override get betaMarked(): number {
    return BETA_MARKED
  }

  override onAcknowledged(ack: Acknowledged): void {
    const now = ack.now | 0
    // §5.8: while the application, and not cwnd, is the limit, the epoch stands still.
    if (!ack.isWindowLimited) this.#epoch = (this.#epoch + now - this.#heard) | 0
    this.#heard = now
    super.onAcknowledged(ack)
  }

  override onSent(_octets: number, inFlight: number, _isApplicationLimited: boolean, now: number): void {
    if (inFlight > 0) return
    this.#epoch = (this.#epoch + (now | 0) - this.#heard) | 0
    this.#heard = now | 0
  }

  protected override slowStart(ack: Acknowledged): number {
    // RFC 9406 §4.3: for the first slow start only, also where what ended it is undone.
    if (this.ssthresh !== NO_THRESHOLD) return this.grow(ack.acked)
    this.#hystart ??= new HyStart()
    const growth = this.#hystart.onAcknowledged(ack)
    if (growth === Growth.full) return this.grow(ack.acked)
    if (growth === Growth.conservative) return this.grow(HyStart.share(ack.acked))
    this.ssthresh = this.cwnd
    this.#hystart = null
    return ack.acked
  }

  protected override avoid(octets: number, ack: Acknowledged): void {
    const now = ack.now | 0
    let elapsed = (now - this.#epoch) | 0
    if (!this.#inEpoch || elapsed < 0) {
      this.#begin(now)
      elapsed = 0
    }
    const acked = Math.min(octets, this.cwnd)
    this.#growFriendly(acked)
    if (this.#window(elapsed) < this.#friendly) {
      // §4.3: never slower than Reno.
      this.cwnd = Math.min(Math.max(this.cwnd, this.#friendly), LARGEST_WINDOW)
      return
    }
    // §4.4, §4.5: what the function says for a round trip from now, over the octets of one.
    const target = Math.min(this.#window(elapsed + ack.srtt / 1000), this.cwnd * MOST_GROWTH, LARGEST_WINDOW)
    const missing = Math.floor(target - this.cwnd)
    if (missing <= 0) return
    this.counted = Math.min(this.counted + acked, this.cwnd)
    const grown = Math.floor((missing * this.counted) / this.cwnd)
    if (grown === 0) return
    this.cwnd += grown
    this.counted = 0
  }

  /** §4.2: the first ACK of congestion avoidance; §4.8: without a reduction before it, the plateau is here. */
  #begin(now: number): void {
    this.#inEpoch = true
    this.#epoch = now
    this.#friendly = this.cwnd
    this.#friendlyCounted = 0
    this.counted = 0
    if (this.#maximum > this.cwnd) {
      const segments = (this.#maximum - this.cwnd) / this.mss
      this.#plateau = this.#maximum
      this.#plateauAfter = Math.round(Math.cbrt(segments / AGGRESSION) * 1000)
    } else {
      this.#plateau = this.cwnd
      this.#plateauAfter = 0
    }
  }

  /** §4.2: W_cubic, `elapsed` milliseconds after the epoch began. */
  #window(elapsed: number): number {
    const seconds = (elapsed - this.#plateauAfter) / 1000
    return this.#plateau + AGGRESSION * seconds * seconds * seconds * this.mss
  }

  /** §4.3: W_est, by whole segments. */
  #growFriendly(acked: number): void {
    this.#friendlyCounted += acked
    const isAsReno = this.#friendly >= this.#before
    const needed = isAsReno ? this.cwnd : Math.ceil((this.cwnd * FRIENDLY_DENOMINATOR) / FRIENDLY_NUMERATOR)
    if (this.#friendlyCounted < needed) return
    this.#friendlyCounted -= needed
    this.#friendly = Math.min(this.#friendly + this.mss, LARGEST_WINDOW)
  }

  override onTimeout(inFlight: number, isRepeated: boolean, now: number): void {
    super.onTimeout(inFlight, isRepeated, now)
    // §4.8: the first congestion avoidance after it has its plateau where it begins.
    this.#maximum = 0
    this.#inEpoch = false
  }

  protected override reduce(inFlight: number, beta: number, now: number): number {
    this.#prior = {
      maximum: this.#maximum,
      before: this.#before,
      epoch: this.#inEpoch ? this.#epoch : now | 0,
      plateauAfter: this.#plateauAfter,
      plateau: this.#plateau,
      friendly: this.#friendly,
    }
    // §4.7, fast convergence: the path has less room than last time, and somebody else wants some of it. By the β of this reduction:
    // that of losses would put the plateau of a gentler one where it begins.
    const gives = this.cwnd < this.#maximum
    this.#maximum = gives ? Math.floor((this.cwnd * (1 + beta)) / 2) : this.cwnd
    this.#before = this.cwnd
    this.#inEpoch = false
    this.#hystart = null
    return super.reduce(inFlight, beta, now)
  }

  /** §4.9. */
  override onUndone(now: number): void {
    if (this.priorCwnd === 0) return
    super.onUndone(now)
    const prior = this.#prior
    if (prior === null) return
    this.#maximum = prior.maximum
    this.#before = prior.before
    this.#epoch = prior.epoch
    this.#plateauAfter = prior.plateauAfter
    this.#plateau = prior.plateau
    this.#friendly = prior.friendly
    this.#inEpoch = this.#plateau > 0
  }

  protected override onShrunk(): void {
    this.#inEpoch = false
  }
}

export function cubic(settings: CongestionSettings): Cubic {
  return new Cubic(settings)
}
