// Two projects: what runs anywhere and in virtual time, side by side; and what needs a real kernel or Node's own device,
// one file after another, since several floods at once would measure each other.
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const KERNEL = ['test/linux/**/*.test.ts', 'test/node/**/*.test.ts']

export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    // Of two processors vitest would leave one to itself, which has little to do.
    maxWorkers: Math.max(2, availableParallelism() - 1),
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
          exclude: KERNEL,
          // No module has state, so nothing is loaded anew for each file: less than half the time.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'linux',
          include: KERNEL,
          globalSetup: ['test/support/announce.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
