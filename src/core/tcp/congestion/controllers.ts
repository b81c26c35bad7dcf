// The congestion controllers by the names that users give them.
import { bbr } from './bbr.ts'
import type { CongestionFactory } from './congestion.ts'
import { cubic } from './cubic.ts'
import { reno } from './reno.ts'

/** A name, or a controller of the user's own. */
export type CongestionChoice = 'cubic' | 'reno' | 'bbr' | CongestionFactory

const CONTROLLERS: Readonly<Record<string, CongestionFactory>> = Object.freeze({ cubic, reno, bbr })

/** Null where there is none of that name. */
export function controllerOf(choice: string | CongestionFactory): CongestionFactory | null {
  if (typeof choice !== 'string') return choice
  return Object.hasOwn(CONTROLLERS, choice) ? CONTROLLERS[choice] : null
}

export function controllerNames(): string[] {
  return Object.keys(CONTROLLERS)
}
