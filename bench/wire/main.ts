// `npm run bench:wire`: ours over tun0 beside node:net and node:http on the kernel's TCP over veth, by turns, client on CPU 0 and server
// on CPU 1. `--help` has the options, docs/performance.md what the figures mean.
import { parseArgs } from 'node:util'
import { CannotMeasure } from '../prove/claim.ts'
import { measures } from './measures.ts'
import { compare, type Result } from './rounds.ts'
import { type Congestion, type Setting, USUAL } from './setting.ts'
import { heading, row } from './table.ts'

const HELP = `npm run bench:wire -- [--short] [--only NAME,…] [--rounds 5] [--seconds 2] [--congestion cubic,bbr] [--mtu 1500] [--offload on|off] [--loss 0] [--json]

--short measures ${'bulk-in, bulk-out, echo, connections and requests-64'} in three rounds of a second. Names: ${measures.map(({ name }) => name).join(' ')}`
const SHORT = ['bulk-in', 'bulk-out', 'echo', 'connections', 'requests-64']

const { values } = parseArgs({
  options: {
    short: { type: 'boolean' },
    only: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    congestion: { type: 'string', default: 'cubic,bbr' },
    mtu: { type: 'string', default: '1500' },
    offload: { type: 'string', default: 'on' },
    loss: { type: 'string', default: '0' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
})
const rounds = Number(values.rounds ?? (values.short ? 3 : 5))
const seconds = Number(values.seconds ?? (values.short ? 1 : 2))
const names = values.only?.split(',') ?? (values.short ? SHORT : measures.map(({ name }) => name))
const unknown = names.filter((name) => !measures.some((measure) => measure.name === name))

async function measureAll(): Promise<Result[]> {
  const results: Result[] = []
  for (const congestion of values.congestion.split(',') as Congestion[]) {
    const setting: Setting = {
      ...USUAL,
      congestion,
      mtu: Number(values.mtu),
      offload: values.offload !== 'off',
      loss: Number(values.loss),
    }
    if (!values.json) console.log(heading(setting, rounds, seconds))
    const chosen = measures.filter(({ name }) => names.includes(name))
    const onResult = (result: Result) => values.json || console.log(row(result))
    results.push(...(await compare({ rounds, seconds, setting, measures: chosen, onResult })))
  }
  return results
}

if (values.help) {
  console.log(HELP)
} else if (unknown.length > 0) {
  console.error(`There is no measure ${unknown.join(', ')}.\n${HELP}`)
  process.exitCode = 2
} else {
  try {
    const results = await measureAll()
    if (values.json) console.log(JSON.stringify(results, null, 2))
  } catch (error) {
    if (!(error instanceof CannotMeasure)) throw error
    console.error(error.message)
    process.exitCode = 3
  }
}
