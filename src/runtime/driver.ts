// The one loop: a turn reads what has arrived, lets deadlines pass, wakes the applications, sends what is owed, and arms the alarm.
// It alone reads the clock. What is left over waits for the next turn, so that whoever runs us stays live under load.
import type { Alarm, Environment, Link, Time } from '../core/environment.ts'
import type { Interface } from '../core/ip/interface.ts'
import type { Wakeable } from '../core/ready.ts'
import type { Stack } from '../core/stack.ts'
import { Patience } from './patience.ts'
import { Port } from './port.ts'
import { TimeQueue } from './time-queue.ts'
import { type EventListener, Watching } from './watching.ts'

/**
 * Full batches in a row after which loss timers may run all the same: 10,000 packets, as many as wait in a TUN device's queue
 * after this process has stood still, so that timers run when all that came meanwhile is read, and not before.
 */
const MOST_FULL_BATCHES = 160

/** Milliseconds after which a turn ends that looks again before it does, and how often it finds something before. */
const LONGEST_TURN = 0.25
const MOST_ROUNDS = 16
/** Looks in vain after which it ends: for long packets, and for an answer's answer, which takes a processor that slept some 25 µs. */
const LOOKS_FOR_BULK = 6
const LOOKS_FOR_ONE = 64

export interface DriverHooks {
  /** Runs a socket's wake in that socket's own context; plain call by default. */
  wake?(socket: Wakeable, now: number): void
  /** Before each turn, and before an application opens or ends a connection: whoever wants to watch may begin. */
  before?(): void
  /** An application's handler threw: it must stop nobody else. Rethrown from a microtask by default. */
  failed?(error: unknown): void
}

export class Driver {
  readonly time: Time
  readonly #stack: Stack
  readonly #environment: Environment
  readonly #hooks: DriverHooks
  readonly #alarm: Alarm
  readonly #timers = new TimeQueue()
  readonly #ports: Port[] = []
  readonly #patience = new Patience()
  #isRequested = false
  #isTurning = false
  /** The clock and the date of the present turn; null outside of turns, and where nobody has asked for the date yet. */
  #turnAt: number | null = null
  #turnWall: number | null = null
  #isClosed = false
  #watching: Watching | null = null

  constructor(stack: Stack, environment: Environment, hooks: DriverHooks = {}) {
    this.#stack = stack
    this.#environment = environment
    this.#hooks = hooks
    this.#alarm = environment.alarm(() => this.turn())
    const { clock } = environment
    this.time = {
      now: () => clock.now(),
      wall: () => clock.wall(),
      after: (milliseconds, callback) => this.#after(milliseconds, callback),
    }
  }

  attach(link: Link, at: Interface): void {
    this.#ports.push(new Port(link, at, this.#stack.allocate))
    link.open(() => this.turn(), this.time)
    this.request()
  }

  /** The clock as the present turn has read it; outside of turns as it is. For sockets: a turn calls many, and a clock takes its time. */
  get now(): number {
    return this.#turnAt ?? this.#environment.clock.now()
  }

  /** The date, in the same way. */
  get wall(): number {
    if (this.#turnAt === null) return this.#environment.clock.wall()
    this.#turnWall ??= this.#environment.clock.wall()
    return this.#turnWall
  }

  /** Asks for a turn; however many ask, they share one. */
  request(): void {
    if (this.#isRequested || this.#isTurning || this.#isClosed) return
    this.#isRequested = true
    this.#alarm.arm(Number.NEGATIVE_INFINITY)
  }

  turn(): void {
    if (this.#isTurning) {
      this.#isRequested = true
      return
    }
    if (this.#isClosed) return
    this.#isTurning = true
    this.#isRequested = false
    try {
      this.#hooks.before?.()
      let now = this.#environment.clock.now()
      this.#turnAt = now
      let hasAnswered = false
      if (this.#receiveLone(now)) {
        hasAnswered = this.#answer(now)
        // What comes now may answer that, and a round trip takes its time.
        this.#turnAt = now = this.#environment.clock.now()
      }
      const isBulk = this.#receive(now)
      this.#timers.run(now)
      this.#stack.expire(now, this.#isDrained())
      if (this.#answer(now)) hasAnswered = true
      // Who observes is told at the end of each turn, and of no more than one turn brings.
      if (!this.#stack.observer.isDetailed) this.#pollBusily(now, isBulk, hasAnswered)
      this.#watching?.deliver()
    } finally {
      this.#isTurning = false
      this.#turnAt = null
      this.#turnWall = null
      this.#arm()
    }
  }

  /** Sends what can be sent now, outside of any turn: the last words before `close`, or more than may wait for one. */
  flush(): void {
    if (this.#isTurning || this.#isClosed) return
    this.#transmit(this.#environment.clock.now())
    this.#watching?.deliver()
  }

  /** Something is about to be recorded outside of any turn. */
  prepare(): void {
    this.#hooks.before?.()
  }

  /** Tells of everything that TCP does from now on, at the end of each turn; the returned function ends it. */
  watch(listener: EventListener): () => void {
    this.#watching ??= new Watching(this.#stack, (error) => this.#failed(error))
    return this.#watching.add(listener)
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#alarm.arm(Number.POSITIVE_INFINITY)
    let failure: { error: unknown } | null = null
    for (const { link } of this.#ports.splice(0)) {
      try {
        link.close()
      } catch (error) {
        // A link that can't be closed keeps no other one open.
        failure ??= { error }
      }
    }
    if (failure !== null) throw failure.error
  }

  /** Wakes who waits and sends what is owed; says whether that was anything. */
  #answer(now: number): boolean {
    this.#wake(now)
    return this.#transmit(this.#environment.clock.now())
  }

  /** At most one batch a link; says whether long packets came by one that is polled. */
  #receive(now: number): boolean {
    let isBulk = false
    for (const port of this.#ports) if (port.receive(this.#stack, now) && port.isBulk && port.isPolled) isBulk = true
    return isBulk
  }

  #receiveBulk(now: number): boolean {
    let hasCome = false
    for (const port of this.#ports) if (port.isBulk && port.receive(this.#stack, now)) hasCome = true
    return hasCome
  }

  #receiveLone(now: number): boolean {
    let hasCome = false
    for (const port of this.#ports) if (port.receiveLone(this.#stack, now)) hasCome = true
    return hasCome
  }

  /**
   * The next packet is mostly a few microseconds away while long ones come, and where one at a time is answered: less than the sender takes to
   * wake us, and than we take to go to sleep. So the turn looks again for a while, and does with what it finds what a turn does.
   */
  #pollBusily(now: number, isBulk: boolean, hasAnswered: boolean): void {
    if (isBulk) this.#pollUntil(now + LONGEST_TURN, true)
    else if (hasAnswered && this.#isLone() && !this.#hasMore() && this.#patience.mayLook())
      this.#patience.tell(this.#pollUntil(now + LONGEST_TURN, false))
  }

  /** Says whether anything came. Who looks for a single one goes on only while its own answers may be answered. */
  #pollUntil(until: number, isBulk: boolean): boolean {
    const most = isBulk ? LOOKS_FOR_BULK : LOOKS_FOR_ONE
    let rounds = 0
    for (let looks = 0; rounds < MOST_ROUNDS && looks < most; looks++) {
      const now = this.#environment.clock.now()
      if (now >= until) break
      if (!(isBulk ? this.#receiveBulk(now) : this.#receiveLone(now))) continue
      this.#turnAt = now
      rounds++
      const hasAnswered = this.#answer(now)
      if (!isBulk && (!hasAnswered || this.#hasMore())) break
      looks = 0
    }
    return rounds > 0
  }

  #isLone(): boolean {
    for (const { isLone } of this.#ports) if (isLone) return true
    return false
  }

  /** Whether no ACK can be waiting unread that would disarm a loss timer; in the long run timers must expire all the same. */
  #isDrained(): boolean {
    for (const { fullBatches } of this.#ports) if (fullBatches % MOST_FULL_BATCHES !== 0) return false
    return true
  }

  /** Those that wait now; who becomes ready meanwhile is woken in the next turn. */
  #wake(now: number): void {
    const { ready } = this.#stack
    const { wake } = this.#hooks
    for (let count = ready.count; count > 0; count--) {
      const socket = ready.shift()
      if (socket === null) return
      try {
        if (wake !== undefined) wake(socket, now)
        else socket.owner?.wake(now)
      } catch (error) {
        this.#failed(error)
      }
    }
  }

  #failed(error: unknown): void {
    const { failed } = this.#hooks
    if (failed !== undefined) failed(error)
    else
      queueMicrotask(() => {
        throw error
      })
  }

  #transmit(now: number): boolean {
    let hasSent = false
    for (const { link, outgoing, interface: by } of this.#ports) {
      if (by.hasOutput) this.#stack.transmit(outgoing, now)
      if (outgoing.count > 0) hasSent = true
      link.transmit(outgoing)
    }
    return hasSent
  }

  #arm(): void {
    if (this.#isClosed) return
    if (this.#hasMore()) this.#alarm.arm(Number.NEGATIVE_INFINITY)
    else this.#alarm.arm(Math.min(this.#stack.deadline(), this.#timers.next()))
  }

  /** Whether the next turn has something to do at once. A link that could not take all wakes us when it can. */
  #hasMore(): boolean {
    if (this.#isRequested || this.#stack.ready.count > 0) return true
    for (const { hasMore, outgoing, interface: by } of this.#ports) {
      if (hasMore) return true
      if (by.hasOutput && outgoing.count === 0) return true
    }
    return false
  }

  #after(milliseconds: number, callback: () => void): () => void {
    const guarded = () => {
      try {
        callback()
      } catch (error) {
        this.#failed(error)
      }
    }
    const cancel = this.#timers.add(this.#environment.clock.now() + Math.max(0, milliseconds), guarded)
    if (!this.#isTurning) this.#arm()
    return cancel
  }
}
