// What the core has to tell: counters, which always count, and events, which are numbers in a ring and are written only while
// somebody observes. A drop's reason also goes as a note into the packet's slot, where captures find it.
// Written by every layer; read by the driver's side between turns.
import type { PacketBatch } from './batch.ts'

/** Why a packet was dropped. The numbers are rows of `Counters.drops` and, plus one, notes in a batch's slot. */
export const Drop = {
  // The IP layer, what arrives.
  truncated: 0,
  badVersion: 1,
  badHeaderLength: 2,
  badTotalLength: 3,
  badHeaderChecksum: 4,
  badOptions: 5,
  sourceRoute: 6,
  martianSource: 7,
  martianDestination: 8,
  ownSource: 9,
  notForUs: 10,
  hopLimitExceeded: 11,
  noRoute: 12,
  tooBig: 13,
  unknownProtocol: 14,
  badExtensionHeader: 15,
  tooManyExtensionHeaders: 16,
  routingHeader: 17,
  offloadMismatch: 18,
  // Fragments.
  badFragment: 19,
  fragmentOverlap: 20,
  fragmentTooLong: 21,
  fragmentTimeout: 22,
  fragmentLimit: 23,
  // ICMP.
  icmpTruncated: 24,
  icmpBadChecksum: 25,
  icmpUnknownType: 26,
  icmpToGroup: 27,
  icmpUnmatched: 28,
  icmpRateLimited: 29,
  // UDP.
  udpTruncated: 30,
  udpBadLength: 31,
  udpBadChecksum: 32,
  udpZeroPort: 33,
  udpNoSocket: 34,
  udpQueueFull: 35,
  // TCP.
  tcpTruncated: 36,
  tcpBadOffset: 37,
  tcpBadChecksum: 38,
  tcpZeroPort: 39,
  tcpToGroup: 40,
  tcpNoConnection: 41,
  tcpUnacceptable: 42,
  tcpPaws: 43,
  tcpOutOfWindow: 44,
  tcpListenOverflow: 45,
  tcpSynOverflow: 46,
  tcpBadCookie: 47,
  tcpRefused: 48,
  tcpMemory: 49,
  tcpClosed: 50,
  // On the way out.
  repliesFull: 51,
  outputNoRoute: 52,
  outputTooBig: 53,
  outputQueueFull: 54,
} as const

export type DropReason = (typeof Drop)[keyof typeof Drop]

/** Rows of `Counters.values`. */
export const Count = {
  ipReceived: 0,
  ipDelivered: 1,
  ipForwarded: 2,
  ipSent: 3,
  ipOctetsReceived: 4,
  ipOctetsSent: 5,
  fragmentsReceived: 6,
  fragmentsSent: 7,
  reassembled: 8,
  icmpReceived: 9,
  icmpSent: 10,
  icmpErrorsSent: 11,
  icmpErrorsReceived: 12,
  echoRequestsReceived: 13,
  echoRepliesSent: 14,
  echoRequestsSent: 15,
  echoRepliesReceived: 16,
  udpReceived: 17,
  udpSent: 18,
  tcpReceived: 19,
  tcpSent: 20,
  tcpRetransmitted: 21,
  tcpActiveOpens: 22,
  tcpPassiveOpens: 23,
  tcpFailedAttempts: 24,
  tcpEstablishedResets: 25,
  tcpResetsSent: 26,
  tcpResetsReceived: 27,
  pathMtuLearned: 28,
  tcpChallengeAcks: 29,
  tcpTimeWaits: 30,
  tcpCookiesSent: 31,
  tcpCookiesReceived: 32,
  tcpTimeouts: 33,
  tcpWindowProbes: 34,
  tcpKeepAliveProbes: 35,
  tcpFastRecoveries: 36,
  tcpDuplicateSacks: 37,
  tcpTailProbes: 38,
  tcpTailRepairs: 39,
  tcpRecoveriesUndone: 40,
  tcpTimeoutsUndone: 41,
  tcpReorderingTimeouts: 42,
  tcpPacingWaits: 43,
  tcpEcnAgreed: 44,
  tcpMarksReceived: 45,
  tcpMarksAnswered: 46,
  /** RFC 4821: how often a path was suspected, what was sent to search it, and how often that arrived or did not. */
  tcpBlackHoles: 47,
  tcpPathProbes: 48,
  tcpPathProbesArrived: 49,
  tcpPathProbesLost: 50,
} as const

export type CountName = (typeof Count)[keyof typeof Count]

/** What an event's `kind` says; its numbers are explained where it is recorded: in `control-block` and in `tcp/events`. */
export const Event = {
  drop: 1,
  state: 2,
  retransmission: 3,
  roundTrip: 4,
  congestion: 5,
  begun: 6,
  sent: 7,
  received: 8,
  phase: 9,
  window: 10,
} as const

export class Counters {
  readonly values = new Float64Array(Object.keys(Count).length)
  readonly drops = new Float64Array(Object.keys(Drop).length)

  add(count: CountName, amount = 1): void {
    this.values[count] += amount
  }

  get(count: CountName): number {
    return this.values[count]
  }

  dropped(reason: DropReason): number {
    return this.drops[reason]
  }

  /** All that is not zero, by name. */
  toJSON(): { counts: Record<string, number>; drops: Record<string, number> } {
    return { counts: named(Count, this.values), drops: named(Drop, this.drops) }
  }
}

function named(names: Record<string, number>, values: Float64Array): Record<string, number> {
  const result: Record<string, number> = {}
  for (const [name, row] of Object.entries(names)) if (values[row] !== 0) result[name] = values[row]
  return result
}

/** An event is this many numbers: time, kind, subject, and what its kind explains. */
export const EVENT_NUMBERS = 24
export const RING_EVENTS = 4096
/** A packet's note with this bit names an event by the rest of its bits; one without is a drop's reason. */
const NOTE_EVENT = 1 << 30

export class Observer {
  readonly counters = new Counters()
  /** How many observe; nothing is written while it is 0. */
  #watching = 0
  #detailed = 0
  #ring: Float64Array | null = null
  /** Events that the ring holds. */
  #size = 0
  #written = 0
  /** Where the next number of the last event goes. */
  #next = 0
  #arriving = 0
  /** One number, kept where storing it costs no heap. */
  readonly #now = new Float64Array(1)

  get isWatched(): boolean {
    return this.#watching > 0
  }

  /** Segments, round trips, windows: what happens so often that only who asks for it shall pay for it. */
  get isDetailed(): boolean {
    return this.#detailed > 0
  }

  /**
   * Drops, states, recoveries and retransmissions, or everything in detail. `events`: how many the ring shall hold at least, for who reads
   * after each turn.
   */
  watch(events = RING_EVENTS, inDetail = false): void {
    this.#watching++
    if (inDetail) this.#detailed++
    if (this.#ring === null || events > this.#size) this.#resize(events)
  }

  unwatch(inDetail = false): void {
    this.#watching--
    if (inDetail) this.#detailed--
    if (this.#watching === 0) this.#ring = null
  }

  /** What somebody may not have read yet stays. */
  #resize(events: number): void {
    const larger = new Float64Array(events * EVENT_NUMBERS)
    let number = this.oldest
    this.read(number, (event) => larger.set(event, (number++ % events) * EVENT_NUMBERS))
    this.#size = events
    this.#ring = larger
  }

  /** The time under which events are recorded until the next call. */
  setNow(now: number): void {
    this.#now[0] = now
  }

  /** A packet goes no further. `batch` is null where its slot is no longer at hand. */
  drop(reason: DropReason, batch: PacketBatch | null, row: number): void {
    this.counters.drops[reason]++
    if (batch !== null) batch.note[row] = reason + 1
    if (this.#watching > 0) this.record(Event.drop, this.#arriving, reason)
  }

  /** The subject is a connection's number, or 0. Returns the event's own number. Nothing is written where nobody observes. */
  record(kind: number, subject: number, first = 0, second = 0, third = 0, fourth = 0, fifth = 0): number {
    const ring = this.#ring
    if (ring === null) return this.#written
    const at = (this.#written % this.#size) * EVENT_NUMBERS
    ring[at] = this.#now[0]
    ring[at + 1] = kind
    ring[at + 2] = subject
    ring[at + 3] = first
    ring[at + 4] = second
    ring[at + 5] = third
    ring[at + 6] = fourth
    ring[at + 7] = fifth
    this.#next = at + 8
    ring.fill(0, this.#next, at + EVENT_NUMBERS)
    return this.#written++
  }

  /** One more number of the event that was recorded last. */
  put(value: number): void {
    if (this.#ring !== null) this.#ring[this.#next++] = value
  }

  /** The packet's slot names the event, from where captures find it. */
  note(batch: PacketBatch, row: number, event: number): void {
    if (row >= 0) batch.note[row] = NOTE_EVENT | (event & (NOTE_EVENT - 1))
  }

  /** The number of the connection whose segment is being looked at; 0 for none. What happens meanwhile was caused by it. */
  get arriving(): number {
    return this.#arriving
  }

  set arriving(connection: number) {
    this.#arriving = connection
  }

  /** How many events were ever written: where a reader that starts now begins. */
  get written(): number {
    return this.#written
  }

  /** The number of the oldest event that is still there. */
  get oldest(): number {
    return Math.max(0, this.#written - this.#size)
  }

  /** The time under which events are recorded. */
  get now(): number {
    return this.#now[0]
  }

  /** Hands over the events from number `from` on (those still in the ring), each borrowed; returns the number to go on from. */
  read(from: number, take: (event: Float64Array) => void): number {
    const ring = this.#ring
    if (ring !== null) {
      for (let number = Math.max(from, this.oldest); number < this.#written; number++) {
        const at = (number % this.#size) * EVENT_NUMBERS
        take(ring.subarray(at, at + EVENT_NUMBERS))
      }
    }
    return this.#written
  }

  /** Copies the numbers of one event; false where it is overwritten by now, or not there yet. */
  copy(number: number, into: Float64Array): boolean {
    const ring = this.#ring
    if (ring === null || number < this.oldest || number >= this.#written) return false
    const at = (number % this.#size) * EVENT_NUMBERS
    for (let column = 0; column < EVENT_NUMBERS; column++) into[column] = ring[at + column]
    return true
  }

  /** The number of the event that a packet's note names; -1 where it names none, or one that is overwritten by now. */
  eventOf(note: number): number {
    if ((note & NOTE_EVENT) === 0 || this.#ring === null) return -1
    const behind = (this.#written - (note & (NOTE_EVENT - 1))) & (NOTE_EVENT - 1)
    return behind >= 1 && behind <= this.#size && behind <= this.#written ? this.#written - behind : -1
  }
}
