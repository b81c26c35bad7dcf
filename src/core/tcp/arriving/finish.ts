// SEGMENT ARRIVES, eighth: the FIN bit (RFC 9293 §3.10.7.4). It is taken once all text before it is here.
import { Cause } from '../cause.ts'
import { enterTimeWait } from '../closing/close.ts'
import { type ControlBlock, Mark, Wake } from '../control-block.ts'
import type { Segment } from '../segment.ts'
import { mayReceive, State } from '../state.ts'

export function receiveFin(cb: ControlBlock, segment: Segment, now: number): void {
  if (segment.hasFin && mayReceive(cb.state)) {
    // A FIN has one place in the sequence space, and keeps it while text before it is missing.
    cb.peerFin = (segment.seq + segment.textLength) | 0
    cb.mark(Mark.finSeen)
    if (cb.peerFin !== cb.rcvNxt && segment.textLength === 0) cb.delayedAck.onDisorder(Cause.duplicateAck)
  }
  if (!cb.is(Mark.finSeen) || cb.peerFin !== cb.rcvNxt) return
  cb.unmark(Mark.finSeen)
  cb.rcvNxt = (cb.rcvNxt + 1) | 0
  cb.delayedAck.demand(Cause.finishAck)
  cb.wakes |= Wake.end
  switch (cb.state) {
    case State.established:
      cb.setState(State.closeWait)
      return
    case State.finWait1:
      // Our own FIN is not acknowledged yet, or the fifth step had found it so.
      cb.setState(State.closing)
      return
    case State.finWait2:
      enterTimeWait(cb, now)
  }
}
