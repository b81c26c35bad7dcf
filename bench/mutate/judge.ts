// Which mutants are caught, and by what. Each runs under the tests that come by its line, the nearest and quickest first: at first under
// what takes a few seconds, which catches most, and at last under all the rest.
import type { Mutant } from './draw.ts'
import type { Broken, Portion, Told } from './plan.ts'
import { runTests } from './run-tests.ts'
import type { Sound } from './sound.ts'

/** Seconds of processor time: what a mutant's first portions take, and what it gets before the others have had their turn. */
const PORTIONS = [0.5, 2, 5]
/** Mutants of one process: each leaves a little memory behind. */
const BATCH = 40

export interface Verdict {
  readonly mutant: Mutant
  /** What catches it; null where it survives. */
  readonly by: string | null
}

interface Case {
  readonly mutant: Mutant
  readonly broken: Broken
  readonly portions: Portion[]
}

export class Judge {
  readonly #root: string
  readonly #tests: readonly Sound[]
  readonly #catchers: ReadonlyMap<Mutant, string>
  readonly #onVerdict: (verdict: Verdict) => void
  readonly #patience: Record<string, number> = {}
  #version = 0

  /** `catchers` has what caught a mutant before: it is asked first. */
  constructor(
    root: string,
    tests: readonly Sound[],
    catchers: ReadonlyMap<Mutant, string>,
    onVerdict: (verdict: Verdict) => void,
  ) {
    this.#root = root
    this.#tests = tests
    this.#catchers = catchers
    this.#onVerdict = onVerdict
    for (const { file, cpu } of tests) this.#patience[file] = Math.max(this.#patience[file] ?? 0, 4 + 10 * cpu)
  }

  async judge(mutants: readonly Mutant[], jobs: number, isQuick: boolean): Promise<void> {
    const cases = mutants.map((mutant) => this.#caseOf(mutant))
    const slow: Case[] = []
    const quick = cases.map((one) => {
      const portions = one.portions.slice(0, PORTIONS.length)
      if (!isQuick && portions.length < one.portions.length)
        slow.push({ ...one, portions: one.portions.slice(PORTIONS.length) })
      return { ...one, portions: [...this.#caughtBefore(one), ...portions] }
    })
    const survivors = await this.#run(quick, jobs)
    const again = slow.filter(({ mutant }) => survivors.has(mutant))
    for (const mutant of survivors) {
      if (again.every((one) => one.mutant !== mutant)) this.#onVerdict({ mutant, by: null })
      else console.log(`    what is quick does not catch ${mutant.seed}#${mutant.place}: ${mutant.line.trim()}`)
    }
    for (const mutant of await this.#run(again, jobs)) this.#onVerdict({ mutant, by: null })
  }

  #caughtBefore({ mutant, broken }: Case): Portion[] {
    const place = this.#tests.findIndex(({ name }) => name === this.#catchers.get(mutant))
    if (place < 0) return []
    return [{ mutant: broken, files: [this.#tests[place].file], tests: [place], isLast: false }]
  }

  #caseOf(mutant: Mutant): Case {
    const { file, number, mark } = mutant.candidate
    const broken = { version: this.#version++, file, number, line: mutant.line }
    const costs = new Map<string, { cost: number; cpu: number; tests: number[] }>()
    for (const [place, test] of this.#tests.entries()) {
      if (((test.reached[mark >> 3] >> (mark & 7)) & 1) === 0) continue
      const known = costs.get(test.file) ?? { cost: 0, cpu: 0, tests: [] }
      known.cpu += test.cpu
      known.cost = weightOf(test.file, file) * known.cpu
      known.tests.push(place)
      costs.set(test.file, known)
    }
    const files = [...costs].sort(([, a], [, b]) => a.cost - b.cost)
    const portions: Portion[] = []
    let total = 0
    let portion: { files: string[]; tests: number[] } = { files: [], tests: [] }
    for (const [test, { cpu, tests }] of files) {
      const limit = PORTIONS[portions.length] ?? Number.POSITIVE_INFINITY
      if (total + cpu > limit && portion.files.length > 0) {
        portions.push({ mutant: broken, ...portion, isLast: false })
        portion = { files: [], tests: [] }
      }
      total += cpu
      portion.files.push(test)
      portion.tests.push(...tests)
    }
    if (portion.files.length > 0) portions.push({ mutant: broken, ...portion, isLast: false })
    return { mutant, broken, portions }
  }

  /** Those that survive. */
  async #run(cases: readonly Case[], jobs: number): Promise<Set<Mutant>> {
    const queue = [...cases]
    const survivors = new Set<Mutant>()
    const work = async () => {
      while (queue.length > 0) await this.#runBatch(queue.splice(0, BATCH), survivors, queue)
    }
    await Promise.all(Array.from({ length: jobs }, work))
    return survivors
  }

  async #runBatch(batch: readonly Case[], survivors: Set<Mutant>, queue: Case[]): Promise<void> {
    const open = new Map(batch.map((one) => [one.broken.version, one]))
    const portions = batch.flatMap(({ broken, portions }) => [
      ...portions,
      { mutant: broken, files: [], tests: [], isLast: true },
    ])
    const names = this.#tests.map(({ name }) => name)
    const settle = (told: Told) => {
      if (!('version' in told)) return
      const known = open.get(told.version ?? -1)
      if (known === undefined) return
      open.delete(known.broken.version)
      if (told.kind === 'survives') survivors.add(known.mutant)
      else if (told.kind === 'caught') this.#onVerdict({ mutant: known.mutant, by: told.by })
      else if (told.kind === 'bitten') this.#onVerdict({ mutant: known.mutant, by: `${told.test} ${told.why}` })
      else queue.push(known)
    }
    const plan = { places: {}, marks: 0, portions, tests: names, patience: this.#patience }
    const told = await runTests(this.#root, plan, settle)
    // Where the watchdog bit, those behind have not had their turn.
    if (open.size < batch.length) queue.unshift(...open.values())
    else throw new Error(`nothing was judged: ${JSON.stringify(told.slice(0, 3))}`)
  }
}

/** Those that are near, and the scripts, catch most for what they take. */
function weightOf(test: string, file: string): number {
  const near = file.replace(/^src/, 'test').replace(/\.ts$/, '')
  if (test === `${near}.test.ts`) return 0.05
  if (test.startsWith('test/drill') || test.startsWith(near.slice(0, near.lastIndexOf('/') + 1))) return 0.3
  return test.startsWith('test/core/') || test.startsWith('test/attacks') ? 0.6 : 1
}
