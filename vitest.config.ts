// Two projects: what runs anywhere and in virtual time, side by side; and what needs a real kernel or Node's own device,
// one file after another, since several floods at once would measure each other.
import { defineConfig } from 'vitest/config'

const KERNEL = ['test/linux/**/*.test.ts', 'test/node/**/*.test.ts']

export default defineConfig({
  test: {
    environment: 'node',
    pool: 'forks',
    testTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: { name: 'virtual', include: ['test/**/*.test.ts'], exclude: KERNEL, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: 'linux',
          include: KERNEL,
          globalSetup: ['test/support/announce.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
