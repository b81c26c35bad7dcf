// `describe` for tests that need a real TUN device in a namespace: skipped, with the reason in its name, where that can't be had.
import { describe } from 'vitest'
import { privileged } from './namespace.ts'

export function describeOnKernel(name: string, tests: () => void): void {
  const { granted, reason } = privileged()
  if (granted) describe(name, tests)
  else describe.skip(`${name} (skipped: ${reason})`, tests)
}
