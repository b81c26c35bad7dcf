// Whole stacks against each other over many seeds: every octet compared, the wire observed, nothing left behind.
// SEEDS=10000 runs more of them, FIRST_SEED=… begins elsewhere, SEED=… replays one and writes what crossed its links as pcapng.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { test } from 'vitest'
import { type Outcome, runScenario } from './scenario.ts'

const REPLAY = process.env.SEED
const SEEDS = Number(process.env.SEEDS ?? 300)
const FIRST = Number(process.env.FIRST_SEED ?? 1)
const CHUNK = 50

/** Mechanisms that many seeds must reach a hundred times, lest a green run say nothing. */
const REACHED = [
  'tcpRetransmitted',
  'tcpTimeouts',
  'tcpFastRecoveries',
  'tcpDuplicateSacks',
  'tcpTailProbes',
  'tcpTailRepairs',
  'tcpReorderingTimeouts',
  'tcpRecoveriesUndone',
  'tcpTimeoutsUndone',
  'tcpPacingWaits',
  'tcpWindowProbes',
  'wireProbes',
  'tcpChallengeAcks',
  'tcpUnacceptable',
  'tcpPaws',
  'tcpBadChecksum',
  'tcpTimeWaits',
  'tcpCookiesSent',
  'tcpCookiesReceived',
  'tcpResetsSent',
  'tcpResetsReceived',
  'tcpEstablishedResets',
]

function report(seed: number, { faults }: Outcome): string {
  const file = `test-output/simulation-${seed}.pcapng`
  mkdirSync('test-output', { recursive: true })
  writeFileSync(file, '')
  runScenario(seed, (block) => appendFileSync(file, block))
  return [
    `seed ${seed} (SEED=${seed} npx vitest run test/simulation; packets in ${file}):`,
    ...faults.slice(0, 8),
  ].join('\n  ')
}

const totals: Record<string, number> = {}

function check(seed: number): string | null {
  const outcome = runScenario(seed)
  for (const [name, value] of Object.entries(outcome.counts)) totals[name] = (totals[name] ?? 0) + value
  return outcome.faults.length > 0 ? report(seed, outcome) : null
}

if (REPLAY !== undefined) {
  test(`seed ${REPLAY}`, () => {
    const fault = check(Number(REPLAY))
    if (fault !== null) throw new Error(fault)
  })
} else {
  for (let from = FIRST; from < FIRST + SEEDS; from += CHUNK) {
    const to = Math.min(from + CHUNK, FIRST + SEEDS)
    test(`seeds ${from} to ${to - 1}`, { timeout: 120_000 }, () => {
      const failed: string[] = []
      for (let seed = from; seed < to && failed.length < 3; seed++) {
        const fault = check(seed)
        if (fault !== null) failed.push(fault)
      }
      if (failed.length > 0) throw new Error(failed.join('\n'))
    })
  }

  test('reaches what it is meant to try', () => {
    console.log(REACHED.map((name) => `${name} ${totals[name] ?? 0}`).join(', '))
    if (SEEDS < 5000) return
    const rare = REACHED.filter((name) => (totals[name] ?? 0) < 100)
    if (rare.length > 0) throw new Error(`too seldom to mean anything: ${rare.join(', ')}`)
  })
}
