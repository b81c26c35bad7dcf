// Runs a test over many seeds, with faults that each seed draws, until one fails, and then finds the fewest of its faults that still make
// it fail. Every run has a network of its own; the faults happen to it by themselves.
import { arm, describeFault, drawFaults, type Fault, type FaultKind } from './faults.ts'
import { type Network, type SimulateOptions, simulate } from './network.ts'
import { SeededRandom } from './random.ts'
import { shrink } from './shrink.ts'
import { ordinal } from './stack-watcher.ts'

export interface ExploreOptions extends Omit<SimulateOptions, 'seed'> {
  /** How many, from 1 on, or which ones: 100 unless said otherwise. */
  seeds?: number | readonly (number | string)[]
  /** What may go wrong. Nothing, if none is given: then seeds differ in what links lose alone. */
  faults?: readonly FaultKind[]
  /** Faults that a seed draws, at most: 6 unless said otherwise. */
  most?: number
  /** Faults begin within so many virtual milliseconds: 60,000 unless said otherwise. */
  within?: number
  /** Runs that may be spent on finding the fewest faults: 200 unless said otherwise. */
  budget?: number
}

/** A test builds its hosts and links in the network that it is given, and runs it. It fails by throwing. */
export type ExploredTest<Explored extends Network> = (network: Explored, seed: number | string) => unknown

export interface Exploration {
  /** Seeds that were tried, all of which passed. */
  readonly seeds: number
}

/** A seed failed. The error that the test threw is its `cause`. */
export class ExplorationError extends Error {
  readonly seed: number | string
  /** The fewest that still make it fail; none, if it fails by itself. */
  readonly faults: readonly Fault[]

  constructor(message: string, seed: number | string, faults: readonly Fault[], cause: unknown) {
    super(message, { cause })
    this.name = 'ExplorationError'
    this.seed = seed
    this.faults = faults
  }
}

const SEEDS = 100
const MOST = 6
const WITHIN = 60_000
const BUDGET = 200

/** Rejects with an `ExplorationError` that names the seed and its fewest faults. */
export function explore(options: ExploreOptions, test: ExploredTest<Network>): Promise<Exploration> {
  return exploreWith(simulate, options, test)
}

/** `create` makes the networks. */
export async function exploreWith<Explored extends Network>(
  create: (options: SimulateOptions) => Explored,
  options: ExploreOptions,
  test: ExploredTest<Explored>,
): Promise<Exploration> {
  const { seeds = SEEDS, faults = [], most = MOST, within = WITHIN, budget = BUDGET, ...rest } = options
  const all = seedsOf(seeds)
  whole('most', most)
  const attempt = async (seed: number | string, drawn: readonly Fault[], keep: SimulateOptions['keep']) => {
    const network = create({ ...rest, seed, ...(keep === undefined ? {} : { keep }) })
    try {
      arm(network, drawn)
      await test(network, seed)
      return null
    } catch (error) {
      return { error }
    } finally {
      network.close()
    }
  }
  const silent = () => null
  for (const [place, seed] of all.entries()) {
    const drawn = drawFaults(faults, new SeededRandom(seed, 'faults'), most, within)
    const failure = await attempt(seed, drawn, silent)
    if (failure === null) continue
    const likeness = likenessOf(failure.error)
    const fails = async (part: readonly Fault[]) => {
      const again = await attempt(seed, part, silent)
      return again !== null && likenessOf(again.error) === likeness
    }
    if (!(await fails(drawn))) throw new Error(unrepeatable(seed, failure.error))
    const { least, asked } = await shrink(drawn, fails, budget)
    const last = await attempt(seed, least, rest.keep)
    const cause = last?.error ?? failure.error
    const effort = `found at the ${ordinal(place + 1)} of ${all.length} seeds, shrunk in ${asked} runs`
    throw new ExplorationError(describe(seed, drawn.length, least, cause, effort), seed, least, cause)
  }
  return { seeds: all.length }
}

function describe(
  seed: number | string,
  drawn: number,
  least: readonly Fault[],
  cause: unknown,
  effort: string,
): string {
  const which =
    least.length === 0
      ? 'without any fault'
      : `with ${least.length === drawn ? `its ${drawn}` : `${least.length} of its ${drawn}`} faults (${effort})`
  const lines = least.map((fault) => `  ${describeFault(fault)}`)
  const words = cause instanceof Error ? cause.message : String(cause)
  const again = `To see it again: explore({ seeds: [${JSON.stringify(seed)}], … }).`
  return [`seed ${JSON.stringify(seed)} fails ${which}:`, ...lines, '', words, '', again].join('\n')
}

/** What two failures have in common that are the same one: the first line, whatever numbers are in it. */
function likenessOf(error: unknown): string {
  const words = error instanceof Error ? `${error.name} ${error.message}` : String(error)
  return words.split('\n', 1)[0].replace(/\d+/g, '')
}

function unrepeatable(seed: number | string, error: unknown): string {
  const words = error instanceof Error ? error.message : String(error)
  return `seed ${JSON.stringify(seed)} failed, and then did not: something in the test is not the network's, such as state that a module keeps from one run to the next, real time, or Math.random. It failed with: ${words}`
}

function seedsOf(seeds: number | readonly (number | string)[]): readonly (number | string)[] {
  if (typeof seeds !== 'number') return seeds
  whole('seeds', seeds)
  return Array.from({ length: seeds }, (_, at) => at + 1)
}

function whole(name: string, value: number): void {
  if (!(Number.isInteger(value) && value >= 1))
    throw new RangeError(`${name} must be a whole number of at least 1, not ${value}`)
}
