// `net.Socket` on a stack: a Duplex over a handle, with Node's methods, properties, events, defaults and errors, and what Node lacks.
// Octets are pushed as they come, in slices of at most 64 kB; a reader that stops closes the peer's window, a writer that outruns
// the peer waits for 'drain'. No constructor here: socket-constructor makes them, so that `Socket()` works without `new`.
import type { SocketConnectOpts } from 'node:net'
import type { CongestionFactory } from '../../core/tcp/congestion/congestion.ts'
import { controllerNames } from '../../core/tcp/congestion/controllers.ts'
import type { TcpInfo } from '../../core/tcp/tcp-info.ts'
import type { EventQueue, EventsOptions } from '../../runtime/event-queue.ts'
import { checkNumber } from '../arguments.ts'
import { codedError, type ErrorCode, errnoException, invalidArgValue } from '../errors.ts'
import { BaseSocket, type Chunks, kDefaults, kHost, kState } from './base-socket.ts'
import { sortArguments } from './call-arguments.ts'
import { type ConnectingSocket, type ConnectOptions, connectSocket, noPipes } from './connect.ts'
import { setIdleTimeout } from './idle-timer.ts'
import { TcpHandle } from './tcp-handle.ts'

type WriteCallback = (error?: Error | null) => void

export class StackSocket extends BaseSocket implements ConnectingSocket {
  // Opening.

  connect(options: ConnectOptions | SocketConnectOpts, listener?: () => void): this
  connect(port: number | string, host: string, listener?: () => void): this
  connect(port: number | string, listener?: () => void): this
  connect(...args: unknown[]): this
  connect(...args: unknown[]): this {
    const [options, callback] = sortArguments(args)
    if (callback !== null) this.once('connect', callback)
    if (options.port === undefined && (options.path === undefined || options.path === null)) {
      const message = 'The "options" or "port" or "path" argument must be specified'
      throw codedError(TypeError, 'ERR_MISSING_ARGS', message)
    }
    if (options.path) throw noPipes(options.path)
    if (this[kState].isAborted) return this
    if (this.write !== StackSocket.prototype.write) this.write = StackSocket.prototype.write
    if (this.destroyed) this._handle = null
    if (this._handle === null) takeHandle(this, new TcpHandle(this[kHost]))
    this._unrefTimer()
    this.connecting = true
    connectSocket(this, this[kHost], this[kDefaults], options)
    return this
  }

  _replaceHandle(handle: TcpHandle): void {
    this._handle?.close()
    joinHandle(this, handle)
  }

  _onConnected(): void {
    this.connecting = false
    this[kState].sockname = null
    this._unrefTimer()
    applySettings(this)
    this.emit('connect')
    this.emit('ready')
    if (!this.isPaused()) this.read(0)
  }

  // Reading.

  override _read(size: number): void {
    const handle = this._handle
    if (this.connecting || handle === null) this.once('connect', () => this._read(size))
    else if (!handle.reading) handle.readStart()
  }

  override read(size?: number): unknown {
    restart(this)
    return super.read(size)
  }

  override resume(): this {
    restart(this)
    return super.resume()
  }

  override pause(): this {
    if (this[kState].onread !== null && !this.connecting && this._handle?.reading) this._handle.readStop()
    return super.pause()
  }

  // Writing.

  override _write(chunk: Uint8Array | string, encoding: BufferEncoding, callback: WriteCallback): void {
    writeAll(this, chunk, encoding, () => [toBytes(chunk, encoding)], callback)
  }

  override _writev(chunks: Chunks, callback: WriteCallback): void {
    writeAll(this, chunks, '', () => chunks.map(({ chunk, encoding }) => toBytes(chunk, encoding)), callback)
  }

  override _final(callback: WriteCallback): void {
    if (this.pending) this.once('connect', () => this._final(callback))
    else this._handle?.shutdown(() => callback())
  }

  // Closing.

  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', this.destroy)
  }

  resetAndDestroy(): this {
    if (this._handle === null) this.destroy(codedError(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed'))
    else if (this.connecting) this.once('connect', () => this._reset())
    else this._reset()
    return this
  }

  _reset(): this {
    this[kState].isResetting = true
    return this.destroy()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.connecting = false
    const state = this[kState]
    state.idle?.stop()
    state.idle = null
    const handle = this._handle
    if (handle === null) {
      callback(error)
      process.nextTick(() => this.emit('close'))
    } else {
      const closed = () => this.emit('close', error !== null)
      state.bytesRead = handle.bytesRead
      state.bytesWritten = handle.bytesWritten
      if (state.isResetting) handle.reset(closed)
      else handle.close(closed)
      state.isResetting = false
      this._handle = null
      state.sockname = null
      callback(error)
    }
    const server = this._server
    if (server === null) return
    server._connections--
    server._emitCloseIfDrained()
  }

  // Waiting.

  setTimeout(milliseconds: number, callback?: () => void): this {
    if (this.destroyed) return this
    this.timeout = milliseconds
    const state = this[kState]
    state.idle = setIdleTimeout(this, this[kHost].driver.time, state.idle, milliseconds, callback)
    return this
  }

  /** Something has happened: whoever waits for quiet waits anew. */
  _unrefTimer(): void {
    this[kState].idle?.refresh()
  }

  _onTimeout(): void {
    this.emit('timeout')
  }

  ref(): this {
    if (this._handle === null) this.once('connect', this.ref)
    else this._handle.ref()
    return this
  }

  unref(): this {
    if (this._handle === null) this.once('connect', this.unref)
    else this._handle.unref()
    return this
  }

  // Options.

  setNoDelay(enable?: boolean): this {
    const state = this[kState]
    const isOn = enable === undefined || Boolean(enable)
    const isNew = isOn !== state.noDelay
    state.noDelay = isOn
    if (isNew) this._handle?.setNoDelay?.(isOn)
    return this
  }

  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    const state = this[kState]
    const isOn = Boolean(enable)
    const delay = ~~(Number(initialDelay) / 1000)
    const isNew = isOn !== state.keepAlive || (isOn && delay !== state.keepAliveDelay)
    state.keepAlive = isOn
    state.keepAliveDelay = delay
    if (isNew) this._handle?.setKeepAlive?.(isOn, delay)
    return this
  }

  /** TCP_CORK: while it is on only whole segments leave, for 200 ms at most. */
  setCork(enable = true): this {
    this[kState].isCorked = enable
    this._handle?.endpoint?.setCork(enable)
    return this
  }

  /** TCP_USER_TIMEOUT: how many milliseconds octets may wait for their acknowledgment before the connection is given up; 0 for no limit of its own. */
  setUserTimeout(milliseconds: number): this {
    checkNumber(milliseconds, 'milliseconds')
    this[kState].userTimeout = milliseconds
    this._handle?.endpoint?.setUserTimeout(milliseconds)
    return this
  }

  /** TCP_CONGESTION: by its name, or one of the user's own. */
  setCongestionControl(name: string | CongestionFactory): this {
    if (typeof name !== 'function' && !controllerNames().includes(name)) throw invalidArgValue('name', name)
    this[kState].congestionControl = name
    this._handle?.endpoint?.setCongestionControl(name)
    return this
  }

  /** TCP_INFO; null before there is a connection, and after it. */
  /** What TCP does for this connection from now on; null while there is none. */
  events(options?: EventsOptions): EventQueue | null {
    return this._handle?.endpoint?.events(options) ?? null
  }

  tcpInfo(): TcpInfo | null {
    return this._handle?.endpoint?.info() ?? null
  }
}

/** The handle becomes the socket's, whose streams begin anew. */
export function takeHandle(socket: StackSocket, handle: TcpHandle): void {
  ;(socket as unknown as { _undestroy(): void })._undestroy()
  joinHandle(socket, handle)
}

/** Differs: Node begins anew with each address that it tries, and forgets with the second one that the socket was ended, so that it hangs. */
function joinHandle(socket: StackSocket, handle: TcpHandle): void {
  const state = socket[kState]
  socket._handle = handle
  state.sockname = null
  state.peername = null
  handle.owner = socket
  handle.onoctets = onRead
  handle.onprogress = onProgress
  if (state.onread === null) return
  const { buffer } = state.onread
  state.buffer = typeof buffer === 'function' ? buffer() : buffer
  handle.useBuffer(() => state.buffer)
}

/** What was asked for before there was a connection. */
function applySettings({ [kState]: state, _handle: handle }: StackSocket): void {
  if (handle === null) return
  if (state.noDelay) handle.setNoDelay(true)
  if (state.keepAlive) handle.setKeepAlive(true, state.keepAliveDelay)
  if (state.isCorked) handle.endpoint?.setCork(true)
  if (state.userTimeout !== null) handle.endpoint?.setUserTimeout(state.userTimeout)
  if (state.congestionControl !== null) handle.endpoint?.setCongestionControl(state.congestionControl)
}

function onProgress(this: TcpHandle): void {
  ;(this.owner as unknown as StackSocket)._unrefTimer()
}

function onRead(this: TcpHandle, bytes: Uint8Array | null, length: number, code: ErrorCode | null): void {
  const socket = this.owner as unknown as StackSocket
  socket._unrefTimer()
  if (socket.destroyed) return
  if (bytes !== null) {
    if (!handOver(socket, bytes, length) && this.reading) this.readStop()
  } else if (code !== null) socket.destroy(errnoException(code, 'read'))
  else if (!socket.readableEnded) {
    socket.push(null)
    socket.read(0)
  }
}

/** Says whether there may be more. */
function handOver(socket: StackSocket, bytes: Uint8Array, length: number): boolean {
  const state = socket[kState]
  if (state.onread === null) return socket.push(bytes)
  const wantsMore = state.onread.callback.call(socket, length, bytes) !== false
  const { buffer } = state.onread
  const next = typeof buffer === 'function' ? buffer() : null
  if (next instanceof Uint8Array) state.buffer = next
  return wantsMore
}

/** With memory of the user's own nothing lies in the stream, which would ask for more. */
function restart({ [kState]: state, connecting, _handle: handle }: StackSocket): void {
  if (state.onread !== null && !connecting && handle !== null && !handle.reading) handle.readStart()
}

/** What is written before there is a connection waits for it, and blocks what comes after. */
function writeAll(
  socket: StackSocket,
  data: unknown,
  encoding: string,
  bytes: () => Uint8Array[],
  callback: WriteCallback,
): void {
  if (socket.connecting) {
    socket._pendingData = data
    socket._pendingEncoding = encoding
    const onClose = () => callback(closedBefore())
    socket.once('connect', () => {
      socket.off('close', onClose)
      writeAll(socket, data, encoding, bytes, callback)
    })
    socket.once('close', onClose)
    return
  }
  socket._pendingData = null
  socket._pendingEncoding = ''
  const handle = socket._handle
  if (handle === null) {
    callback(codedError(Error, 'ERR_SOCKET_CLOSED', 'Socket is closed'))
    return
  }
  socket._unrefTimer()
  handle.write(bytes(), (code) => callback(code === null || socket.destroyed ? null : errnoException(code, 'write')))
}

function closedBefore(): Error {
  const message = 'Socket closed before the connection was established'
  return codedError(Error, 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION', message)
}

function toBytes(chunk: Uint8Array | string, encoding: BufferEncoding): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
}
