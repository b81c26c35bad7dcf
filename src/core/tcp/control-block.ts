// Every variable and part of one connection (RFC 9293 §3.3.1), and no behaviour but the smallest questions about them.
// Steps take it as their first argument; tcp/connection is it, with the verbs. Durations are int32 microseconds or come from
// the settings; instants are a row of `shared.timers`. Parts that an idle connection does not need are null.
import type { Address } from '../ip/address.ts'
import type { Route } from '../ip/routes.ts'
import { Event } from '../observer.ts'
import type { Congestion, CongestionFactory } from './congestion/congestion.ts'
import { DelayedAck } from './receiver/delayed-ack.ts'
import type { Reassembly } from './receiver/reassembly.ts'
import type { ReceiveBuffer } from './receiver/receive-buffer.ts'
import { ReceiveWindow } from './receiver/receive-window.ts'
import type { Ecn } from './sender/ecn.ts'
import { Flight } from './sender/flight.ts'
import type { KeepAlive } from './sender/keep-alive.ts'
import type { NewReno } from './sender/new-reno.ts'
import type { PathSearch } from './sender/path-search.ts'
import type { Persist } from './sender/persist.ts'
import type { Prr } from './sender/prr.ts'
import type { Rack } from './sender/rack.ts'
import { Rtt } from './sender/rtt.ts'
import type { SendBuffer } from './sender/send-buffer.ts'
import type { TailLossProbe } from './sender/tail-loss-probe.ts'
import type { Undo } from './sender/undo.ts'
import type { Shared } from './shared.ts'
import { Reason, type ReasonNumber, State, type StateNumber } from './state.ts'
import type { TimerName } from './timers.ts'

/** `options` bits: what was agreed in the handshake, and what the user has chosen. */
export const Option = {
  timestamps: 1,
  selectiveAcks: 2,
  windowScaling: 4,
  /** Nagle's algorithm is off. */
  noDelay: 8,
  /** Only whole segments leave. */
  cork: 16,
  ipv6Only: 32,
  /** Explicit congestion notification: RFC 3168. */
  ecn: 64,
} as const

/** `marks` bits: what is going on. */
export const Mark = {
  /** The user has nothing more to send: a FIN follows the last octet. */
  finWanted: 1,
  finSent: 2,
  /** A window probe, or what silly window avoidance has held back, goes out now. */
  probe: 4,
  keepAliveProbe: 8,
  /** The user reads no more: text that arrives resets. */
  readShut: 16,
  /** Nobody holds the connection any more. */
  orphan: 32,
  urgentSent: 64,
  /** RCV.UP is ahead of what the user has read. */
  urgentReceived: 128,
  /** Was accepted by a listener, not opened by us. */
  passive: 256,
  /** The first retransmission of a recovery or timeout leaves whatever cwnd says. */
  forceRetransmission: 512,
  /** The send buffer was full when the user wrote last: it wants to know of room. */
  wantsRoom: 1024,
  /** The application had nothing to send though cwnd would have let it. */
  applicationLimited: 2048,
  /** The path is smaller than what was sent: the size of segments is looked up anew. */
  mtuReduced: 4096,
  /** The peer's FIN came while text before it was missing. */
  finSeen: 16384,
  /** It ended in TIME-WAIT, where a record goes on for it. */
  timeWait: 32768,
  /** The user has said how large the send buffer is to be. */
  sendFixed: 65536,
  /** A tail loss probe goes out: RFC 8985 §7.3. */
  tailProbe: 131072,
  /** F-RTO asks for new segments in place of retransmissions: RFC 5682 §2.1 step 2b. */
  sendNew: 262144,
  /** What is written so far goes, whatever the cork holds back: TCP_NODELAY was set meanwhile. */
  flush: 524288,
  /** Nothing but pacing has held back what comes next. */
  paced: 1048576,
  /** It has let go of all that it held. */
  released: 2097152,
} as const

/** What the owner is woken for; bits of `wakes`. */
export const Wake = {
  open: 1,
  readable: 2,
  writable: 4,
  closed: 8,
  urgent: 16,
  end: 32,
  drained: 64,
  /** MUST-47: something is wrong that may pass, and `trouble` says what. */
  trouble: 128,
} as const

/** `phase`: how the sender sees the path; numbered as Linux's tcpi_ca_state. */
export const Phase = { open: 0, disorder: 1, recovery: 3, loss: 4 } as const

export class ControlBlock {
  readonly shared: Shared
  readonly number: number
  /** MUST-45: it never changes. */
  readonly localAddress: Address
  readonly localPort: number
  readonly remoteAddress: Address
  readonly remotePort: number
  /** Null while there is none; found again when the tables have changed. */
  route: Route | null = null
  routeGeneration = 0
  pathGeneration = 0
  /** Rows: of its instants, and in the stack's table of deadlines. */
  readonly timersRow: number
  deadlineRow = -1

  state: StateNumber = State.closed
  reason: ReasonNumber = Reason.none
  /** What an ICMP error told that may pass: RFC 5461. */
  softReason: ReasonNumber = Reason.none
  options = 0
  marks = 0
  wakes = 0

  // The send sequence space: SND.UNA, SND.NXT, SND.WND, SND.UP, SND.WL1, SND.WL2, ISS.
  iss = 0
  sndUna = 0
  /** Never goes back: what is sent again is known by the flight. */
  sndNxt = 0
  /** REC-1: all of 32 bits, as RCV.WND. */
  sndWnd = 0
  sndUp = 0
  sndWl1 = 0
  sndWl2 = 0
  /** Snd.Wind.Shift. */
  sndShift = 0
  /** Max(SND.WND). */
  sndWndMax = 0
  /** Minshall: the end of the last small segment. */
  sndSml = 0
  /** The FIN's place, once `Mark.finSent`. */
  finSequence = 0
  /** What the peer's MSS option allows, and Eff.snd.MSS: text a segment may carry, options deducted. */
  peerMss = 536
  mss = 536
  /** The largest segment that has arrived, as far as known; from the beginning, or since shorter ones were tried. */
  largestDelivered = 0
  sendLimit = 0
  /** The user's own limit for segments, both ways (TCP_MAXSEG); 0 for none. */
  mssLimit = 0

  // The receive sequence space: RCV.NXT, RCV.UP, IRS; RCV.WND is `window`'s.
  irs = 0
  rcvNxt = 0
  /** Where the peer's FIN stands, once `Mark.finSeen`. */
  peerFin = 0
  rcvUp = 0
  /** The size of the peer's segments, as far as seen. */
  rcvMss = 536
  lastAckSent = 0
  tsRecent = 0
  /** What TS.Recent was a round trip ago, two, and when these were last moved on, in whole milliseconds. */
  tsBefore = 0
  tsLongBefore = 0
  tsTurnedAt = 0
  tsOffset = 0

  // Recovery.
  phase: number = Phase.open
  /** RecoveryPoint, `recover`: SND.NXT when it began. */
  recover = 0
  /** Duplicate ACKs in a row, for peers without SACK, and the octets they stand for. */
  duplicateAcks = 0
  /** cwnd was the limit for what was sent before this. */
  windowLimitedUntil = 0
  /** Timeouts, or unanswered probes, in a row. */
  timeouts = 0

  // Delivery-rate samples.
  delivered = 0
  lostOctets = 0
  limitedUntil = 0

  // Figures for tcpInfo.
  totalRetransmissions = 0
  segmentsSent = 0
  segmentsReceived = 0
  dataSegmentsSent = 0
  dataSegmentsReceived = 0
  octetsRetransmitted = 0
  duplicateSacks = 0
  /** How far RCV.NXT and SND.UNA have gone round 2^32. */
  rcvRounds = 0
  sndRounds = 0
  outOfOrderSegments = 0

  /** SO_LINGER in milliseconds: -1 for none. */
  linger = -1
  /** Milliseconds; 0 for none. MUST-21: where it is set, it is R2. */
  userTimeout = 0
  /** Milliseconds that FIN-WAIT-2 lasts once nobody holds the connection. */
  finWait2: number
  /** MUST-48, MUST-49, SHLD-21: what its packets carry from now on. */
  trafficClass = 0
  hopLimit: number

  readonly window: ReceiveWindow
  readonly flight: Flight
  readonly rtt: Rtt
  readonly delayedAck: DelayedAck
  /** Made when the connection is established. */
  congestion: Congestion | null = null
  congestionFactory: CongestionFactory
  /** RACK, from the first ACK on with SACK; PRR and what may be undone, while something is lost; the tail loss probe. */
  rack: Rack | null = null
  prr: Prr | null = null
  /** For peers without SACK, once something was sent again. */
  newReno: NewReno | null = null
  undo: Undo | null = null
  tailProbe: TailLossProbe | null = null
  /** Made when the path is first suspected of swallowing long packets. */
  pathSearch: PathSearch | null = null
  /** Where the handshake has agreed on it. */
  ecn: Ecn | null = null
  persist: Persist | null = null
  keepAlive: KeepAlive | null = null
  sendBuffer: SendBuffer | null = null
  receiveBuffer: ReceiveBuffer | null = null
  reassembly: Reassembly | null = null

  constructor(shared: Shared, localAddress: Address, localPort: number, remoteAddress: Address, remotePort: number) {
    const { settings } = shared
    this.shared = shared
    this.number = shared.nextNumber++
    this.localAddress = localAddress
    this.localPort = localPort
    this.remoteAddress = remoteAddress
    this.remotePort = remotePort
    this.timersRow = shared.timers.add()
    this.window = new ReceiveWindow(settings.receiveBufferInitial, settings.receiveBufferMost)
    this.flight = new Flight(shared.flights)
    this.rtt = new Rtt(settings)
    this.delayedAck = new DelayedAck(settings)
    this.congestionFactory = shared.congestion
    this.sendLimit = settings.sendBufferInitial
    this.userTimeout = settings.userTimeout
    this.finWait2 = settings.finWait2
    this.hopLimit = settings.hopLimit
  }

  has(option: number): boolean {
    return (this.options & option) !== 0
  }

  is(mark: number): boolean {
    return (this.marks & mark) !== 0
  }

  mark(mark: number): void {
    this.marks |= mark
  }

  unmark(mark: number): void {
    this.marks &= ~mark
  }

  /** The octet after the last one that was written: where the FIN goes. */
  get sendEnd(): number {
    return (this.dataStart + (this.sendBuffer === null ? 0 : this.sendBuffer.length)) | 0
  }

  /** The sequence number of the send buffer's first octet: SND.UNA, or what follows the SYN. */
  get dataStart(): number {
    const isOpening = this.state === State.synSent || this.state === State.synReceived
    return isOpening ? (this.iss + 1) | 0 : this.sndUna
  }

  /** Sequence numbers that wait to be sent, the FIN's included. */
  get unsent(): number {
    if (this.is(Mark.finSent)) return 0
    return ((this.sendEnd - this.sndNxt) | 0) + (this.is(Mark.finWanted) ? 1 : 0)
  }

  setState(state: StateNumber): void {
    const { observer } = this.shared
    // From which state to which, the reason of an end, and whether a segment that arrived has brought it about.
    if (observer.isWatched) {
      observer.record(
        Event.state,
        this.number,
        this.state,
        state,
        this.reason,
        observer.arriving === this.number ? 1 : 0,
      )
    }
    this.state = state
  }

  /** A recovery begins, for a reason of `Cause`, or ends, `isUndone` where it was needless. */
  setPhase(phase: number, cause = 0, isUndone = false): void {
    const { observer } = this.shared
    // From which phase to which, the cause, whether it was needless, and RecoveryPoint.
    if (observer.isWatched && (phase >= Phase.recovery || this.phase >= Phase.recovery)) {
      observer.record(Event.phase, this.number, this.phase, phase, cause, isUndone ? 1 : 0, this.recover >>> 0)
    }
    this.phase = phase
  }

  /** The timer goes off at `at`. */
  arm(timer: TimerName, at: number): void {
    this.armAfter(timer, at, 0)
  }

  /** For timers that each segment sets: an instant that is reckoned on the way here is a box on the heap, microseconds are not. */
  armAfter(timer: TimerName, now: number, microseconds: number): void {
    const { timers, deadlines } = this.shared
    const at = now + microseconds / 1000
    timers.set(this.timersRow, timer, at)
    if (at < deadlines.at(this.deadlineRow)) deadlines.set(this.deadlineRow, at)
  }

  disarm(timer: TimerName): void {
    this.shared.timers.clear(this.timersRow, timer)
  }

  /** After timers went off or were disarmed: nobody looks for them any more, which would take longer than this. */
  updateDeadline(): void {
    const { timers, deadlines } = this.shared
    deadlines.set(this.deadlineRow, timers.earliest(this.timersRow))
  }

  isArmed(timer: TimerName): boolean {
    return this.shared.timers.isSet(this.timersRow, timer)
  }
}
