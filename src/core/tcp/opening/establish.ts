// The handshake is done, whichever way (RFC 9293 §3.5): our SYN is acknowledged, the path is measured, the controller is made.
// Called by handshake for active opens, by acknowledge for simultaneous ones, by listen for passive ones.
import { Count } from '../../observer.ts'
import { type ControlBlock, Mark, Option, Phase, Wake } from '../control-block.ts'
import { tellRoundTrip } from '../events.ts'
import type { Segment } from '../segment.ts'
import { microseconds } from '../sender/delivery-rate.ts'
import { Ecn } from '../sender/ecn.ts'
import { refreshPath, resize } from '../sender/path-mtu.ts'
import { State } from '../state.ts'
import { Instant, Timer } from '../timers.ts'

/** RFC 6928 §2: at most ten segments, and 14,600 octets unless two segments are more. */
function initialWindow(mss: number, segments: number): number {
  return Math.min(segments * mss, Math.max(2 * mss, segments * 1460))
}

/** `segment` acknowledges our SYN; its window counts as scaled, but for a SYN's. */
export function establish(cb: ControlBlock, segment: Segment, now: number): void {
  const { flight, shared } = cb
  let rtt = 0
  let isRepeated = cb.timeouts > 0
  if (flight.first >= 0) {
    const transmissions = flight.slab.transmissions[flight.first]
    if (transmissions === 1) rtt = Math.max(1, microseconds(now - flight.slab.sentAt[flight.first]))
    else isRepeated = true
    flight.clear()
  }
  cb.disarm(Timer.retransmission)
  cb.disarm(Timer.user)
  cb.timeouts = 0
  cb.phase = Phase.open
  cb.unmark(Mark.forceRetransmission)
  cb.sndUna = (cb.iss + 1) | 0
  cb.sndWnd = segment.hasSyn ? segment.wnd : segment.wnd << cb.sndShift
  cb.sndWndMax = cb.sndWnd
  cb.sndWl1 = segment.seq
  cb.sndWl2 = segment.ack
  cb.sndSml = cb.sndUna
  cb.recover = cb.iss
  cb.windowLimitedUntil = cb.sndUna
  cb.setState(State.established)
  start(cb, rtt, isRepeated, now)
  if (cb.is(Mark.finWanted)) cb.setState(State.finWait1)
  shared.timers.set(cb.timersRow, Instant.stalled, now)
  cb.wakes |= Wake.open | Wake.writable
}

/** The sender's parts begin, with the handshake's round trip in microseconds; 0 where it gave none. */
function start(cb: ControlBlock, rtt: number, isRepeated: boolean, now: number): void {
  const { settings, random, timers } = cb.shared
  if (rtt > 0) {
    cb.rtt.onSample(rtt, cb.sndUna, cb.sndNxt, now)
    cb.window.onRoundTrip(rtt)
    if (cb.shared.observer.isDetailed) tellRoundTrip(cb, rtt)
  } else if (isRepeated) cb.rtt.onHandshakeTimedOut()
  refreshPath(cb, now)
  resize(cb, now)
  // RFC 5681 §3.1: after a lost SYN or SYN-ACK the initial window is one segment.
  const segments = isRepeated && rtt === 0 ? 1 : settings.initialWindow
  const window = segments === 1 ? cb.mss : initialWindow(cb.mss, segments)
  cb.congestion = cb.congestionFactory({ mss: cb.mss, initialWindow: window, now, rtt, seed: random.int32() })
  timers.set(cb.timersRow, Instant.opened, now)
  timers.set(cb.timersRow, Instant.delivered, now)
  timers.set(cb.timersRow, Instant.firstSent, now)
  if (cb.has(Option.ecn)) {
    cb.ecn = new Ecn()
    cb.shared.counters.values[Count.tcpEcnAgreed]++
  }
  if (cb.keepAlive !== null) cb.arm(Timer.keepAlive, now + cb.keepAlive.idle)
}
