// Why a segment was sent, in words, with the RFC's section: for captures, dashboards and whoever prints events.
import type { CauseName, RetransmissionEvent, SentEvent } from '../runtime/events.ts'

export interface CauseDescription {
  /** A few words: `retransmission: RACK`. */
  readonly text: string
  /** `RFC 8985 §6.2`; empty where no RFC asks for it. */
  readonly section: string
  /** What there is to know, in a sentence. */
  readonly explanation: string
}

const describe = (text: string, section: string, explanation: string): CauseDescription => ({
  text,
  section,
  explanation,
})

const DESCRIPTIONS: Record<CauseName, CauseDescription> = {
  none: describe('', '', ''),
  syn: describe(
    'opens a connection',
    'RFC 9293 §3.5',
    'The first segment of a handshake: where our sequence numbers begin.',
  ),
  synAck: describe(
    'answers a SYN',
    'RFC 9293 §3.5',
    'The second segment of a handshake: our own SYN, and an acknowledgment.',
  ),
  newData: describe('new data', 'RFC 9293 §3.8', 'Text that was not sent before; window and cwnd have room for it.'),
  finish: describe(
    'nothing more to send',
    'RFC 9293 §3.6',
    'The application has finished, and all of its text is sent.',
  ),
  forwardProbe: describe(
    'new data after a timeout: F-RTO',
    'RFC 5682 §2.1',
    'New text in place of a retransmission: its acknowledgment tells whether the timeout was needless.',
  ),
  override: describe(
    'less than a segment: the timer let it go',
    'RFC 9293 §3.8.6.2.1',
    'It was held back for company, or by a small window, until a timer expired.',
  ),
  pathProbe: describe(
    'path MTU probe',
    'RFC 4821 §7.5',
    'A longer segment than is known to get through: whether it arrives tells what the path takes.',
  ),
  handshake: describe(
    'third segment of the handshake',
    'RFC 9293 §3.5',
    'It acknowledges the SYN of the peer: both ends are synchronized.',
  ),
  quickAck: describe(
    'ACK, not delayed: the connection is young',
    '',
    'The first acknowledgments of a connection are not delayed, so that the cwnd of the peer grows. As Linux does.',
  ),
  secondSegment: describe(
    'ACK for more than one full segment',
    'RFC 9293 §3.8.6.3',
    'More than a full segment has come since the last acknowledgment.',
  ),
  delayedAck: describe(
    'delayed ACK: the timer has expired',
    'RFC 9293 §3.8.6.3',
    'Text came, and nothing to send along with its acknowledgment within the delay.',
  ),
  duplicateAck: describe(
    'duplicate ACK: text before this is missing',
    'RFC 5681 §4.2',
    'A segment came out of order: the sender must learn of the gap at once.',
  ),
  duplicateText: describe(
    'ACK for text that had come before',
    'RFC 2883 §4',
    'A segment came twice: a sender that has erred learns of it.',
  ),
  gapFilled: describe('ACK at once: a gap was filled', 'RFC 5681 §4.2', 'A segment filled a gap, whole or in part.'),
  finishAck: describe('ACK for a FIN', 'RFC 9293 §3.10.7.4', 'The peer has nothing more to send.'),
  windowUpdate: describe(
    'window update',
    'RFC 9293 §3.8.6.2.2',
    'The application has read so much that the window may be offered anew.',
  ),
  windowFull: describe(
    'ACK: no room for this text',
    'RFC 9293 §3.10.7.4',
    'Text came that the window has no room for: the peer learns where we stand.',
  ),
  congestionEcho: describe(
    'ACK at once: a congestion mark',
    'RFC 3168 §6.1.3',
    'A router has marked a packet instead of dropping it.',
  ),
  challenge: describe(
    'challenge ACK',
    'RFC 5961 §3 to §5',
    'A segment came that may be forged or old: whoever means it will answer this exactly.',
  ),
  timeWait: describe('ACK in TIME-WAIT', 'RFC 9293 §3.10.7.4', 'The last acknowledgment was lost: it is repeated.'),
  windowProbe: describe(
    'window probe',
    'RFC 9293 §3.8.6.1',
    'The window is closed: one octet beyond it makes the peer say whether it still is.',
  ),
  keepAlive: describe(
    'keep-alive probe',
    'RFC 9293 §3.8.4',
    'Nothing has come for long: an old sequence number makes the peer acknowledge.',
  ),
  tailProbeNew: describe(
    'TLP probe: new data',
    'RFC 8985 §7.3',
    'No acknowledgment for two round trips: new text, so that SACKs tell what is lost at the tail.',
  ),
  tailProbe: describe(
    'TLP probe: the last segment again',
    'RFC 8985 §7.3',
    'No acknowledgment for two round trips, and nothing new to send.',
  ),
  timeout: describe(
    'retransmission: RTO',
    'RFC 6298 §5.4',
    'The retransmission timer has expired: what is in flight counts as lost.',
  ),
  rack: describe(
    'retransmission: RACK',
    'RFC 8985 §6.2',
    'Something sent later has arrived, more than a round trip and the reordering window after this was sent.',
  ),
  reorderingTimer: describe(
    'retransmission: RACK, its timer expired',
    'RFC 8985 §6.2',
    'Something sent later has arrived; the reordering window has passed since without a word of this.',
  ),
  fastRetransmit: describe(
    'fast retransmit: duplicate ACKs',
    'RFC 5681 §3.2',
    'Three duplicate acknowledgments: what they ask for is lost.',
  ),
  earlyRetransmit: describe(
    'early retransmit: as many duplicate ACKs as there can be',
    'RFC 5827 §3.2',
    'Too little is in flight for three duplicate acknowledgments to come.',
  ),
  partialAck: describe(
    'retransmission: partial ACK',
    'RFC 6582 §3.2',
    'What a recovery sent again has arrived, and the next segment is missing, too.',
  ),
  lostRetransmission: describe(
    'retransmission: the last one was lost',
    '',
    'More duplicate acknowledgments came than what was in flight before can have brought about.',
  ),
  pathMtu: describe(
    'retransmission: path MTU',
    'RFC 9293 §3.7.2',
    'It was sent in segments too large for the path, and goes again in smaller ones; cwnd stays.',
  ),
  pathProbeLost: describe(
    'retransmission: a path MTU probe was lost',
    'RFC 4821 §7.6.2',
    'The text of the probe goes again in segments that get through.',
  ),
  windowOpened: describe(
    'retransmission: the window has opened',
    'RFC 9293 §3.8.6.1',
    'What a closed window had no room for goes again.',
  ),
  crossedSyns: describe('SYN ACK: the SYNs crossed', 'RFC 9293 §3.5', 'Both ends have opened at once.'),
  reset: describe('reset', 'RFC 9293 §3.10.5', 'The connection is given up: the peer shall know.'),
}

/** What the cause of a `sent` event means. */
export function describeCause(cause: CauseName): CauseDescription {
  return DESCRIPTIONS[cause]
}

/** The few words, and what the event knows more exactly: `retransmission: RACK, reordering window 12 ms`. */
export function describeSent({ cause, detail }: Pick<SentEvent | RetransmissionEvent, 'cause' | 'detail'>): string {
  const { text } = DESCRIPTIONS[cause]
  switch (cause) {
    case 'rack':
    case 'reorderingTimer':
      return `${text}, reordering window ${milliseconds(detail)}`
    case 'timeout':
      return detail > 1 ? `${text}, ${detail} in a row` : text
    case 'fastRetransmit':
    case 'earlyRetransmit':
      return `${text}, ${detail} of them`
    case 'pathMtu':
      return `${text}, segments of ${detail} octets now`
    case 'windowProbe':
      return detail > 1 ? `${text}, ${detail} without an answer` : text
    default:
      return text
  }
}

/** `12 ms`, `0.25 ms`. */
export function milliseconds(microseconds: number): string {
  return `${Number((microseconds / 1000).toPrecision(3))} ms`
}
