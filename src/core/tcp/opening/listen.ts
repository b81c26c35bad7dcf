// SEGMENT ARRIVES in LISTEN, and in SYN-RECEIVED after a passive open (RFC 9293 §3.10.7.2, §3.10.7.4). A request is a record until its
// third ACK: then a connection is made of it and waits to be accepted. When the SYN queue is full, SYN cookies remember for us (RFC 4987).
// Where the listener asks, a record waits for the application's verdict before anything is sent. Called by tcp/tcp.
import { Address } from '../../ip/address.ts'
import { Count, Drop, type DropReason } from '../../observer.ts'
import * as wire from '../../wire/tcp.ts'
import { ABSENT } from '../../wire/tcp-options.ts'
import { Option } from '../control-block.ts'
import { scaleFor } from '../receiver/receive-window.ts'
import { reply, resetInAnswer } from '../reply.ts'
import type { Segment } from '../segment.ts'
import { microseconds } from '../sender/delivery-rate.ts'
import { asksForEcn } from '../sender/ecn.ts'
import { atMost, distance, lessThan } from '../sequence.ts'
import type { Shared } from '../shared.ts'
import { Cookies, REFUSED } from './cookies.ts'
import { HalfOpen, NONE, VERDICT_QUEUE } from './half-open.ts'
import { mssOf } from './handshake.ts'
import { type Listener, Verdict } from './listener.ts'
import { Opened } from './opened.ts'
import { acknowledgeHalfOpen, sendSynAck } from './syn-ack.ts'

const { Flag } = wire
/** RFC 9293 §3.10.7.4, first: what lies beyond the window that the SYN-ACK offered. */
const LARGEST_SYN_WINDOW = 65_535

/** Makes the connection, gives it the segment, puts it into the listener's queue. */
export type Accept<Accepted extends object> = (
  listener: Listener<Accepted>,
  opened: Opened,
  segment: Segment,
  now: number,
) => void

export class Listen<Accepted extends object> {
  readonly records: HalfOpen
  readonly #shared: Shared
  readonly #cookies: Cookies
  readonly #accept: Accept<Accepted>
  readonly #listeners = new Map<number, Listener<Accepted>>()
  readonly #opened = new Opened()
  readonly #local = new Address()
  readonly #remote = new Address()

  constructor(shared: Shared, accept: Accept<Accepted>) {
    this.#shared = shared
    this.#accept = accept
    this.records = new HalfOpen(shared.tupleHash)
    this.#cookies = new Cookies(shared.random)
  }

  add(listener: Listener<Accepted>): void {
    this.#listeners.set(listener.number, listener)
  }

  /** The listener is closed: its requests are forgotten, the peers' next segments are answered with resets. */
  remove(listener: Listener<Accepted>): void {
    this.#listeners.delete(listener.number)
    for (let row = this.records.ofListener(listener.number); row !== NONE; ) {
      this.#forget(row)
      row = this.records.ofListener(listener.number)
    }
  }

  /** RFC 9293 §3.10.7.2: LISTEN. The segment is for no connection and no request. */
  receive(listener: Listener<Accepted>, segment: Segment, now: number): void {
    // First: a reset is for nobody. Second: an acknowledgment acknowledges nothing of ours, unless it is a cookie's.
    if (segment.hasRst) {
      this.#drop(Drop.tcpNoConnection)
      return
    }
    if (segment.hasAck) {
      if (segment.hasSyn || !this.#receiveCookie(listener, segment, now)) {
        this.#drop(Drop.tcpNoConnection)
        resetInAnswer(this.#shared, segment)
      }
      return
    }
    // Third: a SYN. One with a FIN is nobody's honest request; Linux drops it too.
    if (!segment.hasSyn || segment.hasFin) {
      this.#drop(Drop.tcpUnacceptable)
      return
    }
    this.#receiveSyn(listener, segment, now)
  }

  /** RFC 9293 §3.10.7.4 for a request in SYN-RECEIVED. */
  receiveHalfOpen(row: number, segment: Segment, now: number): void {
    const { records } = this
    const rcvNxt = (records.irs[row] + 1) | 0
    const isWaiting = records.queueOf(row) === VERDICT_QUEUE
    if (segment.hasSyn && !segment.hasAck && segment.seq === records.irs[row]) {
      // The request again: our answer was lost, or none is given yet.
      if (!isWaiting) this.#answer(row, now)
      return
    }
    const isYoung = this.#isYoung(row, segment)
    const isWithin = atMost(rcvNxt, segment.seq) && distance(rcvNxt, segment.seq) <= LARGEST_SYN_WINDOW
    if (!isYoung || !isWithin || isWaiting) {
      this.#drop(isYoung ? Drop.tcpUnacceptable : Drop.tcpPaws)
      if (!segment.hasRst && !isWaiting) this.#acknowledge(row, now)
      return
    }
    if (segment.hasRst) {
      this.#shared.counters.values[Count.tcpResetsReceived]++
      // RFC 5961 §3.2; MUST-11 and §3.5.3: back to LISTEN, and the user is not told.
      if (segment.seq === rcvNxt) this.#fail(row)
      else this.#drop(Drop.tcpOutOfWindow)
      return
    }
    if (segment.hasSyn) {
      this.#drop(Drop.tcpOutOfWindow)
      this.#acknowledge(row, now)
      return
    }
    if (!segment.hasAck) {
      this.#drop(Drop.tcpUnacceptable)
      return
    }
    if (segment.ack !== ((records.iss[row] + 1) | 0)) {
      this.#drop(Drop.tcpUnacceptable)
      resetInAnswer(this.#shared, segment)
      return
    }
    this.#complete(row, segment, now)
  }

  /** The application's answer. Says whether the request was still waiting for one. */
  decide(row: number, iss: number, verdict: number, now: number): boolean {
    const { records } = this
    if (records.count === 0 || records.iss[row] !== iss || records.queueOf(row) !== VERDICT_QUEUE) return false
    if (records.find(...this.#tuple(row)) !== row) return false
    if (verdict === Verdict.accept) {
      this.#answer(row, now)
      return true
    }
    this.#shared.observer.drop(Drop.tcpRefused, null, 0)
    if (verdict === Verdict.refuse) {
      const [local, localPort, remote, remotePort] = this.#tuple(row)
      const flags = Flag.rst | Flag.ack
      const ack = (records.irs[row] + 1) | 0
      reply(this.#shared, local, localPort, remote, remotePort, 0, ack, flags, 0, false, 0, 0)
    }
    this.#forget(row)
    return true
  }

  /** Requests whose time is over: the SYN-ACK goes again, or they are given up. */
  expire(now: number): void {
    const { records } = this
    for (let row = records.due(now); row !== NONE; row = records.due(now)) {
      if (records.queueOf(row) === VERDICT_QUEUE) {
        this.#shared.observer.drop(Drop.tcpRefused, null, 0)
        this.#forget(row)
      } else if (records.attempts[row] > this.#shared.settings.synAckRetries) this.#fail(row)
      else {
        this.#shared.counters.values[Count.tcpRetransmitted]++
        this.#answer(row, now)
      }
    }
  }

  #receiveSyn(listener: Listener<Accepted>, segment: Segment, now: number): void {
    const { settings, counters } = this.#shared
    const { packet } = segment
    // CVE-1999-0016 (LAND): nobody opens a connection from the very end it leads to.
    if (segment.sourcePort === segment.destinationPort && packet.source.equals(packet.destination)) {
      this.#drop(Drop.tcpUnacceptable)
      return
    }
    if (listener.isFull || this.#shared.isOutOfMemory) {
      this.#drop(Drop.tcpListenOverflow)
      return
    }
    const isCrowded = listener.halfOpen > listener.backlog || this.records.count >= settings.mostHalfOpen
    const wantsCookie = settings.synCookies === 'always' || (isCrowded && settings.synCookies === 'when-full')
    if (listener.asks ? isCrowded || listener.pending.count >= settings.mostVerdicts : isCrowded && !wantsCookie) {
      this.#drop(Drop.tcpSynOverflow)
      return
    }
    if (wantsCookie && !listener.asks) {
      counters.values[Count.tcpCookiesSent]++
      this.#answerWithCookie(listener, segment, now)
      return
    }
    const row = this.#record(listener, segment, now)
    if (!listener.asks) this.#answer(row, now)
    else {
      const { records } = this
      listener.pending.push({
        row,
        iss: records.iss[row],
        localAddress: packet.destination.copy(),
        localPort: segment.destinationPort,
        remoteAddress: packet.source.copy(),
        remotePort: segment.sourcePort,
      })
      this.#shared.ready.push(listener)
    }
  }

  #record(listener: Listener<Accepted>, segment: Segment, now: number): number {
    const { settings, sequences } = this.#shared
    const { records } = this
    const { packet, options, sourcePort, destinationPort } = segment
    const { source, destination } = packet
    const deadline = now + settings.verdictTimeout
    const row = records.add(destination, destinationPort, source, sourcePort, VERDICT_QUEUE, deadline)
    records.irs[row] = segment.seq
    records.iss[row] = sequences.choose(now, destination, destinationPort, source, sourcePort)
    records.mss[row] = mssOf(options.mss, source.isIpv4)
    records.options[row] = this.#agree(segment)
    // RFC 7323 §2.2: without both sides' option nothing is scaled.
    const isScaled = (records.options[row] & Option.windowScaling) !== 0
    records.sndShift[row] = isScaled ? options.windowScale : 0
    records.rcvShift[row] = isScaled ? scaleFor(settings.receiveBufferMost) : 0
    records.tsRecent[row] = options.timestampValue
    records.tsOffset[row] = sequences.timestampOffset(destination, destinationPort, source, sourcePort)
    records.wnd[row] = segment.wnd
    records.listener[row] = listener.number
    records.interface[row] = packet.interface?.index ?? 0
    listener.halfOpen++
    return row
  }

  /** Bits of `Option` that both sides want. */
  #agree(segment: Segment): number {
    const { settings } = this.#shared
    const { options, flags } = segment
    return (
      (settings.ecn !== 'never' && asksForEcn(flags) ? Option.ecn : 0) |
      (settings.timestamps && options.hasTimestamps ? Option.timestamps : 0) |
      (settings.selectiveAcks && options.sackPermitted ? Option.selectiveAcks : 0) |
      (settings.windowScaling && options.windowScale !== ABSENT ? Option.windowScaling : 0)
    )
  }

  /** SYN-ACK, for the first time or again; the wait doubles (RFC 6298 §5.5). */
  #answer(row: number, now: number): void {
    const { records } = this
    const { settings } = this.#shared
    const attempt = ++records.attempts[row]
    if (attempt === 1) records.sentAt[row] = now
    const wait = Math.min(settings.initialRto * 2 ** Math.min(attempt - 1, 16), settings.maximumRto)
    records.move(row, attempt, now + wait)
    const tsVal = ((Math.floor(now) | 0) + records.tsOffset[row]) | 0
    const [local, localPort, remote, remotePort] = this.#tuple(row)
    sendSynAck(
      this.#shared,
      local,
      localPort,
      remote,
      remotePort,
      records.iss[row],
      (records.irs[row] + 1) | 0,
      records.options[row],
      records.rcvShift[row],
      tsVal,
      records.tsRecent[row],
      this.#listeners.get(records.listener[row])?.mssLimit ?? 0,
    )
  }

  #answerWithCookie(listener: Listener<Accepted>, segment: Segment, now: number): void {
    const { sequences, settings } = this.#shared
    const { packet, options, sourcePort, destinationPort } = segment
    const { source, destination } = packet
    const mss = mssOf(options.mss, source.isIpv4)
    const iss = this.#cookies.make(now, destination, destinationPort, source, sourcePort, segment.seq, mss)
    let agreed = this.#agree(segment)
    // Without timestamps there is no place to remember the other options in.
    if ((agreed & Option.timestamps) === 0) agreed = 0
    const scale = agreed & Option.windowScaling ? options.windowScale : ABSENT
    const hasSack = (agreed & Option.selectiveAcks) !== 0
    const hasEcn = (agreed & Option.ecn) !== 0
    const clock = this.#cookies.encode(Math.floor(now) | 0, scale, hasSack, hasEcn)
    const offset = sequences.timestampOffset(destination, destinationPort, source, sourcePort)
    sendSynAck(
      this.#shared,
      destination,
      destinationPort,
      source,
      sourcePort,
      iss,
      (segment.seq + 1) | 0,
      agreed,
      scaleFor(settings.receiveBufferMost),
      (clock + offset) | 0,
      options.timestampValue,
      listener.mssLimit,
    )
  }

  #acknowledge(row: number, now: number): void {
    const [local, , remote] = this.#tuple(row)
    acknowledgeHalfOpen(this.#shared, this.records, row, local, remote, now)
  }

  #isYoung(row: number, segment: Segment): boolean {
    const { records } = this
    if ((records.options[row] & Option.timestamps) === 0 || !segment.options.hasTimestamps) return true
    return segment.hasRst || !lessThan(segment.options.timestampValue, records.tsRecent[row])
  }

  #complete(row: number, segment: Segment, now: number): void {
    const { records } = this
    const listener = this.#listeners.get(records.listener[row])
    if (listener === undefined) return
    if (listener.isFull) {
      // As Linux: the peer believes itself connected; the next SYN-ACK reminds it, if there is room by then.
      this.#drop(Drop.tcpListenOverflow)
      return
    }
    const opened = this.#opened
    records.addresses(row, opened.local, opened.remote)
    opened.localPort = records.localPort(row)
    opened.remotePort = records.remotePort(row)
    opened.irs = records.irs[row]
    opened.iss = records.iss[row]
    opened.mss = records.mss[row]
    opened.options = records.options[row]
    opened.sndShift = records.sndShift[row]
    opened.rcvShift = records.rcvShift[row]
    opened.tsRecent = segment.options.hasTimestamps ? segment.options.timestampValue : records.tsRecent[row]
    opened.tsOffset = records.tsOffset[row]
    opened.isRepeated = records.attempts[row] > 1
    opened.roundTrip = opened.isRepeated ? 0 : Math.max(1, microseconds(now - records.sentAt[row]))
    this.#forget(row)
    this.#accept(listener, opened, segment, now)
  }

  /** An ACK without a connection that may answer a SYN cookie. */
  #receiveCookie(listener: Listener<Accepted>, segment: Segment, now: number): boolean {
    const { settings, sequences, counters } = this.#shared
    if (settings.synCookies === 'never' || listener.asks || !this.#cookies.areOut(now)) return false
    const { packet, options, sourcePort, destinationPort } = segment
    const { source, destination } = packet
    const iss = (segment.ack - 1) | 0
    const irs = (segment.seq - 1) | 0
    const mss = this.#cookies.check(now, destination, destinationPort, source, sourcePort, irs, iss)
    if (mss === REFUSED) {
      counters.drops[Drop.tcpBadCookie]++
      return false
    }
    if (listener.isFull) {
      this.#drop(Drop.tcpListenOverflow)
      return true
    }
    const opened = this.#opened
    opened.local.assign(destination)
    opened.remote.assign(source)
    opened.localPort = destinationPort
    opened.remotePort = sourcePort
    opened.irs = irs
    opened.iss = iss
    opened.mss = mss
    opened.tsOffset = sequences.timestampOffset(destination, destinationPort, source, sourcePort)
    opened.tsRecent = options.timestampValue
    opened.options = 0
    opened.sndShift = 0
    opened.rcvShift = 0
    if (options.hasTimestamps && settings.timestamps) {
      this.#cookies.decode((options.timestampEcho - opened.tsOffset) | 0)
      opened.options = Option.timestamps | (this.#cookies.sackPermitted ? Option.selectiveAcks : 0)
      if (this.#cookies.ecn) opened.options |= Option.ecn
      if (this.#cookies.windowScale >= 0) {
        opened.options |= Option.windowScaling
        opened.sndShift = this.#cookies.windowScale
        opened.rcvShift = scaleFor(settings.receiveBufferMost)
      }
    }
    opened.isRepeated = false
    opened.roundTrip = 0
    counters.values[Count.tcpCookiesReceived]++
    this.#accept(listener, opened, segment, now)
    return true
  }

  #fail(row: number): void {
    this.#shared.counters.values[Count.tcpFailedAttempts]++
    this.#forget(row)
  }

  #forget(row: number): void {
    const listener = this.#listeners.get(this.records.listener[row])
    if (listener !== undefined) listener.halfOpen--
    this.records.remove(row, this.#local, this.#remote)
  }

  #tuple(row: number): [Address, number, Address, number] {
    const { records } = this
    records.addresses(row, this.#local, this.#remote)
    return [this.#local, records.localPort(row), this.#remote, records.remotePort(row)]
  }

  #drop(reason: DropReason): void {
    const { packet } = this.#shared.segment
    this.#shared.observer.drop(reason, packet.batch, packet.row)
  }
}
