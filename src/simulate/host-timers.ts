// The timers of a program on a host: they come late while the host is paused, and are gone when it crashes.
import type { Time } from '../core/environment.ts'
import type { VirtualClock } from './clock.ts'
import type { Held, Resident } from './resident.ts'

interface Timer {
  readonly callback: () => void
  readonly due: number
  cancel: () => void
}

export class HostTimers implements Time, Resident {
  readonly #host: string
  readonly #clock: VirtualClock
  readonly #wall: () => number
  readonly #timers = new Set<Timer>()
  #pausedUntil = 0

  constructor(host: string, clock: VirtualClock, wall: () => number) {
    this.#host = host
    this.#clock = clock
    this.#wall = wall
  }

  now(): number {
    return this.#clock.now()
  }

  /** By the host's own calendar. */
  wall(): number {
    return this.#wall()
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer: Timer = { callback, due: this.now() + Math.max(0, milliseconds), cancel: () => {} }
    this.#timers.add(timer)
    timer.cancel = this.#clock.after(Math.max(0, milliseconds), () => this.#ring(timer))
    return () => {
      timer.cancel()
      this.#timers.delete(timer)
    }
  }

  crash(): void {
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#pausedUntil = 0
  }

  pause(until: number): void {
    this.#pausedUntil = until
  }

  held(): Held[] {
    const words = ({ due }: Timer) => `due at ${(due / 1000).toFixed(1)} s`
    return [...this.#timers].map((timer) => ({ host: this.#host, kind: 'timer', what: words(timer) }))
  }

  #ring(timer: Timer): void {
    const wait = this.#pausedUntil - this.now()
    if (wait > 0) {
      timer.cancel = this.#clock.after(wait, () => this.#ring(timer))
      return
    }
    this.#timers.delete(timer)
    timer.callback()
  }
}
