// The congestion controllers by the names that users give them.
import { bbr } from '../core/tcp/congestion/bbr.ts'
import type { CongestionFactory } from '../core/tcp/congestion/congestion.ts'
import { cubic } from '../core/tcp/congestion/cubic.ts'
import { reno } from '../core/tcp/congestion/reno.ts'

const CONTROLS: Readonly<Record<string, CongestionFactory>> = { reno, cubic, bbr }

export const CONGESTION_CONTROLS: readonly string[] = Object.keys(CONTROLS)

export function congestionControl(name: string): CongestionFactory | null {
  return Object.hasOwn(CONTROLS, name) ? CONTROLS[name] : null
}
