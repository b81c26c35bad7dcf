// Explicit congestion notification (RFC 3168 §6.1): one made for a connection whose handshake has agreed on it. The receiver's half echoes a mark
// until the sender says CWR; the sender's half answers an echo once a window and says so. Agreement itself is the handshake's:
// SYN with ECE and CWR, SYN-ACK with ECE alone. A part: told bits and numbers.
import { Flag } from '../../wire/tcp.ts'
import { lessThan } from '../sequence.ts'

/** The two ECN bits of the traffic class: RFC 3168 §5. */
export const Codepoint = { notCapable: 0, capable1: 1, capable0: 2, congested: 3, mask: 3 } as const

/** §6.1.1: what a SYN asks with. With AE beside it (RFC 9768) it asks for something else. */
export function asksForEcn(flags: number): boolean {
  return (flags & (Flag.ece | Flag.cwr | Flag.ae)) === (Flag.ece | Flag.cwr)
}

export class Ecn {
  /** ECE stands in every acknowledgment: §6.1.3. */
  isEchoing = false
  /** CWR goes with the next new text: §6.1.2. */
  owesAnswer = false
  /** Echoes are answered no more until SND.UNA has passed this: the segment that says CWR begins here, so that its acknowledgment lies beyond. */
  #answeredUntil = 0
  #isAnswering = false

  /** A segment with text arrived. Says whether the echo has just begun, which is worth an ACK at once. */
  onArrived(codepoint: number, hasCwr: boolean): boolean {
    const wasEchoing = this.isEchoing
    // §6.1.3: CWR ends the echo, unless the same segment carries another mark.
    if (hasCwr) this.isEchoing = false
    if ((codepoint & Codepoint.mask) === Codepoint.congested) this.isEchoing = true
    return this.isEchoing && !wasEchoing
  }

  /** An acknowledgment carries ECE: whether the controller must be told now; once for each window (§6.1.2). */
  onEcho(sndUna: number, sndNxt: number): boolean {
    this.onAcknowledged(sndUna)
    if (this.#isAnswering) return false
    this.onReduced(sndNxt)
    return true
  }

  /** SND.UNA moved: the answer has arrived, and the next echo is another mark's. */
  onAcknowledged(sndUna: number): void {
    if (this.#isAnswering && lessThan(this.#answeredUntil, sndUna)) this.#isAnswering = false
  }

  /** The window was reduced for a loss: marks of the same window need no answer of their own, but CWR is said. */
  onReduced(sndNxt: number): void {
    this.#isAnswering = true
    this.#answeredUntil = sndNxt
    this.owesAnswer = true
  }

  /** New text goes out; says whether it carries CWR. */
  onSent(): boolean {
    const owes = this.owesAnswer
    this.owesAnswer = false
    return owes
  }

  /** §6.1.4, §6.1.5, §6.1.6: what a segment is marked with: ECT(0) on new text alone; not on ACKs, retransmissions and probes. */
  codepoint(isNewText: boolean): number {
    return isNewText ? Codepoint.capable0 : Codepoint.notCapable
  }
}
