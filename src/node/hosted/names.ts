// `dns` on simulated hosts: what a host's resolver answers, in the host's time. `lookup` in all its forms, `resolve4`, `resolve6` and
// `reverse`; a name that there is has no other records. `localhost` is the host itself.
import { AsyncResource } from 'node:async_hooks'
import dns from 'node:dns'
import { constants } from 'node:os'
import { getSystemErrorMap } from 'node:util'
import type { NameFailure } from '../../simulate/names.ts'
import { binding, type NameRequest } from './bindings.ts'
import type { Patches } from './patches.ts'
import { drain, hostScope, type Scope, scopeNow } from './scope.ts'

const LOCALHOST: Record<number, readonly string[]> = { 0: ['127.0.0.1', '::1'], 4: ['127.0.0.1'], 6: ['::1'] }

/** What the name server's failures are to a program that asks the system, and to one that asks DNS itself. */
const LOOKUP_ERRORS: Record<NameFailure, string> = {
  NXDOMAIN: 'EAI_NONAME',
  SERVFAIL: 'EAI_AGAIN',
  timeout: 'EAI_AGAIN',
}
const QUERY_ERRORS: Record<NameFailure, string> = { NXDOMAIN: 'ENOTFOUND', SERVFAIL: 'ESERVFAIL', timeout: 'ETIMEOUT' }

interface Answer {
  readonly delay: number
  readonly failure: NameFailure | null
  readonly addresses: readonly string[]
}

export function patchNames(patches: Patches): void {
  const cares = binding('cares_wrap')
  patches.replace(cares, 'getaddrinfo', (getaddrinfo) => (...args: unknown[]) => {
    const scope = scopeNow()
    if (scope === undefined || scope.host === null) {
      scope?.time.lookedUp(String(args[1]))
      return getaddrinfo(...args)
    }
    const [request, hostname, family, , order] = args as [NameRequest, string, 0 | 4 | 6, number, number | boolean]
    const { delay, failure, addresses } = ask(scope, hostname, family)
    const sorted = inOrder(addresses, order)
    complete(scope, request, delay, failure === null ? [null, sorted] : [eaiNumber(LOOKUP_ERRORS[failure])])
    return 0
  })
  patches.replace(cares, 'getnameinfo', (getnameinfo) => (...args: unknown[]) => {
    const scope = hostScope()
    if (scope === undefined) return getnameinfo(...args)
    const [request, address, port] = args as [NameRequest, string, number]
    complete(scope, request, 0, [null, nameOf(scope, address) ?? address, String(port)])
    return 0
  })
  patchQueries(patches, cares.ChannelWrap.prototype)
  patchPromises(patches)
}

function ask(scope: Scope, hostname: string, family: 0 | 4 | 6): Answer {
  if (/^localhost\.?$/i.test(hostname)) return { delay: 0, failure: null, addresses: LOCALHOST[family] }
  return scope.host!.resolver.answer(hostname, family)
}

/** As Node asks for it: verbatim, or one family first. */
function inOrder(addresses: readonly string[], order: number | boolean): string[] {
  const first = order === 1 || order === false ? '.' : order === 2 ? ':' : null
  // Node writes into what it is given.
  if (first === null) return [...addresses]
  return [...addresses].sort((one, other) => Number(other.includes(first)) - Number(one.includes(first)))
}

function complete(scope: Scope, request: NameRequest, delay: number, results: [string | number | null, ...unknown[]]) {
  const resource = new AsyncResource('GETADDRINFOREQWRAP')
  scope.later(delay, () => {
    resource.runInAsyncScope(request.oncomplete, request, ...results)
    drain()
  })
}

function eaiNumber(name: string): number {
  for (const [number, [one]] of getSystemErrorMap()) if (one === name) return number
  return -constants.errno.EINVAL
}

function nameOf(scope: Scope, address: string): string | null {
  return scope.host!.nameOf(address)
}

function patchQueries(patches: Patches, prototype: object): void {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (!name.startsWith('query') && name !== 'getHostByAddr') continue
    patches.replace(prototype, name, (query) => {
      return function (this: unknown, ...args: unknown[]) {
        const scope = hostScope()
        if (scope === undefined) return Reflect.apply(query, this, args)
        const [request, asked] = args as [NameRequest, string]
        const { delay, results } = answerQuery(scope, name, asked)
        complete(scope, request, delay, results)
        return 0
      }
    })
  }
}

function answerQuery(scope: Scope, query: string, asked: string) {
  if (query === 'getHostByAddr' || query === 'queryPtr') {
    const name = nameOf(scope, asked)
    return { delay: 0, results: (name === null ? ['ENOTFOUND'] : [null, [name]]) as [string | null, ...unknown[]] }
  }
  const family = query === 'queryA' ? 4 : query === 'queryAaaa' ? 6 : 0
  const any = ask(scope, asked, 0)
  const { delay, failure, addresses } = any.failure === null && family !== 0 ? ask(scope, asked, family) : any
  const isMissing = any.failure === null && (family === 0 || failure === 'NXDOMAIN')
  if (isMissing) return { delay, results: ['ENODATA'] as [string] }
  if (failure !== null) return { delay, results: [QUERY_ERRORS[failure]] as [string] }
  return { delay, results: [null, [...addresses], addresses.map(() => 0)] as [null, ...unknown[]] }
}

/** Node's own takes the call out of the binding when it is loaded; the one with a callback does the same. */
function patchPromises(patches: Patches): void {
  patches.replace(dns.promises, 'lookup', (lookup) => (...args: unknown[]) => {
    if (hostScope() === undefined) return lookup(...args)
    return new Promise((resolve, reject) => {
      const options = typeof args[1] === 'number' ? { family: args[1] } : ((args[1] ?? {}) as dns.LookupOptions)
      dns.lookup(args[0] as string, options, (error, address, family) => {
        if (error) reject(error)
        else resolve(options.all ? address : { address, family })
      })
    })
  })
  patches.replace(dns.promises, 'lookupService', (lookupService) => (...args: unknown[]) => {
    if (hostScope() === undefined) return lookupService(...args)
    return new Promise((resolve, reject) => {
      dns.lookupService(args[0] as string, args[1] as number, (error, hostname, service) => {
        if (error) reject(error)
        else resolve({ hostname, service })
      })
    })
  })
}
