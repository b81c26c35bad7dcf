// vitest's runner, taught to run the same tests again and again under one mutant after another, in one process: what does not change is
// compiled once. Each portion of the plan stands for a file of tests. Before a portion the modules are forgotten, so that they are
// made anew with another line broken; only those tests run that come by that line, until one fails twice.
import { appendFileSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { RunnerTask, RunnerTestCase, RunnerTestSuite } from 'vitest'
import { describe, it, TestRunner, vi } from 'vitest'
import type { Broken, Plan, Portion, Told } from './plan.ts'

interface State {
  readonly plan: Plan
  readonly reached: Uint8Array
  readonly numbers: Int32Array
  readonly name: Uint16Array
  mutant: Broken | null
  /** The mutant's, also while it is looked whether what it failed passes without it. */
  version: number
  wanted: ReadonlySet<string> | null
  failed: string | null
  began: number
}

const shared = globalThis as unknown as { mutating: State | undefined }
const state = (shared.mutating ??= begin())
const ROOT = new URL('../..', import.meta.url).pathname
const LOADS = 'can be loaded'

export default class MutatingRunner extends TestRunner {
  #portion: Portion | null = null
  /** What is looked for while it is looked whether it passes without the mutant. */
  #accused: string | null = null

  override async importFile(path: string, source: 'collect' | 'setup'): Promise<void> {
    if (source === 'setup') return void (await super.importFile(path, source))
    const portion = state.plan.portions[Number.parseInt(basename(path), 10)]
    this.#prepare(portion)
    this.#collect(portion)
  }

  #prepare(portion: Portion): void {
    this.#portion = portion
    if (portion.mutant?.version !== state.version) state.failed = null
    state.version = portion.mutant?.version ?? -1
    this.#accused = portion.isLast ? state.failed : null
    const mutant = portion.isLast ? null : portion.mutant
    if (mutant === null || mutant.version !== state.mutant?.version) vi.resetModules()
    state.mutant = mutant
    const { tests } = portion
    state.wanted = tests === null ? null : new Set(tests.map((number) => state.plan.tests[number]))
    if (this.#accused !== null) state.wanted = new Set([this.#accused])
    if (portion.isLast) state.failed = null
    Atomics.store(state.numbers, 1, state.version)
  }

  #collect(portion: Portion): void {
    it('is judged', () => {})
    const accused = this.#accused?.split(' > ')[0]
    const files = portion.isLast ? (accused === undefined ? [] : [accused]) : state.failed === null ? portion.files : []
    for (const file of files) {
      describe(file, async () => {
        tellName(file)
        state.reached.fill(0)
        try {
          await super.importFile(ROOT + file, 'collect')
        } catch (error) {
          it(LOADS, () => {
            throw error
          })
        }
        loads.set(file, state.reached.slice())
      })
    }
  }

  override async onBeforeRunTask(test: RunnerTestCase): Promise<void> {
    const name = nameOf(test)
    const isWanted = state.wanted === null || state.wanted.has(name) || test.name === LOADS
    if (state.failed !== null || (!isWanted && test.name !== 'is judged')) test.mode = 'skip'
    else {
      tellName(name.split(' > ')[0])
      state.reached.fill(0)
      state.began = spent()
    }
    await super.onBeforeRunTask(test)
  }

  override onAfterRunTask(test: RunnerTask): void {
    super.onAfterRunTask(test)
    Atomics.add(state.numbers, 0, 1)
    const name = nameOf(test)
    if (test.result?.state === 'fail') this.#onFailure(name, test.result.errors?.[0]?.message ?? '')
    else if (state.plan.marks > 0 && test.name !== 'is judged') {
      const loaded = loads.get(name.split(' > ')[0])
      const reached = state.reached.map((mark, place) => mark | (loaded?.[place] ?? 0))
      tell({ kind: 'test', test: name, cpu: spent() - state.began, reached: bits(reached) })
    }
  }

  /** A hook before or after all tests that failed. */
  override async onAfterRunSuite(suite: RunnerTestSuite): Promise<void> {
    await super.onAfterRunSuite(suite)
    const error = suite.result?.errors?.[0]
    if (error !== undefined) this.#onFailure(nameOf(suite), error.message)
    const portion = this.#portion
    if (suite !== suite.file || portion === null || !portion.isLast) return
    const { version } = state
    if (this.#accused === null) tell({ kind: 'survives', version })
    else tell({ kind: state.failed === null ? 'caught' : 'tainted', version, by: this.#accused })
    state.failed = null
  }

  #onFailure(name: string, why: string): void {
    if (state.failed !== null) return
    state.failed = name
    if (state.version < 0) tell({ kind: 'failed', test: name, why: why.slice(0, 300) })
  }
}

/** What each file came by as it was loaded. */
const loads = new Map<string, Uint8Array>()

function begin(): State {
  const plan: Plan = JSON.parse(readFileSync(process.env.MUTATION_PLAN ?? '', 'utf8'))
  const numbers = new Int32Array(new SharedArrayBuffer(8)).fill(-1)
  const name = new Uint16Array(new SharedArrayBuffer(1024))
  const { told, patience } = plan
  new Worker(plan.watchdog, { workerData: { told, patience, numbers, name } }).unref()
  const reached = new Uint8Array(plan.marks)
  return { plan, reached, numbers, name, mutant: null, version: -2, wanted: null, failed: null, began: 0 }
}

function tell(line: Told): void {
  appendFileSync(state.plan.told, `${JSON.stringify(line)}\n`)
}

function tellName(file: string): void {
  state.name.set([file.length, ...[...file].map((letter) => letter.charCodeAt(0))])
  Atomics.add(state.numbers, 0, 1)
}

/** The file's name and all that it says, as the same test is called under every portion. */
function nameOf(task: RunnerTask): string {
  const names: string[] = []
  for (let at: RunnerTask | undefined = task; at !== undefined && at !== at.file; at = at.suite) names.unshift(at.name)
  return names.join(' > ')
}

/** Seconds of this process. */
function spent(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

function bits(marks: Uint8Array): string {
  const result = Buffer.alloc((marks.length + 7) >> 3)
  for (const [place, mark] of marks.entries()) if (mark !== 0) result[place >> 3] |= 1 << (place & 7)
  return result.toString('base64')
}
