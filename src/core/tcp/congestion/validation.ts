// Congestion window validation (RFC 7661): a window that nobody has used lately is kept for a while, paced when it is used again,
// answers congestion by what was really used, and shrinks when the while is over. Stands in Reno's place and in CUBIC's;
// BBR has application-limited samples instead. A part: told numbers, returns decisions. Made at the first ACK that did not need the window.
// Instants are int32 milliseconds modulo 2^32, volumes int32 octets.
import { type Acknowledged, LARGEST_WINDOW } from './congestion.ts'

/** §4.3, NVP: how long a window is kept unused, in milliseconds. */
export const KEPT_UNUSED = 300_000
/** §4.2, pipeACK Sampling Period: three round trips and a second at least. */
const PERIOD_ROUND_TRIPS = 3
const LEAST_PERIOD = 1000
/** A window halved so often is nothing. */
const MOST_PERIODS = 30

/** No measurement: §4.1. */
const UNDEFINED = -1

export class Validation {
  /** §4.3: the non-validated phase. */
  isUnused = false
  /** The largest samples of this half of the sampling period and of the half before. */
  #largest = UNDEFINED
  #largestBefore = UNDEFINED
  #halfAt = 0
  #halfPeriod = LEAST_PERIOD / 2
  /** A round trip that is being measured: SND.UNA and SND.NXT at its beginning. */
  #isMeasuring = false
  #from = 0
  #until = 0
  /** When the phase began, or its last whole period ended. */
  #since = 0
  /** §4.4.1: Max(pipeACK, LossFlightSize) of a recovery that began in the phase, and what it loses; 0 for others. */
  #usedAtLoss = 0
  #lost = 0

  /** §4.2: an ACK of new octets, outside of recoveries. */
  onAcknowledged(ack: Acknowledged, cwnd: number): void {
    const now = ack.now | 0
    this.#halfPeriod = Math.max(LEAST_PERIOD, Math.round((PERIOD_ROUND_TRIPS * ack.srtt) / 1000)) >> 1
    if (!this.#isMeasuring) {
      this.#isMeasuring = true
      this.#from = (ack.sndUna - ack.acked) | 0
      this.#until = ack.sndNxt
    }
    if (((ack.sndUna - this.#until) | 0) >= 0) {
      this.#take((ack.sndUna - this.#from) | 0, now)
      this.#from = ack.sndUna
      this.#until = ack.sndNxt
      this.#isMeasuring = ack.sndNxt !== ack.sndUna
    }
    const used = this.used(now)
    if (used === UNDEFINED) return
    if (2 * used >= cwnd) this.isUnused = false
    // Differs: only at an ACK that did not need the window, since in slow start samples are a round trip old, and a window that is always
    // full would seem unused by half.
    else if (!this.isUnused && !ack.isWindowLimited) this.#enter(now)
  }

  /** Nothing was sent for so many milliseconds: samples of nothing. */
  onSilence(idle: number, now: number): void {
    this.#isMeasuring = false
    this.#largest = 0
    this.#largestBefore = 0
    this.#halfAt = now
    if (!this.isUnused) this.#enter((now - idle) | 0)
  }

  /** pipeACK, in octets; -1 for undefined. */
  used(now: number): number {
    if (this.#largest !== UNDEFINED) this.#forget(now)
    return Math.max(this.#largest, this.#largestBefore)
  }

  /** §4.5.2: how many whole periods the window has been kept unused for since this was last asked. */
  periods(now: number): number {
    if (!this.isUnused) return 0
    const age = (now - this.#since) | 0
    // After more than three weeks.
    if (age < 0) this.#since = now
    const periods = age < 0 ? MOST_PERIODS : Math.min(Math.floor(age / KEPT_UNUSED), MOST_PERIODS)
    if (periods > 0) this.#since = now
    return periods
  }

  /** §4.4.1: what is in flight at a loss, or was used lately, if the window was not. */
  onReduced(inFlight: number, now: number): number {
    const used = this.isUnused ? Math.max(this.used(now), inFlight) : inFlight
    this.#usedAtLoss = this.isUnused ? used : 0
    return used
  }

  onLost(octets: number): void {
    this.#lost = Math.min(this.#lost + octets, LARGEST_WINDOW)
  }

  /** §4.4.1: what the path has borne before a recovery that began in the phase; -1 for one that did not. */
  get borne(): number {
    return this.#usedAtLoss > 0 ? Math.max(0, this.#usedAtLoss - this.#lost) : UNDEFINED
  }

  /** §4.4.1: congestion ends the phase, and after it nothing is known. */
  clear(): void {
    this.#usedAtLoss = 0
    this.#lost = 0
    this.isUnused = false
    this.#isMeasuring = false
    this.#largest = UNDEFINED
    this.#largestBefore = UNDEFINED
  }

  #enter(since: number): void {
    this.isUnused = true
    this.#since = since
  }

  #take(sample: number, now: number): void {
    if (this.#largest === UNDEFINED) {
      this.#largest = 0
      this.#largestBefore = 0
      this.#halfAt = now
    } else this.#forget(now)
    this.#largest = Math.max(this.#largest, sample)
  }

  /** The value must not outlive its period: §4.2. */
  #forget(now: number): void {
    const age = (now - this.#halfAt) | 0
    if (age >= 0 && age < this.#halfPeriod) return
    this.#largestBefore = age >= 0 && age < 2 * this.#halfPeriod ? this.#largest : 0
    this.#largest = 0
    this.#halfAt = now
  }
}
