// Each measure in turn on both sides, round after round, so that whatever else the machine does meets both; and what that comes to.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import type { CpuProfile } from './flame.ts'
import { Ground } from './ground.ts'
import type { Figure, Measure, Outcome } from './measures.ts'
import type { Setting } from './setting.ts'
import type { Kind, Side } from './side.ts'

const KINDS: readonly Kind[] = ['kernel', 'ours']
/** Milliseconds of a collection that is felt. */
const LONG_PAUSE = 5
/** Milliseconds that perf is given to begin. */
const ATTACHED = 300

export interface Plan {
  rounds: number
  seconds: number
  setting: Setting
  measures: readonly Measure[]
  /** System calls are counted too, while everything warms up. */
  countsCalls: boolean
  /** Told of each line as it is known. */
  onResult?: (result: Result) => void
}

export interface Spread {
  median: number
  least: number
  most: number
}

/** What both have cost; null where that can't be told here. */
export interface Cost {
  processorSeconds: number
  packets: number
  systemCalls: number | null
}

export interface Result {
  measure: string
  figure: string
  setting: Setting
  unit: string
  isLess: boolean
  per: Measure['per']
  ours: Spread
  kernel: Spread
  /** The quotient of the medians, and the least and most of the rounds. */
  ratio: Spread
  cost: Record<Kind, Cost>
  /** Collections longer than 5 ms in all rounds, and the longest. */
  pauses: Record<Kind, { long: number; longest: number }>
  complaints: string[]
  title: string
}

interface Sample {
  outcome: Outcome
  processorSeconds: number
  packets: number
  pauses: number[]
}

export async function compare({ rounds, seconds, setting, measures, countsCalls, onResult }: Plan): Promise<Result[]> {
  const ground = await Ground.make(setting)
  try {
    const results: Result[] = []
    for (const measure of measures) {
      const calls: Record<Kind, number | null> = { ours: null, kernel: null }
      for (const kind of KINDS) calls[kind] = await warmUp(ground.sides[kind], measure, countsCalls)
      const samples: Record<Kind, Sample[]> = { ours: [], kernel: [] }
      for (let round = 0; round < rounds; round++) {
        for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed())
          samples[kind].push(await sample(ground.sides[kind], measure, seconds))
      }
      for (const [name, figure] of Object.entries(measure.figures)) {
        const result = resultOf(measure, name, figure, setting, samples, calls)
        results.push(result)
        onResult?.(result)
      }
    }
    return results
  } finally {
    await ground.dispose()
  }
}

async function sample(side: Side, measure: Measure, seconds: number): Promise<Sample> {
  await side.begin(false)
  const [packets, processor, began] = [await side.packets(), side.processorSeconds, performance.now()]
  const outcome = await measure.run(side, seconds)
  const took = (performance.now() - began) / 1000
  const used = side.processorSeconds - processor
  const carried = (await side.packets()) - packets
  const { pauses } = await side.end(false)
  // Of all that was done from beginning to end the rate is known only for the counted part, as if the rest had gone on like it.
  const done = outcome.rate * took
  return { outcome, processorSeconds: used / done, packets: carried / done, pauses }
}

/** A run of which no time counts, while the engine compiles. System calls for one of what the measure counts, by perf, which takes time. */
async function warmUp(side: Side, measure: Measure, countsCalls: boolean): Promise<number | null> {
  if (!countsCalls) {
    await measure.run(side, 1)
    return null
  }
  const perf = spawn('perf', ['stat', '-x,', '-e', 'raw_syscalls:sys_enter', '-p', `${side.pid}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let words = ''
  perf.stderr.setEncoding('utf8').on('data', (text: string) => (words += text))
  const closed = once(perf, 'close').catch(() => null)
  await wait(ATTACHED)
  const began = performance.now()
  const { rate } = await measure.run(side, 1)
  const took = (performance.now() - began) / 1000
  perf.kill('SIGINT')
  await closed
  const counted = Number.parseInt(words, 10)
  return Number.isNaN(counted) ? null : counted / (rate * took)
}

/** One run of a measure on our side, with the profile of our process. */
export async function profile(setting: Setting, measure: Measure, seconds: number): Promise<CpuProfile> {
  const ground = await Ground.make(setting)
  try {
    const { ours } = ground.sides
    await measure.run(ours, 1)
    await ours.begin(true)
    await measure.run(ours, seconds)
    return (await ours.end(true)).profile as CpuProfile
  } finally {
    await ground.dispose()
  }
}

function resultOf(
  measure: Measure,
  name: string,
  figure: Figure,
  setting: Setting,
  samples: Record<Kind, Sample[]>,
  calls: Record<Kind, number | null>,
): Result {
  const of = (kind: Kind) => samples[kind].map(({ outcome }) => outcome.figures[name])
  const [ours, kernel] = [of('ours'), of('kernel')]
  const ratios = spread(ours.map((one, at) => one / kernel[at]))
  const each = <T>(value: (kind: Kind) => T): Record<Kind, T> => ({ ours: value('ours'), kernel: value('kernel') })
  return {
    measure: measure.name,
    figure: name,
    title: figure.title,
    unit: figure.unit,
    isLess: figure.isLess ?? false,
    per: measure.per,
    setting,
    ours: spread(ours),
    kernel: spread(kernel),
    ratio: { ...ratios, median: spread(ours).median / spread(kernel).median },
    cost: each((kind) => ({
      processorSeconds: spread(samples[kind].map(({ processorSeconds }) => processorSeconds)).median,
      packets: spread(samples[kind].map(({ packets }) => packets)).median,
      systemCalls: calls[kind],
    })),
    pauses: each((kind) => {
      const all = samples[kind].flatMap(({ pauses }) => pauses)
      return { long: all.filter((pause) => pause > LONG_PAUSE).length, longest: Math.max(0, ...all) }
    }),
    complaints: KINDS.flatMap((kind) =>
      samples[kind].flatMap(({ outcome }) =>
        outcome.complaint === undefined ? [] : [`${kind}: ${outcome.complaint}`],
      ),
    ),
  }
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other)
  return { median: sorted[sorted.length >> 1], least: sorted[0], most: sorted[sorted.length - 1] }
}
