// A simulated network on whose hosts programs of Node's run unchanged, in virtual time or in real time.
// While its `run` goes on, functions of Node's stand aside for those who are inside of it; then everything is as it was.
import { clearInterval, setInterval } from 'node:timers'
import { type Exploration, type ExploredTest, type ExploreOptions, exploreWith } from '../../simulate/explore.ts'
import type { HostOptions, HostWorld } from '../../simulate/host.ts'
import { Network, type SimulateOptions } from '../../simulate/network.ts'
import type { Held } from '../../simulate/resident.ts'
import { globalOfTests } from './clock.ts'
import { SimulatedHost, type Surroundings } from './host.ts'
import { install } from './install.ts'
import { Loop } from './loop.ts'
import { RealClock } from './real-clock.ts'
import { enroll } from './running.ts'
import { drain, Scope, type ScopeTime } from './scope.ts'
import { takeUndiciTimer } from './timers.ts'
import { UncaughtListeners } from './uncaught.ts'

export interface NodeSimulateOptions extends Omit<SimulateOptions, 'clock'> {
  /** `'real'`: time goes as it does outside, and nothing of Node's clocks and timers is changed. Virtual unless said otherwise. */
  time?: 'virtual' | 'real'
  /** Real milliseconds for which time may stand still before `run` says what it waits for: 10,000 unless said otherwise. */
  patience?: number
}

const PATIENCE = 10_000

/** Milliseconds between two looks whether a run in real time is done. */
const LOOKING = 2

/** Events in a row that were nothing but timers which hold nobody: then nothing else will happen. */
const MOST_IDLE = 5000
/** And so many when a run has taken too long. */
const SOME_IDLE = 100

export class SimulatedNetwork extends Network {
  readonly #options: NodeSimulateOptions
  readonly #around: Surroundings
  readonly #patience: number
  readonly #holds = new Set<Promise<unknown>>()
  readonly #hasSettler: boolean
  /** What programs held when the last run was done. */
  #left: Held[] = []
  #programs = 0
  #stop: () => void = () => {}
  /** Ends what moves its time; null while nothing does. */
  #end: ((error: Error) => void) | null = null
  /** The test's own, while it runs. */
  #scope: Scope | null = null
  /** Of the run that goes on. */
  #listeners: UncaughtListeners | null = null
  /** Events in a row that were idle. */
  #idle = 0

  constructor(options: NodeSimulateOptions = {}) {
    const { POSITIVE_INFINITY: limit } = Number
    super(options.time === 'real' ? { ...options, clock: new RealClock(), limit } : options)
    this.#options = options
    this.#hasSettler = options.settler !== undefined
    this.#patience = options.patience ?? PATIENCE
    this.#around = {
      time: this.#time(),
      failed: (error) => this.failed(error),
      randomOf: (host) => {
        const random = this.random.stream(`program ${++this.#programs} on ${host}`)
        return () => random.fraction()
      },
      isAtWork: () => this.#listeners !== null,
      nameOf: (address) => this.hosts.find(({ addresses }) => addresses.includes(address))?.name ?? null,
    }
  }

  override host(name: string, options?: readonly string[] | HostOptions): SimulatedHost {
    return super.host(name, options) as SimulatedHost
  }

  override router(name: string, options?: readonly string[] | HostOptions): SimulatedHost {
    return super.router(name, options) as SimulatedHost
  }

  override find(given: SimulatedHost | string): SimulatedHost {
    return super.find(given) as SimulatedHost
  }

  override get hosts(): readonly SimulatedHost[] {
    return super.hosts as readonly SimulatedHost[]
  }

  /**
   * Runs a test over many seeds, as the function `explore` does, each on a network of its own with the options of this one. The test makes its
   * hosts and links there; this network is left as it is.
   */
  explore(options: ExploreOptions, test: ExploredTest<SimulatedNetwork>): Promise<Exploration> {
    return exploreWith((given) => new SimulatedNetwork({ ...this.#options, ...given }), options, test)
  }

  /** Time stands while that is not settled: for what it can't see by itself, as workers and child processes. Returns the promise. */
  hold<Result>(promise: Promise<Result>): Promise<Result> {
    const release = () => void this.#holds.delete(promise)
    this.#holds.add(promise)
    promise.then(release, release)
    return promise
  }

  /** What programs hold: while `run` goes on now, and after it what they held when its function was done. */
  override held(): readonly Held[] {
    return [...this.#left, ...super.held()]
  }

  protected override goingOn(): readonly Held[] | null {
    return this.#idle > SOME_IDLE ? null : [...(this.#scope?.held() ?? []), ...this.held()]
  }

  protected override make(name: string, prefixes: readonly string[], options: HostOptions, world: HostWorld) {
    const wake: NonNullable<HostWorld['hooks']['wake']> = (socket, now) => {
      socket.owner?.wake(now)
      drain()
    }
    return new SimulatedHost(name, prefixes, options, { ...world, hooks: { ...world.hooks, wake } }, this.#around)
  }

  protected override async work<Result>(work: () => Promise<Result> | Result): Promise<Result> {
    const entered = enroll({ seed: this.seed, now: () => this.now(), end: (error) => this.#endWith(error) })
    const leave = entered instanceof Promise ? await entered : entered
    const restore = installOr(leave)
    this.#left = []
    this.#listeners = new UncaughtListeners()
    const scope = new Scope(this.#around.time, this.#around.failed)
    this.#scope = scope
    try {
      takeUndiciTimer(scope)
      return await super.work(() => scope.enter(work))
    } finally {
      this.#left = this.hosts.flatMap((host) => host.release())
      scope.end()
      this.#scope = null
      this.#listeners = null
      restore()
      leave()
    }
  }

  protected override stuck(): string {
    if (!areTimersFake()) return super.stuck()
    return 'fake timers are installed, and nothing moves them; in here timers are virtual without them, so leave vi.useFakeTimers() and the like out'
  }

  #endWith(error: Error): boolean {
    this.#end?.(error)
    return this.#end !== null
  }

  protected override async move(isDone: () => boolean, until?: number): Promise<void> {
    if (this.#hasSettler) return super.move(isDone, until)
    if (this.clock instanceof RealClock) return this.#moveReally(this.clock, isDone, until)
    const end = until ?? Number.POSITIVE_INFINITY
    this.#idle = 0
    const step = () => {
      const { next } = this.clock
      if (next > end || next === Number.POSITIVE_INFINITY || this.#idle > MOST_IDLE) return false
      this.happen(next)
      return true
    }
    const heldFor = () => (this.#holds.size === 0 ? loading() : 'a promise that was given to network.hold')
    const loop = new Loop({ isOver: isDone, step, heldFor }, this.#patience)
    this.#end = (error) => loop.end(error)
    await loop.run().finally(() => {
      this.#end = null
    })
    if (until !== undefined) this.happen(until)
  }

  #moveReally(clock: RealClock, isDone: () => boolean, end = Number.POSITIVE_INFINITY): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const look = () => {
        if (isDone() || clock.now() >= end) resolve()
      }
      this.#end = reject
      clock.onDue = () => {
        try {
          this.happen(clock.now())
        } catch (error) {
          reject(error)
        }
      }
      // Never a fake one: whoever moves fake time waits for the run to end.
      const looking = setInterval(look, LOOKING)
      clock.arm()
      this.#stop = () => {
        clearInterval(looking)
        clock.close()
      }
    }).finally(() => {
      this.#end = null
      this.#stop()
    })
  }

  /** After each event what it has set going runs dry. */
  protected override happen(until = Number.POSITIVE_INFINITY): void {
    const { clock, errors } = this
    while (clock.next <= until) {
      const idle = this.#idle
      this.#watch(() => void clock.step())
      while (errors.length === 0 && !this.#watch(drain));
      if (this.#idle === idle) this.#idle = 0
      if (errors.length > 0) throw errors.splice(0)[0]
    }
    if (until !== Number.POSITIVE_INFINITY) clock.advance(until)
  }

  /** A program may listen for what it has not caught: then it goes on. */
  protected override failed(error: unknown): void {
    try {
      if (this.#listeners?.tell(error)) return
    } catch (another) {
      super.failed(another)
      return
    }
    super.failed(error)
  }

  /** False where it has thrown. */
  #watch(work: () => void): boolean {
    try {
      work()
      return true
    } catch (error) {
      this.failed(error)
      return false
    }
  }

  #time(): ScopeTime {
    const { clock } = this
    const random = this.random.stream('the test')
    return {
      isReal: clock instanceof RealClock,
      random: () => random.fraction(),
      now: () => clock.now(),
      wall: () => clock.wall(),
      after: (milliseconds, callback) => clock.after(milliseconds, callback),
      lookedUp: (name) => {
        if (this.names.find(name) === null) return
        this.note(
          `'${name}' is a name of this network, but was looked up outside of every host: ask inside of host.run(…)`,
        )
      },
      idle: () => {
        this.#idle++
      },
    }
  }
}

/** As those of vitest, Jest, sinon and `node:test`: what they make is no timer of Node's. */
function areTimersFake(): boolean {
  const { setTimeout, clearTimeout } = globalOfTests()
  const timer = setTimeout(() => {}, 1)
  clearTimeout(timer)
  return (timer as { _idleTimeout?: number })._idleTimeout === undefined
}

function installOr(leave: () => void): () => void {
  try {
    return install()
  } catch (error) {
    leave()
    throw error
  }
}

/** What vitest loads comes from another process, by messages. */
function loading(): string | null {
  const { __vitest_worker__: worker } = globalThis as { __vitest_worker__?: { resolvingModules?: Set<string> } }
  const [module] = worker?.resolvingModules ?? []
  return module === undefined ? null : `vitest, which loads ${module}`
}
