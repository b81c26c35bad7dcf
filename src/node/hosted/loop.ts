// Moves a network's time from Node's event loop: only after an iteration in which nothing was ready. No immediate is left, libuv has
// no request under way, and the loop has handled no event: then the program has nothing more to do at this time.
// Rounds are immediates, not promises, so that each event's ticks and promises run dry before the next, as in Node.
import { performance } from 'node:perf_hooks'
import { clearImmediate, setImmediate, setTimeout } from 'node:timers'
import { pendingRequests } from './pending.ts'

/** What is moved. */
export interface Moved {
  isOver(): boolean
  /** Lets happen what is due next; false where nothing is left to happen. */
  step(): boolean
  /** What real thing time waits for because the program has said so; null for none. */
  heldFor(): string | null
}

/** Rounds that find something under way, after which the loop sleeps between two. */
const SPINS = 200

interface ListedImmediate extends NodeJS.Immediate {
  readonly _idleNext: object | null
  readonly _idlePrev: object | null
}

const realNow = performance.now.bind(performance)

export class Loop {
  readonly #moved: Moved
  readonly #patience: number
  readonly #pending = pendingRequests()
  readonly #atFirst = countAtFirst()
  readonly #round = () => this.#onRound()
  #resolve: () => void = () => {}
  #reject: (error: unknown) => void = () => {}
  /** The round that comes next. */
  #next: ListedImmediate | null = null
  #events = -1
  #spins = 0
  /** Since when time has not moved, and it waits for this: two reasons may take turns. */
  readonly #since = new Map<string, number>()

  /** `patience`: real milliseconds for which nothing may happen. */
  constructor(moved: Moved, patience: number) {
    this.#moved = moved
    this.#patience = patience
  }

  /** Until it is over, or nothing is left to happen. */
  async run(): Promise<void> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#resolve = resolve
        this.#reject = reject
        this.#next = setImmediate(this.#round) as ListedImmediate
      })
    } finally {
      if (this.#next !== null) clearImmediate(this.#next)
      this.#next = null
      this.#pending.close()
    }
  }

  /** Before it is over. */
  end(error: unknown): void {
    this.#reject(error)
  }

  #onRound(): void {
    const own = this.#next
    this.#next = setImmediate(this.#round) as ListedImmediate
    // Immediates of others stand after this one, or before the next.
    const areOthers = own?._idleNext !== null || this.#next._idlePrev !== null
    try {
      const reason = areOthers ? 'an immediate that is set again and again' : this.#whyBusy()
      if (reason === null) this.#move()
      else this.#wait(reason, areOthers)
      this.#events = loopEvents()
    } catch (error) {
      this.#reject(error)
    }
  }

  /** Null where time may move. */
  #whyBusy(): string | null {
    const held = this.#moved.heldFor()
    if (held !== null) return held
    if (this.#pending.count > 0) return `a request to libuv that is not answered (${requestsNow()})`
    if (loopEvents() !== this.#events) return 'sockets of the kernel, which always have something more to say'
    return null
  }

  #move(): void {
    if (this.#moved.isOver()) {
      this.#resolve()
      return
    }
    if (this.#moved.step()) {
      this.#spins = 0
      this.#since.clear()
      return
    }
    // What a child or a socket of the kernel's says may be what the program waits for.
    const real = this.#newResources()
    if (real === '') this.#resolve()
    else this.#wait(`what is not simulated: ${real}`, false)
  }

  #wait(reason: string, isSpinning: boolean): void {
    let since = this.#since.get(reason)
    if (since === undefined) {
      since = realNow()
      this.#since.set(reason, since)
    }
    const spins = ++this.#spins
    if (spins % SPINS !== 0 && (spins < SPINS || isSpinning)) return
    if (realNow() - since > this.#patience) {
      const seconds = this.#patience / 1000
      throw new Error(`virtual time has not been able to move for ${seconds} real seconds: it waits for ${reason}`)
    }
    if (isSpinning || this.#next === null) return
    clearImmediate(this.#next)
    this.#next = null
    setTimeout(() => {
      this.#next = setImmediate(this.#round) as ListedImmediate
    }, 1)
  }

  /** Those that were not there when it began. */
  #newResources(): string {
    const found: string[] = []
    const counts = countResources()
    for (const [name, words] of Object.entries(REAL)) {
      if ((counts.get(name) ?? 0) > (this.#atFirst.get(name) ?? 0)) found.push(words)
    }
    return found.join(', ')
  }
}

/** What may still have something to say, by Node's names. */
const REAL: Readonly<Record<string, string>> = {
  ProcessWrap: 'a child process',
  TCPSocketWrap: "a socket of the kernel's",
  TCPServerWrap: "a server of the kernel's",
  UDPWrap: "a UDP socket of the kernel's",
  PipeWrap: 'a pipe',
  PipeConnectWrap: 'a pipe',
  MessagePort: 'another thread',
  FSEventWrap: 'a file that is watched',
  StatWatcher: 'a file that is watched',
}

/** Node makes the process's own outputs when they are first asked for. They may be pipes, and nothing ever comes from them. */
function countAtFirst(): Map<string, number> {
  void process.stdout
  void process.stderr
  return countResources()
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

function requestsNow(): string {
  const names = [...countResources().keys()].filter((name) => /Req/.test(name))
  return names.join(', ') || 'of zlib, crypto or the like'
}

/** How many events the loop has handled so far. */
function loopEvents(): number {
  return performance.nodeTiming.uvMetricsInfo.events
}
