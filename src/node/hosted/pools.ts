// Connections that are kept for the next request belong to the host that made them: the agents of `http` and `https` tell hosts apart by
// the names of their pools, and undici's global dispatcher (the one under `fetch`) stands for one agent a host.
// Who uses an agent first has pools with Node's own names, which programs may look up; the global agents are the process's.
import http from 'node:http'
import https from 'node:https'
import type { Patches } from './patches.ts'
import { hostScope, type Scope } from './scope.ts'

/** Among the numbers of scopes, which begin with 1. */
const PROCESS = 0

const MARK = 'tunstack-'

/** On a request's options, since an agent asks for names in anybody's context. */
const kScope = Symbol('tunstack scope')

interface Options {
  [kScope]?: number
}

interface AgentInside {
  sockets: Record<string, unknown[] | undefined>
  freeSockets: Record<string, unknown[] | undefined>
  requests: Record<string, unknown[] | undefined>
  totalSocketCount: number
}

export function patchPools(patches: Patches): void {
  const { prototype } = http.Agent
  const agents = new Map<number, Set<AgentInside>>()
  const owners = new WeakMap<object, number>()
  for (const agent of [http.globalAgent, https.globalAgent]) owners.set(agent, PROCESS)
  patches.replace(prototype, 'addRequest', (addRequest) => {
    return function (this: AgentInside, request: unknown, options: Options, ...rest: unknown[]) {
      const scope = hostScope()
      const id = scope?.id ?? PROCESS
      if (!owners.has(this)) owners.set(this, id)
      const owner = owners.get(this)
      if (typeof options !== 'object' || (id === PROCESS && owner === PROCESS)) {
        return Reflect.apply(addRequest, this, [request, options, ...rest])
      }
      if (scope !== undefined) remember(agents, scope, this, owner === id)
      else patches.onRestore(() => rename(this))
      return Reflect.apply(addRequest, this, [request, { ...options, [kScope]: id }, ...rest])
    }
  })
  patches.replace(prototype, 'getName', (getName) => {
    return function (this: AgentInside, options?: Options) {
      const name = Reflect.apply(getName, this, [options]) as string
      // Whoever asks by hand means the host's own.
      const id = options?.[kScope] ?? hostScope()?.id ?? PROCESS
      return id === (owners.get(this) ?? id) ? name : `${name}:${MARK}${id}`
    }
  })
  patchDispatchers(patches)
}

/** Null for a pool by Node's own name. An agent of `https` adds to the name that it gets. */
function markedFor(name: string): number | null {
  const mark = name.split(':').find((part) => part.startsWith(MARK))
  return mark === undefined ? null : Number(mark.slice(MARK.length))
}

/** What a host's end leaves in agents is taken out with it: nobody would ever answer there. */
function remember(agents: Map<number, Set<AgentInside>>, scope: Scope, agent: AgentInside, isOwner: boolean): void {
  let known = agents.get(scope.id)
  if (known === undefined) {
    known = new Set()
    agents.set(scope.id, known)
  }
  if (known.has(agent)) return
  known.add(agent)
  const drop = () => forget(agent, isOwner ? null : scope.id)
  scope.holdings.add({ drop, describe: () => null })
}

function forget(agent: AgentInside, id: number | null): void {
  for (const pool of [agent.sockets, agent.freeSockets, agent.requests]) {
    for (const [name, list] of Object.entries(pool)) {
      if (markedFor(name) !== id) continue
      if (pool !== agent.requests) agent.totalSocketCount -= list?.length ?? 0
      delete pool[name]
    }
  }
}

/** What the process had in a host's agent gets Node's names, now that nobody else is there. */
function rename(agent: AgentInside): void {
  for (const pool of [agent.sockets, agent.freeSockets, agent.requests]) {
    for (const [name, list] of Object.entries(pool)) {
      if (markedFor(name) !== PROCESS) continue
      delete pool[name]
      pool[name.replace(`:${MARK}${PROCESS}`, '')] = list
    }
  }
}

interface Dispatcher {
  readonly constructor: new () => Dispatcher
  dispatch(...args: unknown[]): boolean
}

/** The second is undici's from its eighth version on. */
const GLOBAL_DISPATCHERS = ['undici.globalDispatcher.1', 'undici.globalDispatcher.2'].map((name) => Symbol.for(name))

function patchDispatchers(patches: Patches): void {
  // Node loads its undici with the first of these that is touched.
  void globalThis.Request
  const holder = outermost()
  for (const symbol of GLOBAL_DISPATCHERS) {
    const original = (holder as unknown as Record<symbol, Dispatcher | undefined>)[symbol]
    // Who has put a dispatcher of their own there knows why.
    if (original === undefined || original.constructor.name !== 'Agent') continue
    const before = Object.getOwnPropertyDescriptor(holder, symbol) as PropertyDescriptor
    patches.define(holder, symbol, { ...before, value: facade(original) })
  }
}

/** Node's own global object, seen from within a context of `node:vm` too, where some run tests: `process` is of its world. */
function outermost(): object {
  try {
    const OuterFunction = process.constructor.constructor as FunctionConstructor
    return OuterFunction('return globalThis')() as object
  } catch {
    // Where code may not be made of text.
    return globalThis
  }
}

function facade(original: Dispatcher): Dispatcher {
  const agents = new WeakMap<Scope, Dispatcher>()
  const agentNow = () => {
    const scope = hostScope()
    if (scope === undefined) return original
    let agent = agents.get(scope)
    if (agent === undefined) {
      agent = new original.constructor()
      agents.set(scope, agent)
    }
    return agent
  }
  return new Proxy(original, {
    get(_target, key) {
      const agent = agentNow()
      const value = Reflect.get(agent, key, agent) as unknown
      return typeof value === 'function' && key !== 'constructor' ? value.bind(agent) : value
    },
  })
}
