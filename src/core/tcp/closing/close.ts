// How a connection ends (RFC 9293 §3.6, §3.10.4, §3.10.5): the user's close and abort, and what becomes of it then.
// Whatever the way, it comes to `close`, after which the connection releases everything in one place.
import { Count } from '../../observer.ts'
import { Flag } from '../../wire/tcp.ts'
import { Cause } from '../cause.ts'
import { type ControlBlock, Mark, Option, Wake } from '../control-block.ts'
import { emptySequence, timestamp } from '../emit.ts'
import { tellAnswer } from '../events.ts'
import { reply } from '../reply.ts'
import { isSynchronized, Reason, type ReasonNumber, State } from '../state.ts'
import { Timer } from '../timers.ts'

/** The connection is over. Its owner is told (MUST-12: with the reason); the verb that is running releases it. */
export function close(cb: ControlBlock, reason: ReasonNumber): void {
  if (cb.state === State.closed) return
  cb.reason = reason
  cb.setState(State.closed)
  cb.wakes |= Wake.closed
}

/** RFC 9293 §3.10.5: gives it up; the peer gets a reset where it knows of the connection. */
export function abort(cb: ControlBlock, reason: ReasonNumber, now: number): void {
  if (isSynchronized(cb.state) || cb.state === State.synReceived) sendReset(cb, now)
  close(cb, reason)
}

function sendReset(cb: ControlBlock, now: number): void {
  const { shared, localAddress, localPort, remoteAddress, remotePort } = cb
  const hasTimestamps = cb.has(Option.timestamps)
  const tsVal = hasTimestamps ? timestamp(cb, now) : 0
  const flags = Flag.rst | Flag.ack
  const sequence = isSynchronized(cb.state) ? emptySequence(cb) : cb.sndNxt
  const { rcvNxt, tsRecent } = cb
  if (shared.observer.isDetailed) tellAnswer(cb, sequence, flags, 0, Cause.reset)
  reply(
    shared,
    localAddress,
    localPort,
    remoteAddress,
    remotePort,
    sequence,
    rcvNxt,
    flags,
    0,
    hasTimestamps,
    tsVal,
    tsRecent,
  )
}

/** RFC 9293 §3.10.4, CLOSE: nothing more will be sent; a FIN follows what is queued. */
export function finish(cb: ControlBlock): void {
  if (cb.is(Mark.finWanted)) return
  switch (cb.state) {
    case State.synSent:
      close(cb, Reason.none)
      return
    case State.synReceived:
      // "Queue for processing after entering ESTABLISHED state."
      cb.mark(Mark.finWanted)
      return
    case State.established:
      cb.mark(Mark.finWanted)
      cb.setState(State.finWait1)
      return
    case State.closeWait:
      cb.mark(Mark.finWanted)
      cb.setState(State.lastAck)
  }
}

/**
 * Nobody holds the connection any more: it closes by itself, for a bounded time.
 * RFC 9293 §3.6.1 (MAY-1, SHLD-3), RFC 2525 §2.17: what has arrived and was not read is lost, so the peer gets a reset; SO_LINGER of 0 asks for one.
 */
export function abandon(cb: ControlBlock, now: number): void {
  cb.mark(Mark.orphan | Mark.readShut)
  const hasUnread = cb.receiveBuffer !== null && cb.receiveBuffer.readable > 0
  if (hasUnread || cb.linger === 0) {
    abort(cb, Reason.aborted, now)
    return
  }
  finish(cb)
  if (cb.state === State.closed) return
  if (cb.state === State.finWait2) cb.arm(Timer.closing, now + cb.finWait2)
  else if (cb.linger > 0) cb.arm(Timer.closing, now + cb.linger)
}

/** 2 MSL begin (RFC 9293 §3.6.1): what is left is a record; the last ACK goes out at once, since no connection will be there to send it. */
export function enterTimeWait(cb: ControlBlock, now: number): void {
  const { shared, localAddress, localPort, remoteAddress, remotePort, sndNxt, rcvNxt, tsRecent } = cb
  cb.setState(State.timeWait)
  const hasTimestamps = cb.has(Option.timestamps)
  const table = shared.timeWait
  const row = table.add(localAddress, localPort, remoteAddress, remotePort, now)
  const window = Math.min(cb.window.size(rcvNxt) >>> cb.window.scale, 0xffff)
  table.sndNxt[row] = sndNxt
  table.rcvNxt[row] = rcvNxt
  table.window[row] = window
  table.scale[row] = cb.window.scale
  table.hasTimestamps[row] = hasTimestamps ? 1 : 0
  table.tsRecent[row] = tsRecent
  table.tsOffset[row] = cb.tsOffset
  if (cb.delayedAck.isOwed) {
    cb.delayedAck.onSent()
    const tsVal = hasTimestamps ? timestamp(cb, now) : 0
    if (shared.observer.isDetailed) tellAnswer(cb, sndNxt, Flag.ack, window << cb.window.scale, Cause.finishAck)
    reply(
      shared,
      localAddress,
      localPort,
      remoteAddress,
      remotePort,
      sndNxt,
      rcvNxt,
      Flag.ack,
      window,
      hasTimestamps,
      tsVal,
      tsRecent,
    )
  }
  shared.counters.values[Count.tcpTimeWaits]++
  cb.mark(Mark.timeWait)
  close(cb, Reason.none)
}
