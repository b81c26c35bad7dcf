// An ICMP error reaches a connection (RFC 9293 §3.9.2.2, RFC 5461, RFC 5927). It counts only if it quotes something that is in flight;
// then a hard error ends an open that is still waiting, and nothing else: no stranger shall end a connection by a guess.
import { type IcmpError, IcmpErrorKind } from '../ip/icmp-error.ts'
import { Count } from '../observer.ts'
import { close } from './closing/close.ts'
import { type ControlBlock, Wake } from './control-block.ts'
import { lessThan } from './sequence.ts'
import { Reason, type ReasonNumber, State } from './state.ts'

/** Whether the quoted packet is one of ours (RFC 5927 §4.1): SND.UNA =< SEQ < SND.NXT. */
export function isQuoted(cb: ControlBlock, error: IcmpError): boolean {
  return cb.state !== State.closed && !lessThan(error.sequence, cb.sndUna) && lessThan(error.sequence, cb.sndNxt)
}

/** MUST-54: the error is about a segment in flight of this connection. */
export function receiveUnreachable(cb: ControlBlock, error: IcmpError): void {
  const reason = reasonOf(error.kind)
  if (reason === Reason.none) return
  if (cb.state === State.synSent || cb.state === State.synReceived) {
    // SHLD-26: a hard error ends it. Differs: from MUST-56, soft ones too, since nothing is established yet and another address
    // can be tried at once (RFC 5461 §4); as Linux.
    cb.shared.counters.values[Count.tcpFailedAttempts]++
    close(cb, reason)
    return
  }
  // MUST-56. Differs: from SHLD-26, not even a hard error ends an established connection, since an attacker can forge it (RFC 5927 §5.2);
  // as Linux. SHLD-25, MUST-47: the user is told.
  cb.softReason = reason
  cb.wakes |= Wake.trouble
}

function reasonOf(kind: number): ReasonNumber {
  switch (kind) {
    case IcmpErrorKind.networkUnreachable:
      return Reason.networkUnreachable
    case IcmpErrorKind.hostUnreachable:
    case IcmpErrorKind.prohibited:
    case IcmpErrorKind.timeExceeded:
      return Reason.hostUnreachable
    case IcmpErrorKind.portUnreachable:
      return Reason.refused
    case IcmpErrorKind.protocolUnreachable:
      return Reason.protocolUnreachable
    default:
      return Reason.none
  }
}
