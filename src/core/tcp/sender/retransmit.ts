// What was lost is sent again (RFC 5681 §3.2, RFC 6675 §5, RFC 6298 §5), and what happens when the retransmission timer expires.
// Called by tcp/output, which asks for losses before it sends anything new, and by the connection's `expire`.
import type { PacketBatch } from '../../batch.ts'
import { Flag } from '../../wire/tcp.ts'
import { Cause } from '../cause.ts'
import { type ControlBlock, Mark, Option, Phase } from '../control-block.ts'
import { emit, timestamp } from '../emit.ts'
import { tellRetransmission } from '../events.ts'
import { distance, lessThan } from '../sequence.ts'
import { Timer } from '../timers.ts'
import { stamp } from './delivery-rate.ts'
import { Sent } from './flight.ts'
import { lose } from './losses.ts'
import { NewReno } from './new-reno.ts'
import { onPaced, pacedRoom } from './pacer.ts'
import { suspectBlackHole } from './path-mtu.ts'
import { emissionLimit, inFlight, sendWindow } from './recovery.ts'
import { forget } from './scoreboard.ts'
import { Undo } from './undo.ts'

const NONE = -1

/** What an attempt to send came to. */
export const Outcome = { nothing: 0, sent: 1, noRoom: 2 } as const

/** Sends the oldest lost octets that nobody has sent again yet, about one emission's worth, as far as cwnd and window let it. */
export function retransmit(cb: ControlBlock, batch: PacketBatch, now: number): number {
  const { flight } = cb
  const row = flight.nextLost()
  if (row === NONE) return Outcome.nothing
  const { slab } = flight
  const isForced = cb.is(Mark.forceRetransmission)
  let room = isForced ? cb.mss : Math.min(sendWindow(cb) - inFlight(cb), emissionLimit(cb))
  // RFC 9293 §3.8.6 (MUST-34, SHLD-16, MAY-7): a window that was shrunk holds back all but the oldest octets, which serve as its probe.
  const isOldest = row === flight.first
  const within = distance(slab.start[row], (cb.sndUna + cb.sndWnd) | 0)
  if (within < 1 && !isOldest) return Outcome.nothing
  room = isOldest ? Math.min(room, Math.max(within, cb.mss)) : Math.min(room, within)
  const length = flight.length(row)
  if (room < Math.min(cb.mss, length)) return Outcome.nothing
  if (!isForced) {
    room = Math.min(room, pacedRoom(cb, now))
    if (room === 0) return Outcome.nothing
  }
  // It is sent in segments as the path takes them now, be they smaller or larger than before.
  slab.mss[row] = cb.mss
  if (length > room) cut(cb, row, room)
  return resend(cb, batch, row, slab.cause[row], now)
}

/** The record's first octets, in whole segments of the present size, become a record of their own. */
function cut(cb: ControlBlock, row: number, room: number): void {
  const { flight, mss } = cb
  const { slab } = flight
  const octets = Math.max(mss, room - (room % mss))
  if (octets < flight.length(row)) flight.split(row, (slab.start[row] + octets) | 0)
}

/** Sends a record again, `cause` says why; it is one segment, or as many as the link makes of it. */
export function resend(cb: ControlBlock, batch: PacketBatch, row: number, cause: number, now: number): number {
  const { flight } = cb
  const { slab } = flight
  const start = slab.start[row]
  const hasFin = flight.has(row, Sent.fin)
  const text = flight.length(row) - (hasFin ? 1 : 0)
  const isLast = slab.end[row] === cb.sndNxt
  const flags = (hasFin ? Flag.fin : 0) | (isLast && text > 0 ? Flag.psh : 0)
  if (!emit(cb, batch, start, text, flags, cb.mss, cause, now)) return Outcome.noRoom
  flight.markAgain(row, now)
  restamp(cb, row)
  cb.unmark(Mark.forceRetransmission)
  const octets = flight.length(row)
  cb.prr?.onSent(octets)
  onPaced(cb, octets, now)
  if (!cb.has(Option.selectiveAcks)) {
    cb.newReno ??= new NewReno()
    cb.newReno.onRetransmitted(flight.segments(row))
  }
  cb.undo?.onRetransmitted(flight.segments(row), cb.has(Option.timestamps), timestamp(cb, now))
  tellRetransmission(cb, start, octets, cause)
  // Probes have a timer of their own. Differs: from RFC 6298 §5.1, which starts it only where it does not run: what is oldest and has just
  // gone again needs a round trip, too, before its loss can be believed. Linux does so as well.
  if (cb.persist === null && (row === flight.first || !cb.isArmed(Timer.retransmission))) armRetransmission(cb, now)
  return Outcome.sent
}

export function restamp(cb: ControlBlock, row: number): void {
  stamp(cb.flight, row, cb, cb.shared.timers, cb.timersRow)
}

/** RFC 6298 §5.1, §5.3. */
export function armRetransmission(cb: ControlBlock, now: number): void {
  cb.arm(Timer.retransmission, now + cb.rtt.rto)
}

/**
 * RFC 6298 §5.4 to §5.6: the timer has expired. What is in flight, not sacked and not sent lately counts as lost.
 * What gives a connection up is decided before.
 */
export function onRetransmissionTimeout(cb: ControlBlock, now: number): void {
  const { flight, congestion } = cb
  const { slab } = flight
  if (flight.first === NONE) return
  const isRepeated = cb.timeouts > 0
  cb.timeouts++
  if (congestion !== null) congestion.onTimeout(flight.octets, isRepeated, now)
  // RFC 2018 §8: the oldest octets were sacked and then thrown away.
  if (flight.has(flight.first, Sent.sacked)) forget(flight)
  for (let row = flight.first; row !== NONE; row = slab.next[row]) {
    if (flight.has(row, Sent.sacked | Sent.lost)) continue
    // RFC 8985 §6.3: what was sent lately may still arrive.
    if (cb.rack === null || cb.rack.isLostAtTimeout(flight, row, now)) lose(cb, row, Cause.timeout, now)
  }
  cb.duplicateAcks = 0
  // RFC 5682 §3: not in a recovery, unless the same octets have timed out again.
  const mayForward = isRepeated || cb.phase < Phase.recovery
  if (!isRepeated || lessThan(cb.recover, cb.sndUna) || cb.phase !== Phase.loss) cb.recover = cb.sndNxt
  cb.setPhase(Phase.loss, Cause.timeout)
  cb.prr = null
  suspectBlackHole(cb, now)
  cb.tailProbe?.clear()
  cb.ecn?.onReduced(cb.sndNxt)
  cb.unmark(Mark.sendNew | Mark.tailProbe)
  cb.disarm(Timer.loss)
  cb.undo ??= new Undo()
  cb.undo.begin(cb.sndUna, cb.recover, true, mayForward, Math.ceil(flight.again / cb.mss))
  cb.mark(Mark.forceRetransmission)
  cb.rtt.onTimeout()
  armRetransmission(cb, now)
}
