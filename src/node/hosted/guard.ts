// Nothing inside a simulated host reaches the kernel's network by accident: what is not carried fails with ENETUNREACH, and a warning
// says once a host why.
import { errnoOf } from '../errors.ts'
import { binding } from './bindings.ts'
import type { Patches } from './patches.ts'
import { hostScope, type Scope } from './scope.ts'

const TCP_CALLS = ['connect', 'connect6', 'bind', 'bind6', 'listen', 'open']

export function patchGuard(patches: Patches): void {
  const warned = new WeakSet<Scope>()
  const { prototype } = binding('tcp_wrap').TCP
  for (const name of TCP_CALLS) {
    patches.replace(prototype, name, (call) => {
      return function (this: unknown, ...args: unknown[]) {
        const scope = hostScope()
        if (scope === undefined) return Reflect.apply(call, this, args)
        if (!warned.has(scope)) warn(scope)
        warned.add(scope)
        return errnoOf('ENETUNREACH')
      }
    })
  }
}

function warn({ name }: Scope): void {
  const message = `A socket that was made outside of the simulated host '${name}' was used inside of it: it would have reached the kernel's network, and got ENETUNREACH; make it inside of '${name}'.run`
  process.emitWarning(message, { type: 'TunstackWarning', code: 'TUNSTACK_NOT_SIMULATED' })
}
