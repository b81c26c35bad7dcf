// Claims about the network layer that are longer runs of tests: random packets by the million, bad networks over a hundred seeds.
import { fileURLToPath } from 'node:url'
import { exec } from '../../test/support/namespace.ts'
import type { Claim } from './claim.ts'
import { project } from './project.ts'

const ROUNDS = 1_000_000
const SEEDS = 100

export const claims: Claim[] = [
  {
    name: `${ROUNDS.toLocaleString('en')} random, mutated and wrong packets of both families`,
    bar: 'nothing thrown, every limit kept, every reason for a drop reached or named as tested elsewhere',
    async measure() {
      const { code, stdout } = await runTest('test/core/hostile.test.ts', { TUNSTACK_HOSTILE_ROUNDS: String(ROUNDS) })
      const said = stdout.match(/reasons reached: .*|reached elsewhere: .*/g) ?? []
      return { figure: said.join('; ') || lastLines(stdout), holds: code === 0 && said.length === 2 }
    },
  },
  {
    name: `datagrams of 4 to 20,000 octets in both families with 20% loss, reordering and duplication, ${SEEDS} seeds`,
    bar: 'each arrives whole or not at all, by its content',
    async measure() {
      const { code, stdout } = await runTest('test/simulation/datagrams.test.ts', { TUNSTACK_SEEDS: String(SEEDS) })
      const said = stdout.match(/over \d+ seeds: .*/g) ?? []
      return { figure: said.join('; ') || lastLines(stdout), holds: code === 0 && said.length === 2 }
    },
  },
]

function runTest(file: string, settings: Record<string, string>) {
  const vitest = fileURLToPath(new URL('node_modules/vitest/vitest.mjs', project))
  const words = [vitest, 'run', '--testTimeout', '600000', file]
  const env = { ...process.env, NO_COLOR: '1', ...settings }
  return exec(process.execPath, words, { cwd: fileURLToPath(project), env, timeout: 900_000 })
}

/** Of a run that failed: what its end says. */
function lastLines(text: string): string {
  return text.trim().split('\n').slice(-6).join(' ')
}
