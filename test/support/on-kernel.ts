// `describe` for tests that need a real TUN device in a namespace: skipped, with the reason in its name, where that can't be had.
import { release } from 'node:os'
import { describe } from 'vitest'
import { whyNoAddon } from './addon.ts'
import { privileged } from './namespace.ts'

/** A sentence that says what is missing; null where there is all. */
export function whyNotOnKernel(): string | null {
  const { granted, reason } = privileged()
  return granted ? whyNoAddon() : reason
}

/** `since`: the first version of Linux that has what is tested, '6.3'. */
export function describeOnKernel(name: string, tests: () => void, since = '0'): void {
  const reason = whyNotOnKernel() ?? (isOlderThan(since) ? `Linux ${release()} is older than ${since}` : null)
  if (reason === null) describe(name, tests)
  else describe.skip(`${name} (skipped: ${reason})`, tests)
}

function isOlderThan(version: string): boolean {
  return release().localeCompare(version, 'en', { numeric: true }) < 0
}
