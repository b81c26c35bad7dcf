// `describe` for tests that need a real TUN device in a namespace: skipped, with the reason in its name, where that can't be had.
import { describe } from 'vitest'
import { whyNoAddon } from './addon.ts'
import { privileged } from './namespace.ts'

/** A sentence that says what is missing; null where there is all. */
export function whyNotOnKernel(): string | null {
  const { granted, reason } = privileged()
  return granted ? whyNoAddon() : reason
}

export function describeOnKernel(name: string, tests: () => void): void {
  const reason = whyNotOnKernel()
  if (reason === null) describe(name, tests)
  else describe.skip(`${name} (skipped: ${reason})`, tests)
}
