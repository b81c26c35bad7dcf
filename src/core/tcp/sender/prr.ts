// Proportional rate reduction (RFC 9937, which replaced RFC 6937): during a fast recovery as much leaves as arrives, less what brings
// the flight down to ssthresh by its end, instead of half a round trip of silence and a burst.
// A part: told octets, says how many may be in flight. For controllers that don't steer recoveries themselves.

export class Prr {
  /** RecoverFS: what was in flight when the recovery began. */
  #flightSize = 0
  /** prr_delivered, prr_out. */
  #delivered = 0
  #out = 0
  #hasSent = false
  /** cwnd while the recovery goes on. */
  window = 0

  /**
   * RFC 9937 §6.1: a recovery begins by an ACK. `outstanding` is SND.NXT - SND.UNA after it, `sackedBefore` what had been sacked before it,
   * `acked` what it acknowledged. `unanswered` octets might have left for what the ACKs before it have told, had they not come in one turn
   * with it: they leave on top, and count as if they were in flight already.
   */
  begin(outstanding: number, sackedBefore: number, acked: number, unanswered: number): void {
    this.#flightSize = Math.max(1, outstanding - sackedBefore + acked + unanswered)
    this.#delivered = 0
    this.#out = -unanswered
    this.#hasSent = false
  }

  /**
   * §6.2: an ACK, the first one too. `delivered` octets are newly acknowledged or sacked, `inFlight` is left, `isSafe` where SND.UNA moved
   * and nothing more is lost.
   */
  onAck(delivered: number, inFlight: number, ssthresh: number, mss: number, isSafe: boolean): void {
    if (delivered <= 0 && (this.#hasSent || this.#delivered > 0)) return
    this.#delivered += delivered
    let count: number
    if (inFlight > ssthresh) {
      // So that with the last octet in flight then, ssthresh octets have been sent.
      count = Math.ceil((this.#delivered * ssthresh) / this.#flightSize) - this.#out
    } else {
      // PRR-CRB: as much as arrives; PRR-SSRB: and a segment more where all goes well.
      count = Math.max(this.#delivered - this.#out, delivered) + (isSafe ? mss : 0)
      count = Math.min(ssthresh - inFlight, count)
    }
    // The first retransmission leaves whatever comes out.
    if (!this.#hasSent && count < mss) count = mss
    this.window = inFlight + Math.max(0, count)
  }

  /** Anything was sent, again or for the first time. */
  onSent(octets: number): void {
    this.#out += octets
    this.#hasSent = true
  }
}
