// `dgram.Socket` on a stack: Node's methods, events, checks and errors. Made by socket-constructor, which checks the options.
import type * as kernel from 'node:dgram'
import { EventEmitter } from 'node:events'
import { type AddressInfo, isIP } from 'node:net'
import { deprecate, promisify } from 'node:util'
import { checkNumber, checkPeerPort, checkString } from '../arguments.ts'
import { bufferSizeError, codedError, exceptionOf, missingArgument, type SystemErrorInfo } from '../errors.ts'
import { type BindOptions, bindSocket } from './bind.ts'
import { isConnectedError, type SendArguments, type Sendable, type SendCallback, sortSend } from './send-arguments.ts'
import type { SendRequest } from './send-requests.ts'
import { BindState, ConnectState, kState, type SocketState } from './socket-state.ts'
import type { UdpHandle } from './udp-handle.ts'

export class DgramSocket extends EventEmitter implements kernel.Socket {
  declare readonly [kState]: SocketState
  declare type: kernel.SocketType
  declare [Symbol.asyncDispose]: () => Promise<void>

  bind(port?: number, address?: string, callback?: () => void): this
  bind(port?: number, callback?: () => void): this
  bind(callback?: () => void): this
  bind(options: BindOptions, callback?: () => void): this
  bind(...args: unknown[]): this
  bind(...args: unknown[]): this {
    checkRunning(this)
    bindSocket(this, args)
    return this
  }

  connect(port: number, address?: string, callback?: () => void): void
  connect(port: number, callback: () => void): void
  connect(given: unknown, second?: unknown, third?: unknown): void {
    const port = checkPeerPort(given)
    const callback = (typeof second === 'function' ? second : third) as (() => void) | undefined
    const address = typeof second === 'function' || second === undefined ? '' : second
    checkString(address, 'address')
    const state = this[kState]
    if (state.connectState !== ConnectState.disconnected) throw isConnectedError()
    state.connectState = ConnectState.connecting
    if (state.bindState === BindState.unbound) this.bind({ port: 0, exclusive: true }, null as never)
    whenBound(this, () => connect(this, port, address, callback))
  }

  disconnect(): void {
    const state = this[kState]
    if (state.connectState !== ConnectState.connected) throw notConnected()
    check((state.handle as UdpHandle).disconnect(), 'connect')
    state.connectState = ConnectState.disconnected
  }

  /** @deprecated `send` takes the same. */
  sendto(data: Sendable, offset: number, length: number, port: number, address: string, callback?: SendCallback): void {
    checkNumber(offset, 'offset')
    checkNumber(length, 'length')
    checkNumber(port, 'port')
    checkString(address, 'address')
    this.send(data, offset, length, port, address, callback)
  }

  send(data: Sendable | readonly unknown[], port?: number, address?: string, callback?: SendCallback): void
  send(data: Sendable | readonly unknown[], port?: number, callback?: SendCallback): void
  send(data: Sendable | readonly unknown[], callback?: SendCallback): void
  send(data: Sendable, offset: number, length: number, port?: number, address?: string, callback?: SendCallback): void
  send(data: Sendable, offset: number, length: number, port?: number, callback?: SendCallback): void
  send(data: Sendable, offset: number, length: number, callback?: SendCallback): void
  send(...args: unknown[]): void {
    const state = this[kState]
    const isConnected = state.connectState === ConnectState.connected
    const sorted = sortSend(args, isConnected)
    checkRunning(this)
    if (state.bindState === BindState.unbound) this.bind({ port: 0, exclusive: true }, null as never)
    if (state.bindState !== BindState.bound) {
      const { parts, port, address, callback } = sorted
      whenBound(this, () => Reflect.apply(this.send, this, [parts, port, address, callback]))
    } else if (isConnected) send(this, sorted, null, null)
    else {
      const handle = state.handle as UdpHandle
      handle.lookup(sorted.address as string, (error, address) => send(this, sorted, error, address))
    }
  }

  close(callback?: () => void): this {
    const state = this[kState]
    if (typeof callback === 'function') this.on('close', callback)
    if (state.queue !== undefined) {
      state.queue.push(() => this.close())
      return this
    }
    const handle = checkRunning(this)
    stopReceiving(state)
    handle.close()
    state.handle = null
    process.nextTick(() => this.emit('close'))
    return this
  }

  address(): AddressInfo {
    const name = {}
    check(checkRunning(this).getsockname(name), 'getsockname')
    return name as AddressInfo
  }

  remoteAddress(): AddressInfo {
    const handle = checkRunning(this)
    if (this[kState].connectState !== ConnectState.connected) throw notConnected()
    const name = {}
    check(handle.getpeername(name), 'getpeername')
    return name as AddressInfo
  }

  // What goes on at a closed socket fails as in Node, on the handle that is no more.

  setBroadcast(isOn: boolean): void {
    check((this[kState].handle as UdpHandle).setBroadcast(isOn ? 1 : 0), 'setBroadcast')
  }

  setTTL(hops: number): number {
    checkNumber(hops, 'ttl')
    check((this[kState].handle as UdpHandle).setTTL(hops), 'setTTL')
    return hops
  }

  setMulticastTTL(hops: number): number {
    checkNumber(hops, 'ttl')
    check((this[kState].handle as UdpHandle).setMulticastTTL(hops), 'setMulticastTTL')
    return hops
  }

  setMulticastLoopback(isOn: boolean): boolean {
    check((this[kState].handle as UdpHandle).setMulticastLoopback(isOn ? 1 : 0), 'setMulticastLoopback')
    return isOn
  }

  setMulticastInterface(address: string): void {
    const handle = checkRunning(this)
    checkString(address, 'interfaceAddress')
    check(handle.setMulticastInterface(address), 'setMulticastInterface')
  }

  addMembership(group: string, by?: string): void {
    const handle = checkRunning(this)
    if (!group) throw missingArgument('multicastAddress')
    check(handle.addMembership(group, by), 'addMembership')
  }

  dropMembership(group: string, by?: string): void {
    const handle = checkRunning(this)
    if (!group) throw missingArgument('multicastAddress')
    check(handle.dropMembership(group, by), 'dropMembership')
  }

  addSourceSpecificMembership(source: string, group: string, by?: string): void {
    const handle = checkRunning(this)
    checkString(source, 'sourceAddress')
    checkString(group, 'groupAddress')
    check(handle.addSourceSpecificMembership(source, group, by), 'addSourceSpecificMembership')
  }

  dropSourceSpecificMembership(source: string, group: string, by?: string): void {
    const handle = checkRunning(this)
    checkString(source, 'sourceAddress')
    checkString(group, 'groupAddress')
    check(handle.dropSourceSpecificMembership(source, group, by), 'dropSourceSpecificMembership')
  }

  setRecvBufferSize(size: number): void {
    bufferSize(this, size, true)
  }

  setSendBufferSize(size: number): void {
    bufferSize(this, size, false)
  }

  getRecvBufferSize(): number {
    return bufferSize(this, 0, true)
  }

  getSendBufferSize(): number {
    return bufferSize(this, 0, false)
  }

  getSendQueueSize(): number {
    return (this[kState].handle as UdpHandle).getSendQueueSize()
  }

  getSendQueueCount(): number {
    return (this[kState].handle as UdpHandle).getSendQueueCount()
  }

  ref(): this {
    this[kState].handle?.ref()
    return this
  }

  unref(): this {
    this[kState].handle?.unref()
    return this
  }
}

// By its description: Node 18.18 has the symbol, and so has whatever fills it in before.
const { asyncDispose = Symbol.for('nodejs.asyncDispose') } = Symbol as { asyncDispose?: symbol }
Object.defineProperty(DgramSocket.prototype, asyncDispose, {
  configurable: true,
  writable: true,
  async value(this: DgramSocket): Promise<void> {
    if (this[kState].handle !== null) await promisify(this.close).call(this)
  },
})

// Node's older names for what was never meant for others, which warn.
const DEPRECATED = { _handle: 'handle', _receiving: 'receiving', _bindState: 'bindState', _queue: 'queue' } as const
for (const [name, of] of Object.entries({ ...DEPRECATED, _reuseAddr: 'reuseAddr' } as const)) {
  const message = `Socket.prototype.${name} is deprecated`
  Object.defineProperty(DgramSocket.prototype, name, {
    configurable: true,
    get: deprecate(
      function (this: DgramSocket) {
        return this[kState][of]
      },
      message,
      'DEP0112',
    ),
    set: deprecate(
      function (this: DgramSocket, value: never) {
        ;(this[kState] as unknown as Record<string, unknown>)[of] = value
      },
      message,
      'DEP0112',
    ),
  })
}
const METHODS: Record<string, (socket: DgramSocket) => void> = {
  _healthCheck: checkRunning,
  _stopReceiving: (socket) => stopReceiving(socket[kState]),
}
for (const [name, method] of Object.entries(METHODS)) {
  const value = function (this: DgramSocket) {
    method(this)
  }
  const message = `Socket.prototype.${name}() is deprecated`
  Object.defineProperty(DgramSocket.prototype, name, { value: deprecate(value, message, 'DEP0112'), writable: true })
}

export function checkRunning(socket: DgramSocket): UdpHandle {
  const { handle } = socket[kState]
  if (handle) return handle
  throw codedError(Error, 'ERR_SOCKET_DGRAM_NOT_RUNNING', 'Not running')
}

function notConnected(): Error {
  return codedError(Error, 'ERR_SOCKET_DGRAM_NOT_CONNECTED', 'Not connected')
}

function check(errno: number, syscall: string): void {
  if (errno !== 0) throw exceptionOf(errno, syscall)
}

function stopReceiving(state: SocketState): void {
  if (!state.receiving) return
  state.handle?.recvStop()
  state.receiving = false
}

export function bufferSize(socket: DgramSocket, size: number, isReceive: boolean): number {
  if (size >>> 0 !== size) {
    throw codedError(TypeError, 'ERR_SOCKET_BAD_BUFFER_SIZE', 'Buffer size must be a positive integer')
  }
  const problem: Partial<SystemErrorInfo> = {}
  const result = (socket[kState].handle as UdpHandle).bufferSize(size, isReceive, problem)
  if (result === undefined) throw bufferSizeError(problem as SystemErrorInfo)
  return result
}

/** At once where the socket is bound; else when it is, in order, and never where that fails. */
function whenBound(socket: DgramSocket, call: () => void): void {
  const state = socket[kState]
  if (state.bindState === BindState.bound) {
    call()
    return
  }
  if (state.queue === undefined) {
    state.queue = []
    socket.once(EventEmitter.errorMonitor, onBindError)
    socket.once('listening', onBound)
  }
  state.queue.push(call)
}

function onBound(this: DgramSocket): void {
  this.removeListener(EventEmitter.errorMonitor, onBindError)
  const state = this[kState]
  const { queue = [] } = state
  state.queue = undefined
  for (const call of queue) call()
}

function onBindError(this: DgramSocket): void {
  this.removeListener('listening', onBound)
  this[kState].queue = undefined
}

function connect(socket: DgramSocket, port: number, name: string, callback: (() => void) | undefined): void {
  const state = socket[kState]
  if (callback) socket.once('connect', callback)
  const handle = state.handle as UdpHandle
  handle.lookup(name, (failed, address) => {
    if (!state.handle) return
    let error = failed ?? whyBlocked(state, address)
    if (!error) {
      const errno = state.handle.connect(address, port)
      if (errno !== 0) error = exceptionOf(errno, 'connect', name, port)
    }
    state.connectState = error ? ConnectState.disconnected : ConnectState.connected
    process.nextTick(() => {
      if (!error) socket.emit('connect')
      else if (callback) {
        socket.removeListener('connect', callback)
        ;(callback as (error: Error) => void)(error)
      } else socket.emit('error', error)
    })
  })
}

function whyBlocked({ sendBlockList }: SocketState, address: string | null): Error | null {
  if (!sendBlockList || address === null || !sendBlockList.check(address, `ipv${isIP(address) as 4 | 6}`)) return null
  return codedError(Error, 'ERR_IP_BLOCKED', `IP(${address}) is blocked by net.BlockList`)
}

/** `to` is null for the connected peer. An error that is nobody's is lost where the octets could not be sent, as in Node. */
function send(socket: DgramSocket, sorted: SendArguments, failed: Error | null, to: string | null): void {
  const { parts, port, address, callback } = sorted
  const state = socket[kState]
  const error = failed ?? whyBlocked(state, to)
  if (error) {
    process.nextTick(() => (callback ? (callback as (error: Error) => void)(error) : socket.emit('error', error)))
    return
  }
  if (!state.handle) return
  const request: SendRequest = { list: parts, address, port }
  if (callback) {
    request.callback = callback
    request.oncomplete = onSent
  }
  const answer =
    port === null
      ? state.handle.send(request, parts, parts.length, Boolean(callback))
      : state.handle.send(request, parts, parts.length, port, to as string)
  if (!callback || answer === 0) return
  if (answer > 0) process.nextTick(callback, null, answer - 1)
  else process.nextTick(callback as (error: Error) => void, exceptionOf(answer, 'send', address, port))
}

function onSent(this: SendRequest, errno: number, size: number): void {
  const error = errno === 0 ? null : exceptionOf(errno, 'send', this.address, this.port)
  this.callback?.(error, size)
}
