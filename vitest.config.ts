// Three projects. What runs anywhere, side by side, with modules that are loaded once. Beside it what changes its process (a simulated network
// puts its clock and its sockets into the place of Node's), measures its heap, or stands on a real kernel, in namespaces of its own: each file
// in a process of its own. And, when those are through, one file after another, what asks a real kernel how fast or how late something is.
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const ALONE = ['floods', 'http', 'impair'].map((name) => `test/linux/${name}.test.ts`)
const APART = ['test/linux/**/*.test.ts', 'test/node/hosted/**/*.test.ts', 'test/node/{tun*,examples,memory}.test.ts']

export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    // One more than there are processors: there is always one that waits, for a process or for a clock.
    maxWorkers: availableParallelism() + 1,
    // Ten times what the longest needs, where nothing else is said: others may want the processors too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        // Examples that run here run on the source, not on what was last built.
        resolve: {
          alias: {
            'tunstack/core': new URL('src/portable.ts', import.meta.url).pathname,
            'tunstack/simulate': new URL('src/node/simulate.ts', import.meta.url).pathname,
          },
        },
        test: {
          name: 'virtual',
          include: ['test/**/*.test.ts'],
          exclude: [...ALONE, ...APART],
          // No module has state, so nothing is loaded anew for each file: less than half the time.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'apart',
          include: APART,
          exclude: ALONE,
          globalSetup: ['test/support/announce.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: ALONE, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
})
