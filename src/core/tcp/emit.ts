// The octets of one emission: header, options, text from the send buffer, checksum, and where the link segments, how (RFC 9293 §3.1).
// What is to be sent, and whether, is decided in tcp/output and sender/retransmit, which call this.
import { type PacketBatch, Segmentation } from '../batch.ts'
import { NO_ROOM } from '../ip/output.ts'
import type { Route } from '../ip/routes.ts'
import { Count } from '../observer.ts'
import { Protocol } from '../wire/ipv4.ts'
import * as wire from '../wire/tcp.ts'
import * as wireOptions from '../wire/tcp-options.ts'
import { Cause } from './cause.ts'
import { type ControlBlock, Mark, Option } from './control-block.ts'
import { tellSent } from './events.ts'
import { Codepoint } from './sender/ecn.ts'
import { Sent } from './sender/flight.ts'
import { distance, lessThan } from './sequence.ts'
import { State } from './state.ts'
import { Instant, Timer } from './timers.ts'

const { Flag } = wire

/** TSval: RFC 7323 §5.4. A clock of milliseconds, its offset keyed by the 4-tuple. */
export function timestamp(cb: ControlBlock, now: number): number {
  return ((Math.floor(now) | 0) + cb.tsOffset) | 0
}

/**
 * Where a segment without text stands: at SND.NXT, but not beyond the peer's window, since it would be refused there. So an
 * acknowledgment or a reset that follows a window probe stands where the probe's octet does. Linux: tcp_acceptable_seq.
 */
export function emptySequence(cb: ControlBlock): number {
  const { flight, sndNxt } = cb
  // Nothing is known of the peer's window yet.
  if (cb.state === State.synReceived) return sndNxt
  const edge = (cb.sndUna + cb.sndWnd) | 0
  if (!lessThan(edge, sndNxt)) return sndNxt
  const isProbing = flight.first >= 0 && flight.has(flight.first, Sent.probe)
  // RFC 7323 §2.3: a window may be rounded down by less than the scale's unit.
  return isProbing || distance(edge, sndNxt) >= 1 << cb.sndShift ? edge : sndNxt
}

/**
 * Writes a segment, or a super-segment, with `length` octets of text that begin at `sequence`; says whether there was room.
 * It carries the latest acknowledgment. `cause`: a value of `Cause`, for observers.
 */
export function emit(
  cb: ControlBlock,
  batch: PacketBatch,
  sequence: number,
  length: number,
  flags: number,
  segmentSize: number,
  cause: number,
  now: number,
): boolean {
  const { shared } = cb
  const { output } = shared
  const hasTimestamps = cb.has(Option.timestamps)
  const sackCount = sackBlocks(cb, length, segmentSize, hasTimestamps)
  const headerLength = wire.MINIMUM_LENGTH + wireOptions.length(hasTimestamps, sackCount)
  const route = cb.route as Route
  const { localAddress, remoteAddress } = cb
  const at = output.composeSegment(batch, route, localAddress, remoteAddress, headerLength + length, headerLength)
  if (at === NO_ROOM) return false
  const { view } = output.octets
  const urgent = urgentPointer(cb, sequence, length)
  const isNew = length > 0 && sequence === cb.sndNxt && cb.persist === null
  const allFlags = flags | Flag.ack | (urgent > 0 ? Flag.urg : 0) | echoFlags(cb, isNew)
  const readable = cb.receiveBuffer === null ? 0 : cb.receiveBuffer.readable
  const window = cb.window.offer(cb.rcvNxt, readable, cb.rcvMss, false)
  const { localPort, remotePort, rcvNxt } = cb
  wire.write(view, at, localPort, remotePort, sequence, rcvNxt, headerLength, allFlags, window, urgent)
  wireOptions.write(
    view,
    at + wire.OPTIONS_AT,
    hasTimestamps,
    hasTimestamps ? timestamp(cb, now) : 0,
    cb.tsRecent,
    sackCount,
    shared.sackStart,
    shared.sackEnd,
  )
  if (length > 0) cb.sendBuffer?.read(distance(cb.dataStart, sequence), output.octets, at + headerLength, length)
  // MUST-48, SHLD-22.
  output.header.trafficClass =
    cb.ecn === null ? cb.trafficClass : (cb.trafficClass & ~Codepoint.mask) | cb.ecn.codepoint(isNew)
  output.header.hopLimit = cb.hopLimit
  // MUST-2.
  output.writeChecksum(Protocol.tcp, wire.CHECKSUM_AT)
  const isSuper = length > segmentSize
  const segmentation = isSuper ? (cb.remoteAddress.isIpv4 ? Segmentation.tcp4 : Segmentation.tcp6) : Segmentation.none
  const row = output.send(Protocol.tcp, segmentation, isSuper ? segmentSize : 0)
  if (shared.observer.isDetailed) {
    tellSent(cb, batch, row, sequence, length, allFlags, window << cb.window.scale, segmentSize, cause, sackCount)
  }
  if (isNew) cb.ecn?.onSent()
  onEmitted(cb, length, isSuper ? Math.ceil(length / segmentSize) : 1, sackCount, now)
  return true
}

/** RFC 3168 §6.1.2, §6.1.3: ECE while a mark is echoed, CWR with the first new text after a reduction. */
function echoFlags({ ecn }: ControlBlock, isNew: boolean): number {
  if (ecn === null) return 0
  return (ecn.isEchoing ? Flag.ece : 0) | (isNew && ecn.owesAnswer ? Flag.cwr : 0)
}

/** RFC 2018 §4: every acknowledgment has them; text leaves them room only where it does not fill its segment. */
function sackBlocks(cb: ControlBlock, length: number, segmentSize: number, hasTimestamps: boolean): number {
  const { reassembly, shared } = cb
  if (reassembly === null || !cb.has(Option.selectiveAcks) || !reassembly.hasBlocks) return 0
  let room = wireOptions.sackRoom(hasTimestamps)
  if (length > 0) room = Math.min(room, (segmentSize - length - 4) >> 3)
  return room > 0 ? reassembly.blocks(room, shared.sackStart, shared.sackEnd) : 0
}

/** RFC 9293 §3.8.5 (MUST-30, MUST-62): while what was sent as urgent has not been sent past, segments point to its end. */
function urgentPointer(cb: ControlBlock, sequence: number, length: number): number {
  if (!cb.is(Mark.urgentSent) || !lessThan(sequence, cb.sndUp)) return 0
  if (length === 0 && !lessThan(cb.sndUna, cb.sndUp)) return 0
  return Math.min(distance(sequence, cb.sndUp), 0xffff)
}

function onEmitted(cb: ControlBlock, length: number, segments: number, sackCount: number, now: number): void {
  const { shared } = cb
  shared.counters.values[Count.tcpSent] += segments
  cb.segmentsSent = (cb.segmentsSent + segments) | 0
  cb.lastAckSent = cb.rcvNxt
  if (sackCount > 0) cb.reassembly?.onSent()
  if (cb.delayedAck.isOwed) {
    cb.delayedAck.onSent()
    cb.disarm(Timer.delayedAck)
  }
  if (length > 0) {
    cb.dataSegmentsSent = (cb.dataSegmentsSent + segments) | 0
    shared.timers.set(cb.timersRow, Instant.sent, now)
  }
}

/** A SYN or a SYN-ACK of a connection that we opened. */
export function emitSyn(cb: ControlBlock, batch: PacketBatch, flags: number, mss: number, now: number): boolean {
  const { shared } = cb
  const { output } = shared
  const hasTimestamps = cb.has(Option.timestamps)
  const hasSack = cb.has(Option.selectiveAcks)
  const scale = cb.has(Option.windowScaling) ? cb.window.scale : wireOptions.ABSENT
  const headerLength = wire.MINIMUM_LENGTH + wireOptions.synLength(scale, hasSack, hasTimestamps)
  const at = output.composeSegment(batch, cb.route as Route, cb.localAddress, cb.remoteAddress, headerLength)
  if (at === NO_ROOM) return false
  const { view } = output.octets
  const window = cb.window.offer(cb.rcvNxt, 0, mss, true)
  const { localPort, remotePort, rcvNxt, iss } = cb
  wire.write(view, at, localPort, remotePort, iss, rcvNxt, headerLength, flags, window, 0)
  const options = at + wire.OPTIONS_AT
  const tsVal = hasTimestamps ? timestamp(cb, now) : 0
  wireOptions.writeSyn(view, options, mss, scale, hasSack, hasTimestamps, tsVal, cb.tsRecent)
  output.header.trafficClass = cb.trafficClass
  output.header.hopLimit = cb.hopLimit
  output.writeChecksum(Protocol.tcp, wire.CHECKSUM_AT)
  const row = output.send(Protocol.tcp)
  if (shared.observer.isDetailed) {
    const { first, slab } = cb.flight
    const cause = first >= 0 ? slab.cause[first] : flags & Flag.ack ? Cause.synAck : Cause.syn
    tellSent(cb, batch, row, iss, 0, flags, window, mss, cause, 0)
  }
  onEmitted(cb, 0, 1, 0, now)
  return true
}
