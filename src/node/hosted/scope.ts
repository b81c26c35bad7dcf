// Whose code runs: a host's, or the test's own inside `network.run`. It follows all that is begun there, by promises, timers and sockets,
// as an AsyncLocalStorage does. Outside of every scope Node is as it was.
// A host that is started again after a crash gets another scope: what the dead program still had to say is heard by nobody.
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import { setImmediate } from 'node:timers'
import type { Resolver } from '../../simulate/names.ts'
import type { Held } from '../../simulate/resident.ts'
import type { NodeStack } from '../create-stack.ts'

/** What a scope's program has got from it: a socket, a server, a timer. */
export interface Holding {
  /** Lets go at once, and tells nobody. */
  drop(): void
  /** Null for what need not be let go of: what was unref'd, say. */
  describe(): Omit<Held, 'host'> | null
}

/** A host as its scope sees it. */
export interface HostInside {
  readonly name: string
  readonly stack: NodeStack
  readonly resolver: Resolver
  /** The name of the host that has an address; null for one that nobody has. */
  nameOf(address: string): string | null
  /** The timeline shall say that nothing leads to that address. */
  noWay(address: string): void
}

/** The times that a scope lives by. */
export interface ScopeTime {
  now(): number
  /** The date, in milliseconds since 1970. */
  wall(): number
  after(milliseconds: number, callback: () => void): () => void
  /** Timers, dates and the like are the process's own. */
  readonly isReal: boolean
  /** What `Math.random` says: from 0 to just below 1. */
  random(): number
  /** The test itself asks the system for a name. */
  lookedUp(name: string): void
  /** A timer has rung that comes again and again, and holds nobody. */
  idle(): void
}

let scopes = 0

export class Scope {
  /** No two of a process share it. */
  readonly id = ++scopes
  /** Null for the test's own code, whose sockets are the kernel's. */
  readonly host: HostInside | null
  readonly time: ScopeTime
  readonly holdings = new Set<Holding>()
  /** An exception that nobody has caught. */
  readonly failed: (error: unknown) => void
  /** Nothing of its program runs before that time. */
  pausedUntil = 0
  isOver = false

  /** A host is its own time. */
  constructor(of: ScopeTime & Partial<HostInside>, failed: (error: unknown) => void) {
    this.host = isHost(of) ? of : null
    this.time = of
    this.failed = failed
  }

  get name(): string {
    return this.host?.name ?? 'the test'
  }

  enter<Result>(work: () => Result): Result {
    return storage.run(this, work)
  }

  /** Not before the program goes on where it is paused, and never after its end. The resource's context is the caller's to say. */
  later(milliseconds: number, work: () => void): void {
    const run = () => {
      if (this.isOver) return
      const wait = this.pausedUntil - this.time.now()
      if (wait > 0) this.time.after(wait, run)
      else work()
    }
    if (milliseconds > 0) this.time.after(milliseconds, run)
    else setImmediate(run)
  }

  held(): Held[] {
    const found: Held[] = []
    for (const holding of this.holdings) {
      const described = holding.describe()
      if (described !== null) found.push({ host: this.name, ...described })
    }
    return found
  }

  /** Its program is gone, with all that it held. */
  end(): void {
    this.isOver = true
    for (const holding of this.holdings) holding.drop()
    this.holdings.clear()
  }
}

function isHost(of: ScopeTime & Partial<HostInside>): of is ScopeTime & HostInside {
  return of.stack !== undefined
}

const storage = new AsyncLocalStorage<Scope | undefined>()

/** Where code belongs that nobody has called: as libuv's callbacks run. */
const root = new AsyncResource('TUNSTACK')

/** Undefined outside of all. */
export function scopeNow(): Scope | undefined {
  return storage.getStore()
}

/** The scope of a host whose sockets are to be used in place of the kernel's. */
export function hostScope(): Scope | undefined {
  const scope = storage.getStore()
  return scope !== undefined && scope.host !== null ? scope : undefined
}

export function outside<Result>(work: () => Result): Result {
  return storage.run(undefined, work)
}

/** For what begins with a packet: the scope, and none of the program's own stores. */
export function fromRoot<Result>(scope: Scope, work: () => Result): Result {
  return root.runInAsyncScope(() => storage.run(scope, work))
}

interface ProcessInside {
  _tickCallback(): void
  _fatalException(error: unknown, isFromPromise: boolean): boolean
  emit?: () => boolean
}

/** Lets ticks and promises run dry, as Node does after each callback of its own. */
export function drain(): void {
  const inside = process as unknown as ProcessInside
  try {
    inside._tickCallback()
  } catch (error) {
    leaveAll(inside, error)
    throw error
  }
}

/**
 * A tick that throws stays on Node's stack of async contexts, and Node aborts when it finds that out. Who takes it off is Node's handler of
 * exceptions that nobody has caught; it is told that somebody has, and nobody else hears of it.
 */
function leaveAll(inside: ProcessInside, error: unknown): void {
  if (typeof inside._fatalException !== 'function') return
  const before = Object.getOwnPropertyDescriptor(inside, 'emit')
  inside.emit = () => true
  try {
    inside._fatalException(error, false)
  } finally {
    if (before === undefined) delete inside.emit
    else Object.defineProperty(inside, 'emit', before)
  }
}
