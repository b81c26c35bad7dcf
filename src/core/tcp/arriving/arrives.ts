// SEGMENT ARRIVES for a connection, RFC 9293 §3.10.7.4's walk through its eight steps. The third, security, has no meaning here.
// Called by the connection's `receive`. The segment is borrowed; the steps trim it as they go.
import { Drop } from '../../observer.ts'
import { Flag } from '../../wire/tcp.ts'
import { abort } from '../closing/close.ts'
import type { ControlBlock } from '../control-block.ts'
import { arrivesInSynSent } from '../opening/handshake.ts'
import type { Segment } from '../segment.ts'
import { Reason, State } from '../state.ts'
import { Instant } from '../timers.ts'
import { acceptable } from './acceptable.ts'
import { acknowledge } from './acknowledge.ts'
import { receiveFin } from './finish.ts'
import { drop } from './refuse.ts'
import { receiveReset } from './reset.ts'
import { receiveSyn } from './synchronize.ts'
import { receiveText } from './text.ts'
import { receiveUrgent } from './urgent.ts'

export function arrives(cb: ControlBlock, segment: Segment, now: number): void {
  cb.segmentsReceived = (cb.segmentsReceived + segment.segments) | 0
  if (cb.state === State.synSent) {
    // "If there are other controls or text in the segment, then continue processing at the sixth step."
    if (!arrivesInSynSent(cb, segment, now)) return
    cb.shared.timers.set(cb.timersRow, Instant.received, now)
    afterAcknowledgment(cb, segment, now)
    return
  }
  if (cb.state === State.synReceived) completeCrossing(cb, segment)
  // First.
  if (!acceptable(cb, segment, now)) return
  // Not before: a stranger's guess is no sign of life.
  cb.shared.timers.set(cb.timersRow, Instant.received, now)
  cb.keepAlive?.onHeard()
  // Second.
  if (segment.hasRst) {
    receiveReset(cb, segment, now)
    return
  }
  // Fourth.
  if (segment.hasSyn) {
    receiveSyn(cb, now)
    return
  }
  // Fifth. "If the ACK bit is off, drop the segment and return."
  if (!segment.hasAck) {
    drop(cb, Drop.tcpUnacceptable)
    return
  }
  if (!acknowledge(cb, segment, now)) return
  afterAcknowledgment(cb, segment, now)
}

/**
 * RFC 9293 §3.5, figure 8, line 6: of two SYNs that have crossed each is repeated with an acknowledgment, which opens the connection. By
 * the letter of the first step it would lie outside of the window; Linux lets it pass too.
 */
function completeCrossing(cb: ControlBlock, segment: Segment): void {
  if (!segment.hasSyn || !segment.hasAck || segment.seq !== cb.irs || segment.ack !== cb.sndNxt) return
  segment.trimStart(1)
  // RFC 7323 §2.2: the window of a segment with a SYN is not scaled, and now it has none any more.
  segment.wnd >>>= cb.sndShift
}

/** Sixth to eighth: also for what comes with the segment that completes a handshake. */
export function afterAcknowledgment(cb: ControlBlock, segment: Segment, now: number): void {
  if (segment.flags & Flag.urg && segment.up > 0) receiveUrgent(cb, segment)
  if (!receiveText(cb, segment, now)) {
    abort(cb, Reason.aborted, now)
    return
  }
  receiveFin(cb, segment, now)
}
