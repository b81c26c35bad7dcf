// Speed beside the kernel's own TCP: ratios of ours over tun0 to node:net and node:http over veth, medians of seven rounds by turns. The
// whole table is `npm run bench:wire`.
import { fileURLToPath } from 'node:url'
import { exec } from '../../test/support/namespace.ts'
import { measures } from '../wire/measures.ts'
import { compare, type Result } from '../wire/rounds.ts'
import { type Congestion, inWords, type Setting, USUAL } from '../wire/setting.ts'
import { short } from '../wire/table.ts'
import { CannotMeasure, type Claim } from './claim.ts'

const ROUNDS = 7
const SECONDS = 2
const CONTROLS: readonly Congestion[] = ['cubic', 'bbr']
const GARBAGE_TIMEOUT = 300_000

interface Asked {
  measure: string
  figure: string
  bar: number
  setting?: Setting
}

async function resultOf({ measure, figure, setting = USUAL }: Omit<Asked, 'bar'>): Promise<Result> {
  const chosen = measures.filter(({ name }) => name === measure)
  const plan = { rounds: ROUNDS, seconds: SECONDS, setting, measures: chosen, countsCalls: false }
  const result = (await compare(plan)).find((one) => one.figure === figure)
  if (result === undefined) throw new Error(`no figure ${figure} of ${measure}`)
  return result
}

/** Of ours to the kernel's: as much at least, or where less is better as much at most. */
function ratio(name: string, asked: Asked): Claim {
  const { bar, setting = USUAL } = asked
  const isLess = asked.figure.startsWith('p')
  return {
    name: `${name} (${inWords(setting)})`,
    bar: `a ratio of ${bar.toFixed(1)} at ${isLess ? 'most' : 'least'}`,
    async measure() {
      const { ours, kernel, ratio: of, unit, complaints } = await resultOf(asked)
      const both = `${short(ours.median)} beside ${short(kernel.median)} ${unit}`
      const figure = [`${short(of.median)} (${short(of.least)}–${short(of.most)}): ${both}`, ...complaints].join(', ')
      const holds = isLess ? of.median <= bar : of.median >= bar
      return { figure, holds: holds && !complaints.some((complaint) => complaint.startsWith('ours')) }
    },
  }
}

function bulk(direction: 'in' | 'out', offload: Setting['offload'], bar: number): Claim[] {
  return CONTROLS.map((congestion) => {
    const setting = { ...USUAL, congestion, offload }
    const name = `bulk ${direction} beside node:net over veth, one flow`
    return ratio(name, { measure: `bulk-${direction}`, figure: 'bits', bar, setting })
  })
}

function requests(connections: number): Claim[] {
  const name = `requests beside node:http over veth, ${connections.toLocaleString('en')} connections`
  const asked = { measure: `requests-${connections}`, figure: 'rate', bar: 2.3 }
  return CONTROLS.map((congestion) => ratio(name, { ...asked, setting: { ...USUAL, congestion } }))
}

const MOST_MILLISECONDS = 2

const beside: Claim = {
  name: 'an octet to and fro beside one bulk flow each way: the 99th percentile',
  bar: `${MOST_MILLISECONDS} ms at most`,
  async measure() {
    const { ours, kernel } = await resultOf({ measure: 'echo-bulk-both', figure: 'p99' })
    const milliseconds = ours.median / 1000
    const figure = `${milliseconds.toFixed(2)} ms (the kernel's ${(kernel.median / 1000).toFixed(2)} ms)`
    return { figure, holds: milliseconds <= MOST_MILLISECONDS }
  },
}

/** What `npm run bench:garbage` says of them. */
function garbage(name: string, claim: string): Claim {
  return {
    name,
    bar: 'as bench:garbage has it',
    async measure() {
      const script = fileURLToPath(new URL('../garbage/main.js', import.meta.url))
      const flags = ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256']
      const { stdout, stderr } = await exec(process.execPath, [...flags, script, '--json', '--claim', claim], {
        timeout: GARBAGE_TIMEOUT,
      })
      if (stdout === '') throw new CannotMeasure(stderr.trim())
      const [{ octets, below, holds }] = JSON.parse(stdout) as { octets: number; below: number; holds: boolean }[]
      return { figure: `${octets.toFixed(1)} octets, bar < ${below}`, holds }
    },
  }
}

/** With bulk of 256 kB a call that option makes small packets, and BBR sees more of the path over veth by them than by ours. */
const noDelay = ratio('bulk in beside node:net over veth, one flow, from a sender with TCP_NODELAY', {
  measure: 'bulk-in-no-delay',
  figure: 'bits',
  bar: 1,
  setting: { ...USUAL, congestion: 'bbr' },
})

export const claims: Claim[] = [
  ...bulk('in', 'on', 1),
  noDelay,
  ...bulk('out', 'on', 1),
  ...bulk('in', 'off', 0.6),
  ...bulk('out', 'off', 0.6),
  ...requests(64),
  ...requests(1000),
  ratio('node:http itself on our stack, 64 connections', { measure: 'node-http-64', figure: 'rate', bar: 0.8 }),
  ratio('node:http itself on our stack, 1,000 connections', { measure: 'node-http-1000', figure: 'rate', bar: 0.8 }),
  ratio('short connections beside node:net over veth, 8 at a time', {
    measure: 'connections',
    figure: 'rate',
    bar: 1.3,
  }),
  ratio('an octet to and fro: the median', { measure: 'echo', figure: 'p50', bar: 1 }),
  ratio('an octet to and fro: the 99th percentile', { measure: 'echo', figure: 'p99', bar: 1.2 }),
  beside,
  garbage('heap of a segment received in bulk', 'TCP: a segment received in order'),
  garbage('heap of a segment sent in bulk', 'TCP: a segment sent, and acknowledged with 63 others'),
  garbage('heap of a request', 'HTTP: a request'),
]
