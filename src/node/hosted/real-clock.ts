// A network's clock that keeps up with the process's: for who wants to watch, and beside fake timers, which it follows where they are
// installed first: it looks at `performance.now` and `setTimeout` as they stand when it needs them.
import { VirtualClock } from '../../simulate/clock.ts'

export class RealClock extends VirtualClock {
  /** Lets happen what is due. */
  onDue: (() => void) | null = null
  readonly #began = globalThis.performance.now()
  #timer: ReturnType<typeof setTimeout> | undefined
  #armedFor = Number.POSITIVE_INFINITY

  override now(): number {
    return Math.max(super.now(), globalThis.performance.now() - this.#began)
  }

  override wall(): number {
    return globalThis.Date.now()
  }

  protected override asked(at: number): void {
    if (at < this.#armedFor) this.#arm(at)
  }

  /** For the next event; nothing, where there is none. */
  arm(): void {
    this.#armedFor = Number.POSITIVE_INFINITY
    globalThis.clearTimeout(this.#timer)
    if (this.next !== Number.POSITIVE_INFINITY) this.#arm(this.next)
  }

  #arm(at: number): void {
    globalThis.clearTimeout(this.#timer)
    this.#armedFor = at
    // Timers count in whole milliseconds, and fake ones never round up.
    this.#timer = globalThis.setTimeout(() => this.#ring(), Math.max(0, Math.ceil(at - this.now())))
  }

  #ring(): void {
    this.onDue?.()
    this.arm()
  }

  close(): void {
    this.onDue = null
    globalThis.clearTimeout(this.#timer)
    this.#armedFor = Number.POSITIVE_INFINITY
  }
}
