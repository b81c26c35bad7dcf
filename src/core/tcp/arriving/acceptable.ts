// SEGMENT ARRIVES, first: is the segment within the window and not older than what has come (RFC 9293 §3.10.7.4, RFC 7323 §5)?
// One that isn't is answered with an acknowledgment and goes no further; one that is, is trimmed to what is new and fits.
import { Drop } from '../../observer.ts'
import { Cause } from '../cause.ts'
import { type ControlBlock, Option } from '../control-block.ts'
import { Reassembly } from '../receiver/reassembly.ts'
import type { Segment } from '../segment.ts'
import { atMost, distance, lessThan } from '../sequence.ts'
import { isSynchronized } from '../state.ts'
import { acknowledgeDuplicate, challenge, drop } from './refuse.ts'
import { isYoungEnough, takeTimestamp } from './timestamps.ts'

export function acceptable(cb: ControlBlock, segment: Segment, now: number): boolean {
  cb.reassembly?.onSegment()
  if (cb.has(Option.timestamps) && !isYoungEnough(cb, segment, now)) {
    drop(cb, Drop.tcpPaws)
    // RFC 7323 §5.3 R1: an acknowledgment, unless it is a reset.
    if (!segment.hasRst) refuse(cb, segment, now)
    return false
  }
  if (!isWithin(cb, segment)) {
    drop(cb, Drop.tcpUnacceptable)
    // RFC 9293 §3.10.7.4, first: "unless the RST bit is set".
    if (!segment.hasRst) refuse(cb, segment, now)
    return false
  }
  takeTimestamp(cb, segment, now)
  trim(cb, segment)
  return true
}

/**
 * The four cases of the table in RFC 9293 §3.10.7.4.
 * Differs: a segment of no length may stand at the window's very edge, since a peer that has filled the window acknowledges from
 * there, and its acknowledgments would be lost to us; Linux takes them too.
 */
function isWithin(cb: ControlBlock, segment: Segment): boolean {
  const { seq, len } = segment
  const { rcvNxt } = cb
  const edge = (rcvNxt + cb.window.size(rcvNxt)) | 0
  if (len === 0) return atMost(rcvNxt, seq) && atMost(seq, edge)
  const last = (seq + len - 1) | 0
  if (edge === rcvNxt) {
    // MUST-66: with a window of zero text is refused, but ACK, RST and URG are looked at.
    if (seq !== rcvNxt) return false
    if (segment.hasSyn) return false
    segment.trimEnd(len)
    cb.delayedAck.demand(Cause.windowFull)
    return true
  }
  return (atMost(rcvNxt, seq) && lessThan(seq, edge)) || (atMost(rcvNxt, last) && lessThan(last, edge))
}

/** What is old goes, and is told of (RFC 2883); what is beyond the window goes. */
function trim(cb: ControlBlock, segment: Segment): void {
  const { rcvNxt } = cb
  const old = distance(segment.seq, rcvNxt)
  if (old > 0) {
    noteDuplicate(cb, segment, rcvNxt)
    segment.trimStart(old)
  }
  const beyond = distance((rcvNxt + cb.window.size(rcvNxt)) | 0, segment.end)
  if (beyond > 0) segment.trimEnd(beyond)
}

/** An unacceptable segment is answered, so that two ends that have lost each other find together again. */
function refuse(cb: ControlBlock, segment: Segment, now: number): void {
  if (segment.textLength === 0 && !segment.hasFin) {
    challenge(cb, now)
    return
  }
  const isOld = lessThan(segment.seq, cb.rcvNxt)
  if (isOld) noteDuplicate(cb, segment, cb.rcvNxt)
  acknowledgeDuplicate(cb, isOld ? Cause.duplicateText : Cause.windowFull)
}

function noteDuplicate(cb: ControlBlock, segment: Segment, rcvNxt: number): void {
  // Before the handshake is done there is no text to have come twice, and the segment may yet be answered by a reset.
  if (segment.textLength === 0 || !cb.has(Option.selectiveAcks) || !isSynchronized(cb.state)) return
  const textEnd = (segment.seq + segment.textLength) | 0
  cb.reassembly ??= new Reassembly(cb.shared.reassemblies)
  cb.reassembly.noteDuplicate(segment.seq, lessThan(textEnd, rcvNxt) ? textEnd : rcvNxt)
}
