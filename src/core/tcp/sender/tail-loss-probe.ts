// TLP (RFC 8985 §7): when ACKs stop coming, one segment goes out long before the RTO, whose ACK lets RACK see what is missing.
// A part: told numbers, returns decisions; the step sends the probe and arms the timer. Durations are int32 microseconds.

/** §7.2: what a receiver may hold back an ACK for a single segment, as Linux budgets it. */
const MOST_ACK_DELAY = 200_000
const WITHOUT_SAMPLE = 1_000_000
/** Two steps of a timer of milliseconds, as Linux adds: on a path of microseconds the ACK is late for other reasons than loss. */
const TIMER_STEPS = 2_000

/** §7.2, TLP_calc_PTO: from now on. `srtt` is 0 for none; `untilTimeout` is what the RTO has left. */
export function probeDelay(srtt: number, segmentsInFlight: number, untilTimeout: number): number {
  let delay = WITHOUT_SAMPLE
  if (srtt > 0) delay = 2 * srtt + (segmentsInFlight <= 1 ? MOST_ACK_DELAY : TIMER_STEPS)
  return Math.max(0, Math.min(delay, untilTimeout))
}

/** Made when the first one goes out. */
export class TailLossProbe {
  /** TLP.end_seq, and whether it is set: a probe is under way. */
  #end = 0
  isUnderWay = false
  /** TLP.is_retrans. */
  #isRetransmission = false
  /** A round trip has been measured since the last probe. */
  #hasSample = true

  /** §7.3: one at a time, and not before a round trip has been measured since the last. */
  get mayProbe(): boolean {
    return !this.isUnderWay && this.#hasSample
  }

  /** A probe goes out; `sndNxt` after it. `isRetransmission` unless it carries what was never sent. */
  onProbe(sndNxt: number, isRetransmission: boolean): void {
    this.#end = sndNxt
    this.isUnderWay = true
    this.#isRetransmission = isRetransmission
    this.#hasSample = false
  }

  onSample(): void {
    this.#hasSample = true
  }

  /** A recovery or timeout begins: §7.1. */
  clear(): void {
    this.isUnderWay = false
  }

  /**
   * §7.4.2, TLP_process_ack: whether the probe has repaired a loss that nothing else tells of, so that the controller must hear of it.
   * `isProbeDuplicate`: a D-SACK says that the probe was needless; `isDuplicateAck`: a duplicate ACK without SACK blocks.
   */
  onAck(ack: number, isProbeDuplicate: boolean, isDuplicateAck: boolean): boolean {
    const beyond = (ack - this.#end) | 0
    if (!this.isUnderWay || beyond < 0) return false
    if (!this.#isRetransmission || isProbeDuplicate) {
      this.isUnderWay = false
      return false
    }
    if (beyond > 0) {
      this.isUnderWay = false
      return true
    }
    if (isDuplicateAck) this.isUnderWay = false
    return false
  }
}
