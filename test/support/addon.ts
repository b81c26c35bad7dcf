// Where there is no addon, since there is no compiler: what needs it is skipped, and what goes on without it says so once in every process.
import { addonFault, findAddon } from '../../src/node/addon.ts'
import { hasCommand } from './tunstack.ts'

/** Flags of Node for a process that shall print nothing but what it was asked for. */
export function quietly(): string[] {
  return findAddon() === null ? ['--disable-warning=TUNSTACK_NO_ADDON'] : []
}

/** A sentence where it can't be built here; null where it is there, or should be. */
export function whyNoAddon(): string | null {
  if (findAddon() !== null || ['python3', 'make', 'g++'].every(hasCommand)) return null
  return addonFault()
}
