// TCP's states by the names of RFC 9293 §3.3.2, for people.
import { State } from '../core/tcp/state.ts'

/** UDP sockets are UNCONNECTED or ESTABLISHED, as `ss` has them. */
export type StateName =
  | 'LISTEN'
  | 'SYN-SENT'
  | 'SYN-RECEIVED'
  | 'ESTABLISHED'
  | 'FIN-WAIT-1'
  | 'FIN-WAIT-2'
  | 'CLOSE-WAIT'
  | 'CLOSING'
  | 'LAST-ACK'
  | 'TIME-WAIT'
  | 'CLOSED'
  | 'UNCONNECTED'

const STATE_NAMES: Record<number, StateName> = {
  [State.established]: 'ESTABLISHED',
  [State.synSent]: 'SYN-SENT',
  [State.synReceived]: 'SYN-RECEIVED',
  [State.finWait1]: 'FIN-WAIT-1',
  [State.finWait2]: 'FIN-WAIT-2',
  [State.timeWait]: 'TIME-WAIT',
  [State.closed]: 'CLOSED',
  [State.closeWait]: 'CLOSE-WAIT',
  [State.lastAck]: 'LAST-ACK',
  [State.listen]: 'LISTEN',
  [State.closing]: 'CLOSING',
}

export function stateName(state: number): StateName {
  return STATE_NAMES[state] ?? 'CLOSED'
}
