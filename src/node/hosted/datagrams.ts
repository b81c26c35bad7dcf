// `dgram` on simulated hosts: a socket of Node's keeps its handle, whose calls go to the stack's from the first one that needs a network on.
import { type HandleLookup, type RemoteInfo, UdpHandle } from '../dgram/udp-handle.ts'
import type { SocketName } from '../net/host.ts'
import { binding } from './bindings.ts'
import type { Patches } from './patches.ts'
import { type Holding, hostScope, type Scope } from './scope.ts'

/** Handles of Node's, as far as they matter here. */
interface KernelHandle {
  lookup: HandleLookup
  onmessage?: (size: number, handle: KernelHandle, octets?: Buffer, from?: RemoteInfo) => void
  onerror?: (size: number, handle: KernelHandle, error: Error) => void
  [name: string]: unknown
}

/** Before one of these a socket is nobody's. */
const FIRST_CALLS = [
  ...['bind', 'bind6', 'open', 'connect', 'connect6', 'send', 'send6', 'recvStart'],
  ...['addMembership', 'dropMembership', 'addSourceSpecificMembership', 'dropSourceSpecificMembership'],
]

/** What Node calls its IPv6 forms. */
const SAME: Readonly<Record<string, string>> = { bind6: 'bind', connect6: 'connect', send6: 'send' }

const CALLS = [
  ...['bind', 'connect', 'disconnect', 'getsockname', 'getpeername', 'send', 'recvStart', 'recvStop', 'setTTL'],
  ...['setMulticastTTL', 'setMulticastLoopback', 'setBroadcast', 'setMulticastInterface', 'bufferSize'],
  ...['addMembership', 'dropMembership', 'addSourceSpecificMembership', 'dropSourceSpecificMembership'],
  ...['getSendQueueSize', 'getSendQueueCount', 'ref', 'unref', 'hasRef'],
] as const satisfies readonly (keyof UdpHandle)[]

export function patchDatagrams(patches: Patches): void {
  const { prototype } = binding('udp_wrap').UDP
  for (const name of FIRST_CALLS) {
    patches.replace(prototype, name, (call) => {
      return function (this: KernelHandle, ...args: unknown[]) {
        const scope = hostScope()
        if (scope === undefined || scope.isOver) return Reflect.apply(call, this, args)
        adopt(this, scope)
        const method = this[SAME[name] ?? name]
        return typeof method === 'function' && name !== 'open' ? Reflect.apply(method, this, args) : -1
      }
    })
  }
}

/** From now on the handle stands for one of the host's. */
function adopt(handle: KernelHandle, scope: Scope): void {
  // Node gives a socket of IPv6 its calls by name.
  const isIpv6 = Object.hasOwn(handle, 'bind')
  const own = new UdpHandle(scope.host!.stack.host, isIpv6, handle.lookup)
  own.onmessage = (size, _own, octets, from) => handle.onmessage?.(size, handle, octets, from)
  own.onerror = (size, _own, error) => handle.onerror?.(size, handle, error)
  for (const name of CALLS) {
    handle[name] = (...args: unknown[]) => Reflect.apply(own[name] as (...args: unknown[]) => unknown, own, args)
  }
  const holding: Holding = {
    drop: () => {
      own.onmessage = null
      own.close()
    },
    describe: () => (own.hasRef() ? { kind: 'socket', what: `for datagrams to port ${portOf(own)}` } : null),
  }
  scope.holdings.add(holding)
  const close = handle.close as (closed?: () => void) => void
  handle.close = (closed?: () => void) => {
    scope.holdings.delete(holding)
    own.close()
    Reflect.apply(close, handle, [closed])
  }
}

function portOf(handle: UdpHandle): number {
  const name: SocketName = {}
  handle.getsockname(name)
  return name.port ?? 0
}
