// HyStart++ (RFC 9406): slow start ends when the round trip grows, before a queue runs over. For the first slow start only.
// Differs: from §4.2's L = 8 segments an ACK, every octet counts, since receivers acknowledge whole batches; the RFC allows it
// to a paced sender, and slow start is paced here. Told by controllers that want it; durations are int32 microseconds.
import type { Acknowledged } from './congestion.ts'

/** §4.3. */
const LEAST_THRESHOLD = 4000
const MOST_THRESHOLD = 16_000
const DIVISOR = 8
const SAMPLES = 8
const GROWTH_DIVISOR = 4
const ROUNDS = 5

const NONE = 0x7fffffff

/** What becomes of slow start. */
export const Growth = { full: 0, conservative: 1, over: 2 } as const

export class HyStart {
  /** The round ends when this number is acknowledged. */
  #end = 0
  #hasRound = false
  #minimum = NONE
  #minimumBefore = NONE
  #samples = 0
  /** In conservative slow start: the round trip at its beginning, and its rounds so far. */
  #baseline = NONE
  #rounds = 0

  /** An ACK in slow start: a value of `Growth`. */
  onAcknowledged(ack: Acknowledged): number {
    if (!this.#hasRound || ((ack.sndUna - this.#end) | 0) >= 0) this.#begin(ack.sndNxt)
    if (this.#rounds > ROUNDS) return Growth.over
    if (ack.rtt > 0) {
      this.#minimum = Math.min(this.#minimum, ack.rtt)
      this.#samples++
    }
    if (this.#samples >= SAMPLES) this.#judge()
    return this.#baseline === NONE ? Growth.full : Growth.conservative
  }

  /** Of `octets` acknowledged in conservative slow start so many count. */
  static share(octets: number): number {
    return Math.ceil(octets / GROWTH_DIVISOR)
  }

  #begin(sndNxt: number): void {
    // §4.2: a round that the conservative phase began in its middle counts.
    if (this.#baseline !== NONE) this.#rounds++
    this.#hasRound = true
    this.#end = sndNxt
    this.#minimumBefore = this.#minimum
    this.#minimum = NONE
    this.#samples = 0
  }

  #judge(): void {
    if (this.#baseline !== NONE) {
      // §4.2: it was jitter; slow start goes on.
      if (this.#minimum < this.#baseline) this.#baseline = NONE
      return
    }
    if (this.#minimumBefore === NONE) return
    const threshold = Math.max(LEAST_THRESHOLD, Math.min(this.#minimumBefore / DIVISOR, MOST_THRESHOLD))
    if (this.#minimum < this.#minimumBefore + threshold) return
    this.#baseline = this.#minimum
    this.#rounds = 1
  }
}
