// What counts as lost, and when that is looked for again: RACK's verdicts (RFC 8985 §6), the reordering timer and the tail loss probe's
// (§7), which share one (§8). Called by recovery at each ACK, by output when something was sent, by expire.
import { Count } from '../../observer.ts'
import { Cause, type CauseNumber } from '../cause.ts'
import { type ControlBlock, Mark, Option, Phase } from '../control-block.ts'
import { distance } from '../sequence.ts'
import { isSynchronized } from '../state.ts'
import { Timer } from '../timers.ts'
import { Sent } from './flight.ts'
import { probeDelay } from './tail-loss-probe.ts'

const NONE = -1

/** A record is lost, `cause` says by what: the controller hears of it. Returns its octets. */
export function lose(cb: ControlBlock, row: number, cause: CauseNumber, now: number): number {
  const { flight, congestion } = cb
  const { slab } = flight
  const octets = flight.length(row)
  flight.markLost(row, cause)
  cb.lostOctets = (cb.lostOctets + octets) | 0
  const lostSince = distance(slab.lost[row], cb.lostOctets)
  congestion?.onLost(octets, slab.inFlight[row], lostSince, flight.has(row, Sent.limited), now)
  return octets
}

/** RFC 8985 §6.2 steps 4 and 5: what is lost by now; the timer waits for what may yet have been overtaken. Returns octets. */
export function detectLosses(cb: ControlBlock, cause: CauseNumber, now: number): number {
  const { rack, flight, rtt } = cb
  if (rack === null) return 0
  const { slab } = flight
  rack.update(rtt.minimum, rtt.srtt, flight.sackedSegments, cb.phase >= Phase.recovery)
  let lost = 0
  let probe = NONE
  for (let row = rack.nextLost(flight, flight.oldest, now); row !== NONE; ) {
    const next = slab.newer[row]
    if (isPathProbe(cb, row)) probe = row
    else lost += lose(cb, row, cause, now)
    row = rack.nextLost(flight, next, now)
  }
  if (probe !== NONE) lost += losePathProbe(cb, probe, lost > 0 || cb.phase >= Phase.recovery, now)
  if (rack.wait > 0) cb.armAfter(Timer.loss, now, rack.wait)
  else if (cb.isArmed(Timer.loss)) cb.disarm(Timer.loss)
  return lost
}

/** A record is the probe of the path's MTU. */
export function isPathProbe({ pathSearch, flight }: ControlBlock, row: number): boolean {
  if (pathSearch === null || !pathSearch.isUnderWay || row === NONE) return false
  return pathSearch.isProbe(flight.slab.start[row], flight.slab.end[row])
}

/**
 * RFC 4821 §7.6.2: the probe is lost, which is no sign of congestion where nothing else is; it goes again at once, in the usual size.
 * Returns the octets that the controller hears of.
 */
export function losePathProbe(cb: ControlBlock, row: number, isOneOfMany: boolean, now: number): number {
  const { pathSearch: search, flight, shared } = cb
  if (isOneOfMany) {
    search?.onInconclusive(now)
    return lose(cb, row, Cause.pathProbeLost, now)
  }
  shared.counters.values[Count.tcpPathProbesLost]++
  search?.onProbeLost(now)
  flight.markLost(row, Cause.pathProbeLost)
  cb.mark(Mark.forceRetransmission)
  return 0
}

/** RFC 8985 §7.2: while all goes well, silence for two round trips is answered with a probe. */
export function awaitTail(cb: ControlBlock, now: number): void {
  const { flight, rack, shared } = cb
  if (!cb.has(Option.selectiveAcks) || cb.phase >= Phase.recovery || !isSynchronized(cb.state)) return
  if (rack !== null && rack.wait > 0 && cb.isArmed(Timer.loss)) return
  if (flight.first === NONE || flight.sacked > 0 || flight.has(flight.first, Sent.probe)) {
    cb.disarm(Timer.loss)
    return
  }
  if (cb.tailProbe?.mayProbe === false) {
    cb.disarm(Timer.loss)
    return
  }
  // Less than two whole segments may be acknowledged late, in however many pieces they went: RFC 9293 §3.8.6.3.
  const segments = flight.octets < 2 * cb.mss ? 1 : 2
  const left = (shared.timers.get(cb.timersRow, Timer.retransmission) - now) * 1000
  cb.armAfter(Timer.loss, now, probeDelay(cb.rtt.srtt, segments, Math.min(left, 0x7fffffff) | 0))
}
