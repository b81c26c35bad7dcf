// Functions of Node's that stand aside while a network runs, and the originals that come back after it.
// Each replacement asks whose code calls, and leaves everybody else with the original.
import { syncBuiltinESMExports } from 'node:module'

// biome-ignore lint/suspicious/noExplicitAny: functions of every kind
export type AnyFunction = (this: any, ...args: any[]) => any

export class Patches {
  readonly #undo: (() => void)[] = []

  /** `make` is given the original. */
  replace(holder: object, key: PropertyKey, make: (original: AnyFunction) => AnyFunction): void {
    const before = Object.getOwnPropertyDescriptor(holder, key)
    const original = Reflect.get(holder, key) as unknown
    if (typeof original !== 'function') return
    const replacement = make(original as AnyFunction)
    Object.defineProperty(replacement, 'name', { value: original.name, configurable: true })
    this.define(holder, key, {
      configurable: true,
      writable: true,
      enumerable: before?.enumerable ?? true,
      value: replacement,
    })
  }

  define(holder: object, key: PropertyKey, descriptor: PropertyDescriptor): void {
    const before = Object.getOwnPropertyDescriptor(holder, key)
    if (before !== undefined && !before.configurable && !before.writable) return
    Object.defineProperty(holder, key, descriptor)
    const ours = Object.getOwnPropertyDescriptor(holder, key) as PropertyDescriptor
    this.#undo.push(() => {
      const now = Object.getOwnPropertyDescriptor(holder, key)
      // Somebody has put another in its place since, and may have kept ours: that is theirs to undo.
      if (now?.value !== ours.value || now?.get !== ours.get) return
      if (before === undefined) Reflect.deleteProperty(holder, key)
      else Object.defineProperty(holder, key, before)
    })
  }

  /** Of anything else that must be undone. */
  onRestore(undo: () => void): void {
    this.#undo.push(undo)
  }

  /** Once all are in place. */
  settle(): void {
    syncBuiltinESMExports()
  }

  restore(): void {
    for (const undo of this.#undo.splice(0).reverse()) undo()
    syncBuiltinESMExports()
  }
}
