// SEGMENT ARRIVES, second: the RST bit (RFC 9293 §3.10.7.4, RFC 5961 §3). Only a reset at RCV.NXT itself is believed.
import { Count, Drop } from '../../observer.ts'
import { close } from '../closing/close.ts'
import type { ControlBlock } from '../control-block.ts'
import type { Segment } from '../segment.ts'
import { Reason, State } from '../state.ts'
import { challenge, drop } from './refuse.ts'

/** SHLD-2: whatever text it carries. */
export function receiveReset(cb: ControlBlock, segment: Segment, now: number): void {
  const { counters } = cb.shared
  counters.values[Count.tcpResetsReceived]++
  if (segment.seq !== cb.rcvNxt) {
    // RFC 5961 §3.2: within the window but not exact: whoever really has no connection will answer the challenge exactly.
    drop(cb, Drop.tcpOutOfWindow)
    challenge(cb, now)
    return
  }
  switch (cb.state) {
    case State.synReceived:
      // A simultaneous open that the peer refuses.
      counters.values[Count.tcpFailedAttempts]++
      close(cb, Reason.refused)
      return
    case State.closing:
    case State.lastAck:
      close(cb, Reason.none)
      return
    default:
      counters.values[Count.tcpEstablishedResets]++
      close(cb, Reason.reset)
  }
}
