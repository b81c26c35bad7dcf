// Many seeds of `scenario`, one after another: what failed, and how often each mechanism was reached.
// Run by simulation.test.ts and by bench/simulate, which gives every core a share.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { runScenario } from './scenario.ts'

/** Mechanisms that many seeds must reach a hundred times, lest a green run say nothing. */
export const REACHED = [
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
  'tcpEcnAgreed',
  'tcpMarksReceived',
  'tcpMarksAnswered',
  'pathMtuLearned',
  'tcpBlackHoles',
  'tcpPathProbes',
  'tcpPathProbesArrived',
  'tcpPathProbesLost',
  'tcpKeepAliveProbes',
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
] as const
export const OFTEN_ENOUGH = 100

export interface SeedsOutcome {
  seeds: number
  failed: { seed: number; faults: string[] }[]
  totals: Record<string, number>
  octets: number
  /** Virtual. */
  milliseconds: number
}

/** `count` seeds from `first` on, `step` apart. Stops after `most` failures. */
export function runSeeds(first: number, count: number, step = 1, most = 3): SeedsOutcome {
  const outcome: SeedsOutcome = { seeds: 0, failed: [], totals: {}, octets: 0, milliseconds: 0 }
  for (let number = 0; number < count && outcome.failed.length < most; number++) {
    const seed = first + number * step
    const { faults, counts, octets, milliseconds } = runOne(seed)
    if (faults.length > 0) outcome.failed.push({ seed, faults })
    addTotals(outcome.totals, counts)
    outcome.seeds++
    outcome.octets += octets
    outcome.milliseconds += milliseconds
  }
  return outcome
}

/** What is thrown is a fault as any other. */
function runOne(seed: number): ReturnType<typeof runScenario> {
  try {
    return runScenario(seed)
  } catch (error) {
    return { faults: [String((error as Error).stack ?? error)], counts: {}, octets: 0, milliseconds: 0 }
  }
}

export function addTotals(to: Record<string, number>, from: Record<string, number>): void {
  for (const [name, value] of Object.entries(from)) to[name] = (to[name] ?? 0) + value
}

export function tooRare(totals: Record<string, number>): string[] {
  return REACHED.filter((name) => (totals[name] ?? 0) < OFTEN_ENOUGH)
}

export function describeTotals(totals: Record<string, number>): string {
  return REACHED.map((name) => `${name} ${totals[name] ?? 0}`).join(', ')
}

/** Runs a seed once more and writes what crosses its links; returns the file's name. */
export function captureSeed(seed: number): string {
  const file = `test-output/simulation-${seed}.pcapng`
  mkdirSync('test-output', { recursive: true })
  writeFileSync(file, '')
  try {
    runScenario(seed, (block) => appendFileSync(file, block))
  } catch {
    // What came before it is in the file.
  }
  return file
}

export function describeFailure({ seed, faults }: SeedsOutcome['failed'][number]): string {
  const file = captureSeed(seed)
  return [`seed ${seed} fails (npm run simulate -- --seed ${seed}; packets in ${file}):`, ...faults.slice(0, 8)].join(
    '\n  ',
  )
}
