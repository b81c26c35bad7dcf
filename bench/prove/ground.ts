// The floor: ping against a served TUN device, and simulations that repeat octet for octet.
import { fileURLToPath } from 'node:url'
import { exec } from '../../test/support/namespace.ts'
import type { Claim } from './claim.ts'
import { ADDRESS, ping, whileServing } from './serving.ts'

const FLOOD = 50_000
const WARM_UP = 20_000
const GROWTH_MEGABYTES = 10

export const claims: Claim[] = [
  {
    name: 'tunstack serve answers ping -c 1000 -i 0.002',
    bar: '0% loss',
    measure: () =>
      whileServing(async ({ namespace }) => {
        const { transmitted, received, times } = await ping(namespace, ['-c', '1000', '-i', '0.002', ADDRESS])
        return {
          figure: `${transmitted - received} of ${transmitted} lost, round trip min/avg/max/mdev ${times}`,
          holds: transmitted === 1_000 && received === transmitted,
        }
      }),
  },
  {
    name: `tunstack serve answers ping -f -c ${FLOOD}, its memory flat`,
    bar: `no loss, under ${GROWTH_MEGABYTES} MB more after ${WARM_UP} to warm up`,
    measure: () =>
      whileServing(async ({ namespace, resident }) => {
        await ping(namespace, ['-f', '-c', String(WARM_UP), ADDRESS])
        const before = resident()
        const { transmitted, received, times } = await ping(namespace, ['-f', '-c', String(FLOOD), ADDRESS])
        const after = resident()
        return {
          figure: `${transmitted - received} of ${transmitted} lost, ${before.toFixed(1)} MB before and ${after.toFixed(1)} MB after, round trip ${times}`,
          holds: transmitted === FLOOD && received === transmitted && after - before < GROWTH_MEGABYTES,
        }
      }),
  },
  {
    name: 'two simulations with one seed, each in a process of its own, give one capture, and another seed another',
    bar: 'identical to the octet; different',
    async measure() {
      const [first, again, other] = await Promise.all([simulation(1), simulation(1), simulation(2)])
      const identical = first.digest === again.digest && first.octets === again.octets
      const differs = other.digest !== first.digest
      return {
        figure: `${identical ? 'identical' : 'not identical'} over ${first.octets} octets of capture and ${Math.round(first.milliseconds)} virtual ms, ${differs ? 'different' : 'the same'} with another seed`,
        holds: identical && differs && first.octets > 100_000,
      }
    },
  },
]

async function simulation(seed: number): Promise<{ digest: string; octets: number; milliseconds: number }> {
  const script = fileURLToPath(new URL('simulation-run.js', import.meta.url))
  const { code, stdout, stderr } = await exec(process.execPath, [script, String(seed)])
  if (code !== 0) throw new Error(`the simulation ended with ${code}: ${stderr.trim()}`)
  return JSON.parse(stdout)
}
