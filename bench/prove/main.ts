// `npm run prove -- AREA…`: measures the claims of the areas named (all, if none is) and prints a line for each: the figure,
// the bar, holds or falls short. Exit code 0 only if all hold; 2 for an unknown area or claim. An area is a file of this folder.
import { parseArgs } from 'node:util'
import { exitOnSignals } from '../support/signals.ts'
import { CannotMeasure, type Claim } from './claim.ts'
import { claims as looking } from './dashboard.ts'
import { claims as ecosystem } from './ecosystem.ts'
import { claims as ground } from './ground.ts'
import { claims as http } from './http.ts'
import { claims as memory } from './memory.ts'
import { claims as network } from './network.ts'
import { claims as packed } from './packed.ts'
import { claims as recovery } from './recovery.ts'
import { claims as simulation } from './simulation.ts'
import { claims as sockets } from './sockets.ts'
import { claims as tcp } from './tcp.ts'
import { claims as testkit } from './testkit.ts'
import { claims as transfers } from './transfers.ts'
import { claims as wire } from './wire.ts'

/** New areas are added here. */
const areas: Record<string, Claim[]> = {
  ecosystem,
  ground,
  http,
  looking,
  memory,
  network,
  package: packed,
  recovery,
  simulation,
  sockets,
  tcp,
  testkit,
  transfers,
  wire,
}

interface Result {
  area: string
  name: string
  figure: string
  bar: string
  /** 'not shown' where this machine can't measure it, which is no proof either. */
  verdict: 'holds' | 'falls short' | 'not shown'
}

async function prove(area: string, { name, bar, measure }: Claim): Promise<Result> {
  try {
    const { figure, holds } = await measure()
    return { area, name, bar, figure, verdict: holds ? 'holds' : 'falls short' }
  } catch (error) {
    const { message } = error as Error
    if (error instanceof CannotMeasure) return { area, name, bar, figure: message, verdict: 'not shown' }
    return { area, name, bar, figure: `failed: ${message}`, verdict: 'falls short' }
  }
}

exitOnSignals()

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'boolean' },
    list: { type: 'boolean' },
    claim: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
  allowPositionals: true,
})
const unknown = positionals.filter((area) => !(area in areas))
const chosen = Object.entries(areas)
  .filter(([area]) => positionals.length === 0 || positionals.includes(area))
  .flatMap(([area, claims]) => claims.map((claim) => ({ area, claim })))
  .filter(({ claim }) => claim.name.includes(values.claim ?? ''))

if (values.help) {
  console.log('npm run prove -- [AREA…] [--claim PART OF ITS NAME] [--list] [--json]')
} else if (unknown.length > 0) {
  console.error(`There is no area ${unknown.join(', ')}; there are ${Object.keys(areas).join(', ')}.`)
  process.exitCode = 2
} else if (chosen.length === 0) {
  console.error(`No claim there has '${values.claim}' in its name; --list shows them.`)
  process.exitCode = 2
} else if (values.list) {
  const list = chosen.map(({ area, claim: { name, bar } }) => ({ area, name, bar }))
  if (values.json) console.log(JSON.stringify(list, null, 2))
  else for (const { area, name, bar } of list) console.log(`${area}: ${name} (bar: ${bar})`)
} else {
  const results: Result[] = []
  for (const { area, claim } of chosen) {
    const result = await prove(area, claim)
    results.push(result)
    if (!values.json)
      console.log(`${result.verdict.padEnd(11)}  ${area}: ${result.name}: ${result.figure} (bar: ${result.bar})`)
  }
  if (values.json) console.log(JSON.stringify(results, null, 2))
  process.exitCode = results.length > 0 && results.every(({ verdict }) => verdict === 'holds') ? 0 : 1
}
