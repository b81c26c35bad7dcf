// Whether octets come, or are taken, as quickly as they must: some at least in a while, and at a least rate over longer ones.
import type { HttpLimits } from './limits.ts'

export class Pace {
  #movedAt: number
  #last: number
  #spanAt: number
  #spanFrom: number

  constructor(now: number, octets: number) {
    this.#movedAt = now
    this.#last = octets
    this.#spanAt = now
    this.#spanFrom = octets
  }

  /** `octets` counts up, and may wrap as an int32. */
  isTooSlow(now: number, octets: number, limits: HttpLimits): boolean {
    if (octets !== this.#last) {
      this.#last = octets
      this.#movedAt = now
    }
    if (now - this.#movedAt > limits.bodyTimeout) return true
    const span = now - this.#spanAt
    if (span < limits.rateSpan) return false
    const moved = (octets - this.#spanFrom) | 0
    this.#spanAt = now
    this.#spanFrom = octets
    return moved >= 0 && moved < (limits.leastRate * span) / 1000
  }
}
