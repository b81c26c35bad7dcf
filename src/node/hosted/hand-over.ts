// What TLS says of octets that were handed to it: as under libuv, ticks and promises run dry between two of its callbacks, though here both
// come from one call of JS.
import { drain } from './scope.ts'

/** A socket of Node's, as its handle knows it. */
export interface SocketOwner {
  readonly _handle: object | null
  destroy(error?: Error): unknown
}

type OnRead = (this: object, ...args: unknown[]) => void

/** Node's functions, as they are under simulated hosts. */
const draining = new WeakMap<OnRead, OnRead>()

/** TLS may have more than one thing to say of what it reads at once. */
export function drainBetween({ _handle }: SocketOwner): void {
  const handle = _handle as { onread?: unknown } | null
  const onread = handle?.onread
  // An agent's guard of idle sockets is asked for by its identity.
  if (!handle || typeof onread !== 'function' || onread.name === 'freeSocketOnReadGuard') return
  const original = onread as OnRead
  let replacement = draining.get(original)
  if (replacement === undefined) {
    replacement = function (this: object, ...args) {
      Reflect.apply(original, this, args)
      drain()
    }
    draining.set(original, replacement)
    draining.set(replacement, replacement)
  }
  if (replacement !== original) handle.onread = replacement
}
