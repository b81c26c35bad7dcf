// What a connection tells whoever observes the stack: each function records one event, and says in which order its numbers stand.
// Called only while somebody observes, so that nobody else pays; read by runtime/events, which has a type for each.
import type { PacketBatch } from '../batch.ts'
import type { Address } from '../ip/address.ts'
import { Count, Event } from '../observer.ts'
import { Flag } from '../wire/tcp.ts'
import { Cause, type CauseNumber } from './cause.ts'
import { type ControlBlock, Mark } from './control-block.ts'
import type { Opened } from './opening/opened.ts'
import type { Segment } from './segment.ts'
import { inFlight, sendWindow } from './sender/recovery.ts'
import { State } from './state.ts'

/** A connection that is new to observers: ISS, IRS, the ports, whether it was accepted, and both addresses. */
export function tellBegun(cb: ControlBlock): void {
  const { observer } = cb.shared
  const isPassive = cb.is(Mark.passive) ? 1 : 0
  observer.record(Event.begun, cb.number, cb.iss >>> 0, cb.irs >>> 0, cb.localPort, cb.remotePort, isPassive)
  putAddress(cb, cb.localAddress)
  putAddress(cb, cb.remoteAddress)
}

function putAddress({ shared }: ControlBlock, { word0, word1, word2, word3 }: Address): void {
  const { observer } = shared
  observer.put(word0)
  observer.put(word1)
  observer.put(word2)
  observer.put(word3)
}

/** A listener's request is complete. Until now it was a record of numbers: what happened to it is told as of when it happened, where that is known. */
export function tellRequest(cb: ControlBlock, opened: Opened, now: number): void {
  const { observer } = cb.shared
  cb.irs = opened.irs
  cb.iss = opened.iss
  cb.mark(Mark.passive)
  observer.setNow(now - opened.roundTrip / 1000)
  tellBegun(cb)
  observer.record(Event.received, cb.number, opened.irs >>> 0, 0, 0, Flag.syn, 0)
  observer.put(1)
  observer.record(Event.state, cb.number, State.listen, State.synReceived, 0, 1)
  observer.record(Event.sent, cb.number, opened.iss >>> 0, (opened.irs + 1) >>> 0, 0, Flag.syn | Flag.ack, 0)
  observer.put(Cause.synAck)
  observer.setNow(now)
}

/**
 * A segment came, as it was on the wire: SEG.SEQ, SEG.ACK, octets of text, flags, the window in octets; segments that the link has merged
 * into it, SACK blocks. Until `observer.arriving` is 0 again, what is recorded was caused by it.
 */
export function tellReceived(cb: ControlBlock, segment: Segment): void {
  const { observer } = cb.shared
  const { packet, options, flags } = segment
  const window = flags & Flag.syn ? segment.wnd : segment.wnd << cb.sndShift
  const { seq, ack, textLength } = segment
  const event = observer.record(Event.received, cb.number, seq >>> 0, ack >>> 0, textLength, flags, window)
  observer.put(segment.segments)
  putBlocks(cb, options.sackCount, options.sackStart, options.sackEnd)
  if (packet.batch !== null) observer.note(packet.batch, packet.row, event)
  observer.arriving = cb.number
}

/** A segment, or a super-segment, goes out: its place, the text's length, flags, the window in octets; then see `putSent`. */
export function tellSent(
  cb: ControlBlock,
  batch: PacketBatch,
  row: number,
  sequence: number,
  length: number,
  flags: number,
  window: number,
  segmentSize: number,
  cause: number,
  sackCount: number,
): void {
  const { observer, sackStart, sackEnd } = cb.shared
  const acknowledgment = flags & Flag.ack ? cb.rcvNxt >>> 0 : 0
  const event = observer.record(Event.sent, cb.number, sequence >>> 0, acknowledgment, length, flags, window)
  putSent(cb, cause, segmentSize, length, sackCount)
  for (let block = 0; block < sackCount; block++) {
    observer.put(sackStart[block] >>> 0)
    observer.put(sackEnd[block] >>> 0)
  }
  observer.note(batch, row, event)
}

/** Why; a number that belongs to the cause; text of a segment; cwnd, ssthresh, what may be in flight and what is, this included; SACK blocks. */
function putSent(cb: ControlBlock, cause: number, segmentSize: number, length: number, sackCount: number): void {
  const { observer } = cb.shared
  observer.put(cause)
  observer.put(detailOf(cb, cause))
  observer.put(segmentSize)
  observer.put(cb.congestion?.cwnd ?? 0)
  observer.put(cb.congestion?.ssthresh ?? 0)
  observer.put(sendWindow(cb))
  // What was lost was not in flight until now; the tail that a probe repeats was.
  observer.put(inFlight(cb) + (cause === Cause.tailProbe ? 0 : length))
  observer.put(sackCount)
}

function detailOf(cb: ControlBlock, cause: number): number {
  switch (cause) {
    case Cause.rack:
    case Cause.reorderingTimer:
      return cb.rack?.reorderingWindow ?? 0
    case Cause.timeout:
      return cb.timeouts
    case Cause.fastRetransmit:
    case Cause.earlyRetransmit:
      return cb.duplicateAcks
    case Cause.pathMtu:
      return cb.mss
    case Cause.windowProbe:
      return cb.persist?.unanswered ?? 0
    default:
      return 0
  }
}

function putBlocks({ shared }: ControlBlock, count: number, starts: Int32Array, ends: Int32Array): void {
  const { observer } = shared
  observer.put(count)
  for (let block = 0; block < count; block++) {
    observer.put(starts[block] >>> 0)
    observer.put(ends[block] >>> 0)
  }
}

/** A segment without text that is composed as an answer, since the connection will not be there to send it. */
export function tellAnswer(
  cb: ControlBlock,
  sequence: number,
  flags: number,
  window: number,
  cause: CauseNumber,
): void {
  const { observer } = cb.shared
  const acknowledgment = flags & Flag.ack ? cb.rcvNxt >>> 0 : 0
  observer.record(Event.sent, cb.number, sequence >>> 0, acknowledgment, 0, flags, window)
  putSent(cb, cause, 0, 0, 0)
}

/** Counts a retransmission, and tells of it: from where, how many octets, why, a number that belongs to it, timeouts in a row. */
export function tellRetransmission(cb: ControlBlock, sequence: number, length: number, cause: number): void {
  const { counters, observer } = cb.shared
  counters.values[Count.tcpRetransmitted]++
  cb.totalRetransmissions++
  cb.octetsRetransmitted = (cb.octetsRetransmitted + length) | 0
  if (!observer.isWatched) return
  observer.record(Event.retransmission, cb.number, sequence >>> 0, length, cause, detailOf(cb, cause), cb.timeouts)
}

/** Microseconds: a sample, SRTT, RTTVAR, the RTO, and the least so far. */
export function tellRoundTrip(cb: ControlBlock, sample: number): void {
  const { srtt, rttvar, rto, minimum } = cb.rtt
  cb.shared.observer.record(Event.roundTrip, cb.number, sample, srtt, rttvar, Math.round(rto * 1000), minimum)
}

/** cwnd, ssthresh, octets a second, what may be in flight, what is. Recorded whenever they may have changed. */
export function tellCongestion(cb: ControlBlock): void {
  const { congestion, shared } = cb
  if (congestion === null) return
  const { cwnd, ssthresh, pacingRate } = congestion
  shared.observer.record(Event.congestion, cb.number, cwnd, ssthresh, pacingRate, sendWindow(cb), inFlight(cb))
}
