// The active open (RFC 9293 §3.10.1) and what arrives in SYN-SENT (§3.10.7.3), simultaneous open included.
// The agreed options are those that both SYNs carry: RFC 7323 §2.2 and §3.2, RFC 2018 §2.
import { Count, Drop } from '../../observer.ts'
import { Flag } from '../../wire/tcp.ts'
import { ABSENT, LARGEST_SCALE } from '../../wire/tcp-options.ts'
import { drop } from '../arriving/refuse.ts'
import { startTimestamps } from '../arriving/timestamps.ts'
import { Cause } from '../cause.ts'
import { close } from '../closing/close.ts'
import { type ControlBlock, Mark, Option } from '../control-block.ts'
import { tellBegun, tellRoundTrip } from '../events.ts'
import { scaleFor } from '../receiver/receive-window.ts'
import { resetInAnswer } from '../reply.ts'
import type { Segment } from '../segment.ts'
import { DEFAULT_MSS_IPV4, DEFAULT_MSS_IPV6 } from '../sender/path-mtu.ts'
import { atMost, lessThan } from '../sequence.ts'
import { Reason, State } from '../state.ts'
import { establish } from './establish.ts'
import type { Opened } from './opened.ts'

/** The SYN is queued: the connection's `transmit` sends it. */
export function openActively(cb: ControlBlock, now: number): void {
  const { shared, localAddress, localPort, remoteAddress, remotePort } = cb
  const { settings, sequences } = shared
  cb.iss = sequences.choose(now, localAddress, localPort, remoteAddress, remotePort)
  cb.tsOffset = sequences.timestampOffset(localAddress, localPort, remoteAddress, remotePort)
  cb.sndUna = cb.iss
  cb.sndNxt = (cb.iss + 1) | 0
  if (settings.timestamps) cb.options |= Option.timestamps
  if (settings.selectiveAcks) cb.options |= Option.selectiveAcks
  if (settings.ecn === 'ask') cb.options |= Option.ecn
  if (settings.windowScaling) {
    cb.options |= Option.windowScaling
    cb.window.scale = Math.min(scaleFor(cb.window.most), LARGEST_SCALE)
  }
  if (shared.observer.isDetailed) tellBegun(cb)
  cb.setState(State.synSent)
  shared.counters.values[Count.tcpActiveOpens]++
}

/** RFC 9293 §3.10.7.3. */
export function arrivesInSynSent(cb: ControlBlock, segment: Segment, now: number): boolean {
  // First: "If SEG.ACK =< ISS, or SEG.ACK > SND.NXT, send a reset (unless the RST bit is set)".
  const acknowledges = segment.hasAck
  if (acknowledges && (atMost(segment.ack, cb.iss) || lessThan(cb.sndNxt, segment.ack))) {
    drop(cb, Drop.tcpUnacceptable)
    resetInAnswer(cb.shared, segment)
    return false
  }
  // Second. RFC 5961 §3: a reset must acknowledge our SYN.
  if (segment.hasRst) {
    cb.shared.counters.values[Count.tcpResetsReceived]++
    if (!acknowledges) drop(cb, Drop.tcpUnacceptable)
    else {
      cb.shared.counters.values[Count.tcpFailedAttempts]++
      close(cb, Reason.refused)
    }
    return false
  }
  // Fourth. Fifth: neither SYN nor RST: dropped.
  if (!segment.hasSyn) {
    drop(cb, Drop.tcpUnacceptable)
    return false
  }
  synchronize(cb, segment, now)
  if (!acknowledges) {
    crossSyns(cb)
    return false
  }
  establish(cb, segment, now)
  // RFC 9293 §3.10.7.3: "<SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>", which what the user has queued may carry.
  cb.delayedAck.demand(Cause.handshake)
  segment.trimStart(1)
  return true
}

/** The peer's SYN: where its sequence numbers begin, and what it has agreed to. */
export function synchronize(cb: ControlBlock, segment: Segment, now: number): void {
  const { options } = segment
  cb.irs = segment.seq
  cb.rcvNxt = (segment.seq + 1) | 0
  cb.lastAckSent = cb.rcvNxt
  cb.window.start(cb.rcvNxt)
  // What our SYN has offered counts from here.
  cb.window.offer(cb.rcvNxt, 0, cb.rcvMss, true)
  cb.peerMss = mssOf(options.mss, cb.remoteAddress.isIpv4)
  // SHLD-8. RFC 3168 §6.1.1: a SYN-ACK with ECE alone agrees. Where both ends open at once there is none.
  const echo = segment.flags & (Flag.ece | Flag.cwr)
  if (!segment.hasAck || echo !== Flag.ece) cb.options &= ~Option.ecn
  if (!options.sackPermitted) cb.options &= ~Option.selectiveAcks
  if (!options.hasTimestamps) cb.options &= ~Option.timestamps
  else if (cb.has(Option.timestamps)) startTimestamps(cb, options.timestampValue, now)
  if (options.windowScale === ABSENT) {
    cb.options &= ~Option.windowScaling
    cb.window.scale = 0
  } else if (cb.has(Option.windowScaling)) cb.sndShift = options.windowScale
}

/** MUST-15: without an option 536, or 1220 in IPv6. An option of 0 is none. */
export function mssOf(option: number, isIpv4: boolean): number {
  if (option <= 0) return isIpv4 ? DEFAULT_MSS_IPV4 : DEFAULT_MSS_IPV6
  return option
}

/** RFC 9293 §3.5, figure 8 (MUST-10): both have sent a SYN. Ours goes again, with an acknowledgment. */
function crossSyns(cb: ControlBlock): void {
  cb.setState(State.synReceived)
  cb.mark(Mark.forceRetransmission)
  const { flight } = cb
  if (flight.first >= 0) flight.markLost(flight.first, Cause.crossedSyns)
}

/** A listener's request is complete: the connection begins where its record ends. `segment` acknowledges our SYN. */
export function establishPassively(cb: ControlBlock, opened: Opened, segment: Segment, now: number): void {
  const { shared } = cb
  cb.options |= opened.options
  cb.mark(Mark.passive)
  cb.state = State.synReceived
  cb.irs = opened.irs
  cb.rcvNxt = (opened.irs + 1) | 0
  cb.lastAckSent = cb.rcvNxt
  cb.iss = opened.iss
  cb.sndNxt = (opened.iss + 1) | 0
  cb.peerMss = opened.mss
  cb.sndShift = opened.sndShift
  cb.tsOffset = opened.tsOffset
  startTimestamps(cb, opened.tsRecent, now)
  cb.window.start(cb.rcvNxt)
  // What the SYN-ACK has offered.
  cb.window.offer(cb.rcvNxt, 0, cb.rcvMss, true)
  if (cb.has(Option.windowScaling)) cb.window.scale = opened.rcvShift
  cb.timeouts = opened.isRepeated ? 1 : 0
  shared.counters.values[Count.tcpPassiveOpens]++
  establish(cb, segment, now)
  if (opened.roundTrip === 0) return
  cb.rtt.onSample(opened.roundTrip, cb.sndUna, cb.sndNxt, now)
  cb.window.onRoundTrip(opened.roundTrip)
  if (shared.observer.isDetailed) tellRoundTrip(cb, opened.roundTrip)
}
