// `npm run prove -- simulation`: whole stacks against each other over seeds. One run of many seeds answers every claim.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { OFTEN_ENOUGH, REACHED, type SeedsOutcome } from '../../test/simulation/seeds.ts'
import type { Claim } from './claim.ts'

/** SIMULATION_SEEDS=1000000 takes hours. */
const SEEDS = Number(process.env.SIMULATION_SEEDS ?? 10_000)
const COMMAND = fileURLToPath(new URL('../simulate/main.js', import.meta.url))

type Answer = SeedsOutcome & { seconds: number; rare: string[] }

function simulate(seeds: number, environment: Record<string, string> = {}): Answer {
  const { stdout, stderr } = spawnSync(process.execPath, [COMMAND, '--seeds', String(seeds), '--json'], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    maxBuffer: 1 << 26,
  })
  if (stdout === '') throw new Error(stderr.slice(0, 500))
  return JSON.parse(stdout) as Answer
}

let all: Answer | null = null

function once(): Answer {
  all ??= simulate(SEEDS)
  return all
}

function describe({ seeds, failed, octets, milliseconds, seconds }: Answer): string {
  const failures = failed.map(({ seed }) => `npm run simulate -- --seed ${seed}`).join(', ')
  const hours = Math.round(milliseconds / 3_600_000)
  const run = `${seeds} seeds, ${Math.round(octets / 1e6)} MB, ${hours} virtual hours in ${Math.round(seconds)} s`
  return failed.length === 0 ? `${run}, none failed` : `${run}, failed: ${failures}`
}

export const claims: Claim[] = [
  {
    name: `TCP over ${SEEDS} seeds of loss, bursts, reordering, duplication, corruption, partitions, closed windows, half closes and aborts: every octet right, the wire observer silent, nothing left behind`,
    bar: 'no seed fails',
    measure: async () => ({ figure: describe(once()), holds: once().failed.length === 0 }),
  },
  {
    name: 'each mechanism is reached by these seeds',
    bar: `${OFTEN_ENOUGH} times and more`,
    measure: async () => {
      const { totals, rare } = once()
      const figures = REACHED.map((name) => `${name} ${totals[name] ?? 0}`).join(', ')
      return { figure: figures, holds: rare.length === 0 }
    },
  },
  ...['cubic', 'reno', 'bbr'].map((controller) => ({
    name: `the same under ${controller} alone`,
    bar: `no seed fails, and each mechanism is reached ${OFTEN_ENOUGH} times and more`,
    measure: async () => {
      const answer = simulate(SEEDS, { CONGESTION: controller })
      const rarest = REACHED.map((name) => ({ name, times: answer.totals[name] ?? 0 })).sort(
        (one, other) => one.times - other.times,
      )
      const few = rarest.slice(0, 3).map(({ name, times }) => `${name} ${times}`)
      return {
        figure: `${describe(answer)}; the rarest: ${few.join(', ')}`,
        holds: answer.failed.length === 0 && answer.rare.length === 0,
      }
    },
  })),
]
