// Whole stacks against each other over many seeds: every octet compared, the wire observed, nothing left behind.
// `npm run simulate` runs as many as are wanted, and replays one.
import { test } from 'vitest'
import { addTotals, describeFailure, describeTotals, runSeeds } from './seeds.ts'

const SEEDS = 300
const CHUNK = 50

const totals: Record<string, number> = {}

for (let from = 1; from <= SEEDS; from += CHUNK) {
  test(`seeds ${from} to ${from + CHUNK - 1}`, { timeout: 120_000 }, () => {
    const outcome = runSeeds(from, CHUNK)
    addTotals(totals, outcome.totals)
    if (outcome.failed.length > 0) throw new Error(outcome.failed.map(describeFailure).join('\n'))
  })
}

test('reaches what it is meant to try', () => {
  console.log(describeTotals(totals))
})
