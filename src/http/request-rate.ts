// How many requests a second each peer may make (RFC 6585 §4): a leaky bucket for each, kept as the one time at which it will be empty.
// A peer is an IPv4 address, or the /64 of an IPv6 one. Peers whose bucket is empty are forgotten.
import { type PeerAddress, peerKey } from './peers.ts'

/** Remembered at a time: beyond, whoever has been quiet for the longest is forgotten. */
const MOST_PEERS = 65_536

export class RequestRate {
  /** Milliseconds that one request takes to leak out. */
  readonly #interval: number
  readonly #most: number
  readonly #emptyAt = new Map<number | string, number>()

  /** `burst`: so many may come at once. */
  constructor(perSecond: number, burst: number) {
    this.#interval = 1000 / perSecond
    this.#most = burst * this.#interval
  }

  get size(): number {
    return this.#emptyAt.size
  }

  /** Milliseconds that it comes too early; 0 where it may come, which is counted. */
  early(address: PeerAddress, now: number): number {
    const key = peerKey(address)
    const emptyAt = Math.max(now, this.#emptyAt.get(key) ?? now) + this.#interval
    const early = emptyAt - now - this.#most
    // Hundreds of requests each of a fraction of a millisecond add up to nothing.
    if (early > 1e-6) return early
    this.#emptyAt.delete(key)
    this.#emptyAt.set(key, emptyAt)
    if (this.#emptyAt.size > MOST_PEERS) this.#forgetOldest()
    return 0
  }

  /** Forgets who has been quiet for long enough. */
  sweep(now: number): void {
    for (const [key, emptyAt] of this.#emptyAt) if (emptyAt <= now) this.#emptyAt.delete(key)
  }

  #forgetOldest(): void {
    for (const key of this.#emptyAt.keys()) {
      this.#emptyAt.delete(key)
      return
    }
  }
}
