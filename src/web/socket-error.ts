// Why a socket of web streams is over, as a reason that can be read: what its promises reject with and its streams fail with.
import type { CloseReason, TcpError } from '../runtime/endpoint.ts'

/**
 * What a connection came to (`reset`, `refused`, `timedOut`, `hostUnreachable`…), why it could not even begin (`noRoute`, `addressInUse`…),
 * or: `notFound`, no address has this name; `ended`, nothing can be written after the peer's end; `closed`, we have closed it.
 */
export type SocketErrorCode = CloseReason | TcpError['reason'] | 'notFound' | 'ended' | 'closed'

/** A TypeError, as the streams' own errors and those of `fetch` are. */
export class SocketError extends TypeError {
  readonly code: SocketErrorCode

  constructor(code: SocketErrorCode, message: string = sentenceOf(code)) {
    super(`SocketError: ${message}`)
    this.name = 'SocketError'
    this.code = code
  }
}

const SENTENCES: Partial<Record<SocketErrorCode, string>> = {
  reset: 'the peer has reset the connection',
  refused: 'the peer has refused the connection',
  timedOut: 'the peer has not answered',
  networkUnreachable: 'no network leads to the peer',
  hostUnreachable: 'the peer cannot be reached',
  aborted: 'the connection was aborted',
  noBuffers: 'there is no memory left for the connection',
  protocolUnreachable: 'the peer does not speak TCP',
  ended: 'the peer has ended the connection',
  closed: 'the socket is closed',
}

function sentenceOf(code: SocketErrorCode): string {
  return SENTENCES[code] ?? code
}
