// Who may look at what the server tells of itself, at /metrics and on the dashboard: networks, those of the host side unless told.
import { peerFilter } from '../index.ts'
import type { Options } from './options.ts'
import { usageError } from './output.ts'

export interface Allowed {
  /** Networks; null for those of the hosts that the devices lead to. */
  readonly allow: readonly string[] | null
}

/** Null where `--no-NAME` was given; otherwise what `--NAME-allow` says. */
export function readAllowed(options: Options, name: 'dashboard' | 'metrics'): Allowed | null {
  if (options.isOff(name)) return null
  const allow = options.list(`${name}-allow`)
  try {
    peerFilter(allow, [])
  } catch (error) {
    throw usageError(`--${name}-allow is a list of networks: ${(error as Error).message}.`)
  }
  return { allow }
}
