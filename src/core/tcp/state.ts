// The states of a connection (RFC 9293 §3.3.2), numbered as Linux's tcp_info numbers them, and what may be done in each.
// TIME-WAIT is a record of its own (closing/time-wait), LISTEN is a listener, half-open requests are records: no control block has them,
// but their numbers stand here for those who show them.

export const State = {
  established: 1,
  synSent: 2,
  synReceived: 3,
  finWait1: 4,
  finWait2: 5,
  timeWait: 6,
  closed: 7,
  closeWait: 8,
  lastAck: 9,
  listen: 10,
  closing: 11,
} as const

export type StateNumber = (typeof State)[keyof typeof State]

/** ESTABLISHED or a later one: the handshake is done, and the connection is not over. */
export function isSynchronized(state: StateNumber): boolean {
  return state !== State.closed && state !== State.listen && state !== State.synSent && state !== State.synReceived
}

/** RFC 9293 §3.10.2: SEND is taken, at once or queued. */
export function maySend(state: StateNumber): boolean {
  return (
    state === State.established || state === State.closeWait || state === State.synSent || state === State.synReceived
  )
}

/** RFC 9293 §3.10.7.4, seventh: the peer may still send text. */
export function mayReceive(state: StateNumber): boolean {
  return state === State.established || state === State.finWait1 || state === State.finWait2
}

/** Our own FIN is sent, or as good as sent. */
export function hasFinished(state: StateNumber): boolean {
  return (
    state === State.finWait1 ||
    state === State.finWait2 ||
    state === State.closing ||
    state === State.lastAck ||
    state === State.timeWait
  )
}

/** Why a connection is over; the runtime gives it the platform's name for it. */
export const Reason = {
  none: 0,
  /** The peer sent RST. */
  reset: 1,
  /** The peer answered our SYN with RST. */
  refused: 2,
  /** Too many retransmissions, keep-alive probes or window probes without an answer. */
  timedOut: 3,
  networkUnreachable: 4,
  hostUnreachable: 5,
  /** We aborted it. */
  aborted: 6,
  noBuffers: 7,
  protocolUnreachable: 8,
} as const

export type ReasonNumber = (typeof Reason)[keyof typeof Reason]
