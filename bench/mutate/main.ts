// `npm run mutate -- --seed N --count 60`: draws lines of `core/tcp` and `core/ip` by the seed, breaks each in one small way, one after
// another, and runs those tests in virtual time that come by it: one of them must fail, and fail again. Exit code 1 where fewer than 85%
// are caught, or where a survivor has no reason in `accepted.tsv`. There may be several `--seed`s.
// `--show` prints what is drawn and runs nothing; `--only 7` takes the seventh alone; `--tests FILE` runs that file and no other;
// `--quick` leaves it at the few seconds of tests that are nearest to each.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { candidatesIn, draw, type Mutant } from './draw.ts'
import { Judge } from './judge.ts'
import { soundTests } from './sound.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const ACCEPTED = join(ROOT, 'bench/mutate/accepted.tsv')
/** What caught each mutant the last time. */
const CAUGHT = join(ROOT, '.bench/mutate/caught.json')
const BAR = 0.85

const { values } = parseArgs({
  options: {
    seed: { type: 'string', multiple: true, default: ['1'] },
    count: { type: 'string', default: '60' },
    jobs: { type: 'string', default: '2' },
    in: { type: 'string', multiple: true, default: ['src/core/tcp', 'src/core/ip'] },
    only: { type: 'string', multiple: true, default: [] },
    tests: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    show: { type: 'boolean', default: false },
  },
})

const candidates = candidatesIn(ROOT, values.in)
const mutants = values.seed
  .flatMap((seed) => draw(ROOT, candidates, seed, Number(values.count)))
  .filter(({ place }) => values.only.length === 0 || values.only.includes(`${place}`))
if (values.show) for (const mutant of mutants) console.log(describe(mutant))
else await judge()

async function judge(): Promise<void> {
  const accepted = readAccepted()
  const verdicts = new Map<Mutant, 'caught' | 'accepted' | 'unexplained'>()
  const onVerdict = (mutant: Mutant, by: string | null) => {
    const reason = accepted.get(keyOf(mutant))
    verdicts.set(mutant, by !== null ? 'caught' : reason !== undefined ? 'accepted' : 'unexplained')
    const told = by ?? (reason === undefined ? 'SURVIVES' : `accepted: ${reason}`)
    console.log(`${verdicts.size}/${mutants.length} ${describe(mutant)}\n    ${told}`)
  }
  const tests = await soundTests(ROOT, candidates, values.tests)
  const caught = readCaught()
  const catchers = new Map(mutants.map((mutant) => [mutant, caught[keyOf(mutant)] ?? '']))
  const judge = new Judge(ROOT, tests, catchers, ({ mutant, by }) => {
    onVerdict(mutant, by)
    if (by === null) return
    // Another run may be at it.
    writeFileSync(CAUGHT, JSON.stringify({ ...readCaught(), [keyOf(mutant)]: by }, null, 1))
  })
  for (const mutant of mutants) if (accepted.has(keyOf(mutant))) onVerdict(mutant, null)
  const open = mutants.filter((mutant) => !verdicts.has(mutant))
  await judge.judge(open, Number(values.jobs), values.quick)
  for (const mutant of mutants) if (verdicts.get(mutant) === 'unexplained') console.log(`survives: ${describe(mutant)}`)
  for (const seed of new Set(mutants.map((mutant) => mutant.seed))) {
    sum(
      seed,
      mutants.filter((mutant) => mutant.seed === seed).map((mutant) => verdicts.get(mutant) ?? 'unexplained'),
    )
  }
}

function sum(seed: string, outcomes: readonly ('caught' | 'accepted' | 'unexplained')[]): void {
  const [caught, explained, unexplained] = (['caught', 'accepted', 'unexplained'] as const).map(
    (kind) => outcomes.filter((outcome) => outcome === kind).length,
  )
  const share = caught / outcomes.length
  const bar = `bar ${BAR * 100}%: ${share >= BAR ? 'holds' : 'falls short'}`
  const survivors = `${explained} accepted, ${unexplained} unexplained`
  console.log(
    `seed ${seed}: ${caught} of ${outcomes.length} caught, ${(share * 100).toFixed(1)}%, ${bar}; survivors: ${survivors}`,
  )
  if (share < BAR || unexplained > 0) process.exitCode = 1
}

function readCaught(): Record<string, string> {
  return existsSync(CAUGHT) ? JSON.parse(readFileSync(CAUGHT, 'utf8')) : {}
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

function keyOf({ candidate, what }: Mutant): string {
  return `${candidate.file}\t${candidate.before.trim()}\t${what}`
}

function describe({ seed, place, candidate, what }: Mutant): string {
  return `${seed}#${place} ${candidate.file}:${candidate.number} [${what}] ${candidate.before.trim()}`
}
