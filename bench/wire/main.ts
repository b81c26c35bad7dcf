// `npm run bench:wire`: ours over tun0 beside node:net and node:http on the kernel's TCP over veth, by turns, client on CPU 0 and server
// on CPU 1. `--help` has the options, docs/performance.md what the figures mean.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CannotMeasure } from '../prove/claim.ts'
import { exitOnSignals } from '../support/signals.ts'
import { faultsOf } from './counts.ts'
import { flameGraph, hottest } from './flame.ts'
import { measures } from './measures.ts'
import { compare, profile, type Result } from './rounds.ts'
import { type Congestion, inWords, type Setting } from './setting.ts'
import { heading, row } from './table.ts'

const SHORT = ['bulk-in', 'bulk-out', 'echo', 'connections', 'requests-64']
const COUNTED = ['bulk-in', 'connections', 'requests-64']
/** Functions that are told of beside a flame graph. */
const HOTTEST = 25
const HELP = `npm run bench:wire -- [options]

  --only NAME,…           measures, all when not given
  --short                 ${SHORT.join(', ')} in three rounds of a second
  --rounds 5 --seconds 2
  --congestion cubic,bbr --mtu 1500 --offload on --loss 0
                          settings; each may be a list, and every combination is measured (loss needs --offload off, and nft);
                          --offload is on, off, no-gro (off, and the kernel does not merge what we send)
                          or none (off, and the addon neither cuts nor merges)
  --json
  --check                 ${COUNTED.join(', ')} in one round of a second: packets and system calls are held to their bars, times are not
  --profile FOLDER        each measure once on our side: a V8 CPU profile and a flame graph are left in the folder

Measures: ${measures.map(({ name }) => name).join(' ')}`

exitOnSignals()

const { values } = parseArgs({
  options: {
    short: { type: 'boolean' },
    check: { type: 'boolean' },
    only: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    congestion: { type: 'string' },
    mtu: { type: 'string', default: '1500' },
    offload: { type: 'string', default: 'on' },
    loss: { type: 'string', default: '0' },
    json: { type: 'boolean' },
    profile: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})
const isQuick = values.short || values.check
const rounds = Number(values.rounds ?? (values.check ? 1 : values.short ? 3 : 5))
const seconds = Number(values.seconds ?? (isQuick ? 1 : 2))
const preset = values.check ? COUNTED : values.short ? SHORT : measures.map(({ name }) => name)
const names = values.only?.split(',') ?? preset
const unknown = names.filter((name) => !measures.some((measure) => measure.name === name))
const chosen = measures.filter(({ name }) => names.includes(name))
const settings = allSettings()

function allSettings(): Setting[] {
  const list = (text: string) => text.split(',')
  const congestions = list(values.congestion ?? (values.check ? 'cubic' : 'cubic,bbr')) as Congestion[]
  return list(values.mtu).flatMap((mtu) =>
    list(values.offload).flatMap((offload) =>
      list(values.loss).flatMap((loss) =>
        congestions.map((congestion) => ({
          congestion,
          mtu: Number(mtu),
          offload: offload as Setting['offload'],
          loss: Number(loss),
        })),
      ),
    ),
  )
}

async function measureAll(): Promise<Result[]> {
  const results: Result[] = []
  for (const setting of settings) {
    if (!values.json) console.log(heading(setting, rounds, seconds))
    const onResult = (result: Result) => values.json || console.log(row(result))
    results.push(...(await compare({ rounds, seconds, setting, measures: chosen, countsCalls: true, onResult })))
  }
  if (values.json) console.log(JSON.stringify(results, null, 2))
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

async function run(): Promise<void> {
  if (values.profile !== undefined) return profileAll(values.profile)
  const results = await measureAll()
  if (!values.check) return
  const faults = faultsOf(results)
  for (const fault of faults) console.error(fault)
  if (faults.length > 0) process.exitCode = 1
}

if (values.help) {
  console.log(HELP)
} else if (unknown.length > 0) {
  console.error(`There is no measure ${unknown.join(', ')}.\n\n${HELP}`)
  process.exitCode = 2
} else {
  try {
    await run()
  } catch (error) {
    if (!(error instanceof CannotMeasure)) throw error
    console.error(error.message)
    // In CI a machine that can't measure says so, and nothing has failed.
    process.exitCode = values.check ? 0 : 3
  }
}
