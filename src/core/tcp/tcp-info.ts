// Every figure that Linux's tcp_info has and that exists here, in its units: durations in microseconds, but for those that its names
// give in milliseconds; segments where it counts segments. Made when asked for; nothing is kept for it alone.
import { type ControlBlock, Mark, Option, Phase } from './control-block.ts'
import { Sent } from './sender/flight.ts'
import { offeredMss, pathMtuOf } from './sender/path-mtu.ts'
import { State } from './state.ts'
import { Instant } from './timers.ts'

export interface TcpInfo {
  /** As in `state`; 7 when it is over. */
  state: number
  /** 0 open, 1 disorder, 3 recovery, 4 loss. */
  congestionState: number
  congestionControl: string
  /** Timeouts in a row. */
  retransmits: number
  probes: number
  backoff: number
  timestamps: boolean
  selectiveAcks: boolean
  windowScaling: boolean
  sendScale: number
  receiveScale: number
  applicationLimited: boolean
  rto: number
  sendMss: number
  receiveMss: number
  pathMtu: number
  /** What the peer was told of: tcpi_advmss. */
  offeredMss: number
  /** Segments. */
  unacked: number
  sacked: number
  lost: number
  retransmitted: number
  /** Milliseconds. */
  lastDataSent: number
  lastDataReceived: number
  lastAckReceived: number
  rtt: number
  /** The mean deviation; RTTVAR, of which the RTO is made, is no less than a quarter of the least RTO. */
  rttVariance: number
  minimumRtt: number
  receiveRtt: number
  /** Segments, as Linux has it; `congestionWindow` in octets. */
  sendCwnd: number
  congestionWindow: number
  slowStartThreshold: number
  receiveSpace: number
  sendWindow: number
  receiveWindow: number
  totalRetransmits: number
  pacingRate: number
  octetsAcked: number
  octetsReceived: number
  octetsRetransmitted: number
  segmentsOut: number
  segmentsIn: number
  dataSegmentsOut: number
  dataSegmentsIn: number
  notSentOctets: number
  outOfOrder: number
  duplicateSacks: number
  delivered: number
  /** Octets in the send buffer, and unread ones in the receive buffer. */
  sendQueue: number
  receiveQueue: number
}

const TWO_TO_32 = 4_294_967_296

export function tcpInfo(cb: ControlBlock, now: number): TcpInfo {
  const { congestion, rtt, window, shared, timersRow } = cb
  const isOver = cb.state === State.closed
  // What has never happened counts from when the connection was opened, as on Linux.
  const opened = shared.timers.get(timersRow, Instant.opened)
  const since = (instant: (typeof Instant)[keyof typeof Instant]) =>
    isOver ? 0 : Math.max(0, Math.floor(now - (shared.timers.get(timersRow, instant) || opened)))
  const mss = cb.mss
  return {
    state: cb.is(Mark.timeWait) ? State.timeWait : cb.state,
    congestionState: cb.phase,
    congestionControl: congestion?.name ?? '',
    retransmits: cb.timeouts,
    probes: cb.persist === null ? 0 : cb.persist.unanswered,
    backoff: rtt.backoff,
    timestamps: cb.has(Option.timestamps),
    selectiveAcks: cb.has(Option.selectiveAcks),
    windowScaling: cb.has(Option.windowScaling),
    sendScale: cb.sndShift,
    receiveScale: window.scale,
    applicationLimited: cb.limitedUntil !== 0,
    rto: Math.round(rtt.rto * 1000),
    sendMss: mss,
    receiveMss: cb.rcvMss,
    pathMtu: cb.route === null ? 0 : pathMtuOf(cb, cb.route, now),
    offeredMss: cb.route === null ? 0 : offeredMss(cb.route.interface.mtu, cb.remoteAddress.isIpv4, cb.mssLimit),
    ...countSegments(cb),
    lastDataSent: since(Instant.sent),
    lastDataReceived: since(Instant.textReceived),
    lastAckReceived: since(Instant.received),
    rtt: rtt.srtt,
    rttVariance: rtt.deviation,
    minimumRtt: rtt.minimum,
    receiveRtt: window.roundTrip,
    sendCwnd: congestion === null ? 0 : Math.floor(congestion.cwnd / mss),
    congestionWindow: congestion?.cwnd ?? 0,
    slowStartThreshold: congestion?.ssthresh ?? 0,
    receiveSpace: window.limit,
    sendWindow: cb.sndWnd,
    receiveWindow: window.size(cb.rcvNxt),
    totalRetransmits: cb.totalRetransmissions,
    pacingRate: congestion?.pacingRate ?? 0,
    octetsAcked: whole(cb.iss, cb.sndUna, cb.sndRounds),
    octetsReceived: whole(cb.irs, cb.rcvNxt, cb.rcvRounds),
    octetsRetransmitted: cb.octetsRetransmitted >>> 0,
    segmentsOut: cb.segmentsSent >>> 0,
    segmentsIn: cb.segmentsReceived >>> 0,
    dataSegmentsOut: cb.dataSegmentsSent >>> 0,
    dataSegmentsIn: cb.dataSegmentsReceived >>> 0,
    notSentOctets: isOver ? 0 : Math.max(0, cb.unsent - (cb.is(Mark.finWanted) ? 1 : 0)),
    outOfOrder: cb.outOfOrderSegments,
    duplicateSacks: cb.duplicateSacks,
    delivered: cb.delivered >>> 0,
    sendQueue: cb.sendBuffer?.length ?? 0,
    receiveQueue: cb.receiveBuffer?.readable ?? 0,
  }
}

/** How far a number of the sequence space has come since its initial one, after some rounds of 2^32. */
function whole(initial: number, number: number, rounds: number): number {
  const low = (number >>> 0) + rounds * TWO_TO_32 - (initial >>> 0)
  return Math.max(0, low - 1)
}

function countSegments(cb: ControlBlock): Pick<TcpInfo, 'unacked' | 'sacked' | 'lost' | 'retransmitted'> {
  const { flight } = cb
  const { slab } = flight
  const counts = { unacked: 0, sacked: 0, lost: 0, retransmitted: 0 }
  for (let row = flight.first; row >= 0; row = slab.next[row]) {
    const segments = flight.segments(row)
    counts.unacked += segments
    if (flight.has(row, Sent.sacked)) counts.sacked += segments
    // As Linux: what was lost stays so until it arrives, though it has been sent again; a probe of the tail was not lost.
    const isLost = flight.has(row, Sent.lost) || (cb.phase >= Phase.recovery && flight.has(row, Sent.again))
    if (isLost && !flight.has(row, Sent.sacked)) counts.lost += segments
    if (flight.has(row, Sent.again)) counts.retransmitted += segments
  }
  if (!cb.has(Option.selectiveAcks)) counts.sacked = cb.duplicateAcks
  return counts
}
