// A connection's deadlines that have passed (RFC 9293 §3.10.8): each timer's meaning. Called by the connection's `expire`.
// Timers that an ACK would disarm wait until the links are drained: the ACK may have arrived already.
import { Count } from '../observer.ts'
import { abort, close } from './closing/close.ts'
import { type ControlBlock, Mark, Phase, Wake } from './control-block.ts'
import { Decision } from './sender/keep-alive.ts'
import { onReorderingTimeout } from './sender/recovery.ts'
import { armRetransmission, onRetransmissionTimeout } from './sender/retransmit.ts'
import { isSynchronized, Reason, type ReasonNumber, State } from './state.ts'
import { Instant, Timer, type TimerName } from './timers.ts'

/** A window may be closed for as long as its owner answers; this long without a word and it is taken for dead. */
const SILENCE_LIMIT = 240_000
const LEAST_PROBE_DELAY = 200
const MOST_PROBE_DELAY = 120_000

export function expireTimers(cb: ControlBlock, now: number, drained: boolean): void {
  if (isDue(cb, Timer.delayedAck, now)) {
    cb.disarm(Timer.delayedAck)
    cb.delayedAck.onExpired()
  }
  if (isDue(cb, Timer.pacing, now)) cb.disarm(Timer.pacing)
  if (isDue(cb, Timer.closing, now)) {
    cb.disarm(Timer.closing)
    expireClosing(cb, now)
  }
  if (drained && isDue(cb, Timer.user, now)) {
    cb.disarm(Timer.user)
    // RFC 9293 §3.10.8, USER TIMEOUT.
    if (cb.flight.first >= 0 || cb.unsent > 0) giveUp(cb, now)
  }
  if (drained && isDue(cb, Timer.loss, now)) {
    cb.disarm(Timer.loss)
    expireLoss(cb, now)
  }
  if (drained && isDue(cb, Timer.retransmission, now)) {
    cb.disarm(Timer.retransmission)
    expireRetransmission(cb, now)
  }
  if (drained && isDue(cb, Timer.persist, now)) {
    cb.disarm(Timer.persist)
    expirePersist(cb, now)
  }
  if (drained && isDue(cb, Timer.keepAlive, now)) {
    cb.disarm(Timer.keepAlive)
    expireKeepAlive(cb, now)
  }
}

function isDue(cb: ControlBlock, timer: TimerName, now: number): boolean {
  return cb.state !== State.closed && cb.shared.timers.get(cb.timersRow, timer) <= now
}

/** RFC 8985 §8: the reordering window is over, or nothing has been heard for two round trips. */
function expireLoss(cb: ControlBlock, now: number): void {
  const { flight, shared } = cb
  if (flight.first < 0) return
  if (cb.rack !== null && onReorderingTimeout(cb, now)) {
    shared.counters.values[Count.tcpReorderingTimeouts]++
    return
  }
  if (cb.phase >= Phase.recovery || flight.sacked > 0 || cb.tailProbe?.mayProbe === false) return
  cb.mark(Mark.tailProbe)
  // §7.3: the retransmission timer begins anew with the probe.
  armRetransmission(cb, now)
}

/** RFC 9293 §3.8.3 (MUST-20): beyond R2 it is over, below it is sent again. MUST-22: SYNs in the same way. */
function expireRetransmission(cb: ControlBlock, now: number): void {
  if (cb.flight.first < 0) return
  const { settings, counters } = cb.shared
  if (isBeyondR2(cb, cb.timeouts, now)) {
    if (!isSynchronized(cb.state)) {
      counters.values[Count.tcpFailedAttempts]++
      close(cb, reasonOf(cb))
      return
    }
    if (!isHeldBack(cb, now)) {
      giveUp(cb, now)
      return
    }
  }
  counters.values[Count.tcpTimeouts]++
  onRetransmissionTimeout(cb, now)
  if (cb.timeouts === settings.adviceRetries) {
    // R1: negative advice to IP, whose part in it is to say anew which way leads there; SHLD-9: and to the user.
    cb.route = null
    cb.wakes |= Wake.trouble
  }
}

/** MUST-21: the user's timeout takes the place of the count, but where nobody holds the connection any more. */
function isBeyondR2(cb: ControlBlock, count: number, now: number): boolean {
  const { retries, orphanRetries, synRetries } = cb.shared.settings
  if (cb.is(Mark.orphan)) return count >= Math.min(retries, orphanRetries)
  if (cb.userTimeout > 0) return now - cb.shared.timers.get(cb.timersRow, Instant.stalled) >= cb.userTimeout
  return count >= (isSynchronized(cb.state) ? retries : synRetries)
}

/** MUST-37, SHLD-17: the peer's window is closed, and the peer is there. */
function isHeldBack(cb: ControlBlock, now: number): boolean {
  if (cb.sndWnd > 0) return false
  return now - cb.shared.timers.get(cb.timersRow, Instant.received) < SILENCE_LIMIT
}

/** RFC 9293 §3.8.6.1. SHLD-30: each wait is twice the one before. */
function expirePersist(cb: ControlBlock, now: number): void {
  const { persist, shared } = cb
  if (cb.unsent === 0 && cb.flight.first < 0) return
  cb.mark(Mark.probe)
  if (persist === null) return
  if (isBeyondR2(cb, persist.unanswered, now)) {
    giveUp(cb, now)
    return
  }
  shared.counters.values[Count.tcpWindowProbes]++
  persist.onProbe()
  cb.arm(Timer.persist, now + persist.delay(cb.rtt.rto, LEAST_PROBE_DELAY, MOST_PROBE_DELAY))
}

/** RFC 9293 §3.8.4. MUST-26: only where nothing is in flight, and nothing has come for so long. */
function expireKeepAlive(cb: ControlBlock, now: number): void {
  const { keepAlive, shared } = cb
  if (keepAlive === null || !isSynchronized(cb.state)) return
  const { timers } = shared
  const heard = timers.get(cb.timersRow, Instant.received)
  // What is in flight has the retransmission timer to find out.
  if (cb.flight.first >= 0 || cb.unsent > 0) {
    cb.arm(Timer.keepAlive, now + keepAlive.idle)
    return
  }
  const silence = now - Math.max(heard, timers.get(cb.timersRow, Instant.opened))
  const decision = keepAlive.decide(silence)
  if (decision === Decision.giveUp || (cb.userTimeout > 0 && silence >= cb.userTimeout + keepAlive.idle)) {
    giveUp(cb, now)
    return
  }
  if (decision === Decision.probe) {
    keepAlive.onProbe()
    shared.counters.values[Count.tcpKeepAliveProbes]++
    cb.mark(Mark.keepAliveProbe)
  }
  cb.arm(Timer.keepAlive, Math.max(now + 1, now - silence + keepAlive.nextAfter))
}

/** FIN-WAIT-2 where nobody can read any more, or the end of the user's patience with a lingering close. */
function expireClosing(cb: ControlBlock, now: number): void {
  if (cb.state === State.finWait2) close(cb, Reason.none)
  else abort(cb, Reason.aborted, now)
}

function giveUp(cb: ControlBlock, now: number): void {
  abort(cb, reasonOf(cb), now)
}

/** RFC 1122 §4.2.3.9, RFC 5461: what a soft error told is the better explanation. */
function reasonOf(cb: ControlBlock): ReasonNumber {
  return cb.softReason === Reason.none ? Reason.timedOut : cb.softReason
}
