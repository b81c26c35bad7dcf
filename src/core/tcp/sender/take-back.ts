// What was done in haste is taken back: a recovery or timeout that `Undo` finds needless, what a tail loss probe's answer
// means, and what the echo of a mark does.
// Called by arriving/acknowledge for each ACK, before recovery goes on.
import { Count } from '../../observer.ts'
import { type ControlBlock, Mark, Option, Phase } from '../control-block.ts'
import type { Segment } from '../segment.ts'
import { distance, lessThan } from '../sequence.ts'
import { Sent } from './flight.ts'
import { clearPath } from './path-mtu.ts'
import { flightSize } from './recovery.ts'
import { Verdict } from './undo.ts'

const NONE = -1

/** `acked` octets were acknowledged; `isDuplicate`: nothing new, or a SACK alone. */
export function reconsider(cb: ControlBlock, segment: Segment, acked: number, isDuplicate: boolean, now: number): void {
  const { shared, undo } = cb
  const { scoreboard, sample } = shared
  noteDuplicate(cb)
  cb.unmark(Mark.sendNew)
  if (undo === null || !undo.isPending) return
  const hasSacks = cb.has(Option.selectiveAcks)
  if (hasSacks && segment.options.sackCount > 0 && scoreboard.hasDuplicate) {
    const octets = distance(scoreboard.duplicateStart, scoreboard.duplicateEnd)
    undo.onDuplicate(scoreboard.duplicateStart, Math.max(1, Math.ceil(octets / cb.mss)))
  }
  const hasEcho = cb.has(Option.timestamps) && segment.options.hasTimestamps
  // RFC 5682 §2.1 step 3b: without SACK an ACK for both says nothing of the original.
  const hasOriginal = sample.hasOriginal && (hasSacks || !sample.hasAgain)
  const usable = distance(cb.sndNxt, (cb.sndUna + cb.sndWnd) | 0)
  const maySendNew = cb.unsent > 0 && usable > 0
  const { timestampEcho } = segment.options
  const verdict = undo.onAck(cb.sndUna, acked > 0, hasOriginal, isDuplicate, hasEcho, timestampEcho, maySendNew)
  if (verdict === Verdict.needless) takeBack(cb, now)
  else if (verdict === Verdict.sendNew) cb.mark(Mark.sendNew)
}

/** RFC 8985 §6.2 step 4: a D-SACK widens the reordering window, but for one that a tail loss probe has brought about. */
function noteDuplicate(cb: ControlBlock): void {
  const { scoreboard } = cb.shared
  if (!scoreboard.hasDuplicate || !cb.has(Option.selectiveAcks) || cb.tailProbe?.isUnderWay === true) return
  cb.rack?.onDuplicate(cb.sndUna, cb.sndNxt)
}

/** RFC 8985 §7.4.2: a loss that only the probe has shown, and repaired, is answered as any other. */
export function answerProbe(cb: ControlBlock, ack: number, isDuplicateAck: boolean, now: number): void {
  const { tailProbe, shared, congestion } = cb
  if (tailProbe === null) return
  if (shared.acknowledged.rtt > 0) tailProbe.onSample()
  if (!tailProbe.isUnderWay || !tailProbe.onAck(ack, shared.scoreboard.hasDuplicate, isDuplicateAck)) return
  shared.counters.values[Count.tcpTailRepairs]++
  if (cb.phase >= Phase.recovery) return
  congestion?.onRecovery(flightBefore(cb), now)
  congestion?.onRecovered(now)
}

/** RFC 3168 §6.1.2: an echo is answered once a window; a recovery has answered it already. */
export function answerEcho(cb: ControlBlock, now: number): void {
  const { ecn, shared, congestion } = cb
  if (ecn === null || cb.phase >= Phase.recovery || !ecn.onEcho(cb.sndUna, cb.sndNxt)) return
  shared.counters.values[Count.tcpMarksAnswered]++
  congestion?.onMarked(flightBefore(cb), now)
}

/** This ACK, and those that came in one turn with it. */
function flightBefore(cb: ControlBlock): number {
  const { priorInFlight, isWindowLimited } = cb.shared.acknowledged
  return flightSize(cb, priorInFlight, isWindowLimited)
}

function takeBack(cb: ControlBlock, now: number): void {
  const { flight, shared, undo, recover } = cb
  const { slab } = flight
  if (undo === null) return
  shared.counters.values[undo.isTimeout ? Count.tcpTimeoutsUndone : Count.tcpRecoveriesUndone]++
  // What was sent again in haste had been overtaken. RFC 8985 §6.2 step 3 sees that only in what was sent once.
  if (!undo.isTimeout) cb.rack?.onOvertaken()
  cb.congestion?.onUndone(now)
  for (let row = flight.first; row !== NONE && flight.lost > 0; row = slab.next[row]) {
    if (flight.has(row, Sent.lost)) flight.unmarkLost(row)
  }
  cb.prr = null
  cb.setPhase(flight.sacked > 0 ? Phase.disorder : Phase.open, 0, true)
  cb.duplicateAcks = 0
  cb.unmark(Mark.forceRetransmission)
  if (lessThan(cb.sndUna, cb.recover)) cb.recover = (cb.sndUna - 1) | 0
  if (undo.isTimeout) {
    cb.timeouts = 0
    cb.rtt.backoff = 0
    clearPath(cb, recover, now)
  }
}
