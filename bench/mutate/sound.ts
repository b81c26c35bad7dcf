// The tests as they are, nothing broken: what each takes, and which lines it comes by. Kept until the source or a test changes.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Candidate } from './draw.ts'
import type { Told } from './plan.ts'
import { runTests } from './run-tests.ts'

/** A test: its file and its name, seconds of processor time, and a bit for each line. */
export interface Sound {
  readonly name: string
  readonly file: string
  readonly cpu: number
  readonly reached: Buffer
}

/** What runs `dist` in processes of its own, or looks at the source as text, never sees a broken line. */
const BLIND = /^test\/(?:cli|linux|node|node-core|node-types)\/|^test\/(?:architecture|compliance)\.test\.ts$/

export async function soundTests(root: string, candidates: readonly Candidate[], only: readonly string[]) {
  const files = only.length > 0 ? [...only] : filesIn(root, 'test').filter((file) => isSeeing(file))
  const kept = join(root, '.bench/mutate/sound.json')
  const digest = digestOf(root, [...filesIn(root, 'src'), ...filesIn(root, 'test')], files)
  const known = read(kept)
  const told = known?.digest === digest ? known.told : await run(root, candidates, files)
  mkdirSync(dirname(kept), { recursive: true })
  if (known?.digest !== digest && only.length === 0) writeFileSync(kept, JSON.stringify({ digest, told }))
  return told.flatMap((one): Sound[] =>
    one.kind !== 'test'
      ? []
      : [{ name: one.test, file: one.test.split(' > ')[0], cpu: one.cpu, reached: Buffer.from(one.reached, 'base64') }],
  )
}

function isSeeing(file: string): boolean {
  return file.endsWith('.test.ts') && !BLIND.test(file)
}

async function run(root: string, candidates: readonly Candidate[], files: readonly string[]): Promise<Told[]> {
  console.log('first the tests as they are: what each takes, and which lines it comes by')
  const places: Record<string, Candidate[]> = {}
  for (const candidate of candidates) places[candidate.file] = [...(places[candidate.file] ?? []), candidate]
  const portions = files.map((file) => ({ mutant: null, files: [file], tests: null, isLast: false }))
  const plan = { places, marks: candidates.length, portions, tests: [], patience: {} }
  const told = await runTests(root, plan, () => {})
  const failed = told.find((one) => one.kind === 'failed' || one.kind === 'bitten')
  if (failed !== undefined) throw new Error(`${failed.test} fails although nothing is broken: ${failed.why}`)
  return told
}

function read(kept: string): { digest: string; told: Told[] } | null {
  try {
    return JSON.parse(readFileSync(kept, 'utf8'))
  } catch {
    return null
  }
}

function digestOf(root: string, files: readonly string[], tests: readonly string[]): string {
  const hash = createHash('sha256').update(tests.join('\n'))
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

function filesIn(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort()
}
