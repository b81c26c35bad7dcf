// What time it is on a simulated host: `Date`, `performance.now`, `process.hrtime`, the Date header and the timeouts of `node:http`.
// A host has a calendar of its own (`host.clock.skew`); what counts from the start of the process goes on counting from there.
import http, { type OutgoingMessage, type Server } from 'node:http'
import { performance } from 'node:perf_hooks'
import { symbolOf } from './bindings.ts'
import type { Patches } from './patches.ts'
import { outside, type Scope, scopeNow } from './scope.ts'
import { hosted } from './sockets.ts'

const RealDate = globalThis.Date

interface Globals {
  readonly global: WeakRef<typeof globalThis>
  readonly RealDate: DateConstructor
}

const own: Globals = { global: new WeakRef(globalThis), RealDate }
let other: Globals | null = null

/** Programs with that global object are seen too: Jest gives each test file one of its own, with another `Date`. The last one counts. */
export function alsoFor(global: typeof globalThis): void {
  if (global !== globalThis) other = { global: new WeakRef(global), RealDate: global.Date }
}

/** The global object of the tests: not ours in Jest. */
export function globalOfTests(): typeof globalThis {
  return other?.global.deref() ?? globalThis
}

function virtualScope(): Scope | undefined {
  const scope = scopeNow()
  return scope === undefined || scope.time.isReal ? undefined : scope
}

/** Pauses between tries are drawn from it, and shall be the same each time. */
export function patchRandom(patches: Patches): void {
  patches.replace(Math, 'random', (random) => () => {
    const scope = scopeNow()
    return scope === undefined ? random() : scope.time.random()
  })
}

export function patchClock(patches: Patches): void {
  for (const one of [own, other]) {
    const global = one?.global.deref()
    if (one !== null && global !== undefined) patchDate(patches, global, one.RealDate)
  }
  // Whole milliseconds, so that differences are exact.
  const realNow = Math.trunc(performance.now())
  const elapsed = (scope: Scope) => realNow + scope.time.now()
  for (const holder of [Object.getPrototypeOf(performance), performance]) {
    if (!Object.hasOwn(holder, 'now')) continue
    patches.replace(holder, 'now', (now) => {
      return function (this: unknown) {
        const scope = virtualScope()
        return scope === undefined ? Reflect.apply(now, this, []) : elapsed(scope)
      }
    })
  }
  patchHrtime(patches)
  patches.replace(process, 'uptime', (uptime) => () => {
    const scope = virtualScope()
    return scope === undefined ? uptime() : elapsed(scope) / 1000
  })
  patchDateHeader(patches)
  patchHttpTimeouts(patches)
}

function patchDate(patches: Patches, global: typeof globalThis, RealDate: DateConstructor): void {
  const RealNow = RealDate.now
  const dateNow = () => {
    const scope = virtualScope()
    return scope === undefined ? RealNow() : Math.trunc(scope.time.wall())
  }
  function VirtualDate(this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return new RealDate(dateNow()).toString()
    const given = args.length === 0 && virtualScope() !== undefined ? [dateNow()] : args
    return Reflect.construct(RealDate, given, new.target === VirtualDate ? RealDate : new.target)
  }
  for (const key of Reflect.ownKeys(RealDate)) {
    const descriptor = Object.getOwnPropertyDescriptor(RealDate, key) as PropertyDescriptor
    if (key !== 'now') Object.defineProperty(VirtualDate, key, descriptor)
  }
  // `Date.now` is often taken from the Date that somebody has kept.
  patches.replace(RealDate, 'now', () => dateNow)
  Object.defineProperty(VirtualDate, 'now', { value: dateNow, writable: true, configurable: true })
  const before = Object.getOwnPropertyDescriptor(global, 'Date')
  patches.define(global, 'Date', { ...before, value: VirtualDate })
  patches.define(RealDate.prototype, 'constructor', { configurable: true, writable: true, value: VirtualDate })
}

function patchHrtime(patches: Patches): void {
  const realStart = process.hrtime.bigint()
  const nanoseconds = (scope: Scope) => realStart + BigInt(Math.round(scope.time.now() * 1e6))
  const { hrtime } = process
  patches.replace(hrtime, 'bigint', (bigint) => () => {
    const scope = virtualScope()
    return scope === undefined ? bigint() : nanoseconds(scope)
  })
  const { bigint } = hrtime
  patches.replace(process, 'hrtime', (original) => {
    const replacement = (...args: unknown[]) => {
      const scope = virtualScope()
      if (scope === undefined || (args[0] !== undefined && !Array.isArray(args[0]))) return original(...args)
      const total = nanoseconds(scope)
      const [seconds, rest] = [Number(total / 1_000_000_000n), Number(total % 1_000_000_000n)]
      if (args[0] === undefined) return [seconds, rest]
      const [beforeSeconds, beforeRest] = args[0] as [number, number]
      const [wholes, parts] = [seconds - beforeSeconds, rest - beforeRest]
      return parts < 0 ? [wholes - 1, parts + 1e9] : [wholes, parts]
    }
    return Object.assign(replacement, { bigint })
  })
}

/** Node's own keeps the date for a second of real time. */
function patchDateHeader(patches: Patches): void {
  patches.replace(http.OutgoingMessage.prototype, '_storeHeader', (storeHeader) => {
    return function (this: OutgoingMessage & { _header: string | null }, ...args: unknown[]) {
      const scope = virtualScope()
      if (scope === undefined) return Reflect.apply(storeHeader, this, args)
      // The cache's own timer is the process's.
      const result = outside(() => Reflect.apply(storeHeader, this, args))
      if (this.sendDate && this._header !== null && !hasDate(this, args[1])) {
        const date = new RealDate(scope.time.wall()).toUTCString()
        this._header = this._header.replace(/\r\nDate: [^\r]*\r\n/, `\r\nDate: ${date}\r\n`)
      }
      return result
    }
  })
}

/** One of the user's own. */
function hasDate(message: OutgoingMessage, given: unknown): boolean {
  if (message.hasHeader('date')) return true
  if (typeof given !== 'object' || given === null) return false
  const names = Array.isArray(given) ? given.flat() : Object.keys(given)
  return names.some((name) => typeof name === 'string' && name.toLowerCase() === 'date')
}

interface Parser {
  readonly socket: { readonly _handle: unknown } | null
  /** There from the end of the headers to that of the message. */
  readonly incoming: object | null
}

interface ConnectionsList {
  active(): Parser[]
}

/** `headersTimeout` and `requestTimeout`: Node asks the parsers, which look at the system's clock. */
function patchHttpTimeouts(patches: Patches): void {
  const prototype = connectionsPrototype()
  if (prototype === null) return
  patches.replace(prototype, 'expired', (expired) => {
    return function (this: ConnectionsList, headersTimeout: number, requestTimeout: number) {
      const scope = virtualScope()
      if (scope === undefined) return Reflect.apply(expired, this, [headersTimeout, requestTimeout])
      const now = scope.time.now()
      return this.active().filter(({ socket, incoming }) => {
        const handle = hosted(socket?._handle)
        if (handle === null) return false
        const limit = incoming === null && headersTimeout > 0 ? headersTimeout : requestTimeout
        return limit > 0 && now - handle.askedAt > limit
      })
    }
  })
}

let connections: { prototype: object | null } | null = null

/** Only a server that listens has such a list. */
function connectionsPrototype(): object | null {
  if (connections !== null) return connections.prototype
  const server: Server = outside(() => http.createServer())
  outside(() => server.emit('listening'))
  const symbol = symbolOf(server, 'http.server.connections')
  const list = symbol === undefined ? undefined : (server as unknown as Record<symbol, object>)[symbol]
  connections = { prototype: list === undefined ? null : Object.getPrototypeOf(list) }
  server.close()
  return connections.prototype
}
