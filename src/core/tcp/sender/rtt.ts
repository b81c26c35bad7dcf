// The round trip and the retransmission timeout (RFC 6298), and the least round trip of some minutes (for RACK and BBR).
// Durations are int32 microseconds. Told by arriving/acknowledge, asked by whoever arms a timer. Parts know no clock: `now` comes in.
import { atMost } from '../sequence.ts'

export interface RttLimits {
  /** Milliseconds, as in the settings. */
  readonly initialRto: number
  readonly minimumRto: number
  readonly maximumRto: number
}

/** What is measured lies within these: `#srtt8` holds eight times as much. */
const LONGEST_SAMPLE = 120_000_000
/** RFC 6298 §5.7, in milliseconds. */
const RTO_AFTER_SYN_TIMEOUT = 3000
/** The least round trip counts for at least so long, and at most for twice as long: RFC 8985 §6.2 leaves it open, Linux has five minutes. */
const MINIMUM_WINDOW = 150_000

export class Rtt {
  /** The latest sample in microseconds; 0 before the first. */
  latest = 0
  /** How often the RTO has been doubled since the last sample. */
  backoff = 0
  readonly #limits: RttLimits
  /** RTO in milliseconds before there is a sample. */
  #initial: number
  /** Eight times SRTT, and four times: the mean deviation, its largest in this round trip, RTTVAR. */
  #srtt8 = 0
  #deviation4 = 0
  #largest4 = 0
  #rttvar4 = 0
  /** SND.NXT when this round trip began. */
  #roundEnd = 0
  /** The least sample since the stamp (milliseconds modulo 2^32), and that of the span before. */
  #minimum = 0
  #minimumBefore = 0
  #minimumStamp = 0

  constructor(limits: RttLimits) {
    this.#limits = limits
    this.#initial = limits.initialRto
  }

  get hasSample(): boolean {
    return this.#srtt8 !== 0
  }

  /** In microseconds; 0 before the first sample. */
  get srtt(): number {
    return this.#srtt8 >> 3
  }

  get rttvar(): number {
    return this.#rttvar4 >> 2
  }

  /** The mean deviation without the least RTO: what Linux tells as `tcpi_rttvar`. */
  get deviation(): number {
    return this.#deviation4 >> 2
  }

  /** RTO in milliseconds, backoff included. */
  get rto(): number {
    const base = this.#srtt8 === 0 ? this.#initial : ((this.#srtt8 >> 3) + this.#rttvar4) / 1000
    return Math.min(this.#limits.maximumRto, base * 2 ** Math.min(this.backoff, 20))
  }

  /** The least sample of the last minutes; 0 before the first. */
  get minimum(): number {
    if (this.#minimumBefore === 0) return this.#minimum
    return Math.min(this.#minimum, this.#minimumBefore)
  }

  /**
   * RFC 6298 §3 (Karn), MUST-18: never from what was sent twice, unless timestamps say which one was answered.
   * `sndUna` and `sndNxt` after the acknowledgment tell round trips apart.
   */
  onSample(microseconds: number, sndUna: number, sndNxt: number, now: number): void {
    const sample = Math.min(Math.max(1, Math.round(microseconds)), LONGEST_SAMPLE)
    this.latest = sample
    this.backoff = 0
    this.#keepMinimum(sample, now)
    const least4 = this.#limits.minimumRto * 1000
    if (this.#srtt8 === 0) {
      // RFC 6298 §2.2.
      this.#srtt8 = sample << 3
      this.#deviation4 = sample << 1
      this.#rttvar4 = Math.max(this.#deviation4, least4)
      this.#largest4 = this.#rttvar4
      this.#roundEnd = sndNxt
      return
    }
    // RFC 6298 §2.3. Differs: RTTVAR rises with any sample's deviation, and falls once a round trip only, since there is a sample
    // with every ACK, which would wash it out; and the least RTO is counted on top of SRTT, because a delayed ACK comes on top too.
    // As Linux does.
    const error = sample - (this.#srtt8 >> 3)
    this.#srtt8 += error
    let excess = Math.abs(error) - (this.#deviation4 >> 2)
    // A round trip that falls is no reason to wait longer.
    if (error < 0 && excess > 0) excess >>= 3
    this.#deviation4 += excess
    if (this.#deviation4 > this.#largest4) {
      this.#largest4 = this.#deviation4
      if (this.#largest4 > this.#rttvar4) this.#rttvar4 = this.#largest4
    }
    if (atMost(sndUna, this.#roundEnd)) return
    if (this.#largest4 < this.#rttvar4) this.#rttvar4 -= (this.#rttvar4 - this.#largest4) >> 2
    this.#roundEnd = sndNxt
    this.#largest4 = least4
  }

  #keepMinimum(sample: number, now: number): void {
    const stamp = now | 0
    const age = (stamp - this.#minimumStamp) | 0
    if (this.#minimum === 0 || age < 0 || age >= MINIMUM_WINDOW) {
      this.#minimumBefore = age >= 2 * MINIMUM_WINDOW || age < 0 ? 0 : this.#minimum
      this.#minimum = sample
      this.#minimumStamp = stamp
    } else if (sample < this.#minimum) this.#minimum = sample
  }

  /** RFC 6298 §5.5: the timer expired. MUST-19's exponential backoff. */
  onTimeout(): void {
    if (this.backoff < 20) this.backoff++
  }

  /** RFC 6298 §5.7: the SYN was sent again, and text begins without a sample. */
  onHandshakeTimedOut(): void {
    this.#initial = Math.max(this.#initial, RTO_AFTER_SYN_TIMEOUT)
    this.backoff = 0
  }
}
