// Why a segment was sent: a number that goes with it into the observer's ring, and that records of lost octets carry until they are sent
// again. `inspect/describe-cause` has the words and the RFCs' sections for people; here stand the numbers alone.

export const Cause = {
  none: 0,
  syn: 1,
  synAck: 2,
  newData: 3,
  /** A FIN without text. */
  finish: 4,
  /** RFC 5682: new text in place of a retransmission, to find out whether a timeout was needless. */
  forwardProbe: 5,
  /** Less than a segment: the timer of silly window avoidance, or of a cork, has let it go. */
  override: 6,
  pathProbe: 7,

  // Acknowledgments alone.
  handshake: 8,
  quickAck: 9,
  secondSegment: 10,
  delayedAck: 11,
  duplicateAck: 12,
  /** The text had come before: RFC 2883. */
  duplicateText: 13,
  gapFilled: 14,
  finishAck: 15,
  windowUpdate: 16,
  /** Text that a closed window has no room for. */
  windowFull: 17,
  congestionEcho: 18,
  challenge: 19,
  timeWait: 20,

  // Probes.
  windowProbe: 21,
  keepAlive: 22,
  tailProbeNew: 23,
  tailProbe: 24,

  // Retransmissions.
  timeout: 25,
  rack: 26,
  reorderingTimer: 27,
  fastRetransmit: 28,
  earlyRetransmit: 29,
  partialAck: 30,
  lostRetransmission: 31,
  pathMtu: 32,
  pathProbeLost: 33,
  windowOpened: 34,
  crossedSyns: 35,

  reset: 36,
} as const

export type CauseNumber = (typeof Cause)[keyof typeof Cause]
