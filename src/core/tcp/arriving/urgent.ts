// SEGMENT ARRIVES, sixth: the URG bit (RFC 9293 §3.10.7.4, §3.8.5). Urgent text stays in the stream; only its end is told.
import { type ControlBlock, Mark, Wake } from '../control-block.ts'
import type { Segment } from '../segment.ts'
import { lessThan } from '../sequence.ts'
import { mayReceive } from '../state.ts'

export function receiveUrgent(cb: ControlBlock, segment: Segment): void {
  if (!mayReceive(cb.state)) return
  const urgent = (segment.seq + segment.up) | 0
  // RCV.UP <- max(RCV.UP, SEG.UP); MUST-32: the user is told, and again when more comes.
  if (cb.is(Mark.urgentReceived) ? !lessThan(cb.rcvUp, urgent) : !lessThan(cb.rcvNxt, urgent)) return
  cb.rcvUp = urgent
  cb.mark(Mark.urgentReceived)
  cb.wakes |= Wake.urgent
}
