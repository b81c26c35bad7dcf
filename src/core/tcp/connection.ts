// A connection: the four verbs and the user's calls over a control block. Each call ends in `#settle`, which sees to it that what the
// steps have marked happens: a place in the interface's line, the delayed ACK's timer, the owner's waking, and, when it is over,
// the release of everything it held, in one place for every way out.
import type { PacketBatch } from '../batch.ts'
import type { Expirable } from '../deadlines.ts'
import type { Interface, Sender } from '../ip/interface.ts'
import type { Owner, Wakeable } from '../ready.ts'
import { arrives } from './arriving/arrives.ts'
import { Cause } from './cause.ts'
import { abandon, abort, finish } from './closing/close.ts'
import { ControlBlock, Mark, Option, Wake } from './control-block.ts'
import { tellCongestion, tellReceived, tellRequest } from './events.ts'
import { expireTimers } from './expire.ts'
import { establishPassively, openActively } from './opening/handshake.ts'
import type { Opened } from './opening/opened.ts'
import { hasOutput, output } from './output.ts'
import type { Segment } from './segment.ts'
import { KeepAlive } from './sender/keep-alive.ts'
import { refreshPath } from './sender/path-mtu.ts'
import { SendBuffer } from './sender/send-buffer.ts'
import { distance } from './sequence.ts'
import { SMALL_SLAB } from './slabs.ts'
import { isSynchronized, maySend, Reason, type ReasonNumber, State } from './state.ts'
import { Timer } from './timers.ts'

export class Connection extends ControlBlock implements Sender, Expirable, Wakeable {
  owner: Owner | null = null
  isReady = false
  /** The interface in whose line it stands. */
  #line: Interface | null = null

  /** Enters the tables; afterwards one of the two opens. */
  begin(): void {
    const { shared } = this
    this.deadlineRow = shared.deadlines.add(this)
    shared.connections.add(this)
  }

  open(now: number): void {
    const { observer } = this.shared
    observer.setNow(now)
    openActively(this, now)
    this.#settle(now)
  }

  /** A request is complete; `segment` is its third ACK, and may carry more. */
  accept(opened: Opened, segment: Segment, now: number): void {
    const { observer } = this.shared
    if (observer.isDetailed) {
      tellRequest(this, opened, now)
      tellReceived(this, segment)
    }
    establishPassively(this, opened, segment, now)
    arrives(this, segment, now)
    this.#settle(now)
    observer.arriving = 0
  }

  receive(segment: Segment, now: number): void {
    const { observer } = this.shared
    if (observer.isDetailed) tellReceived(this, segment)
    arrives(this, segment, now)
    this.#settle(now)
    observer.arriving = 0
  }

  transmit(batch: PacketBatch, now: number): boolean {
    this.#line = null
    if (this.is(Mark.released)) return false
    if (refreshPath(this, now) && this.route?.interface.index !== batch.interface) {
      // The way to the peer leads by another interface now.
      this.#settle(now)
      return false
    }
    const line = this.route?.interface ?? null
    const hasMore = output(this, batch, now)
    if (hasMore) this.#line = line
    this.#settle(now, false)
    return hasMore
  }

  expire(now: number, drained: boolean): void {
    expireTimers(this, now, drained)
    this.#settle(now)
    if (!this.is(Mark.released)) this.updateDeadline()
  }

  /** An ICMP error has been taken. */
  settle(): void {
    this.#settle(0)
  }

  /** The path takes less than it did. */
  onPathChanged(now: number): void {
    if (refreshPath(this, now)) this.#settle(now)
  }

  deadline(): number {
    return this.shared.timers.earliest(this.timersRow)
  }

  // What the user may do.

  get isOver(): boolean {
    return this.state === State.closed
  }

  /** Copies in octets to be sent; returns how many were taken. Fewer than given, or no room left: a wake tells of room. */
  send(bytes: Uint8Array, start: number, end: number, now: number): number {
    const { room } = this
    const buffer = this.#bufferToSend()
    if (buffer === null) return 0
    const taken = room > 0 ? buffer.write(bytes, start, Math.min(end, start + room)) : 0
    if (taken < end - start || buffer.room <= 0) this.mark(Mark.wantsRoom)
    this.#settle(now)
    return taken
  }

  /** Takes the octets without a copy, whatever the room; they must not change until they are acknowledged. False where nothing may be sent. */
  lend(bytes: Uint8Array<ArrayBuffer>, now: number): boolean {
    const buffer = this.#bufferToSend()
    if (buffer === null) return false
    if (bytes.length > 0) buffer.lend(bytes)
    if (buffer.room <= 0) this.mark(Mark.wantsRoom)
    this.#settle(now)
    return true
  }

  /** As `send`; the last octet taken is the end of urgent data (RFC 9293 §3.8.5). MUST-31: of any length. */
  sendUrgent(bytes: Uint8Array, now: number): number {
    const taken = this.send(bytes, 0, bytes.length, now)
    if (taken === 0) return 0
    // MUST-62: the octet after it.
    this.sndUp = this.sendEnd
    this.mark(Mark.urgentSent)
    return taken
  }

  /** Octets that `send` would take. Without memory a little, where nothing waits: who forwards what it reads could free none otherwise. */
  get room(): number {
    const { sendBuffer, sendLimit, shared } = this
    if (!maySend(this.state) || this.is(Mark.finWanted)) return 0
    if (sendBuffer === null) return shared.isOutOfMemory ? Math.min(sendLimit, SMALL_SLAB) : sendLimit
    return shared.isOutOfMemory ? 0 : Math.max(0, sendBuffer.room)
  }

  /** Octets written and not acknowledged yet. */
  get unacknowledged(): number {
    return this.sendBuffer === null ? 0 : this.sendBuffer.length
  }

  get readable(): number {
    return this.receiveBuffer === null ? 0 : this.receiveBuffer.readable
  }

  /** MUST-33: octets to read up to the end of urgent data; 0 where no more are known of. */
  get urgentLeft(): number {
    if (!this.is(Mark.urgentReceived)) return 0
    return Math.max(0, distance((this.rcvNxt - this.readable) | 0, this.rcvUp))
  }

  /** What is wrong and may pass: an ICMP error's reason, or `timedOut` while nothing is answered; RFC 9293 §3.9.1.8. */
  get trouble(): ReasonNumber {
    if (this.softReason !== Reason.none) return this.softReason
    return this.timeouts > 0 ? Reason.timedOut : Reason.none
  }

  /** Everything that will ever come has come and been read. */
  get isAtEnd(): boolean {
    const noMore =
      this.state === State.closed ||
      this.state === State.closeWait ||
      this.state === State.lastAck ||
      this.state === State.closing
    return noMore && this.readable === 0
  }

  /** Up to `most` octets, which need not be all: a slice that stays valid, or null where nothing is there. */
  read(most: number, now: number): Uint8Array<ArrayBuffer> | null {
    const bytes = this.receiveBuffer === null ? null : this.receiveBuffer.read(most)
    if (bytes !== null) this.#onTaken(bytes.length, now)
    return bytes
  }

  readInto(target: Uint8Array, at: number, length: number, now: number): number {
    const count = this.receiveBuffer === null ? 0 : this.receiveBuffer.readInto(target, at, length)
    if (count > 0) this.#onTaken(count, now)
    return count
  }

  /** Done with octets that were looked at where they lie, by `receiveBuffer`'s `front`. */
  consume(length: number, now: number): void {
    if (this.receiveBuffer === null || length === 0) return
    this.receiveBuffer.consume(length)
    this.#onTaken(length, now)
  }

  /** RFC 9293 §3.10.4: nothing more will be sent. */
  finish(now: number): void {
    this.shared.observer.setNow(now)
    finish(this)
    this.#settle(now)
  }

  /** Nothing more will be read: what comes from now on is answered with a reset. */
  stopReading(): void {
    this.mark(Mark.readShut)
  }

  /** The owner lets go; what it has written is still delivered, for a bounded time. */
  abandon(now: number): void {
    this.shared.observer.setNow(now)
    this.owner = null
    if (this.isOver) this.receiveBuffer?.clear()
    else abandon(this, now)
    this.#settle(now)
  }

  abort(now: number): void {
    this.shared.observer.setNow(now)
    if (!this.isOver) abort(this, Reason.aborted, now)
    this.#settle(now)
    this.receiveBuffer?.clear()
    this.receiveBuffer = null
  }

  setOption(option: number, isOn: boolean, now: number): void {
    if (isOn) this.options |= option
    else this.options &= ~option
    if (option === Option.cork && !isOn) this.disarm(Timer.persist)
    // As Linux: TCP_NODELAY pushes out what a cork holds, and the cork stays.
    if (option === Option.noDelay && isOn && this.unsent > 0) this.mark(Mark.flush)
    this.#settle(now)
  }

  /** MUST-24, MUST-27: milliseconds; what is null keeps its default. */
  setKeepAlive(isOn: boolean, idle: number | null, interval: number | null, probes: number | null, now: number): void {
    const { keepAliveIdle, keepAliveInterval, keepAliveProbes } = this.shared.settings
    if (!isOn) {
      this.keepAlive = null
      this.disarm(Timer.keepAlive)
      return
    }
    this.keepAlive = new KeepAlive(idle ?? keepAliveIdle, interval ?? keepAliveInterval, probes ?? keepAliveProbes)
    if (isSynchronized(this.state)) this.arm(Timer.keepAlive, now + this.keepAlive.nextAfter)
  }

  /** Sizes in octets; what is null stays. */
  setBuffers(send: number | null, receive: number | null): void {
    if (send !== null) {
      this.sendLimit = send
      this.mark(Mark.sendFixed)
      if (this.sendBuffer !== null) this.sendBuffer.limit = send
    }
    if (receive === null) return
    this.window.limit = receive
    this.window.most = receive
  }

  #bufferToSend(): SendBuffer | null {
    if (!maySend(this.state) || this.is(Mark.finWanted)) return null
    if (this.shared.isOutOfMemory && this.sendBuffer !== null) {
      this.mark(Mark.wantsRoom)
      return null
    }
    this.sendBuffer ??= new SendBuffer(this.shared.slabs, this.sendLimit)
    this.sendBuffer.segment = this.mss
    return this.sendBuffer
  }

  #onTaken(octets: number, now: number): void {
    const { window, shared } = this
    window.onTaken(octets, this.rcvMss, now, !shared.isUnderPressure)
    if (this.urgentLeft === 0) this.unmark(Mark.urgentReceived)
    if (this.readable === 0 && (this.reassembly === null || this.reassembly.isEmpty)) {
      if (this.receiveBuffer !== null) shared.receiveBuffers.give(this.receiveBuffer)
      this.receiveBuffer = null
    }
    if (this.isOver || !isSynchronized(this.state)) return
    if (!window.needsUpdate(this.rcvNxt, this.readable, this.rcvMss)) return
    this.delayedAck.demand(Cause.windowUpdate)
    this.#settle(now)
  }

  /** What the steps have marked happens. After `transmit` nothing more can be sent until something else happens. */
  #settle(now: number, mayHaveOutput = true): void {
    if (this.state === State.closed) this.#release()
    else {
      const { delayedAck, shared } = this
      if (shared.observer.isDetailed) tellCongestion(this)
      if (mayHaveOutput && this.#line === null && hasOutput(this)) this.#standInLine(now)
      if (delayedAck.isOwed && !this.isArmed(Timer.delayedAck)) this.arm(Timer.delayedAck, now + delayedAck.delay)
      if (this.reassembly?.isEmpty && !this.reassembly.hasBlocks) this.reassembly = null
    }
    if (this.wakes !== 0 && this.owner !== null) this.shared.ready.push(this)
  }

  #standInLine(now: number): void {
    if (!refreshPath(this, now)) {
      // No route leads there, for now.
      if (!this.isArmed(Timer.pacing)) this.arm(Timer.pacing, now + NO_ROUTE_DELAY)
      return
    }
    this.#line = this.route?.interface ?? null
    this.#line?.senders.push(this)
  }

  /** Everything that the stack holds for it goes, but what the user may still read. */
  #release(): void {
    if (this.is(Mark.released)) return
    this.mark(Mark.released)
    const { shared } = this
    this.#line?.senders.remove(this)
    this.#line = null
    shared.connections.remove(this)
    shared.deadlines.remove(this.deadlineRow)
    shared.timers.remove(this.timersRow)
    this.flight.clear()
    this.sendBuffer?.clear()
    this.sendBuffer = null
    this.reassembly?.clear()
    this.reassembly = null
    this.keepAlive = null
    this.persist = null
    // What nobody has accepted yet has no owner either, but may get one, who reads what came before the reset (as on Linux).
    if (this.is(Mark.orphan)) {
      this.receiveBuffer?.clear()
      this.receiveBuffer = null
    }
    this.wakes |= Wake.closed
  }
}

/** As Linux does where a device refuses. */
const NO_ROUTE_DELAY = 500
