// Whether a recovery or timeout was needless: the originals had only been late. By the echoed timestamp (Eifel, RFC 3522), by D-SACKs
// for all that was sent again (RFC 3708), and after a timeout by the arrival of what was sent once only (F-RTO, RFC 5682).
// A part: told numbers, says what follows; the step restores the window (`Congestion.onUndone`) and the flight's marks. One is made
// when something is first lost. Told by retransmit and acknowledge.
import { atMost, lessThan } from '../sequence.ts'

export const Verdict = {
  /** Nothing is known yet. */
  none: 0,
  /** It was needless: everything is taken back. */
  needless: 1,
  /** F-RTO, step 2b: two new segments go out in place of retransmissions, so that the next ACK decides. */
  sendNew: 2,
} as const

/** The steps of RFC 5682 §2.1: off, an ACK is waited for, new segments have been sent and the next ACK decides. */
const Step = { off: 0, first: 1, second: 2 } as const

export class Undo {
  /** Something may still be taken back. */
  isPending = false
  #isTimeout = false
  #step: number = Step.off
  /** SND.UNA and SND.NXT when it began: only D-SACKs between them count. */
  #start = 0
  #end = 0
  /** Segments sent again whose originals are not known to have arrived. */
  #again = 0
  #hasSentAgain = false
  /** TSval of the first retransmission that may still be answered; not told of those that went out before anything was lost. */
  #stamp = 0
  #hasStamp = false
  #isStampUnknown = false

  /**
   * A recovery or timeout begins. `mayForward`: F-RTO may run, since no recovery was going on, or the same octets have timed out again.
   * A timeout within a recovery goes on counting what was sent again. `again` segments that an earlier recovery or a probe has sent again
   * are still on their way: what answers them is no answer to an original.
   */
  begin(sndUna: number, sndNxt: number, isTimeout: boolean, mayForward: boolean, again = 0): void {
    if (!this.isPending) {
      this.#again = again
      this.#hasSentAgain = again > 0
      this.#isStampUnknown = again > 0 && !this.#hasStamp
      if (again === 0) this.#hasStamp = false
      this.#start = sndUna
    }
    this.isPending = true
    this.#isTimeout = isTimeout
    this.#end = sndNxt
    this.#step = isTimeout && mayForward ? Step.first : Step.off
  }

  /** So many segments were sent again. */
  onRetransmitted(segments: number, hasTimestamps: boolean, timestampValue: number): void {
    if (!this.isPending) return
    this.#again += segments
    this.#hasSentAgain = true
    if (this.#hasStamp || this.#isStampUnknown || !hasTimestamps) return
    this.#hasStamp = true
    this.#stamp = timestampValue
  }

  /** RFC 3708 §2: a D-SACK told of so many segments that begin at `start`. */
  onDuplicate(start: number, segments: number): void {
    if (!this.isPending || lessThan(start, this.#start) || !lessThan(start, this.#end)) return
    this.#again = Math.max(0, this.#again - segments)
  }

  /**
   * An ACK. `hasAdvanced`: SND.UNA moved; `hasOriginal`: something below `recover` arrived that was sent once only (for peers without SACK:
   * and nothing that was sent again is acknowledged with it); `isDuplicate`: nothing new, or a SACK alone; `maySendNew`: there is unsent text, and room in
   * the peer's window.
   */
  onAck(
    ack: number,
    hasAdvanced: boolean,
    hasOriginal: boolean,
    isDuplicate: boolean,
    hasEcho: boolean,
    timestampEcho: number,
    maySendNew: boolean,
  ): number {
    if (!this.isPending) return Verdict.none
    // RFC 3522 §3.2 step 5: the ACK answers something sent before the retransmission.
    if (hasAdvanced && hasEcho && this.#hasStamp && lessThan(timestampEcho, this.#stamp)) return this.#take()
    // RFC 3708 §2: all of it was needless.
    if (this.#hasSentAgain && this.#again === 0 && atMost(this.#start, ack)) return this.#take()
    return this.#forward(ack, hasAdvanced, hasOriginal, isDuplicate, maySendNew)
  }

  /** RFC 5682 §2.1 steps 2 and 3, and §3.1 where there is SACK. */
  #forward(ack: number, hasAdvanced: boolean, hasOriginal: boolean, isDuplicate: boolean, maySendNew: boolean): number {
    if (this.#step === Step.off) return Verdict.none
    // Step 3b: what was never sent again has arrived. Not where all is acknowledged at once: that may be the retransmission's doing (2a).
    if (hasOriginal && (this.#step === Step.second || lessThan(ack, this.#end))) return this.#take()
    if (this.#step === Step.first) {
      if (hasAdvanced && lessThan(ack, this.#end) && maySendNew) {
        this.#step = Step.second
        return Verdict.sendNew
      }
      if (hasAdvanced) this.#step = Step.off
      return Verdict.none
    }
    // Step 3a: a duplicate: the timeout was right.
    if (isDuplicate || hasAdvanced) this.#step = Step.off
    return Verdict.none
  }

  #take(): number {
    this.clear()
    return Verdict.needless
  }

  /** It was caused by a timeout. */
  get isTimeout(): boolean {
    return this.#isTimeout
  }

  /** What was in flight has all been acknowledged by means that prove nothing, and no D-SACK can come any more. */
  clear(): void {
    this.isPending = false
    this.#step = Step.off
  }
}
