// `setTimeout` of a socket: tells when nothing has happened for so long. Activity costs a look at the clock, not a timer: one that
// goes off too early is set again for the rest. Runs on the driver's time, so that a simulated host's sockets idle in virtual time.
import { AsyncResource } from 'node:async_hooks'
import type { Time } from '../../core/environment.ts'
import { checkDuration, checkFunction } from '../arguments.ts'

export class IdleTimer {
  readonly #time: Time
  readonly #milliseconds: number
  readonly #onIdle: () => void
  #since: number
  #cancel: (() => void) | null

  constructor(time: Time, milliseconds: number, onIdle: () => void) {
    this.#time = time
    this.#milliseconds = milliseconds
    this.#onIdle = onIdle
    this.#since = time.now()
    this.#cancel = time.after(milliseconds, () => this.#fire())
  }

  /** Something has happened. */
  refresh(): void {
    this.#since = this.#time.now()
    this.#cancel ??= this.#time.after(this.#milliseconds, () => this.#fire())
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  #fire(): void {
    const rest = this.#since + this.#milliseconds - this.#time.now()
    if (rest > 0) {
      this.#cancel = this.#time.after(rest, () => this.#fire())
      return
    }
    this.#cancel = null
    this.#onIdle()
  }
}

/** A socket that can idle. */
interface Idling {
  _onTimeout(): void
  once(event: 'timeout', callback: () => void): unknown
  removeListener(event: 'timeout', callback: () => void): unknown
}

/** `socket.setTimeout`: the timer in the place of `before`; null for none. It goes off in the async context of this call. */
export function setIdleTimeout(
  socket: Idling,
  time: Time,
  before: IdleTimer | null,
  milliseconds: number,
  callback: (() => void) | undefined,
): IdleTimer | null {
  const duration = checkDuration(milliseconds, 'msecs')
  before?.stop()
  if (callback !== undefined) checkFunction(callback, 'callback')
  if (duration === 0) {
    if (callback !== undefined) socket.removeListener('timeout', callback)
    return null
  }
  if (callback !== undefined) socket.once('timeout', callback)
  // Not `AsyncResource.bind`, whose property for what is deprecated costs more than a response of HTTP.
  const context = new AsyncResource('Timeout')
  return new IdleTimer(time, duration, () => context.runInAsyncScope(socket._onTimeout, socket))
}
