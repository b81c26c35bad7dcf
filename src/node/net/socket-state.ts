// What a socket remembers beside its streams: what was asked of it before it had a handle, and what its last one came to.
import type { CongestionFactory } from '../../core/tcp/congestion/congestion.ts'
import type { SocketName } from './host.ts'
import type { IdleTimer } from './idle-timer.ts'

/** A socket's own memory, for reading into and being told. */
export interface OnRead {
  buffer: Uint8Array | (() => Uint8Array)
  /** Called with the socket as `this`. */
  callback(length: number, buffer: Uint8Array): boolean | undefined
}

export class SocketState {
  noDelay = false
  keepAlive = false
  /** Seconds. */
  keepAliveDelay = 0
  isCorked = false
  userTimeout: number | null = null
  congestionControl: string | CongestionFactory | null = null
  onread: OnRead | null = null
  /** Where the next octets go, with `onread`. */
  buffer: Uint8Array | null = null
  idle: IdleTimer | null = null
  isResetting = false
  /** Its signal was aborted before it began: it never connects. */
  isAborted = false
  peername: SocketName | null = null
  sockname: SocketName | null = null
  /** Of a handle that is closed. */
  bytesRead = 0
  bytesWritten = 0
}

export function toOnRead(value: unknown): OnRead | null {
  if (typeof value !== 'object' || value === null) return null
  const { buffer, callback } = value as Partial<OnRead>
  const hasBuffer = buffer instanceof Uint8Array || typeof buffer === 'function'
  return hasBuffer && typeof callback === 'function' ? (value as OnRead) : null
}
