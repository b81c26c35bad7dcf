// `tunstack simulate`: runs a scenario in virtual time: one that comes with the package, or one of a file (JSON, or a module that exports one).
// Prints a table, and writes pictures and packets where that is wished. One seed gives the same octets each time.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CAC } from 'cac'
import { openCaptureFile } from '../index.ts'
import {
  checkScenario,
  describeScenario,
  pictures,
  runScenario,
  SCENARIOS,
  type Scenario,
  ScenarioError,
  tableText,
} from '../portable.ts'
import { Options } from './options.ts'
import { CommandError, Exit, say, tell, tellJson, usageError } from './output.ts'

const MODULES = ['.js', '.mjs', '.ts', '.mts']
const BAR = 30
/** Milliseconds after which a run is long. */
const LONG = 400

export function addSimulate(cli: CAC): void {
  cli
    .command('simulate [scenario]', 'Runs a scenario in virtual time, and shows what TCP made of it')
    .option('--list', 'The scenarios that there are')
    .option('--print', 'Prints the scenario as JSON in the place of running it: a beginning for one of your own')
    .option('--seed <seed>', "Chance decides by it: another seed, another run (default: the scenario's own)")
    .option('--out <folder>', 'Writes the pictures there, as SVG')
    .option('--json', 'Prints what was measured as JSON')
    .option('--pcap <file>', 'Writes every packet, at both ends of each link, as pcapng')
    .example('  $ tunstack simulate --list')
    .example('  $ tunstack simulate bufferbloat --out pictures')
    .example('  $ tunstack simulate satellite --print > mine.json; tunstack simulate mine.json --seed 7')
    .action((scenario: string | undefined, given: Record<string, unknown>) =>
      simulateCommand(scenario, new Options(given)),
    )
}

async function simulateCommand(given: string | undefined, options: Options): Promise<number> {
  if (options.flag('list')) return list(options.flag('json'))
  if (given === undefined) throw usageError('Name a scenario, or a file with one ("--list" says which there are).')
  const { name, scenario } = await find(given)
  if (options.flag('print')) {
    tell(JSON.stringify(scenario, null, 2))
    return Exit.done
  }
  const text = options.text('seed')
  const seed = text === null ? undefined : /^\d{1,15}$/.test(text) ? Number(text) : text
  const pcap = options.text('pcap')
  const out = options.text('out')
  if (out !== null) mkdirSync(out, { recursive: true })
  const file = pcap === null ? null : openCaptureFile(pcap, (error) => say(`tunstack: ${pcap}: ${error.message}.`))
  const bar = new ProgressBar(name)
  try {
    const result = await runScenario(scenario, { seed, onProgress: bar.show, capture: file?.write })
    bar.clear()
    const drawn = out === null ? [] : pictures(result)
    const paths = drawn.map((picture) => join(out ?? '', `${name}-${picture.name}.svg`))
    for (const [place, path] of paths.entries()) writeFileSync(path, drawn[place].svg)
    if (options.flag('json')) tellJson(describeScenario(result))
    else tell(`${scenario.title} (seed ${result.seed}, ${scenario.length / 1000} s)\n\n${tableText(result)}`)
    for (const path of paths) say(`wrote ${path}`)
    return Exit.done
  } finally {
    bar.clear()
    file?.close()
  }
}

function list(isJson: boolean): number {
  const all = Object.entries(SCENARIOS).map(([name, { title, length, about }]) => ({ name, title, length, about }))
  if (isJson) tellJson(all)
  else for (const { name, title, length } of all) tell(`${name.padEnd(14)} ${title} (${length / 1000} s)`)
  return Exit.done
}

async function find(given: string): Promise<{ name: string; scenario: Scenario }> {
  if (Object.hasOwn(SCENARIOS, given)) return { name: given, scenario: SCENARIOS[given] }
  const ending = extname(given)
  if (ending !== '.json' && !MODULES.includes(ending))
    throw usageError(
      `There is no scenario "${given}": there are ${Object.keys(SCENARIOS).join(', ')}, and files that end in .json, .js or .ts.`,
    )
  const found = ending === '.json' ? readJson(given) : await readModule(given)
  try {
    return { name: basename(given, ending), scenario: checkScenario(found) }
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error
    throw usageError(`${given}: ${error.message}.`)
  }
}

function readJson(path: string): unknown {
  const text = readFileSync(path, 'utf8')
  try {
    return JSON.parse(text)
  } catch (error) {
    throw usageError(`${path} is no JSON: ${(error as Error).message}.`)
  }
}

async function readModule(path: string): Promise<unknown> {
  readFileSync(path)
  try {
    const { default: found } = (await import(pathToFileURL(resolve(path)).href)) as { default?: unknown }
    if (found !== undefined) return found
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const reason =
      code === 'ERR_UNKNOWN_FILE_EXTENSION' ? 'this Node takes no TypeScript; 22.18 and newer ones do' : message
    throw new CommandError(Exit.failed, `${path} could not be loaded: ${reason}.`)
  }
  throw usageError(`${path} has no default export, which would be the scenario.`)
}

/** On stderr, where that is a terminal and the run is long. */
class ProgressBar {
  readonly #name: string
  readonly #began = performance.now()
  #isShown = false

  constructor(name: string) {
    this.#name = name
  }

  readonly show = (share: number): void => {
    if (!process.stderr.isTTY || performance.now() - this.#began < LONG) return
    const done = Math.round(share * BAR)
    process.stderr.write(`\r${this.#name} [${'='.repeat(done)}${' '.repeat(BAR - done)}] ${Math.round(share * 100)}%`)
    this.#isShown = true
  }

  clear(): void {
    if (this.#isShown) process.stderr.write('\r\u001b[K')
    this.#isShown = false
  }
}
