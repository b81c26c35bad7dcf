// Which segment next (RFC 9293 §3.8): what is lost, what is new, a probe, or an acknowledgment alone. About one emission's worth a call,
// so that connections take turns. Called by the connection's `transmit`; tcp/emit writes what is decided here.
import type { PacketBatch } from '../batch.ts'
import { Count } from '../observer.ts'
import { Flag } from '../wire/tcp.ts'
import { Cause, type CauseNumber } from './cause.ts'
import { type ControlBlock, Mark, Option } from './control-block.ts'
import { emit, emitSyn, emptySequence } from './emit.ts'
import { tellRetransmission } from './events.ts'
import { Sent } from './sender/flight.ts'
import { awaitTail } from './sender/losses.ts'
import { onPaced, pacedRoom } from './sender/pacer.ts'
import { HOLD, offeredMss, onPathProbe, pathProbeSize } from './sender/path-mtu.ts'
import { Persist } from './sender/persist.ts'
import { emissionLimit, inFlight, sendWindow } from './sender/recovery.ts'
import { armRetransmission, Outcome, resend, restamp, retransmit } from './sender/retransmit.ts'
import { TailLossProbe } from './sender/tail-loss-probe.ts'
import { atMost, distance, lessThan } from './sequence.ts'
import { State } from './state.ts'
import { Instant, Timer } from './timers.ts'

/** How long a cork holds back the rest of a segment, as on Linux. */
const CORK_TIME = 200
/** RFC 9293 §3.8.6.1: MUST-36 and SHLD-29, probes come no faster and no slower. */
const LEAST_PROBE_DELAY = 200
const MOST_PROBE_DELAY = 120_000

/** Sends what may be sent; says whether there is more to send now. The caller has just looked for the path. */
export function output(cb: ControlBlock, batch: PacketBatch, now: number): boolean {
  if (cb.state === State.closed || cb.route === null) return false
  if (cb.state === State.synSent || cb.state === State.synReceived) return outputSyn(cb, batch, now)
  if (!acknowledgeFirst(cb, batch, now)) return true
  let outcome: number = Outcome.nothing
  if (cb.is(Mark.tailProbe)) outcome = probeTail(cb, batch, now)
  else if (!cb.is(Mark.sendNew)) outcome = retransmit(cb, batch, now)
  if (outcome === Outcome.nothing) outcome = cb.is(Mark.probe) ? probe(cb, batch, now) : sendNew(cb, batch, now)
  if (outcome === Outcome.noRoom) return true
  if (cb.is(Mark.keepAliveProbe) && outcome === Outcome.nothing && !probeAlive(cb, batch, now)) return true
  if (cb.delayedAck.due(cb.has(Option.selectiveAcks)) > 0 && !emitAck(cb, batch, now)) return true
  // What was sent may not have been all: then the next call finds out.
  return outcome === Outcome.sent && hasOutput(cb)
}

/** ACKs that must go alone: duplicates, which are counted by the peer, and those whose SACK blocks text has no room for. */
function acknowledgeFirst(cb: ControlBlock, batch: PacketBatch, now: number): boolean {
  const due = cb.delayedAck.due(cb.has(Option.selectiveAcks))
  if (due === 0) return true
  const hasBlocks = cb.reassembly?.hasBlocks === true
  if (due === 1 && !hasBlocks) return true
  for (let count = 0; count < due; count++) if (!emitAck(cb, batch, now)) return false
  return true
}

export function emitAck(cb: ControlBlock, batch: PacketBatch, now: number): boolean {
  return emit(cb, batch, emptySequence(cb), 0, 0, cb.mss, cb.delayedAck.cause, now)
}

/** RFC 9293 §3.5: the SYN of an active open, or the SYN-ACK of a simultaneous one. */
function outputSyn(cb: ControlBlock, batch: PacketBatch, now: number): boolean {
  const { flight, route } = cb
  const isNew = flight.first < 0
  if (!isNew && !flight.has(flight.first, Sent.lost)) {
    // What arrives unacceptable in SYN-RECEIVED is answered: in a simultaneous open that completes the other end.
    if (cb.state === State.synSent || cb.delayedAck.due(true) === 0) return false
    return !emitAck(cb, batch, now)
  }
  if (route === null) return false
  // RFC 3168 §6.1.1.1: a SYN that nobody answers goes again without the question.
  if (!isNew) cb.options &= ~Option.ecn
  const asks = cb.has(Option.ecn) ? Flag.ece | Flag.cwr : 0
  const flags = Flag.syn | (cb.state === State.synReceived ? Flag.ack : asks)
  const mss = offeredMss(route.interface.mtu, cb.remoteAddress.isIpv4, cb.mssLimit)
  if (!emitSyn(cb, batch, flags, mss, now)) return true
  if (isNew) {
    onFlightBegins(cb, now)
    const row = flight.append(cb.iss, cb.sndNxt, 1, Sent.syn, now)
    restamp(cb, row)
  } else {
    flight.markAgain(flight.first, now)
    tellRetransmission(cb, cb.iss, 0, flight.slab.cause[flight.first])
  }
  cb.unmark(Mark.forceRetransmission)
  if (!cb.isArmed(Timer.retransmission)) armRetransmission(cb, now)
  return false
}

/** RFC 9293 §3.8.6 (SHLD-27, SHLD-28, MAY-16): new text, in segments as large as may be, as much as window, cwnd, Nagle and silly window avoidance let go. */
function sendNew(cb: ControlBlock, batch: PacketBatch, now: number): number {
  const end = cb.sendEnd
  const available = distance(cb.sndNxt, end)
  const finDue = cb.is(Mark.finWanted) && !cb.is(Mark.finSent)
  if (cb.congestion === null || (available <= 0 && !finDue)) return Outcome.nothing
  restartIfIdle(cb, now)
  // SHLD-15: negative where the peer has shrunk its window.
  const usable = distance(cb.sndNxt, (cb.sndUna + cb.sndWnd) | 0)
  const room = sendWindow(cb) - inFlight(cb)
  const least = Math.min(available, cb.mss)
  if (room < Math.max(1, least)) {
    cb.unmark(Mark.paced)
    cb.windowLimitedUntil = cb.sndNxt
    return Outcome.nothing
  }
  if (cb.flight.count >= cb.shared.settings.mostInFlight) return Outcome.nothing
  if (cb.pathSearch !== null) {
    const size = pathProbeSize(cb, available, Math.min(usable, room), now)
    if (size !== 0) return sendPathProbe(cb, batch, size, available, now)
  }
  let length = Math.min(available, usable, room, emissionLimit(cb))
  if (length < 0 || (length === 0 && !(finDue && available === 0 && usable > 0))) return blocked(cb, now)
  if (length > cb.mss && length % cb.mss !== 0) {
    // The rest that is less than a segment goes along only if it might go alone.
    if (length < available || !maySendSmall(cb, length % cb.mss, length % cb.mss, finDue)) length -= length % cb.mss
  }
  if (length < cb.mss && !maySendSmall(cb, length, available, finDue)) return blocked(cb, now)
  const paced = length > 0 ? pacedRoom(cb, now) : length
  if (paced === 0 && length > 0) return Outcome.nothing
  length = Math.min(length, paced)
  const hasFin = finDue && length === available && usable > length
  return sendText(cb, batch, length, available, hasFin, cb.is(Mark.sendNew) ? Cause.forwardProbe : Cause.newData, now)
}

/** RFC 8985 §7.3: a segment of new text whatever cwnd says, or the last one again. */
function probeTail(cb: ControlBlock, batch: PacketBatch, now: number): number {
  const { flight } = cb
  const { slab } = flight
  const row = flight.last
  if (row < 0 || flight.has(row, Sent.sacked | Sent.lost)) {
    cb.unmark(Mark.tailProbe)
    return Outcome.nothing
  }
  const available = distance(cb.sndNxt, cb.sendEnd)
  const length = Math.min(available, cb.mss)
  const isNew = length > 0 && length <= distance(cb.sndNxt, (cb.sndUna + cb.sndWnd) | 0)
  let outcome: number
  if (isNew) outcome = sendText(cb, batch, length, available, false, Cause.tailProbeNew, now)
  else {
    const extra = (flight.length(row) - 1) % Math.min(slab.mss[row], cb.mss)
    const isLong = flight.length(row) > extra + 1
    const last = isLong ? flight.split(row, (slab.end[row] - extra - 1) | 0) : row
    outcome = resend(cb, batch, last, Cause.tailProbe, now)
  }
  if (outcome === Outcome.noRoom) return outcome
  cb.unmark(Mark.tailProbe)
  cb.shared.counters.values[Count.tcpTailProbes]++
  cb.tailProbe ??= new TailLossProbe()
  cb.tailProbe.onProbe(cb.sndNxt, !isNew)
  cb.disarm(Timer.loss)
  armRetransmission(cb, now)
  return outcome
}

/** RFC 4821 §7.5: new text in one segment that is larger than is known to get through. */
function sendPathProbe(cb: ControlBlock, batch: PacketBatch, size: number, available: number, now: number): number {
  if (size === HOLD || pacedRoom(cb, now) === 0) return Outcome.nothing
  const outcome = sendText(cb, batch, size, available, false, Cause.pathProbe, now, size)
  if (outcome === Outcome.sent) onPathProbe(cb, size)
  return outcome
}

function sendText(
  cb: ControlBlock,
  batch: PacketBatch,
  length: number,
  available: number,
  hasFin: boolean,
  cause: CauseNumber,
  now: number,
  size = cb.mss,
): number {
  const { flight, shared } = cb
  const start = cb.sndNxt
  // RFC 9293 §3.9.1.2 (MUST-60, MUST-61): PSH where the last of what was written goes.
  const flags = (hasFin ? Flag.fin : 0) | (length === available && length > 0 ? Flag.psh : 0)
  const why = length === 0 && cause === Cause.newData ? Cause.finish : cause
  if (!emit(cb, batch, start, length, flags, size, why, now)) return Outcome.noRoom
  const end = (start + length + (hasFin ? 1 : 0)) | 0
  if (flight.first < 0) {
    // A new flight: nothing was on its way, so time begins now for rate samples, timers and the user's patience.
    shared.timers.set(cb.timersRow, Instant.firstSent, now)
    shared.timers.set(cb.timersRow, Instant.delivered, now)
    onFlightBegins(cb, now)
  }
  const before = inFlight(cb)
  const row = flight.append(start, end, size, hasFin ? Sent.fin : 0, now)
  restamp(cb, row)
  cb.sndNxt = end
  if (hasFin) {
    cb.finSequence = (end - 1) | 0
    cb.mark(Mark.finSent)
  }
  if (length % size !== 0) cb.sndSml = end
  if (length === available) cb.unmark(Mark.flush)
  onSent(cb, length, available, before, now)
  return Outcome.sent
}

function onSent(cb: ControlBlock, length: number, available: number, before: number, now: number): void {
  const { congestion } = cb
  if (congestion !== null) {
    const cwnd = sendWindow(cb)
    const isLimited = length === available && before + length < cwnd
    // draft-cheng-iccrg-delivery-rate-estimation §3.4: samples say so until what is in flight now has arrived.
    if (isLimited && cb.flight.lost === 0) cb.limitedUntil = (cb.delivered + cb.flight.pipe) | 0 || 1
    if (before + length + cb.mss > cwnd) cb.windowLimitedUntil = cb.sndNxt
    congestion.onSent(length, before, isLimited, now)
    cb.prr?.onSent(length)
    onPaced(cb, length, now)
    if (length === available) cb.unmark(Mark.paced)
  }
  if (cb.isArmed(Timer.persist)) cb.disarm(Timer.persist)
  if (!cb.isArmed(Timer.retransmission)) armRetransmission(cb, now)
  awaitTail(cb, now)
}

/** The user's patience begins with what waits for an answer: RFC 9293 §3.9.1, RFC 5482. */
export function onFlightBegins(cb: ControlBlock, now: number): void {
  cb.shared.timers.set(cb.timersRow, Instant.stalled, now)
  if (cb.userTimeout > 0) cb.arm(Timer.user, now + cb.userTimeout)
}

/** RFC 9293 §3.7.4, §3.8.6.2.1: whether less than a segment may go. `available` is all that waits. */
function maySendSmall(cb: ControlBlock, length: number, available: number, finDue: boolean): boolean {
  if (length < available) {
    // The window or cwnd cuts it short. MUST-38: only when that is half of the largest window ever seen.
    return length >= Math.max(1, cb.sndWndMax >> 1)
  }
  if (finDue) return true
  if (cb.has(Option.cork)) return cb.is(Mark.flush)
  if (cb.has(Option.noDelay) || atMost(cb.sndNxt, cb.sndUna)) return true
  // SHLD-7: Nagle's algorithm; MUST-17: it can be turned off. Minshall: only one small segment is in flight at a time.
  return cb.shared.settings.nagle === 'minshall' && atMost(cb.sndSml, cb.sndUna)
}

/** Nothing may go now. Where no ACK will come to change that, a timer does: RFC 9293 §3.8.6.1 and §3.8.6.2.1's override. */
function blocked(cb: ControlBlock, now: number): number {
  if (cb.flight.first >= 0 || cb.isArmed(Timer.persist)) return Outcome.nothing
  const usable = distance(cb.sndNxt, (cb.sndUna + cb.sndWnd) | 0)
  if (usable > 0 && cb.has(Option.cork) && distance(cb.sndNxt, cb.sendEnd) <= usable) {
    cb.arm(Timer.persist, now + CORK_TIME)
    return Outcome.nothing
  }
  if (cb.persist === null) {
    cb.persist = new Persist()
    onFlightBegins(cb, now)
  }
  cb.arm(Timer.persist, now + cb.persist.delay(cb.rtt.rto, LEAST_PROBE_DELAY, MOST_PROBE_DELAY))
  return Outcome.nothing
}

/** RFC 5681 §4.1: after an idle RTO cwnd says nothing about the path any more. */
function restartIfIdle(cb: ControlBlock, now: number): void {
  if (cb.flight.first >= 0 || cb.dataSegmentsSent === 0) return
  const idle = now - cb.shared.timers.get(cb.timersRow, Instant.sent)
  if (idle > cb.rtt.rto) cb.congestion?.onRestart(Math.min(idle * 1000, 0x7fffffff) | 0, now)
}

/** The persist timer has expired: what fits the window goes whatever its size; MUST-35, MUST-36: else one octet beyond it, as a probe. */
function probe(cb: ControlBlock, batch: PacketBatch, now: number): number {
  const { flight } = cb
  cb.unmark(Mark.probe)
  if (flight.first >= 0) {
    // The octet of the last probe, which the peer did not take, is the probe again.
    if (!flight.has(flight.first, Sent.probe)) return sendNew(cb, batch, now)
    return resend(cb, batch, flight.first, Cause.windowProbe, now)
  }
  const available = distance(cb.sndNxt, cb.sendEnd)
  const usable = distance(cb.sndNxt, (cb.sndUna + cb.sndWnd) | 0)
  const finDue = cb.is(Mark.finWanted) && !cb.is(Mark.finSent)
  if (usable > 0) {
    const length = Math.min(available, usable, cb.mss)
    const hasFin = finDue && length === available && usable > length
    if (length <= 0 && !hasFin) return Outcome.nothing
    return sendText(cb, batch, length, available, hasFin, Cause.override, now)
  }
  if (available <= 0 && !finDue) return Outcome.nothing
  const hasFin = available <= 0
  const start = cb.sndNxt
  const flags = hasFin ? Flag.fin : available === 1 ? Flag.psh : 0
  if (!emit(cb, batch, start, hasFin ? 0 : 1, flags, cb.mss, Cause.windowProbe, now)) {
    cb.mark(Mark.probe)
    return Outcome.noRoom
  }
  cb.sndNxt = (start + 1) | 0
  const row = flight.append(start, cb.sndNxt, cb.mss, Sent.probe | (hasFin ? Sent.fin : 0), now)
  restamp(cb, row)
  if (hasFin) {
    cb.finSequence = start
    cb.mark(Mark.finSent)
  }
  return Outcome.sent
}

/** RFC 9293 §3.8.4: an old sequence number and no text (SHLD-12) make the peer acknowledge. */
function probeAlive(cb: ControlBlock, batch: PacketBatch, now: number): boolean {
  if (!emit(cb, batch, (cb.sndNxt - 1) | 0, 0, 0, cb.mss, Cause.keepAlive, now)) return false
  cb.unmark(Mark.keepAliveProbe)
  return true
}

/** Whether the connection has anything to do in `transmit`: cheap, and never wrong to say yes. */
export function hasOutput(cb: ControlBlock): boolean {
  if (cb.state === State.closed) return false
  if (cb.state === State.synSent || cb.state === State.synReceived) {
    return cb.flight.first < 0 || cb.flight.lost > 0 || (cb.state === State.synReceived && cb.delayedAck.due(true) > 0)
  }
  if (cb.is(Mark.probe | Mark.keepAliveProbe | Mark.tailProbe) || cb.flight.lost > 0) return true
  if (cb.delayedAck.due(cb.has(Option.selectiveAcks)) > 0) return true
  if (cb.is(Mark.finWanted) && !cb.is(Mark.finSent)) return true
  return cb.sendBuffer !== null && lessThan(cb.sndNxt, cb.sendEnd)
}
