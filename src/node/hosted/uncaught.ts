// Who is told of an exception that nobody on a host has caught: the program's own listeners of 'uncaughtException', as in Node. Those that
// were there before the run are the process's, often the test runner's: they hear nothing of it.

export class UncaughtListeners {
  readonly #before = new Set(process.rawListeners('uncaughtException'))

  /** Whether there was one. What a listener throws is the caller's. */
  tell(error: unknown): boolean {
    const own = process.rawListeners('uncaughtException').filter((listener) => !this.#before.has(listener))
    for (const listener of own) Reflect.apply(listener, process, [error, 'uncaughtException'])
    return own.length > 0
  }
}
