// When a peer whose window is closed is probed (RFC 9293 §3.8.6.1). Asked and told by the connection's `expire` and by acknowledge.
// MUST-37: a peer that answers may keep its window closed for as long as it likes; one that doesn't is given up by the caller's count.

export class Persist {
  /** Probes in a row that nobody answered. */
  unanswered = 0
  /** Probes since the window closed: each doubles the wait. */
  #backoff = 0

  /** Milliseconds until the next probe. SHLD-29: the first after an RTO; SHLD-30: each next one after twice the time. */
  delay(rto: number, least: number, most: number): number {
    return Math.min(most, Math.max(least, rto) * 2 ** Math.min(this.#backoff, 16))
  }

  /** A probe goes out. */
  onProbe(): void {
    this.#backoff++
    this.unanswered++
  }

  /** The peer acknowledged something, its window still closed. */
  onAnswer(): void {
    this.unanswered = 0
  }
}
