// A rate limit: so many at once, so many a second (RFC 1812 §4.3.2.8, RFC 4443 §2.4 (f)).
// Used for ICMP errors and, where asked for, echo replies.

export class TokenBucket {
  readonly #burst: number
  readonly #perMillisecond: number
  /** Tokens, and when they were counted. */
  readonly #state: Float64Array

  constructor(perSecond: number, burst: number) {
    this.#burst = burst
    this.#perMillisecond = perSecond / 1000
    this.#state = Float64Array.of(burst, 0)
  }

  take(now: number): boolean {
    const state = this.#state
    const passed = Math.max(0, now - state[1])
    state[0] = Math.min(this.#burst, state[0] + passed * this.#perMillisecond)
    state[1] = now
    if (state[0] < 1) return false
    state[0]--
    return true
  }
}
