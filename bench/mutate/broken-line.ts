// The tests in virtual time, all in one process, under one broken line after another: lines are changed as files are loaded, and
// nothing on the disk is.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import base from '../../vitest.config.ts'
import type { Plan } from './plan.ts'
import { anyVersion, withMarks } from './reach.ts'

const root = new URL('../..', import.meta.url).pathname
const plan: Plan = JSON.parse(readFileSync(process.env.MUTATION_PLAN ?? '', 'utf8'))
const mutants = plan.portions.flatMap(({ mutant }) => (mutant === null ? [] : [mutant]))
const versioned = new Set(mutants.map(({ file }) => file))
const byVersion = new Map(mutants.map((mutant) => [mutant.version, mutant]))
const { test: all = {} } = base as ViteUserConfig
const [virtual] = all.projects as ViteUserConfig[]

class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...files].sort((a, b) => (a.moduleId < b.moduleId ? -1 : 1))
  }
}

export default defineConfig({
  root,
  resolve: virtual.resolve,
  plugins: [{ name: 'mutation', enforce: 'pre', transform }],
  test: {
    environment: 'node',
    pool: 'forks',
    isolate: false,
    fileParallelism: false,
    // The watchdog's affair: it knows an endless loop from other people's load.
    testTimeout: 0,
    hookTimeout: 0,
    // What fails once only is no proof.
    retry: 1,
    include: [`${relative(root, plan.stubs)}/*.test.ts`],
    runner: 'bench/mutate/runner.ts',
    sequence: { sequencer: InOrder },
  },
})

function transform(code: string, id: string): { code: string; map: null } | null {
  const [path, version] = relative(root, id).split('?version=')
  if (version !== undefined) {
    const broken = byVersion.get(Number(version))
    if (broken === undefined) return null
    const lines = code.split('\n')
    lines[broken.number - 1] = broken.line
    return { code: lines.join('\n'), map: null }
  }
  if (versioned.has(path)) return { code: anyVersion(path, code), map: null }
  if (!Object.hasOwn(plan.places, path)) return null
  return { code: withMarks(path, code, plan.places[path]), map: null }
}
