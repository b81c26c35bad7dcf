// What the stack asks of the world, from Node: its monotonic clock, its randomness, one timer a stack.
// Clock and timers are taken at import, so that a test's fake timers do not stop packets of the real world.
// `KeepAlive` decides what keeps the process running: the timer itself never does.
import { randomFillSync } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { clearTimeout, setImmediate, setTimeout } from 'node:timers'
import type { Alarm, Clock, Environment, Random } from '../core/environment.ts'
import type { KeepAlive } from './keep-alive.ts'

const now = performance.now.bind(performance)
const wall = Date.now

export const systemClock: Clock = { now, wall }

/** Numbers drawn from the system at once. */
const POOL = 1024

/** The system's randomness, drawn in pools. */
export class SystemRandom implements Random {
  readonly #pool = new Int32Array(POOL)
  #next = POOL

  int32(): number {
    if (this.#next === POOL) {
      randomFillSync(this.#pool)
      this.#next = 0
    }
    const drawn = this.#pool[this.#next]
    // What was handed out is not kept: some of it keys hashes.
    this.#pool[this.#next++] = 0
    return drawn
  }
}

/** The longest that a timer of Node can wait. */
const LONGEST_WAIT = 0x7fff_ffff
/** Immediates in a row after which a process that nothing holds gets a chance to end. */
const BREATH = 1000

/**
 * One immediate and one timer at most. A time further off leaves the timer as it is, and it looks again when it fires.
 * An immediate must be ref'd, since the loop would sleep over one that is not. Packets that go round for ever between two
 * stacks would so keep a process alive that nothing else does, which is why there is a pause now and then, on the timer.
 */
class SystemAlarm implements Alarm {
  readonly #callback: () => void
  readonly #keepAlive: KeepAlive
  readonly #onImmediate = () => this.#fireImmediate()
  readonly #onTimer = () => this.#fireTimer()
  #at = Number.POSITIVE_INFINITY
  #isImmediate = false
  #immediates = 0
  #timer: NodeJS.Timeout | null = null
  #timerAt = Number.POSITIVE_INFINITY

  constructor(callback: () => void, keepAlive: KeepAlive) {
    this.#callback = callback
    this.#keepAlive = keepAlive
  }

  arm(at: number): void {
    this.#at = at
    if (at === Number.POSITIVE_INFINITY) return
    const wait = at === Number.NEGATIVE_INFINITY ? 0 : at - now()
    if (wait > 0) this.#wait(at, wait)
    else if (!this.#isImmediate) this.#armImmediate()
  }

  #armImmediate(): void {
    if (++this.#immediates > BREATH && !this.#keepAlive.isHeld) {
      this.#immediates = 0
      this.#wait(now() + 1, 1)
      return
    }
    this.#isImmediate = true
    setImmediate(this.#onImmediate)
  }

  #wait(at: number, milliseconds: number): void {
    if (this.#timer !== null) {
      if (this.#timerAt <= at) return
      clearTimeout(this.#timer)
    }
    this.#timerAt = at
    this.#timer = setTimeout(this.#onTimer, Math.min(Math.ceil(milliseconds), LONGEST_WAIT)).unref()
  }

  #fireImmediate(): void {
    this.#isImmediate = false
    this.#fire()
  }

  #fireTimer(): void {
    this.#timer = null
    this.#timerAt = Number.POSITIVE_INFINITY
    this.#immediates = 0
    this.#fire()
  }

  /** It was armed for something later meanwhile, or for nothing. */
  #fire(): void {
    const at = this.#at
    if (at > now()) {
      this.arm(at)
      return
    }
    this.#at = Number.POSITIVE_INFINITY
    this.#callback()
  }
}

export function systemEnvironment(keepAlive: KeepAlive): Environment {
  return {
    clock: systemClock,
    random: new SystemRandom(),
    alarm: (callback) => new SystemAlarm(callback, keepAlive),
  }
}
