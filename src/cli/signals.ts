// How a command that runs until it is told to stop is told: the first signal ends it in order, the next at once.
import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** A terminal and npm both pass Ctrl-C on: what follows at once is the same wish. */
const SAME_WISH = 500

/** Read as we begin: later it may be gone already, and its heir stand in its place. */
const PARENT = process.ppid

/** Resolves at the first signal, or when the process that started us is gone. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    let toldAt = Number.POSITIVE_INFINITY
    for (const signal of SIGNALS) {
      process.on(signal, () => {
        const now = performance.now()
        if (now - toldAt > SAME_WISH) process.exit(128 + constants.signals[signal])
        toldAt = Math.min(toldAt, now)
        // The channel to who started us would keep us alive.
        if (process.connected) process.disconnect()
        resolve()
      })
    }
    if (process.connected) process.once('disconnect', resolve)
    watchParent(resolve)
  })
}

/** npm starts us through a shell, which may die of a signal without passing it on. */
function watchParent(gone: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return
  const watch = setInterval(() => {
    if (process.ppid === PARENT) return
    clearInterval(watch)
    gone()
  }, SAME_WISH)
  watch.unref()
}

/** Tells a child what we are told. */
export function passSignalsOn(kill: (signal: NodeJS.Signals) => void): () => void {
  const listeners = SIGNALS.map((signal) => {
    const listener = () => kill(signal)
    process.on(signal, listener)
    return () => process.off(signal, listener)
  })
  watchParent(() => kill('SIGTERM'))
  return () => listeners.forEach((remove) => void remove())
}
