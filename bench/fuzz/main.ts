// `npm run fuzz -- --minutes 2 [--seed 1]`: stories made of octets that are changed at random; those that reach something new are kept
// and changed further. What fails is written to `.fuzz/crashes`, and `--replay FILE` plays it again. `--corpus FOLDER` keeps what reached
// something new; `--captures FOLDER` throws every packet of other people's captures at a stack instead (`bench/fuzz/fetch.sh` gets some).
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { SeededRandom } from '../../src/simulate/random.ts'
import { throwCaptures } from './captures.ts'
import { changed, type Genome, randomGenome } from './genome.ts'
import { play } from './story.ts'

const HERE = fileURLToPath(new URL('../../../bench/fuzz/', import.meta.url))
const CRASHES = '.fuzz/crashes'
/** More failures than this say nothing new. */
const MOST_CRASHES = 10

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string' },
    corpus: { type: 'string', default: '.fuzz/corpus' },
    replay: { type: 'string' },
    captures: { type: 'string' },
  },
})

if (values.replay !== undefined) for (const genome of read(values.replay)) play(genome, () => {})
else if (values.captures !== undefined) tellCaptures(values.captures)
else fuzz(Number(values.minutes) * 60_000, values.seed ?? String(Date.now()), values.corpus)

function tellCaptures(folder: string): void {
  const { files, packets, failures } = throwCaptures(folder)
  for (const failure of failures) console.log(failure)
  console.log(`${files} captures, ${packets} packets, ${failures.length} failures`)
  process.exitCode = failures.length > 0 || files === 0 ? 1 : 0
}

function fuzz(milliseconds: number, seed: string, folder: string): void {
  const random = new SeededRandom(seed, 'fuzz')
  const reached = new Set<number>()
  const corpus: Genome[] = []
  const crashes = new Set<string>()
  let stories = 0
  const tell = (genome: Genome, isKnown: boolean) => {
    stories++
    const before = reached.size
    try {
      play(genome, (feature) => reached.add(feature))
    } catch (error) {
      report(genome, error, crashes)
      return
    }
    if (reached.size === before) return
    corpus.push(genome)
    if (!isKnown) save(folder, genome)
  }
  for (const genome of [...load(join(HERE, 'corpus')), ...load(folder)]) tell(genome, true)
  const known = corpus.length
  const end = performance.now() + milliseconds
  while (performance.now() < end && crashes.size < MOST_CRASHES) {
    const isNew = corpus.length < 10 || random.below(20) === 0
    const choose = () => corpus[random.below(corpus.length)]
    tell(isNew ? randomGenome(random) : changed(choose(), choose(), random), false)
  }
  console.log(
    `seed ${seed}: ${stories} stories, ${reached.size} features reached, ${corpus.length - known} new stories kept beside ${known}, ${crashes.size} failures`,
  )
  process.exitCode = crashes.size > 0 ? 1 : 0
}

/** One of each kind is enough. */
function report(genome: Genome, error: unknown, crashes: Set<string>): void {
  const told = error instanceof Error ? error : new Error(String(error))
  const kind = `${told.message.replace(/[\d-]+/g, 'N')} ${told.stack?.split('\n')[1] ?? ''}`
  if (crashes.has(kind)) return
  crashes.add(kind)
  const path = save(CRASHES, genome)
  console.log(`${told.stack}\n  again: npm run fuzz -- --replay ${path}\n`)
}

function save(folder: string, genome: Genome): string {
  mkdirSync(folder, { recursive: true })
  let name = 0
  for (const octet of genome) name = Math.imul(name ^ octet, 0x01000193)
  const path = join(folder, `${(name >>> 0).toString(16)}-${genome.length}.hex`)
  writeFileSync(path, `${Buffer.from(genome).toString('hex')}\n`)
  return path
}

function load(folder: string): Genome[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.hex'))
    .sort()
    .flatMap((name) => read(join(folder, name)))
}

/** A story a line. */
function read(path: string): Genome[] {
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  return lines.map((line) => Uint8Array.from(Buffer.from(line, 'hex')))
}
