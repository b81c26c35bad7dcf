// RCV.WND: how much more the peer may send. The edge that was offered is never withdrawn (SHLD-14), moves in steps worth a segment
// (RFC 9293 §3.8.6.2.2), and follows the receive buffer's size, which is tuned to twice what the application took in the last round trip.
// Asked by tcp/emit for every segment that acknowledges; told by arriving/text and by the user's reads.

/** RFC 7323 §2.3: the shift that lets a window of `most` octets be said. */
export function scaleFor(most: number): number {
  throw new Error('not yet')
}

export class ReceiveWindow {
  /** The receive buffer's size: unread octets and the window together stay within it. The connection may change it. */
  limit: number
  /** What tuning may raise `limit` to. */
  most: number
  /** Rcv.Wind.Shift: 0 until both sides have agreed. */
  scale = 0
  /** RCV.NXT + RCV.WND: the furthest edge that was ever offered. */
  edge = 0
  /** Our estimate of the round trip as the receiver sees it, in microseconds; 0 where there is none yet. */
  roundTrip = 0

  constructor(limit: number, most: number) {
    this.limit = limit
    this.most = most
  }

  /** The peer's SYN gave RCV.NXT. */
  start(rcvNxt: number): void {
    throw new Error('not yet')
  }

  /** RCV.WND for the acceptance test: what has been offered. */
  size(rcvNxt: number): number {
    throw new Error('not yet')
  }

  /**
   * The window field for the next segment, scaled unless it is a SYN; offers it. `readable` counts unread octets in order.
   * MUST-39: the edge moves by at least a segment or half the buffer, or not at all.
   */
  offer(rcvNxt: number, readable: number, mss: number, isSyn: boolean): number {
    throw new Error('not yet')
  }

  /** Whether the application has read so much that the peer should hear of it at once. */
  needsUpdate(rcvNxt: number, readable: number, mss: number): boolean {
    throw new Error('not yet')
  }

  /** A round trip that our own timestamps or the handshake measured, in microseconds. */
  onRoundTrip(microseconds: number): void {
    throw new Error('not yet')
  }

  /** Text came in and RCV.NXT moved: measures the round trip by the time a window's worth takes, where nothing better is known. */
  onText(rcvNxt: number, now: number): void {
    throw new Error('not yet')
  }

  /** The application took octets: once a round trip `limit` is tuned. `mayGrow` is false under memory pressure. */
  onTaken(octets: number, mss: number, now: number, mayGrow: boolean): void {
    throw new Error('not yet')
  }
}
