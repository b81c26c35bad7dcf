// Simulated networks in Node: 'tunstack/simulate'. The portable network, with a settler that also waits for what Node works
// on beside the event loop: virtual time stands while gzip, crypto or the file system have something to do.
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { type Exploration, type ExploredTest, type ExploreOptions, exploreWith } from '../simulate/explore.ts'
import type { Settler } from '../simulate/settle.ts'
import { type NodeSimulateOptions, SimulatedNetwork } from './hosted/network.ts'
import { pendingRequests } from './hosted/pending.ts'

export type { EachWay, Impairment } from '../link/impairment.ts'
export { UNIMPAIRED } from '../link/impairment.ts'
export { type Exploration, ExplorationError, type ExploredTest, type ExploreOptions } from '../simulate/explore.ts'
export { describeFault, type Fault, type FaultKind, type FaultOptions, faults } from '../simulate/faults.ts'
export type { HostOptions, PauseOptions } from '../simulate/host.ts'
export {
  AnswersWithResets,
  type AnswersWithResetsOptions,
  DropsIdle,
  type DropsIdleOptions,
  type MiddleBox,
  type Passage,
  RewritesMss,
} from '../simulate/middle-boxes.ts'
export { NameError, type NameFailure, Names, Resolver } from '../simulate/names.ts'
export type { LinkOptions } from '../simulate/network.ts'
export { type Direction, type FlapOptions, NetworkLink } from '../simulate/network-link.ts'
export type { PassingPacket } from '../simulate/passing-packet.ts'
export { SeededRandom } from '../simulate/random.ts'
export type { Held, Resident } from '../simulate/resident.ts'
export { describeHappening, type Happening, type HappeningKind } from '../simulate/timeline.ts'
export { alsoFor } from './hosted/clock.ts'
export { SimulatedHost as Host } from './hosted/host.ts'
export { type NodeSimulateOptions as SimulateOptions, SimulatedNetwork as Network } from './hosted/network.ts'

/**
 * A network inside of this process, in virtual time: make hosts with `host`, join them with `link`, and run programs on them inside of `run`. One seed gives
 * one run, packet by packet.
 */
export function simulate(options: NodeSimulateOptions = {}): SimulatedNetwork {
  return new SimulatedNetwork({ keep: keepCapture, ...options })
}

/**
 * Runs a test over many seeds, with faults that each seed draws, until one fails; finds the fewest faults that still make it fail, and rejects with
 * an `ExplorationError` that names them.
 */
export function explore(options: ExploreOptions, test: ExploredTest<SimulatedNetwork>): Promise<Exploration> {
  return exploreWith(simulate, options, test)
}

/** A failure's packets, in the system's temporary folder: one file for each seed and process, so that many failures don't fill it. */
export function keepCapture(capture: Uint8Array, seed: number | string): string | null {
  const name = `seed-${String(seed)
    .replace(/[^\w-]/g, '_')
    .slice(0, 60)}-${process.pid}.pcapng`
  const path = join(tmpdir(), 'tunstack', name)
  try {
    mkdirSync(join(tmpdir(), 'tunstack'), { recursive: true })
    writeFileSync(path, capture)
    return path
  } catch {
    // A disk that is full, or not ours, must not hide what the test has found.
    return null
  }
}

/**
 * For networks that are moved from the program: settled is an iteration of the event loop in which nothing was ready. No immediate is
 * left, no request of libuv is in flight, and the loop has handled no event. Microtasks run dry on the way.
 */
export function nodeSettler(): Settler {
  const pending = pendingRequests()
  return {
    settle: async () => {
      for (;;) {
        const events = loopEvents()
        await new Promise((resolve) => {
          setImmediate(resolve)
        })
        if (process.getActiveResourcesInfo().includes('Immediate')) continue
        if (pending.count === 0 && loopEvents() === events) return
      }
    },
    close: () => pending.close(),
  }
}

/** How many events the loop has handled so far. */
function loopEvents(): number {
  return performance.nodeTiming.uvMetricsInfo.events
}
