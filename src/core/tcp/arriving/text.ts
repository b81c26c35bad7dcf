// SEGMENT ARRIVES, seventh: the segment's text (RFC 9293 §3.10.7.4). In order it becomes readable; beyond a gap it is kept at its place
// (SHLD-31) and told of by SACK. What is within the window is taken, unless the stack has no memory left.
import { Count, Drop } from '../../observer.ts'
import { Flag } from '../../wire/tcp.ts'
import { Cause } from '../cause.ts'
import { type ControlBlock, Mark, Wake } from '../control-block.ts'
import { Inserted, Reassembly } from '../receiver/reassembly.ts'
import { KEEP_FROM, type ReceiveBuffer } from '../receiver/receive-buffer.ts'
import type { Segment } from '../segment.ts'
import { Codepoint, type Ecn } from '../sender/ecn.ts'
import { distance } from '../sequence.ts'
import { mayReceive } from '../state.ts'
import { Instant } from '../timers.ts'
import { acknowledgeDuplicate, drop } from './refuse.ts'

/** False where the user reads no more, and has not said so before the peer sent: the connection is to be reset (RFC 9293 §3.6.1, SHLD-3). */
export function receiveText(cb: ControlBlock, segment: Segment, now: number): boolean {
  if (segment.textLength === 0) return true
  // After the peer's FIN nothing can come: it is ignored.
  if (!mayReceive(cb.state)) return true
  if (cb.is(Mark.readShut)) return false
  cb.dataSegmentsReceived = (cb.dataSegmentsReceived + segment.segments) | 0
  learnSegmentSize(cb, segment)
  if (cb.ecn !== null) noteMark(cb, cb.ecn, segment)
  const isInOrder = segment.seq === cb.rcvNxt
  if (cb.shared.isOutOfMemory && (!isInOrder || (cb.receiveBuffer !== null && cb.receiveBuffer.readable > 0))) {
    // Not even out-of-order text is kept; in-order text is, where the user has nothing to read: some progress must be.
    drop(cb, Drop.tcpMemory)
    acknowledgeDuplicate(cb, Cause.duplicateAck)
    return true
  }
  cb.receiveBuffer ??= cb.shared.receiveBuffers.take()
  if (isInOrder) takeInOrder(cb, segment, now)
  else keepOutOfOrder(cb, segment)
  return true
}

/** SHLD-8. RFC 3168 §6.1.3: a mark is echoed at once, until the sender says CWR. */
function noteMark(cb: ControlBlock, ecn: Ecn, { packet, flags }: Segment): void {
  if ((packet.trafficClass & Codepoint.mask) === Codepoint.congested)
    cb.shared.counters.values[Count.tcpMarksReceived]++
  if (ecn.onArrived(packet.trafficClass, (flags & Flag.cwr) !== 0)) cb.delayedAck.demand(Cause.congestionEcho)
}

function takeInOrder(cb: ControlBlock, segment: Segment, now: number): void {
  const { textLength: length } = segment
  const buffer = cb.receiveBuffer as ReceiveBuffer
  const { packet, text } = segment
  if (length < KEEP_FROM || !buffer.keep(packet.keepable, text, length)) buffer.write(0, packet, text, length)
  advance(cb, length)
  cb.delayedAck.onText(length, cb.rcvMss)
  const { reassembly } = cb
  // RFC 2883 §4: some of it had come before. A sender that has erred learns of it at once.
  if (reassembly?.hasDuplicate) cb.delayedAck.demand(Cause.duplicateText)
  if (reassembly !== null && !reassembly.isEmpty) {
    const further = distance(cb.rcvNxt, reassembly.advance(cb.rcvNxt))
    if (further > 0) advance(cb, further)
    // RFC 5681 §4.2: what fills a gap, whole or in part, is acknowledged at once.
    cb.delayedAck.demand(Cause.gapFilled)
  }
  cb.window.onText(cb.rcvNxt, now)
  cb.shared.timers.set(cb.timersRow, Instant.textReceived, now)
  cb.wakes |= Wake.readable
}

function advance(cb: ControlBlock, length: number): void {
  const before = cb.rcvNxt
  cb.rcvNxt = (before + length) | 0
  if (cb.rcvNxt >>> 0 < before >>> 0) cb.rcvRounds++
  cb.receiveBuffer?.advance(length)
}

function keepOutOfOrder(cb: ControlBlock, segment: Segment): void {
  const { shared } = cb
  if (cb.reassembly === null) cb.reassembly = new Reassembly(shared.reassemblies)
  const end = (segment.seq + segment.textLength) | 0
  const inserted = cb.reassembly.insert(segment.seq, end)
  if (inserted === Inserted.refused) drop(cb, Drop.tcpMemory)
  else if (inserted === Inserted.added) {
    cb.outOfOrderSegments++
    cb.receiveBuffer?.write(distance(cb.rcvNxt, segment.seq), segment.packet, segment.text, segment.textLength)
  }
  // RFC 5681 §4.2 (MAY-13): at once, so that the sender counts it.
  acknowledgeDuplicate(cb, inserted === Inserted.added ? Cause.duplicateAck : Cause.duplicateText)
}

/** How large the peer's segments are, for windows and for when an ACK is due. */
function learnSegmentSize(cb: ControlBlock, segment: Segment): void {
  const size = segment.segmentSize > 0 ? Math.min(segment.segmentSize, segment.textLength) : segment.textLength
  if (size > cb.rcvMss) cb.rcvMss = Math.min(size, 65_535)
}
