// `autoSelectFamily`: what a stack's sockets do where they are not told, which begins as Node's own default does.
import * as net from 'node:net'
import { checkBoolean, checkInt32 } from '../arguments.ts'

/** Milliseconds; less would give up before an answer can be there. */
const LEAST_TIMEOUT = 10

export class FamilyDefaults {
  autoSelectFamily = net.getDefaultAutoSelectFamily()
  attemptTimeout = net.getDefaultAutoSelectFamilyAttemptTimeout()

  setAutoSelectFamily(value: unknown): void {
    checkBoolean(value, 'value')
    this.autoSelectFamily = value
  }

  setAttemptTimeout(value: unknown): void {
    checkInt32(value, 'value', 1)
    this.attemptTimeout = Math.max(value, LEAST_TIMEOUT)
  }

  /** What an option asks for, or the default. */
  select(value: unknown): boolean {
    if (value === undefined || value === null) return this.autoSelectFamily
    checkBoolean(value, 'options.autoSelectFamily')
    return value
  }

  timeout(value: unknown): number {
    if (value === undefined || value === null) return this.attemptTimeout
    checkInt32(value, 'options.autoSelectFamilyAttemptTimeout', 1)
    return Math.max(value, LEAST_TIMEOUT)
  }
}
