// `npm run bench:wire`: ours over tun0 beside node:net and node:http on the kernel's TCP over veth, by turns, client on CPU 0 and server
// on CPU 1. `--help` has the options, docs/performance.md what the figures mean.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CannotMeasure } from '../prove/claim.ts'
import { flameGraph, hottest } from './flame.ts'
import { measures } from './measures.ts'
import { compare, profile, type Result } from './rounds.ts'
import { type Congestion, inWords, type Setting, USUAL } from './setting.ts'
import { heading, row } from './table.ts'

const HELP = `npm run bench:wire -- [--short] [--only NAME,…] [--rounds 5] [--seconds 2] [--congestion cubic,bbr] [--mtu 1500] [--offload on|off] [--loss 0] [--json] [--profile FOLDER]

--short measures ${'bulk-in, bulk-out, echo, connections and requests-64'} in three rounds of a second. --profile runs each measure once on our side and
leaves a V8 CPU profile and a flame graph in the folder. Names: ${measures.map(({ name }) => name).join(' ')}`
/** Functions that are told of beside a flame graph. */
const HOTTEST = 25
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
    profile: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})
const rounds = Number(values.rounds ?? (values.short ? 3 : 5))
const seconds = Number(values.seconds ?? (values.short ? 1 : 2))
const names = values.only?.split(',') ?? (values.short ? SHORT : measures.map(({ name }) => name))
const unknown = names.filter((name) => !measures.some((measure) => measure.name === name))

const settings: Setting[] = values.congestion.split(',').map((congestion) => ({
  ...USUAL,
  congestion: congestion as Congestion,
  mtu: Number(values.mtu),
  offload: values.offload !== 'off',
  loss: Number(values.loss),
}))
const chosen = measures.filter(({ name }) => names.includes(name))

async function measureAll(): Promise<Result[]> {
  const results: Result[] = []
  for (const setting of settings) {
    if (!values.json) console.log(heading(setting, rounds, seconds))
    const onResult = (result: Result) => values.json || console.log(row(result))
    results.push(...(await compare({ rounds, seconds, setting, measures: chosen, onResult })))
  }
  return results
}

async function profileAll(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  for (const setting of settings) {
    for (const measure of chosen) {
      const taken = await profile(setting, measure, seconds)
      const path = join(folder, `${measure.name}-${setting.congestion}`)
      writeFileSync(`${path}.cpuprofile`, JSON.stringify(taken))
      writeFileSync(`${path}.svg`, flameGraph(taken, `${measure.name}, ${inWords(setting)}`))
      console.log(`\n${path}.svg`)
      for (const { name, part } of hottest(taken, HOTTEST))
        console.log(`${(part * 100).toFixed(1).padStart(6)}%  ${name}`)
    }
  }
}

if (values.help) {
  console.log(HELP)
} else if (unknown.length > 0) {
  console.error(`There is no measure ${unknown.join(', ')}.\n${HELP}`)
  process.exitCode = 2
} else {
  try {
    if (values.profile !== undefined) await profileAll(values.profile)
    const results = values.profile === undefined ? await measureAll() : []
    if (values.json) console.log(JSON.stringify(results, null, 2))
  } catch (error) {
    if (!(error instanceof CannotMeasure)) throw error
    console.error(error.message)
    process.exitCode = 3
  }
}
