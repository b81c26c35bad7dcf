// What TCP tells whoever watches, as objects with a type of their own for each kind of event, and the reader that makes them of the
// numbers in the core's ring. Made at the end of each turn, and only while somebody watches.
import { Address } from '../core/ip/address.ts'
import { Drop, Event } from '../core/observer.ts'
import { Cause } from '../core/tcp/cause.ts'
import { NO_THRESHOLD, UNPACED } from '../core/tcp/congestion/congestion.ts'
import { Phase } from '../core/tcp/control-block.ts'
import { Reason } from '../core/tcp/state.ts'
import { Flag } from '../core/wire/tcp.ts'
import { type StateName, stateName } from './state-name.ts'

/** Why a segment was sent; `describeCause` has the words for people, and the RFC's section. */
export type CauseName = keyof typeof Cause
export type DropName = keyof typeof Drop

/** Which connection an event is about: the same object for all events of one connection. */
export interface ConnectionFacts {
  /** Its own among all of its stack's; `stack.connections()` has it too. */
  readonly number: number
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  /** A listener of ours has accepted it. */
  readonly isPassive: boolean
  /** Where our sequence numbers begin, and the peer's, once its SYN has come: what plots count from. */
  readonly iss: number
  readonly irs: number | null
}

interface Common {
  /** Milliseconds of the stack's clock: `driver.time.now()`. */
  readonly time: number
  readonly connection: ConnectionFacts
}

/** Where a segment stands. Sequence numbers are as in its header: from 0 to 2^32 - 1. */
export interface SegmentFacts {
  readonly sequence: number
  readonly acknowledgment: number
  /** Octets of text; of all of them, where a link has cut or merged several segments. */
  readonly length: number
  /** `SYN ACK`, `PSH ACK`… */
  readonly flags: string
  /** Octets, not scaled any more. */
  readonly window: number
  /** SACK blocks, each its first number and the one after its last. */
  readonly blocks: readonly (readonly [number, number])[]
}

export interface StateEvent extends Common {
  readonly type: 'state'
  readonly from: StateName
  readonly to: StateName
  /** What arrived and brought it about; null where the application or a timer did. */
  readonly segment: SegmentFacts | null
  /** Why it ended, a name of `Endpoint.reason`; `none` otherwise. */
  readonly reason: keyof typeof Reason
}

export interface SentEvent extends Common, SegmentFacts {
  readonly type: 'sent'
  readonly cause: CauseName
  /** Belongs to the cause: see `describeCause`. */
  readonly detail: number
  /** Text of each segment, where the link cuts it into several. */
  readonly segmentSize: number
  readonly cwnd: number
  /** Null before anything was lost. */
  readonly ssthresh: number | null
  /** Octets that may be in flight: cwnd, or what PRR says in a recovery. */
  readonly sendWindow: number
  /** Octets in flight, this segment's included. */
  readonly inFlight: number
}

export interface ReceivedEvent extends Common, SegmentFacts {
  readonly type: 'received'
  /** How many the link has merged into it. */
  readonly segments: number
}

/** Comes right after the `sent` of the same octets. */
export interface RetransmissionEvent extends Common {
  readonly type: 'retransmission'
  readonly sequence: number
  readonly length: number
  readonly cause: CauseName
  readonly detail: number
  /** Retransmission timeouts in a row. */
  readonly timeouts: number
}

/** In microseconds. */
export interface RoundTripEvent extends Common {
  readonly type: 'rtt'
  readonly sample: number
  readonly smoothed: number
  readonly variance: number
  readonly timeout: number
  readonly minimum: number
}

/** One of its figures is another than before. */
export interface CongestionEvent extends Common {
  readonly type: 'congestion'
  readonly cwnd: number
  readonly ssthresh: number | null
  /** Octets a second; null for no pacing. */
  readonly pacingRate: number | null
  readonly sendWindow: number
  readonly inFlight: number
}

export interface RecoveryEvent extends Common {
  readonly type: 'recovery'
  readonly what: 'entered' | 'left'
  readonly kind: 'fast recovery' | 'timeout'
  /** What showed the loss; `none` when it is left. */
  readonly cause: CauseName
  /** It is left since it turned out to be needless: what it did is taken back. */
  readonly isUndone: boolean
  /** RecoveryPoint: it lasts until this is acknowledged. */
  readonly recoveryPoint: number
}

/** The peer offers another window, in octets. */
export interface WindowEvent extends Common {
  readonly type: 'window'
  readonly before: number
  readonly window: number
}

export interface DropEvent {
  readonly type: 'drop'
  readonly time: number
  /** Null where the packet found no connection. */
  readonly connection: ConnectionFacts | null
  readonly reason: DropName
}

/** So many events were overwritten before anybody could read them: more happened in one turn than the ring holds. */
export interface LostEvent {
  readonly type: 'lost'
  readonly time: number
  readonly connection: null
  readonly count: number
}

export type ConnectionEvent =
  | StateEvent
  | SentEvent
  | ReceivedEvent
  | RetransmissionEvent
  | RoundTripEvent
  | CongestionEvent
  | RecoveryEvent
  | WindowEvent
  | DropEvent

export type TcpEvent = ConnectionEvent | LostEvent

const CAUSES = Object.keys(Cause) as CauseName[]
const DROPS = Object.keys(Drop) as DropName[]
const REASONS = Object.keys(Reason) as (keyof typeof Reason)[]
const FLAGS = Object.entries(Flag).reverse()
/** Where the numbers of a kind begin in an event, and where its SACK blocks are counted. */
const FIRST = 3
const SENT_BLOCKS = 15
const RECEIVED_BLOCKS = 9

/** A connection as the reader remembers it: what all its events are told with, and what the next one may refer to. */
export interface Watched {
  readonly facts: Known
  /** The segment that came last, which a change of state may be due to. */
  segment: SegmentFacts | null
  congestion: CongestionEvent | null
}

/** IRS comes with the peer's SYN. */
type Known = { -readonly [Name in keyof ConnectionFacts]: ConnectionFacts[Name] }

export function watched(facts: Known): Watched {
  return { facts, segment: null, congestion: null }
}

/** The facts that a `begun` event tells. */
export function factsOf(numbers: Float64Array): Known {
  const [, , number, iss, irs, localPort, remotePort, isPassive] = numbers
  return {
    number,
    localAddress: addressAt(numbers, 8),
    localPort,
    remoteAddress: addressAt(numbers, 12),
    remotePort,
    isPassive: isPassive === 1,
    iss,
    irs: isPassive === 1 ? irs : null,
  }
}

function addressAt(numbers: Float64Array, at: number): string {
  return new Address().set(numbers[at], numbers[at + 1], numbers[at + 2], numbers[at + 3]).toString()
}

/** What the numbers of an event say; null for what tells nothing new, or nothing to people. */
export function eventOf(numbers: Float64Array, watched: Watched): ConnectionEvent | null {
  const { facts: connection } = watched
  const time = numbers[0]
  const [first, second, third, fourth, fifth] = numbers.subarray(FIRST)
  switch (numbers[1]) {
    case Event.state: {
      const [from, to] = [stateName(first), stateName(second)]
      // What is left then is a record, which lives on for 2 MSL.
      if (from === 'TIME-WAIT') return null
      const segment = fourth === 1 ? watched.segment : null
      return { type: 'state', time, connection, from, to, segment, reason: REASONS[third] }
    }
    case Event.sent:
      return sentOf(numbers, connection)
    case Event.received: {
      const segment = segmentOf(numbers, RECEIVED_BLOCKS)
      watched.segment = segment
      if (connection.irs === null && segment.flags.includes('SYN')) connection.irs = segment.sequence
      return { type: 'received', time, connection, ...segment, segments: numbers[8] }
    }
    case Event.retransmission: {
      const cause = CAUSES[third]
      const place = { sequence: first, length: second }
      return { type: 'retransmission', time, connection, ...place, cause, detail: fourth, timeouts: fifth }
    }
    case Event.roundTrip: {
      const figures = { sample: first, smoothed: second, variance: third, timeout: fourth, minimum: fifth }
      return { type: 'rtt', time, connection, ...figures }
    }
    case Event.congestion:
      return congestionOf(numbers, watched)
    case Event.phase: {
      const what = second >= Phase.recovery ? 'entered' : 'left'
      const kind = (what === 'entered' ? second : first) === Phase.recovery ? 'fast recovery' : 'timeout'
      const how = { what, kind, cause: CAUSES[third], isUndone: fourth === 1, recoveryPoint: fifth } as const
      return { type: 'recovery', time, connection, ...how }
    }
    case Event.window:
      return { type: 'window', time, connection, before: first, window: second }
    case Event.drop:
      return { type: 'drop', time, connection, reason: DROPS[first] }
    default:
      return null
  }
}

/** A drop of a packet that found no connection. */
export function dropOf(numbers: Float64Array): DropEvent {
  return { type: 'drop', time: numbers[0], connection: null, reason: DROPS[numbers[FIRST]] }
}

export function sentOf(numbers: Float64Array, connection: ConnectionFacts): SentEvent {
  const [cause, detail, segmentSize, cwnd, ssthresh, sendWindow, inFlight] = numbers.subarray(8)
  return {
    type: 'sent',
    time: numbers[0],
    connection,
    ...segmentOf(numbers, SENT_BLOCKS),
    cause: CAUSES[cause],
    detail,
    segmentSize,
    cwnd,
    ssthresh: ssthresh === NO_THRESHOLD ? null : ssthresh,
    sendWindow,
    inFlight,
  }
}

function segmentOf(numbers: Float64Array, blocksAt: number): SegmentFacts {
  const [sequence, acknowledgment, length, flags, window] = numbers.subarray(FIRST)
  const blocks: [number, number][] = []
  for (let block = 0; block < numbers[blocksAt]; block++) {
    const at = blocksAt + 1 + 2 * block
    blocks.push([numbers[at], numbers[at + 1]])
  }
  return { sequence, acknowledgment, length, flags: flagsText(flags), window, blocks }
}

/** `SYN ACK`. */
export function flagsText(flags: number): string {
  const names = FLAGS.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name.toUpperCase())
  // As people say them: SYN ACK, FIN ACK, PSH ACK.
  return names.sort((a, b) => Number(a === 'ACK') - Number(b === 'ACK')).join(' ')
}

function congestionOf(numbers: Float64Array, watched: Watched): CongestionEvent | null {
  const [cwnd, threshold, rate, sendWindow, inFlight] = numbers.subarray(FIRST)
  const ssthresh = threshold === NO_THRESHOLD ? null : threshold
  const pacingRate = rate === UNPACED ? null : rate
  const last = watched.congestion
  const isSame =
    last !== null &&
    last.cwnd === cwnd &&
    last.ssthresh === ssthresh &&
    last.pacingRate === pacingRate &&
    last.sendWindow === sendWindow
  if (isSame) return null
  const figures = { cwnd, ssthresh, pacingRate, sendWindow, inFlight }
  watched.congestion = { type: 'congestion', time: numbers[0], connection: watched.facts, ...figures }
  return watched.congestion
}
