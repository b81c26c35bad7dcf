// Node's timers in virtual time: `setTimeout`, `setInterval`, `timers/promises`, `AbortSignal.timeout`, sockets' and http's own, whatever way
// they were imported. Every one of them is a `Timeout`, whose constructor stores a duration: an accessor in that place sees whose code
// asks. What a scope asks for stands in Node's own list with a duration of 24 days, and rings when the scope's clock says so.
import { AsyncResource } from 'node:async_hooks'
import { clearTimeout, setTimeout } from 'node:timers'
import type { Patches } from './patches.ts'
import { drain, type Holding, type Scope, scopeNow } from './scope.ts'

/** The longest that Node takes. */
const FAR = 2_147_483_647

/** Of Node's own which serve the whole process: they outlive a run, and go on in real time. */
const OF_THE_PROCESS = new Set(['onTick', 'resetCache'])

/** By which undici counts all its time-outs, whoever waits for them. */
const UNDICI_TICK = 499

interface Timeout {
  _idleTimeout: number
  _onTimeout: ((...args: unknown[]) => void) | null | undefined
  _timerArgs: unknown[] | undefined
  _repeat: number | null
  _destroyed: boolean
  hasRef(): boolean
  refresh(): Timeout
  [symbol: symbol]: unknown
}

interface ListedTimeout extends Timeout {
  readonly _idlePrev: ListedTimeout | null
}

const kTimer = Symbol('tunstack timer')

/** One Timeout that lives by a scope's clock. */
class VirtualTimer implements Holding {
  readonly timeout: Timeout
  readonly scope: Scope
  milliseconds: number
  due = 0
  /** It stands in Node's list. */
  isListed = false
  #cancel: (() => void) | null = null
  readonly #ring = () => this.#onDue()

  constructor(timeout: Timeout, scope: Scope, milliseconds: number) {
    this.timeout = timeout
    this.scope = scope
    this.milliseconds = milliseconds
  }

  get isArmed(): boolean {
    return this.#cancel !== null
  }

  arm(): void {
    this.#cancel?.()
    const { time, holdings } = this.scope
    if (this.scope.isOver) return
    this.isListed = true
    const wait = Math.trunc(this.milliseconds)
    this.due = time.now() + wait
    this.#cancel = time.after(wait, this.#ring)
    holdings.add(this)
  }

  disarm(): void {
    this.#cancel?.()
    this.#cancel = null
    this.scope.holdings.delete(this)
  }

  #onDue(): void {
    const { timeout, scope } = this
    const wait = scope.pausedUntil - scope.time.now()
    if (wait > 0) {
      this.#cancel = scope.time.after(wait, this.#ring)
      return
    }
    this.disarm()
    const { _onTimeout: callback, _timerArgs: args = [] } = timeout
    if (!callback) return
    if (timeout._repeat !== null && !timeout.hasRef()) scope.time.idle()
    try {
      runInContext(timeout, callback, args)
    } catch (error) {
      scope.failed(error)
    } finally {
      this.#afterwards(callback, args)
    }
    drain()
  }

  #afterwards(callback: Timeout['_onTimeout'], args: unknown[]): void {
    const { timeout } = this
    // Set anew by `refresh`, or cleared, meanwhile.
    if (this.isArmed || timeout._destroyed || !timeout._onTimeout) return
    if (timeout._repeat !== null) {
      this.milliseconds = timeout._repeat
      this.arm()
      return
    }
    // As a timer that has fired: it can be set anew.
    unschedule(this, callback, args)
  }

  drop(): void {
    this.disarm()
    const { timeout } = this
    const { _onTimeout: callback, _timerArgs: args } = timeout
    unschedule(this, callback, args)
    // Not within the virtual time that is ending.
    if (callback && OF_THE_PROCESS.has(callback.name)) {
      moveOut(timeout, this.milliseconds)
      refreshReally.call(timeout)
    }
  }

  describe() {
    if (!this.timeout.hasRef() || OF_THE_PROCESS.has(this.timeout._onTimeout?.name ?? '')) return null
    return { kind: 'timer' as const, what: `due at ${(this.due / 1000).toFixed(1)} s` }
  }
}

/** Takes it from Node's lists, and leaves it as one that has fired. */
function unschedule(timer: VirtualTimer, callback: Timeout['_onTimeout'], args: unknown[] | undefined): void {
  const { timeout } = timer
  if (callback) clearTimeout(timeout as unknown as NodeJS.Timeout)
  timeout._onTimeout = callback
  timeout._timerArgs = args
}

/** As Node runs a timer: in the context in which it was made. */
function runInContext(timeout: Timeout, callback: (...args: unknown[]) => void, args: unknown[]): void {
  for (const [of, resource] of contextSymbols) timeout[resource] = timeout[of]
  Reflect.apply(AsyncResource.prototype.runInAsyncScope, timeout, [callback, timeout, ...args])
}

/** What a timer calls its identity and context, and what an AsyncResource does. */
let contextSymbols: [symbol, symbol][] = []

function findContextSymbols(timeout: Timeout): void {
  const resource = new AsyncResource('TUNSTACKTIMER')
  const find = (holder: object, name: string) =>
    Object.getOwnPropertySymbols(holder).find(({ description }) => description === name)
  contextSymbols = []
  for (const [of, to] of [
    ['asyncId', 'async_id_symbol'],
    ['triggerId', 'trigger_async_id_symbol'],
    ['kAsyncContextFrame', 'context_frame'],
  ]) {
    const [one, other] = [find(timeout, of), find(resource, to)]
    if (one !== undefined && other !== undefined) contextSymbols.push([one, other])
  }
}

function timerOf(timeout: Timeout): VirtualTimer | undefined {
  return timeout[kTimer] as VirtualTimer | undefined
}

/** On each virtual timer itself: Node stores durations again when it uses one again. */
const VIRTUAL: PropertyDescriptor = {
  configurable: true,
  enumerable: true,
  get(this: Timeout): number {
    const timer = timerOf(this)
    if (timer?.isListed) return FAR
    // Node sets cleared ones anew too, as a socket does at each octet: by this it knows them.
    return this._onTimeout ? (timer?.milliseconds ?? -1) : -1
  },
  set(this: Timeout, milliseconds: number) {
    const timer = timerOf(this)
    if (milliseconds >= 0) {
      setDuration(this, milliseconds)
      return
    }
    // What is cleared is not forgotten, since Node may use it again.
    timer?.disarm()
    if (timer !== undefined) timer.isListed = false
  },
}

/** For all that are made while a network runs. */
const PROTOTYPE: PropertyDescriptor = {
  configurable: true,
  enumerable: true,
  get: () => undefined,
  set(this: Timeout, milliseconds: number) {
    setDuration(this, milliseconds)
  },
}

let isInstalled = false
let refreshReally: () => unknown = () => undefined

function setDuration(timeout: Timeout, milliseconds: number): void {
  const scope = isInstalled ? scopeNow() : undefined
  if (scope === undefined || scope.time.isReal) moveOut(timeout, milliseconds)
  else moveIn(timeout, milliseconds, scope)
}

function moveOut(timeout: Timeout, milliseconds: number): void {
  const timer = timerOf(timeout)
  if (timer !== undefined) {
    timer.disarm()
    timeout[kTimer] = undefined
  }
  Object.defineProperty(timeout, '_idleTimeout', {
    value: milliseconds,
    writable: true,
    enumerable: true,
    configurable: true,
  })
}

function moveIn(timeout: Timeout, milliseconds: number, scope: Scope): void {
  timerOf(timeout)?.disarm()
  const timer = new VirtualTimer(timeout, scope, milliseconds)
  timeout[kTimer] = timer
  Object.defineProperty(timeout, '_idleTimeout', VIRTUAL)
  timer.arm()
}

export function patchTimers(patches: Patches): void {
  const sample = setTimeout(() => {}, 1) as unknown as Timeout
  const prototype = Object.getPrototypeOf(sample) as object
  findContextSymbols(sample)
  clearTimeout(sample as unknown as NodeJS.Timeout)
  patches.replace(prototype, 'refresh', (refresh) => {
    refreshReally = refresh
    return function (this: Timeout) {
      return refreshed(this, refresh)
    }
  })
  patches.define(prototype, '_idleTimeout', PROTOTYPE)
  isInstalled = true
  patches.onRestore(() => {
    isInstalled = false
  })
}

/** What waits in undici for a host shall wait by the network's clock, though the process has begun to count before. */
export function takeUndiciTimer(scope: Scope): void {
  if (scope.time.isReal) return
  // Timers of one duration stand in one list.
  const probe = setTimeout(() => {}, UNDICI_TICK) as unknown as ListedTimeout
  let found: ListedTimeout | null = null
  // A fake one stands in none.
  for (let at = probe._idlePrev ?? null; at !== null && at !== probe; at = at._idlePrev) {
    if (at._onTimeout?.name === 'onTick') found = at
  }
  clearTimeout(probe as unknown as NodeJS.Timeout)
  if (found === null || timerOf(found) !== undefined) return
  moveIn(found, UNDICI_TICK, scope)
  refreshReally.call(found)
}

/** A timer that is set anew within a scope lives by that scope's clock from then on: pools and the like share one among all. */
function refreshed(timeout: Timeout, refresh: () => unknown): unknown {
  const now = scopeNow()
  const scope = now === undefined || now.time.isReal ? undefined : now
  const timer = timerOf(timeout)
  const milliseconds = timer?.milliseconds ?? timeout._idleTimeout
  if (!timeout._onTimeout || !(milliseconds >= 0)) return Reflect.apply(refresh, timeout, [])
  const before = timer?.scope.isOver ? undefined : timer?.scope
  if (scope !== undefined && scope !== before) moveIn(timeout, milliseconds, scope)
  else if (before !== undefined) timer?.arm()
  else if (timer !== undefined) moveOut(timeout, milliseconds)
  return Reflect.apply(refresh, timeout, [])
}
