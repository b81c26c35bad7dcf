// `npm run simulate -- [--seeds 10000] [--first 1] [--processes 2]`: whole stacks against each other over seeds, a share for each core.
// Prints how often each mechanism was reached, and for every seed that fails the command that replays it; exit code 1 then, or where
// a mechanism was reached too seldom. `--seed N` replays one and writes its packets as pcapng; `--json` prints the figures.
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import {
  addTotals,
  captureSeed,
  describeFailure,
  describeTotals,
  runSeeds,
  type SeedsOutcome,
  tooRare,
} from '../../test/simulation/seeds.ts'

/** Fewer say nothing about how often something is reached. */
const SEEDS_THAT_TELL = 5000
const SHARE = 500

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    first: { type: 'string', default: '1' },
    processes: { type: 'string', default: String(availableParallelism()) },
    seed: { type: 'string' },
    share: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})

if (values.share !== undefined) answerShares()
else if (values.seed !== undefined) replay(Number(values.seed))
else await runAll(Number(values.first), Number(values.seeds), Number(values.processes), values.json)

/** A process of its own: runs the shares that it is sent. */
function answerShares(): void {
  process.on('message', ({ first, count }: { first: number; count: number }) => {
    process.send?.(runSeeds(first, count))
  })
}

function replay(seed: number): void {
  const { failed } = runSeeds(seed, 1)
  if (failed.length === 0) console.log(`seed ${seed} passes; its packets are in ${captureSeed(seed)}`)
  else console.log(describeFailure(failed[0]))
  process.exitCode = failed.length
}

async function runAll(first: number, seeds: number, processes: number, json: boolean): Promise<void> {
  const began = performance.now()
  const outcome: SeedsOutcome = { seeds: 0, failed: [], totals: {}, octets: 0, milliseconds: 0 }
  let next = first
  const end = first + seeds
  const work = async () => {
    const child = fork(fileURLToPath(import.meta.url), ['--share', 'yes'])
    while (next < end && outcome.failed.length < 3) {
      const from = next
      const count = Math.min(SHARE, end - from)
      next += count
      const answer = new Promise<SeedsOutcome>((resolve, reject) => {
        child.once('message', resolve as (message: unknown) => void)
        child.once('exit', (code) => reject(new Error(`seeds ${from} to ${from + count - 1} ended with ${code}`)))
      })
      child.send({ first: from, count })
      join(outcome, await answer)
      child.removeAllListeners()
      if (!json && process.stdout.isTTY) process.stdout.write(`\r${outcome.seeds} seeds`)
    }
    child.disconnect()
  }
  await Promise.all(Array.from({ length: Math.max(1, processes) }, work))
  const seconds = (performance.now() - began) / 1000
  const rare = outcome.seeds >= SEEDS_THAT_TELL ? tooRare(outcome.totals) : []
  if (json) console.log(JSON.stringify({ ...outcome, seconds, rare }))
  else tell(outcome, seconds, rare)
  if (outcome.failed.length > 0 || rare.length > 0) process.exitCode = 1
}

function join(to: SeedsOutcome, from: SeedsOutcome): void {
  to.seeds += from.seeds
  to.failed.push(...from.failed)
  to.octets += from.octets
  to.milliseconds += from.milliseconds
  addTotals(to.totals, from.totals)
}

function tell(outcome: SeedsOutcome, seconds: number, rare: string[]): void {
  for (const one of outcome.failed) console.log(describeFailure(one))
  const hours = (outcome.milliseconds / 3_600_000).toFixed(0)
  const megabytes = (outcome.octets / 1e6).toFixed(0)
  console.log(
    `${outcome.seeds} seeds, ${outcome.failed.length} failed: ${megabytes} MB, ${hours} virtual hours in ${seconds.toFixed(0)} s`,
  )
  console.log(describeTotals(outcome.totals))
  if (rare.length > 0) console.log(`too seldom to mean anything: ${rare.join(', ')}`)
}
