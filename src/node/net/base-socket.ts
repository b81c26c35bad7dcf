// What a socket says of itself: its state, names and figures. StackSocket adds what it does.
import type { SocketReadyState } from 'node:net'
import { Duplex } from 'node:stream'
import type { FamilyDefaults } from './families.ts'
import type { NetHost, SocketName } from './host.ts'
import type { SocketState } from './socket-state.ts'
import type { TcpHandle } from './tcp-handle.ts'

/** What a socket has of its stack and of its past. */
export const kState = Symbol('state')
export const kHost = Symbol('host')
export const kDefaults = Symbol('defaults')

export type Chunks = readonly { chunk: Uint8Array | string; encoding: BufferEncoding }[]

/** What a socket knows of the server that accepted it. */
export interface AcceptingServer {
  _connections: number
  _emitCloseIfDrained(): void
}

export class BaseSocket extends Duplex {
  declare readonly [kHost]: NetHost
  declare readonly [kDefaults]: FamilyDefaults
  declare readonly [kState]: SocketState
  declare connecting: boolean
  declare timeout: number | undefined
  declare server: AcceptingServer | null
  declare autoSelectFamilyAttemptedAddresses: string[]
  declare _handle: TcpHandle | null
  declare _server: AcceptingServer | null
  declare _host: string | null
  declare _hadError: boolean
  declare _parent: null
  declare _pendingData: unknown
  declare _pendingEncoding: string

  get pending(): boolean {
    return this._handle === null || this.connecting
  }

  get _connecting(): boolean {
    return this.connecting
  }

  get readyState(): SocketReadyState {
    if (this.connecting) return 'opening'
    if (this.readable) return this.writable ? 'open' : 'readOnly'
    return this.writable ? 'writeOnly' : 'closed'
  }

  // Names.

  address(): SocketName {
    return this._getsockname()
  }

  _getsockname(): SocketName {
    const state = this[kState]
    if (this._handle === null) return {}
    if (state.sockname === null) {
      state.sockname = {}
      this._handle.getsockname(state.sockname)
    }
    return state.sockname
  }

  _getpeername(): SocketName {
    const state = this[kState]
    if (this._handle === null || this.connecting) return state.peername ?? {}
    if (state.peername === null) {
      state.peername = {}
      this._handle.getpeername(state.peername)
    }
    return state.peername
  }

  get localAddress(): string | undefined {
    return this._getsockname().address
  }

  get localPort(): number | undefined {
    return this._getsockname().port
  }

  get localFamily(): string | undefined {
    return this._getsockname().family
  }

  get remoteAddress(): string | undefined {
    return this._getpeername().address
  }

  get remotePort(): number | undefined {
    return this._getpeername().port
  }

  get remoteFamily(): string | undefined {
    return this._getpeername().family
  }

  // Figures.

  get bytesRead(): number {
    return this._handle?.bytesRead ?? this[kState].bytesRead
  }

  get _bytesDispatched(): number {
    return this._handle?.bytesWritten ?? this[kState].bytesWritten
  }

  /** What was written, sent or not. */
  get bytesWritten(): number {
    const waiting = (this as unknown as { writableBuffer?: Chunks }).writableBuffer
    // Node's own shape: nothing on a prototype, which has no streams.
    if (!waiting) return undefined as unknown as number
    return this._bytesDispatched + lengthOf(waiting, '') + lengthOf(this._pendingData, this._pendingEncoding)
  }

  get bufferSize(): number {
    return this._handle === null ? (undefined as unknown as number) : this.writableLength
  }
}

// Node's are found by `for … in` on a socket; so are these.
for (const name of ['bytesRead', 'remoteAddress', 'remoteFamily', 'remotePort', 'localAddress', 'localPort']) {
  const descriptor = Object.getOwnPropertyDescriptor(BaseSocket.prototype, name) as PropertyDescriptor
  Object.defineProperty(BaseSocket.prototype, name, { ...descriptor, enumerable: true })
}

function lengthOf(data: unknown, encoding: string): number {
  if (!data) return 0
  if (typeof data === 'string') return Buffer.byteLength(data, encoding as BufferEncoding)
  if (data instanceof Uint8Array) return data.length
  let length = 0
  for (const { chunk, encoding: of } of data as Chunks) length += lengthOf(chunk, of)
  return length
}
