// SEGMENT ARRIVES, fifth: the ACK field (RFC 9293 §3.10.7.4). What it acknowledges leaves the flight and the send buffer, the window
// is updated, samples are taken, the controller is told, and what the ACK means for our own FIN is drawn.
// Returns whether the walk goes on to the segment's text.
import { Count, Drop, Event } from '../../observer.ts'
import { Flag } from '../../wire/tcp.ts'
import { Cause } from '../cause.ts'
import { close, enterTimeWait } from '../closing/close.ts'
import { type ControlBlock, Mark, Option, Phase, Wake } from '../control-block.ts'
import { timestamp } from '../emit.ts'
import { tellRoundTrip } from '../events.ts'
import { establish } from '../opening/establish.ts'
import { resetInAnswer } from '../reply.ts'
import type { Segment } from '../segment.ts'
import { microseconds } from '../sender/delivery-rate.ts'
import { Sent } from '../sender/flight.ts'
import { awaitTail } from '../sender/losses.ts'
import { followPath } from '../sender/path-mtu.ts'
import { Rack } from '../sender/rack.ts'
import { inFlight, respond } from '../sender/recovery.ts'
import { armRetransmission } from '../sender/retransmit.ts'
import type { SendBuffer } from '../sender/send-buffer.ts'
import { answerEcho, answerProbe, reconsider } from '../sender/take-back.ts'
import { atMost, distance, lessThan } from '../sequence.ts'
import { isSynchronized, Reason, State } from '../state.ts'
import { Instant, Timer } from '../timers.ts'
import { challenge, drop } from './refuse.ts'

export function acknowledge(cb: ControlBlock, segment: Segment, now: number): boolean {
  const { ack } = segment
  if (cb.state === State.synReceived) {
    // RFC 9293 §3.10.7.4, fifth, SYN-RECEIVED: SND.UNA < SEG.ACK =< SND.NXT, or a reset in answer.
    if (!lessThan(cb.sndUna, ack) || lessThan(cb.sndNxt, ack)) {
      drop(cb, Drop.tcpUnacceptable)
      resetInAnswer(cb.shared, segment)
      return false
    }
    establish(cb, segment, now)
  }
  // RFC 5961 §5.2 (MAY-12): of what was never sent (optimistic ACKs too), or older than any window can explain.
  if (lessThan(cb.sndNxt, ack) || lessThan(ack, (cb.sndUna - cb.sndWndMax) | 0)) {
    drop(cb, Drop.tcpUnacceptable)
    challenge(cb, now)
    return false
  }
  const acked = distance(cb.sndUna, ack)
  if (acked < 0) {
    // "It can be ignored", but for its blocks. RFC 6675 §5: any ACK with SACK information updates the scoreboard, one that was overtaken too.
    const hasBlocks = segment.options.sackCount > 0 && cb.has(Option.selectiveAcks) && cb.flight.first >= 0
    if (hasBlocks) takeAcknowledgment(cb, segment, 0, false, now)
    return true
  }
  const hasWindowChanged = updateWindow(cb, segment, now)
  // A D-SACK may come when all has been acknowledged, and tell that a recovery was needless.
  const mayUndo = cb.undo?.isPending === true && segment.options.sackCount > 0
  if (cb.flight.first >= 0 || mayUndo) takeAcknowledgment(cb, segment, acked, hasWindowChanged, now)
  return drawConclusions(cb, now)
}

/** SND.WND, SND.WL1 and SND.WL2: never from an older segment. Says whether the window is another one. */
function updateWindow(cb: ControlBlock, segment: Segment, now: number): boolean {
  const { seq, ack } = segment
  const isNewer = lessThan(cb.sndWl1, seq) || (cb.sndWl1 === seq && atMost(cb.sndWl2, ack))
  if (!isNewer && !lessThan(cb.sndUna, ack)) return false
  const before = cb.sndWnd
  // RFC 7323 §2.3: SEG.WND is scaled in all segments but SYNs.
  const window = segment.wnd << cb.sndShift
  cb.sndWnd = window
  cb.sndWl1 = seq
  cb.sndWl2 = ack
  // What it was, and what it is.
  const { observer } = cb.shared
  if (observer.isDetailed && window !== before) observer.record(Event.window, cb.number, before, window)
  if (window > cb.sndWndMax) cb.sndWndMax = window
  const persist = cb.persist
  if (persist !== null) {
    // MUST-37: a peer that answers may keep its window closed.
    if (window === 0) {
      persist.onAnswer()
      cb.shared.timers.set(cb.timersRow, Instant.stalled, now)
    } else onOpened(cb)
  } else if (before === 0 && window > 0 && cb.timeouts > 0) resume(cb, now)
  return window !== before
}

/** MUST-35: the window was shrunk to nothing over what is in flight, and is open: its timeouts told nothing of the path. */
function resume(cb: ControlBlock, now: number): void {
  const { flight } = cb
  cb.timeouts = 0
  cb.rtt.backoff = 0
  if (flight.first < 0) return
  if (!flight.has(flight.first, Sent.sacked)) flight.markLost(flight.first, Cause.windowOpened)
  cb.mark(Mark.forceRetransmission)
  armRetransmission(cb, now)
}

/** The window was closed and is open: the probe's octet, if the peer did not take it, goes again with what follows. */
function onOpened(cb: ControlBlock): void {
  cb.persist = null
  cb.unmark(Mark.probe)
  cb.disarm(Timer.persist)
  const { flight } = cb
  if (flight.first >= 0 && flight.has(flight.first, Sent.probe)) {
    flight.markLost(flight.first, Cause.windowOpened)
    cb.mark(Mark.forceRetransmission)
  }
}

function takeAcknowledgment(
  cb: ControlBlock,
  segment: Segment,
  acked: number,
  hasWindowChanged: boolean,
  now: number,
): void {
  const { flight, shared } = cb
  const { sample, scoreboard, acknowledged } = shared
  acknowledged.clear(now)
  acknowledged.totalDelivered = cb.delivered
  acknowledged.priorInFlight = inFlight(cb)
  acknowledged.minimumRtt = cb.rtt.minimum
  acknowledged.acked = acked
  acknowledged.isWindowLimited = lessThan(cb.sndUna, cb.windowLimitedUntil)
  const { options } = segment
  const sackedBefore = flight.sacked
  if (cb.rack === null && cb.has(Option.selectiveAcks)) cb.rack = new Rack(cb.sndUna)
  const echo = (options.timestampEcho - cb.tsOffset) | 0
  const hasEcho = cb.has(Option.timestamps) && options.hasTimestamps
  sample.begin(cb.rack, cb.recover, hasEcho, echo, cb.rtt.minimum, now)
  scoreboard.newlySacked = 0
  scoreboard.hasDuplicate = false
  if (acked > 0) release(cb, segment.ack)
  if (options.sackCount > 0 && cb.has(Option.selectiveAcks)) {
    const { mostInFlight } = shared.settings
    scoreboard.receive(flight, options, cb.sndUna, segment.ack, cb.sndNxt, mostInFlight, sample, cb)
    if (scoreboard.hasDuplicate) {
      cb.duplicateSacks++
      shared.counters.values[Count.tcpDuplicateSacks]++
    }
  }
  if (sample.finish(acknowledged, cb, now)) {
    shared.timers.set(cb.timersRow, Instant.delivered, now)
    shared.timers.set(cb.timersRow, Instant.firstSent, sample.sentAt)
  }
  measure(cb, segment, acked, now)
  const lostBefore = cb.lostOctets
  const isDuplicate =
    acked === 0 && segment.len === 0 && !hasWindowChanged && (options.sackCount === 0 || scoreboard.newlySacked > 0)
  reconsider(cb, segment, acked, isDuplicate, now)
  if (cb.pathSearch !== null) followPath(cb, acked, now)
  answerProbe(cb, segment.ack, isDuplicate && options.sackCount === 0, now)
  respond(cb, acked, acknowledged.delivered, sackedBefore, isDuplicate, now)
  if (segment.flags & Flag.ece) answerEcho(cb, now)
  acknowledged.inRecovery = cb.phase === Phase.recovery
  acknowledged.lost = distance(lostBefore, cb.lostOctets)
  tellController(cb)
  if (acked > 0) onProgress(cb, now)
}

/** SND.UNA <- SEG.ACK: the flight's records and the send buffer's octets go. */
function release(cb: ControlBlock, ack: number): void {
  const { flight, shared } = cb
  const { slab } = flight
  let row = flight.first
  while (row >= 0 && atMost(slab.end[row], ack)) {
    if (!flight.has(row, Sent.sacked)) shared.sample.take(flight, row, flight.length(row), cb)
    flight.removeFirst()
    row = flight.first
  }
  if (row >= 0 && lessThan(slab.start[row], ack)) {
    if (!flight.has(row, Sent.sacked)) shared.sample.take(flight, row, distance(slab.start[row], ack), cb)
    flight.trimFirst(ack)
  }
  const hasFin = cb.is(Mark.finSent) && lessThan(cb.finSequence, ack)
  const buffer = cb.sendBuffer
  const dataStart = cb.dataStart
  const before = cb.sndUna
  cb.sndUna = ack
  if (ack >>> 0 < before >>> 0) cb.sndRounds++
  if (buffer === null) return
  const text = distance(dataStart, ack) - (hasFin ? 1 : 0)
  if (text > 0) buffer.release(Math.min(text, buffer.length))
  tuneSendBuffer(cb, buffer)
  if (cb.is(Mark.wantsRoom) && hasRoomAgain(cb, buffer)) {
    cb.unmark(Mark.wantsRoom)
    cb.wakes |= Wake.writable
  }
  if (buffer.length === 0) {
    cb.sendBuffer = null
    cb.wakes |= Wake.drained
  }
}

/**
 * A third is free, as on Linux; or less, where no more than half as much waits to be sent. A flight that fills the buffer would else be
 * two thirds of it: bursts keep it full only for as long as neither pacing nor the path spreads them. Without memory, when everything has gone.
 */
function hasRoomAgain(cb: ControlBlock, buffer: SendBuffer): boolean {
  const { room, limit } = buffer
  if (cb.shared.isOutOfMemory) return buffer.length === 0
  return room * 3 >= limit || (room * LEAST_ROOM >= limit && cb.unsent * 2 <= room)
}

/** Its part of the buffer: a wake for each ACK would cost more than it brings. */
const LEAST_ROOM = 16

/** The send buffer holds what is in flight and as much again that waits; it grows with cwnd until memory is short, or its owner has fixed it. */
function tuneSendBuffer(cb: ControlBlock, buffer: SendBuffer): void {
  const { congestion, shared } = cb
  if (congestion === null || cb.is(Mark.sendFixed) || shared.isUnderPressure) return
  const wanted = Math.min(2 * congestion.cwnd, shared.settings.sendBufferMost)
  if (wanted <= cb.sendLimit) return
  cb.sendLimit = wanted
  buffer.limit = wanted
}

/** RFC 6298 §3, RFC 7323 §4.1: from what was sent once, or from the echoed timestamp where all of it was sent again. */
function measure(cb: ControlBlock, segment: Segment, acked: number, now: number): void {
  const { acknowledged, observer } = cb.shared
  const { options } = segment
  let rtt = acknowledged.rtt
  if (rtt < 0 && acked > 0 && options.hasTimestamps && options.timestampEcho !== 0) {
    const age = (timestamp(cb, now) - options.timestampEcho) | 0
    // An echo from the future, or of another age, is a lie.
    if (age >= 0 && age < 600_000) rtt = microseconds(Math.max(1, age))
  }
  if (rtt < 0) return
  acknowledged.rtt = rtt
  cb.rtt.onSample(rtt, cb.sndUna, cb.sndNxt, now)
  cb.window.onRoundTrip(rtt)
  if (observer.isDetailed) tellRoundTrip(cb, rtt)
}

function tellController(cb: ControlBlock): void {
  const { congestion, shared } = cb
  const { acknowledged } = shared
  if (congestion === null || (acknowledged.acked === 0 && acknowledged.delivered === 0)) return
  acknowledged.sndUna = cb.sndUna
  acknowledged.sndNxt = cb.sndNxt
  acknowledged.inFlight = inFlight(cb)
  acknowledged.srtt = cb.rtt.srtt
  acknowledged.minimumRtt = cb.rtt.minimum
  congestion.onAcknowledged(acknowledged)
}

/** SND.UNA moved. RFC 6298 §5.2, §5.3: the timer is off when nothing is in flight, else it starts anew. */
function onProgress(cb: ControlBlock, now: number): void {
  cb.timeouts = 0
  keepAbreast(cb)
  cb.softReason = Reason.none
  cb.shared.timers.set(cb.timersRow, Instant.stalled, now)
  if (cb.flight.first < 0) {
    cb.disarm(Timer.retransmission)
    cb.disarm(Timer.user)
  } else {
    if (!cb.flight.has(cb.flight.first, Sent.probe)) armRetransmission(cb, now)
    if (cb.userTimeout > 0) cb.arm(Timer.user, now + cb.userTimeout)
  }
  awaitTail(cb, now)
  if (cb.flight.first < 0) cb.updateDeadline()
}

/** Marks in the sequence space that lie behind move along, so that none seems to lie ahead after 2^31 octets. */
function keepAbreast(cb: ControlBlock): void {
  const { sndUna } = cb
  if (lessThan(cb.sndSml, sndUna)) cb.sndSml = sndUna
  if (lessThan(cb.windowLimitedUntil, sndUna)) cb.windowLimitedUntil = sndUna
  if (distance(cb.recover, sndUna) > BEHIND) cb.recover = (sndUna - 1) | 0
  cb.ecn?.onAcknowledged(sndUna)
  if (cb.is(Mark.urgentSent) && atMost(cb.sndUp, sndUna)) cb.unmark(Mark.urgentSent)
}

const BEHIND = 1 << 30

/** RFC 9293 §3.10.7.4, fifth: what the acknowledgment of our FIN means. False where the connection is over. */
function drawConclusions(cb: ControlBlock, now: number): boolean {
  if (!cb.is(Mark.finSent) || !lessThan(cb.finSequence, cb.sndUna)) return true
  switch (cb.state) {
    case State.finWait1:
      cb.setState(State.finWait2)
      cb.wakes |= Wake.drained
      if (cb.is(Mark.orphan)) cb.arm(Timer.closing, now + cb.finWait2)
      return true
    case State.closing:
      enterTimeWait(cb, now)
      return false
    case State.lastAck:
      close(cb, Reason.none)
      return false
    default:
      return isSynchronized(cb.state)
  }
}
