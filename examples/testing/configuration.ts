// How `npm run test:examples` runs the examples of testing: as a project of its own would, against the package by its name, and so what is built.
import { defineConfig } from 'vitest/config'

export default defineConfig({
  root: new URL('.', import.meta.url).pathname,
  test: { include: ['*.test.ts'], testTimeout: 60_000 },
})
