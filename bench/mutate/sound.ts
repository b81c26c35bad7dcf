// The tests as they are, nothing broken: what each takes, and which lines it comes by. Kept until a line that may be
// broken changes, or the file of tests.
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

/** A test for each script. */
const SCRIPTS = 'test/drill/scripts.test.ts'
/** What runs `dist` in processes of its own, or looks at the source as text, never sees a broken line. */
const BLIND = /^test\/(?:cli|linux|node|node-core|node-types)\/|^test\/(?:architecture|compliance)\.test\.ts$/

/** What is kept: what each file of tests told, and of what source. */
interface Kept {
  readonly source: string
  readonly files: Record<string, { digest: string; told: Told[] }>
}

export async function soundTests(root: string, candidates: readonly Candidate[], only: readonly string[]) {
  const files = only.length > 0 ? [...only] : filesIn(root, 'test').filter(isSeeing)
  const place = join(root, '.bench/mutate/sound.json')
  // Where other lines have changed, a test may come by more or less than it did; that can make a survivor, never a catch.
  const source = digestOf(root, [], candidates.map(({ file, before }) => `${file} ${before}`).join('\n'))
  const known = read(place)
  const kept: Kept = known?.source === source ? known : { source, files: {} }
  const digests = new Map(files.map((file) => [file, digestOf(root, file === SCRIPTS ? scripts(root) : [file])]))
  const changed = files.filter((file) => kept.files[file]?.digest !== digests.get(file))
  const told = changed.length === 0 ? [] : await run(root, candidates, changed)
  for (const file of changed) {
    const own = told.filter((one) => one.kind === 'test' && one.test.startsWith(`${file} > `))
    kept.files[file] = { digest: digests.get(file) ?? '', told: own }
  }
  mkdirSync(dirname(place), { recursive: true })
  if (changed.length > 0) writeFileSync(place, JSON.stringify(kept))
  return files
    .flatMap((file) => kept.files[file].told)
    .flatMap((one): Sound[] =>
      one.kind !== 'test'
        ? []
        : [
            {
              name: one.test,
              file: one.test.split(' > ')[0],
              cpu: one.cpu,
              reached: Buffer.from(one.reached, 'base64'),
            },
          ],
    )
}

function scripts(root: string): string[] {
  return [SCRIPTS, ...filesIn(root, 'test').filter((file) => file.endsWith('.pkt'))]
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

function read(place: string): Kept | null {
  try {
    return JSON.parse(readFileSync(place, 'utf8'))
  } catch {
    return null
  }
}

function digestOf(root: string, files: readonly string[], also = ''): string {
  const hash = createHash('sha256').update(also)
  for (const file of files) hash.update(file).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

function filesIn(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .sort()
}
