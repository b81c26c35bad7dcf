// From what an ACK has told to when a recovery begins and ends, and how much may be in flight meanwhile: RFC 8985 for what is lost, RFC 9937
// (PRR) for how much leaves, RFC 6582 for peers without SACK: each of their duplicate ACKs stands for one segment that has left the network.
// Limited transmit (RFC 3042) needs no rule of its own: what is sacked or stood for by a duplicate makes room under cwnd.
// Called by arriving/acknowledge at the end of each ACK, and when the reordering timer expires.
import { Count } from '../../observer.ts'
import { Cause, type CauseNumber } from '../cause.ts'
import { type ControlBlock, Mark, Option, Phase } from '../control-block.ts'
import { distance, lessThan } from '../sequence.ts'
import { Instant, Timer } from '../timers.ts'
import { Sent } from './flight.ts'
import { detectLosses, isPathProbe, lose, losePathProbe } from './losses.ts'
import { DUPLICATE_THRESHOLD, earlyThreshold, NewReno } from './new-reno.ts'
import { Prr } from './prr.ts'
import { Undo } from './undo.ts'

const NONE = -1
/** Octets in the network, as far as we can tell: RFC 6675's pipe, or the same told by duplicate ACKs. */
export function inFlight(cb: ControlBlock): number {
  const { flight } = cb
  if (cb.duplicateAcks === 0 || cb.has(Option.selectiveAcks)) return flight.pipe
  return Math.max(0, flight.pipe - Math.min(cb.duplicateAcks * cb.mss, flight.octets - flight.lost))
}

/** Octets that may be in flight: cwnd, or what PRR says while a recovery goes on. */
export function sendWindow(cb: ControlBlock): number {
  const { congestion, prr } = cb
  if (congestion === null) return cb.mss
  return prr !== null && cb.phase === Phase.recovery ? prr.window : congestion.cwnd
}

/**
 * RFC 5681's FlightSize as it was before this turn's ACKs, which have made room that nothing has filled yet: a window that was full
 * when something could last be sent was in flight as a whole. `outstanding` octets are left of it.
 */
export function flightSize(
  { congestion, sndUna, windowLimitedUntil }: ControlBlock,
  outstanding: number,
  wasFull = lessThan(sndUna, windowLimitedUntil),
): number {
  return congestion === null || !wasFull ? outstanding : Math.max(outstanding, congestion.cwnd)
}

/** What might have been sent of it by now, `inFlight` octets being on their way; not where pacing has held it back. */
function unanswered(cb: ControlBlock, inFlight: number): number {
  if (cb.is(Mark.paced)) return 0
  const usable = distance(cb.sndNxt, (cb.sndUna + cb.sndWnd) | 0)
  return Math.max(0, Math.min(flightSize(cb, inFlight) - inFlight, cb.unsent, usable))
}

/** The longest IP packet, less room for headers. */
const LARGEST_EMISSION = 65_535 - 40 - 60

/** The most text that one emission may carry: what the link segments, in whole segments. */
export function emissionLimit(cb: ControlBlock): number {
  const { route, mss } = cb
  if (route === null) return mss
  // Links that segment copy the urgent pointer, which must differ from segment to segment, and CWR, which is said once.
  if (cb.is(Mark.urgentSent) || cb.ecn?.owesAnswer) return mss
  const { offload } = route.interface
  if (!(cb.remoteAddress.isIpv4 ? offload.tcp4 : offload.tcp6)) return mss
  return Math.max(mss, LARGEST_EMISSION - (LARGEST_EMISSION % mss))
}

/**
 * `acked` octets were acknowledged, `delivered` acknowledged or sacked for the first time, `sackedBefore` were sacked before; `isDuplicate`
 * as RFC 5681 §2 has it.
 */
export function respond(
  cb: ControlBlock,
  acked: number,
  delivered: number,
  sackedBefore: number,
  isDuplicate: boolean,
  now: number,
): void {
  const isOver = cb.phase >= Phase.recovery && acked > 0 && !lessThan(cb.sndUna, cb.recover)
  const left = isOver && cb.phase === Phase.recovery ? duplicatesLeft(cb, acked) : 0
  if (isOver) end(cb, now)
  if (cb.has(Option.selectiveAcks)) {
    if (delivered > 0) respondToSacks(cb, acked, delivered, sackedBefore, now)
  } else if (cb.phase >= Phase.recovery) goOn(cb, acked, isDuplicate, now)
  else {
    countDuplicates(cb, acked, isDuplicate, left)
    if (isLossLikely(cb)) loseByDuplicates(cb, now)
  }
}

function respondToSacks(cb: ControlBlock, acked: number, delivered: number, sackedBefore: number, now: number): void {
  const { flight, congestion, prr } = cb
  const lost = detectLosses(cb, Cause.rack, now)
  if (cb.phase < Phase.recovery) {
    if (lost > 0) begin(cb, Cause.rack, sackedBefore, acked, delivered, cb.shared.acknowledged.priorInFlight, now)
    else cb.phase = flight.sacked > 0 ? Phase.disorder : Phase.open
  } else if (prr !== null && congestion !== null) {
    prr.onAck(delivered, flight.pipe, congestion.ssthresh, cb.mss, acked > 0 && lost === 0)
  }
}

/** RFC 8985 §6.2: the reordering timer has expired. Says whether anything is lost, or still waited for. */
export function onReorderingTimeout(cb: ControlBlock, now: number): boolean {
  const before = inFlight(cb)
  const lost = detectLosses(cb, Cause.reorderingTimer, now)
  if (lost > 0 && cb.phase < Phase.recovery) begin(cb, Cause.reorderingTimer, cb.flight.sacked, 0, 0, before, now)
  return lost > 0 || cb.isArmed(Timer.loss)
}

/** Without SACK. `left`: what a recovery that ends with this ACK has left of its duplicates. */
function countDuplicates(cb: ControlBlock, acked: number, isDuplicate: boolean, left: number): void {
  if (acked > 0) {
    if (left === 0 && lessThan(cb.recover, cb.sndUna)) cb.newReno?.clear()
    cb.duplicateAcks = left
  } else if (isDuplicate && cb.flight.first !== NONE) cb.duplicateAcks++
  cb.phase = cb.duplicateAcks > 0 ? Phase.disorder : Phase.open
}

/** An ACK that moves on stands for a segment that was missing, and for others that have told of themselves by duplicates. */
function duplicatesLeft({ duplicateAcks, mss }: ControlBlock, acked: number): number {
  return Math.max(0, duplicateAcks - Math.max(0, Math.floor(acked / mss) - 1))
}

/** Without SACK: RFC 6582 §3.2 step 2. */
function isLossLikely(cb: ControlBlock): boolean {
  const { duplicateAcks, newReno } = cb
  // What was in flight when the last recovery began has not all arrived: the duplicates are that one's.
  if (duplicateAcks === 0 || lessThan(cb.sndUna, cb.recover)) return false
  // The answers to window probes.
  if (cb.flight.has(cb.flight.first, Sent.probe)) return false
  const needed = newReno === null ? DUPLICATE_THRESHOLD : newReno.threshold
  if (duplicateAcks >= needed) return true
  return isAtItsEnd(cb) && duplicateAcks >= needed - DUPLICATE_THRESHOLD + earlyThreshold(segmentsInFlight(cb))
}

/**
 * RFC 5827 §3: nothing new can follow what is in flight. Differs: nor has the peer sent anything since; its late acknowledgments, which go
 * alone behind its text or FIN, look like duplicates.
 */
function isAtItsEnd(cb: ControlBlock): boolean {
  const { flight, shared } = cb
  if (cb.is(Mark.finSeen)) return false
  if (shared.timers.get(cb.timersRow, Instant.textReceived) > flight.slab.sentAt[flight.first]) return false
  return cb.unsent === 0 || distance(cb.sndNxt, (cb.sndUna + cb.sndWnd) | 0) <= 0
}

/** As far as that matters: four for four and more. */
function segmentsInFlight({ flight }: ControlBlock): number {
  let segments = 0
  for (let row = flight.first; row !== NONE && segments <= DUPLICATE_THRESHOLD; row = flight.slab.next[row]) {
    segments += flight.segments(row)
  }
  return segments
}

function loseByDuplicates(cb: ControlBlock, now: number): void {
  if (isPathProbe(cb, cb.flight.first)) {
    losePathProbe(cb, cb.flight.first, false, now)
    cb.recover = cb.sndNxt
    return
  }
  cb.newReno ??= new NewReno()
  cb.newReno.clear()
  const isEarly = cb.duplicateAcks < DUPLICATE_THRESHOLD
  const cause = isEarly ? Cause.earlyRetransmit : Cause.fastRetransmit
  loseOldest(cb, cb.newReno, cause, now)
  begin(cb, cause, 0, 0, 0, 0, now)
}

/** RFC 6675 §5 step 4, RFC 6582 §3.2 step 2, RFC 9937 §6.1. `before`: octets that were in flight before this ACK. */
function begin(
  cb: ControlBlock,
  cause: CauseNumber,
  sackedBefore: number,
  acked: number,
  delivered: number,
  before: number,
  now: number,
): void {
  const { congestion, flight } = cb
  const room = unanswered(cb, before)
  cb.shared.counters.values[Count.tcpFastRecoveries]++
  congestion?.onRecovery(flightSize(cb, flight.octets), now)
  cb.recover = cb.sndNxt
  cb.setPhase(Phase.recovery, cause)
  cb.tailProbe?.clear()
  cb.ecn?.onReduced(cb.sndNxt)
  cb.undo ??= new Undo()
  cb.undo.clear()
  cb.undo.begin(cb.sndUna, cb.sndNxt, false, false, Math.ceil(flight.again / cb.mss))
  // Step 4.3: the first retransmission leaves whatever cwnd says.
  cb.mark(Mark.forceRetransmission)
  if (congestion === null || congestion.steersRecovery || !cb.has(Option.selectiveAcks)) return
  cb.prr = new Prr()
  cb.prr.begin(flight.octets, sackedBefore, acked, room)
  cb.prr.onAck(delivered, flight.pipe, congestion.ssthresh, cb.mss, false)
}

/** RFC 6582 §3.2 step 3: duplicate and partial ACKs of a recovery, without SACK. */
function goOn(cb: ControlBlock, acked: number, isDuplicate: boolean, now: number): void {
  if (cb.phase === Phase.loss) {
    // Only what was never sent before is sure to have left the network with a duplicate: RFC 5682 §2.1 step 2b.
    if (acked > 0) cb.duplicateAcks = 0
    else if (isDuplicate && lessThan(cb.recover, cb.sndNxt)) cb.duplicateAcks++
    return
  }
  cb.newReno ??= new NewReno()
  if (acked > 0) {
    // The next segment is lost too.
    cb.duplicateAcks = duplicatesLeft(cb, acked)
    loseOldest(cb, cb.newReno, Cause.partialAck, now)
    cb.mark(Mark.forceRetransmission)
  } else if (isDuplicate) {
    cb.duplicateAcks++
    if (cb.newReno.onDuplicate()) loseAgain(cb, cb.newReno, now)
  }
}

/**
 * Differs: from RFC 6582, which leaves a lost retransmission to the timer: more duplicates have come than what was on its way before it can
 * have brought about. RFC 5681 §4.3: it is a second sign of congestion.
 */
function loseAgain(cb: ControlBlock, newReno: NewReno, now: number): void {
  const { congestion, flight } = cb
  if (!flight.has(flight.first, Sent.again)) return
  lose(cb, flight.first, Cause.lostRetransmission, now)
  if (congestion !== null && !congestion.steersRecovery) congestion.onRecovery(inFlight(cb), now)
  newReno.await(Math.ceil(inFlight(cb) / cb.mss))
  cb.mark(Mark.forceRetransmission)
}

/** All that was in flight when it began has arrived. */
function end(cb: ControlBlock, now: number): void {
  // After a timeout only a controller that steers recoveries has something to bring back.
  if (cb.phase === Phase.recovery || cb.congestion?.steersRecovery === true) cb.congestion?.onRecovered(now)
  if (cb.phase === Phase.recovery) cb.rack?.onRecovered()
  cb.prr = null
  cb.duplicateAcks = 0
  cb.unmark(Mark.forceRetransmission)
  cb.setPhase(cb.flight.sacked > 0 ? Phase.disorder : Phase.open)
}

/** The oldest segment is lost: one MSS of the first record. */
function loseOldest(cb: ControlBlock, newReno: NewReno, cause: CauseNumber, now: number): void {
  const { flight } = cb
  const { slab } = flight
  const row = flight.first
  if (row === NONE) return
  const segment = slab.mss[row]
  if (flight.length(row) > segment) flight.split(row, (slab.start[row] + segment) | 0)
  if (!flight.has(row, Sent.lost | Sent.again)) lose(cb, row, cause, now)
  newReno.await(Math.ceil(inFlight(cb) / cb.mss))
}
