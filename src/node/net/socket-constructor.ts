// The `Socket` of one stack: a function and not a class, since programs call it without `new`, extend it, and inherit from it by
// `util.inherits` and `Socket.call(this)`. Checks the options, and makes a socket of whatever `this` is.
import { channel } from 'node:diagnostics_channel'
import { Duplex, type DuplexOptions } from 'node:stream'
import { checkInt32, checkNumber } from '../arguments.ts'
import { codedError, invalidArgValue } from '../errors.ts'
import { kDefaults, kHost, kState } from './base-socket.ts'
import type { FamilyDefaults } from './families.ts'
import type { NetHost } from './host.ts'
import { StackSocket, takeHandle } from './socket.ts'
import { type OnRead, SocketState, toOnRead } from './socket-state.ts'
import { TcpHandle } from './tcp-handle.ts'

export interface SocketOptions extends DuplexOptions {
  allowHalfOpen?: boolean
  readable?: boolean
  writable?: boolean
  noDelay?: boolean
  keepAlive?: boolean
  keepAliveInitialDelay?: number
  onread?: OnRead
  signal?: AbortSignal
}

/** What only a server asks for. */
interface InnerOptions extends SocketOptions {
  handle?: unknown
  fd?: unknown
  pauseOnCreate?: boolean
  manualStart?: boolean
}

export interface SocketConstructor {
  new (options?: SocketOptions): StackSocket
  (options?: SocketOptions): StackSocket
  readonly prototype: StackSocket
}

export function socketConstructor(host: NetHost, defaults: FamilyDefaults): SocketConstructor {
  function Socket(this: unknown, given?: InnerOptions | number): StackSocket | undefined {
    if (!(this instanceof Socket)) return new (Socket as unknown as SocketConstructor)(given as SocketOptions)
    const options = checkOptions(given)
    const socket = this as unknown as StackSocket
    // A signal that is aborted already destroys the socket while its streams are made.
    prepare(socket, host, defaults, options)
    Reflect.apply(Duplex, this, [options])
    begin(socket, options)
    return undefined
  }
  Object.setPrototypeOf(Socket.prototype, StackSocket.prototype)
  Object.setPrototypeOf(Socket, StackSocket)
  return Socket as unknown as SocketConstructor
}

function checkOptions(given: InnerOptions | number | undefined): InnerOptions {
  const options: InnerOptions = typeof given === 'number' ? { fd: given } : { ...given }
  if (options.objectMode) throw invalidArgValue('options.objectMode', options.objectMode, 'is not supported')
  for (const name of ['readableObjectMode', 'writableObjectMode'] as const) {
    if (options[name]) throw invalidArgValue(`options.${name}`, options[name], 'is not supported')
  }
  const { keepAliveInitialDelay, fd, handle } = options
  if (keepAliveInitialDelay !== undefined) {
    checkNumber(keepAliveInitialDelay, 'options.keepAliveInitialDelay')
    if (keepAliveInitialDelay < 0) options.keepAliveInitialDelay = 0
  }
  if (fd !== undefined) {
    checkInt32(fd, 'fd', 0)
    throw codedError(TypeError, 'ERR_INVALID_FD_TYPE', 'Unsupported fd type: a userspace stack has no descriptors')
  }
  // Those of the kernel can be told by their number; what is only shaped like a handle is its maker's affair.
  if (handle && !(handle instanceof TcpHandle) && 'getAsyncId' in (handle as object)) {
    throw codedError(TypeError, 'ERR_INVALID_HANDLE_TYPE', 'This handle is not one of the stack')
  }
  options.allowHalfOpen = Boolean(options.allowHalfOpen)
  options.emitClose = false
  options.autoDestroy = true
  options.decodeStrings = false
  return options
}

type Making = { -readonly [Key in keyof StackSocket]: StackSocket[Key] }

function prepare(socket: StackSocket, host: NetHost, defaults: FamilyDefaults, options: InnerOptions): void {
  const state = new SocketState()
  state.onread = toOnRead(options.onread)
  state.isAborted = options.signal?.aborted ?? false
  state.noDelay = Boolean(options.noDelay)
  state.keepAlive = Boolean(options.keepAlive)
  state.keepAliveDelay = ~~(Number(options.keepAliveInitialDelay) / 1000)
  for (const [key, value] of [
    [kHost, host],
    [kDefaults, defaults],
    [kState, state],
  ] as const) {
    Object.defineProperty(socket, key, { value })
  }
  const making: Making = socket
  making.connecting = false
  making._handle = null
  making._host = null
  making._hadError = false
  making._parent = null
  making._pendingData = null
  making._pendingEncoding = ''
  making.server = null
  making._server = null
}

function begin(socket: StackSocket, options: InnerOptions): void {
  socket.on('end', onEnd)
  const handle = options.handle as TcpHandle | undefined
  if (!handle) return
  takeHandle(socket, handle)
  if (options.readable === false) return
  if (options.pauseOnCreate) {
    handle.readStop()
    ;(socket as unknown as { readableFlowing: boolean }).readableFlowing = false
  } else if (!options.manualStart) socket.read(0)
}

/** The peer has finished: whoever writes on shall learn why that can't be. */
function onEnd(this: StackSocket): void {
  if (!this.allowHalfOpen) this.write = writeAfterEnd
}

function writeAfterEnd(this: StackSocket, chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
  if (!this.writableEnded) return Reflect.apply(Duplex.prototype.write, this, [chunk, encoding, callback])
  const done = typeof encoding === 'function' ? encoding : callback
  const error = codedError(Error, 'EPIPE', 'This socket has been ended by the other party')
  if (typeof done === 'function') process.nextTick(done as (error: Error) => void, error)
  this.destroy(error)
  return false
}

export const clientSockets = channel('net.client.socket')
export const serverSockets = channel('net.server.socket')
