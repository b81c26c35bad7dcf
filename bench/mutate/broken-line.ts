// The tests in virtual time, with one line of one file broken as it is loaded: nothing on the disk changes. Those nearest to that
// file come first, then the quick ones; the first that fails ends it.
import { relative } from 'node:path'
import { defineConfig, mergeConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import base from '../../vitest.config.ts'

interface Broken {
  readonly file: string
  readonly number: number
  readonly line: string
  /** Milliseconds that each test file takes when nothing is broken. */
  readonly durations: Record<string, number>
}

const broken: Broken | null = process.env.MUTATION === undefined ? null : JSON.parse(process.env.MUTATION)
const root = new URL('../..', import.meta.url).pathname

class NearestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const costs = new Map(files.map((file) => [file, cost(relative(root, file.moduleId))]))
    return [...files].sort((a, b) => (costs.get(a) ?? 0) - (costs.get(b) ?? 0))
  }
}

function cost(test: string): number {
  if (broken === null) return 0
  const near = broken.file.replace(/^src/, 'test').replace(/\.ts$/, '.test.ts')
  const folder = near.slice(0, near.lastIndexOf('/') + 1)
  const weight = test === near ? 0 : test.startsWith(folder) ? 0.2 : test.startsWith('test/core/') ? 0.5 : 1
  return weight * (broken.durations[test] ?? 1000)
}

export default mergeConfig(
  base,
  defineConfig({
    root,
    test: { sequence: { sequencer: NearestFirst } },
    plugins: [
      {
        name: 'mutation',
        enforce: 'pre',
        transform(code: string, id: string) {
          if (broken === null || relative(root, id) !== broken.file) return null
          const lines = code.split('\n')
          lines[broken.number - 1] = broken.line
          return { code: lines.join('\n'), map: null }
        },
      },
    ],
  }),
)
