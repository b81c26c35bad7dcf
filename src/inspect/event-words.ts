// Events of TCP in the words of a page: why a segment was sent, and what brought about a change of state.
import type { SentEvent, StateEvent } from '../runtime/events.ts'
import type { StateName } from '../runtime/state-name.ts'
import { describeCause, describeSent } from './describe-cause.ts'

/** Why a segment was sent: in a few words, in a sentence, and where an RFC asks for it (empty where none does). */
export interface SentReason {
  readonly text: string
  readonly section: string
  readonly explanation: string
}

export interface ChangeOfState {
  /** Milliseconds of the stack's clock. */
  readonly at: number
  readonly from: StateName
  readonly to: StateName
  readonly cause: string
}

export function reasonOf(event: SentEvent): SentReason {
  const { section, explanation } = describeCause(event.cause)
  return { text: describeSent(event), section, explanation }
}

export function changeOf(event: StateEvent): ChangeOfState {
  const { time, from, to } = event
  return { at: time, from, to, cause: causeOf(event) }
}

function causeOf({ to, segment, reason }: StateEvent): string {
  if (segment !== null) return `${segment.flags} came`
  if (to === 'SYN-SENT') return 'the application connects'
  if (to === 'FIN-WAIT-1' || to === 'LAST-ACK') return 'the application has finished'
  return reason === 'none' ? '' : spelledOut(reason)
}

/** `timedOut` → `timed out`. */
function spelledOut(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
