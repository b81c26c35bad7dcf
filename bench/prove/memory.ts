// What TCP keeps in memory: for each end of an idle connection, for connections in TIME-WAIT, and while a million SYNs come in.
// Both ends are stacks of ours in one process, which is a fresh one for each claim.
import { fileURLToPath } from 'node:url'
import { exec } from '../../test/support/namespace.ts'
import type { Claim, Verdict } from './claim.ts'
import type { Figures } from './memory-run.ts'

const CONNECTIONS = 100_000
const IDLE_OCTETS = 2_000
const TIME_WAIT_MEGABYTES = 10
const SYNS = 1_000_000
const FLOOD_MEGABYTES = 10

export const claims: Claim[] = [
  {
    name: `${CONNECTIONS.toLocaleString('en')} established connections that have carried text and lie idle`,
    bar: `at most ${IDLE_OCTETS} octets of heap and external memory for each end`,
    measure: () =>
      measured('idle', CONNECTIONS, ({ octets, count }) => ({
        figure: `${Math.round(octets)} octets for each of two ends of ${count} connections`,
        holds: count === CONNECTIONS && octets <= IDLE_OCTETS,
      })),
  },
  {
    name: `${CONNECTIONS.toLocaleString('en')} connections in TIME-WAIT`,
    bar: `at most ${TIME_WAIT_MEGABYTES} MB`,
    measure: () =>
      measured('timeWait', CONNECTIONS, ({ octets, count, detail: { connections } }) => ({
        figure: `${megabytes(octets)} MB for ${count} records, ${connections} connections left`,
        holds: count === CONNECTIONS && connections === 0 && octets <= TIME_WAIT_MEGABYTES * 1e6,
      })),
  },
  {
    name: `${SYNS.toLocaleString('en')} SYNs from anywhere at a listener, as fast as 100,000 a second`,
    bar: `under ${FLOOD_MEGABYTES} MB more, and every client gets in meanwhile, within a second`,
    measure: () =>
      measured('flood', SYNS, ({ octets, count, detail: { clients, served, slowest, cookies } }) => ({
        figure:
          `${megabytes(octets)} MB more at most, ${count} segments received, ${cookies} cookies sent, ` +
          `${served} of ${clients} clients served, the slowest in ${slowest.toFixed(1)} ms`,
        holds: octets < FLOOD_MEGABYTES * 1e6 && count >= SYNS && served === clients && slowest < 1_000,
      })),
  },
]

function megabytes(octets: number): string {
  return (octets / 1e6).toFixed(1)
}

async function measured(mode: string, count: number, judge: (figures: Figures) => Verdict): Promise<Verdict> {
  const script = fileURLToPath(new URL('memory-run.js', import.meta.url))
  const args = ['--expose-gc', '--max-old-space-size=2048', script, mode, String(count)]
  const { code, stdout, stderr } = await exec(process.execPath, args, { timeout: 300_000 })
  if (code !== 0) throw new Error(`it ended with ${code}: ${stderr.trim().slice(-500)}`)
  return judge(JSON.parse(stdout))
}
