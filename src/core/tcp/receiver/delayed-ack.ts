// Which acknowledgments are owed (RFC 9293 §3.8.6.3, RFC 5681 §4.2): `receive` notes, `transmit` asks and sends the latest.
// In-order text of one turn gets one ACK; a small segment alone waits a little; duplicates are counted, since a peer without SACK
// counts them too. Told by arriving/*, asked by tcp/output.

export class DelayedAck {
  /** `delay` in milliseconds: MUST-58, below 500. */
  constructor(delay: number) {}

  /** In-order text of `length` octets moved RCV.NXT. */
  onText(length: number, mss: number): void {
    throw new Error('not yet')
  }

  /** A segment out of order, or one that came twice: one more duplicate ACK is owed, at once. */
  onDisorder(): void {
    throw new Error('not yet')
  }

  /** An ACK is owed at once: a FIN, a gap that closed, an unacceptable segment, a window that opened. */
  demand(): void {
    throw new Error('not yet')
  }

  /** The application answers what it gets: its data carry the ACKs, and the first ones need not be quick any more. */
  onAnswered(): void {
    throw new Error('not yet')
  }

  /** Something waits to be acknowledged, at once or later. */
  get isOwed(): boolean {
    throw new Error('not yet')
  }

  /** Pure ACKs to send now; 0 where none is due yet. With SACK at most three duplicates, without it all. */
  due(hasSack: boolean): number {
    throw new Error('not yet')
  }

  /** Milliseconds that an owed ACK may wait for company. */
  get delay(): number {
    throw new Error('not yet')
  }

  /** The delay is over. */
  onExpired(): void {
    throw new Error('not yet')
  }

  /** A segment that acknowledges went out: nothing is owed any more. */
  onSent(): void {
    throw new Error('not yet')
  }
}
