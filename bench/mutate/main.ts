// `npm run mutate -- --seed N --count 60`: draws lines of `core/tcp` and `core/ip` by the seed, breaks each in one small way, one after
// another, and runs the tests in virtual time: one of them must fail. Exit code 1 where fewer than 85% are caught; what no behaviour can
// show stands with its reason in `accepted.tsv` and counts as caught. `--show` prints what is drawn and runs nothing.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parseSync } from 'vite'
import { SeededRandom } from '../../src/simulate/random.ts'
import { type Mutation, mutationsOf } from './mutations.ts'

interface Mutant extends Mutation {
  readonly file: string
  /** From 1. */
  readonly number: number
  readonly before: string
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const ACCEPTED = join(ROOT, 'bench/mutate/accepted.tsv')
const BAR = 0.85
/** Milliseconds, as a multiple of what the tests take when nothing is broken: what runs longer is caught by that. */
const PATIENCE = 3

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '60' },
    jobs: { type: 'string', default: '2' },
    in: { type: 'string', multiple: true, default: ['src/core/tcp', 'src/core/ip'] },
    show: { type: 'boolean', default: false },
  },
})

const mutants = draw(values.seed, Number(values.count), values.in)
if (values.show) for (const mutant of mutants) console.log(describe(mutant))
else await judge(mutants, Number(values.jobs))

function draw(seed: string, count: number, folders: readonly string[]): Mutant[] {
  const random = new SeededRandom(seed, 'mutate')
  const candidates = folders.flatMap(sources).flatMap((file) => candidatesOf(file))
  const drawn: Mutant[] = []
  while (drawn.length < count && candidates.length > 0) {
    const [{ file, number, before, mutations }] = candidates.splice(random.below(candidates.length), 1)
    const mutant = { file, number, before, ...mutations[random.below(mutations.length)] }
    if (isProgram(mutant)) drawn.push(mutant)
  }
  return drawn
}

/** What does not even parse would count as caught. */
function isProgram({ file, number, line }: Mutant): boolean {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n')
  lines[number - 1] = line
  return parseSync(file, lines.join('\n')).errors.length === 0
}

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join(folder, name))
}

function candidatesOf(file: string) {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n')
  const result: { file: string; number: number; before: string; mutations: Mutation[] }[] = []
  let isInType = false
  for (const [place, line] of lines.entries()) {
    if (/^(?:export )?(?:interface|type) /.test(line) && !/[}\w>)\]'] *$/.test(line)) isInType = true
    const isField = /^ {2}(?:readonly |static )?#?\w+(?::.*)? = /.test(line)
    const mutations = isInType ? [] : mutationsOf(line, isField)
    if (mutations.length > 0) result.push({ file, number: place + 1, before: line, mutations })
    if (/^[})]/.test(line)) isInType = false
  }
  return result
}

async function judge(mutants: readonly Mutant[], jobs: number): Promise<void> {
  console.log('first the tests as they are, to know how long each takes')
  const sound = await runTests(null, {}, Number.POSITIVE_INFINITY)
  if (sound.failed !== null) throw new Error(`${sound.failed} fails although nothing is broken`)
  const accepted = readAccepted()
  const survivors: Mutant[] = []
  let explained = 0
  let done = 0
  const queue = [...mutants]
  const work = async () => {
    for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
      const reason = accepted.get(keyOf(mutant))
      const outcome =
        reason === undefined ? await runTests(mutant, sound.durations, sound.milliseconds * PATIENCE) : null
      const verdict = outcome === null ? `explained: ${reason}` : (outcome.failed ?? 'SURVIVES')
      if (outcome === null) explained++
      else if (outcome.failed === null) survivors.push(mutant)
      console.log(`${++done}/${mutants.length} ${describe(mutant)}\n    ${verdict}`)
    }
  }
  await Promise.all(Array.from({ length: jobs }, work))
  const caught = mutants.length - survivors.length
  for (const mutant of survivors) console.log(`survives: ${describe(mutant)}`)
  const share = caught / mutants.length
  console.log(
    `seed ${values.seed}: ${caught} of ${mutants.length} caught (${explained} of them explained), ${(share * 100).toFixed(1)}%, bar ${BAR * 100}%: ${share >= BAR ? 'holds' : 'falls short'}`,
  )
  process.exitCode = share >= BAR ? 0 : 1
}

interface Outcome {
  /** The test that failed, or that it took too long. */
  readonly failed: string | null
  readonly durations: Record<string, number>
  readonly milliseconds: number
}

function runTests(mutant: Mutant | null, durations: Record<string, number>, patience: number): Promise<Outcome> {
  const began = performance.now()
  const words = ['vitest', 'run', '--config', 'bench/mutate/broken-line.ts', '--project', 'virtual']
  const broken = mutant === null ? undefined : JSON.stringify({ ...mutant, durations })
  const child = spawn('npx', [...words, '--reporter', 'json', ...(mutant === null ? [] : ['--bail', '1'])], {
    cwd: ROOT,
    env: { ...process.env, MUTATION: broken },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  let text = ''
  let isTooLong = false
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  const timer = setTimeout(
    () => {
      isTooLong = true
      // The group: vitest's workers too.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    },
    Math.min(patience, 2 ** 31 - 1),
  )
  return new Promise((resolve) => {
    child.once('close', () => {
      clearTimeout(timer)
      resolve({ ...readReport(text, isTooLong), milliseconds: performance.now() - began })
    })
  })
}

interface Report {
  success: boolean
  testResults: {
    name: string
    status: string
    startTime: number
    endTime: number
    message: string
    assertionResults: { status: string; fullName: string }[]
  }[]
}

function readReport(text: string, isTooLong: boolean): Pick<Outcome, 'failed' | 'durations'> {
  if (isTooLong) return { failed: 'takes too long', durations: {} }
  const start = text.indexOf('{"')
  if (start < 0) return { failed: 'the tests do not even start', durations: {} }
  const { success, testResults } = JSON.parse(text.slice(start)) as Report
  const durations: Record<string, number> = {}
  let failed: string | null = null
  for (const { name, startTime, endTime, status, assertionResults } of testResults) {
    const file = name.slice(ROOT.length)
    durations[file] = endTime - startTime
    const test = assertionResults.find((one) => one.status === 'failed')
    if (test !== undefined) failed ??= `${file}: ${test.fullName}`
    else if (status === 'failed') failed ??= file
  }
  return { failed: failed ?? (success ? null : 'a failure outside of any test'), durations }
}

/** Survivors that no behaviour can show: the file, the line as it is, what was done to it, why. */
function readAccepted(): Map<string, string> {
  const accepted = new Map<string, string>()
  for (const row of readFileSync(ACCEPTED, 'utf8').split('\n')) {
    const [file, line, what, reason] = row.split('\t')
    if (reason !== undefined && !row.startsWith('#')) accepted.set(`${file}\t${line}\t${what}`, reason)
  }
  return accepted
}

function keyOf({ file, before, what }: Mutant): string {
  return `${file}\t${before.trim()}\t${what}`
}

function describe({ file, number, before, what }: Mutant): string {
  return `${file}:${number} [${what}] ${before.trim()}`
}
