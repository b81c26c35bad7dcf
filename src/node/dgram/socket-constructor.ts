// The `Socket` of one stack: a function and not a class, since programs inherit from it by `util.inherits` and `Socket.call(this)`.
// Checks the options, and makes a socket of whatever `this` is.

import type * as kernel from 'node:dgram'
import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import { BlockList } from 'node:net'
import { checkFunction, checkSignal, checkUint32 } from '../arguments.ts'
import { codedError, invalidArgType } from '../errors.ts'
import type { NetHost } from '../net/host.ts'
import { DgramSocket } from './socket.ts'
import { BindState, ConnectState, kState, type SocketState } from './socket-state.ts'
import { type RemoteInfo, UdpHandle } from './udp-handle.ts'

export interface DgramSocketOptions extends kernel.SocketOptions {
  /** Sockets that have it share a port, and the flows that come to it. */
  reusePort?: boolean
  /** Addresses from which nothing is heard. */
  receiveBlockList?: BlockList
  /** Addresses to which nothing is sent. */
  sendBlockList?: BlockList
}

export type MessageListener = (message: Buffer<ArrayBuffer>, from: RemoteInfo) => void

export interface DgramSocketConstructor {
  new (type: kernel.SocketType | DgramSocketOptions, listener?: MessageListener): DgramSocket
  (type: kernel.SocketType | DgramSocketOptions, listener?: MessageListener): DgramSocket
  readonly prototype: DgramSocket
}

type AnyLookup = (hostname: string, options: number, callback: (error: Error | null, address: never) => void) => void

export function socketConstructor(host: NetHost): DgramSocketConstructor {
  function Socket(this: unknown, given: unknown, listener?: unknown): DgramSocket | undefined {
    if (!(this instanceof EventEmitter))
      return new (Socket as unknown as DgramSocketConstructor)(given as never, listener as never)
    Reflect.apply(EventEmitter, this, [])
    begin(this as unknown as DgramSocket, host, given, listener)
    return undefined
  }
  Object.setPrototypeOf(Socket.prototype, DgramSocket.prototype)
  Object.setPrototypeOf(Socket, DgramSocket)
  return Socket as unknown as DgramSocketConstructor
}

function begin(socket: DgramSocket, host: NetHost, given: unknown, listener: unknown): void {
  const options = typeof given === 'object' && given !== null ? (given as DgramSocketOptions) : null
  const type = options === null ? (given as kernel.SocketType) : options.type
  checkOptions(options ?? {})
  const handle = newHandle(host, type, options?.lookup as AnyLookup | undefined)
  handle.owner = socket
  socket.type = type
  if (typeof listener === 'function') socket.on('message', listener as MessageListener)
  const state: SocketState = {
    handle,
    receiving: false,
    bindState: BindState.unbound,
    connectState: ConnectState.disconnected,
    queue: undefined,
    reuseAddr: options?.reuseAddr,
    reusePort: options?.reusePort,
    ipv6Only: options?.ipv6Only,
    recvBufferSize: options?.recvBufferSize,
    sendBufferSize: options?.sendBufferSize,
    receiveBlockList: options?.receiveBlockList,
    sendBlockList: options?.sendBlockList,
  }
  Object.defineProperty(socket, kState, { value: state })
  if (options?.signal !== undefined) closeWith(socket, options.signal)
  if (sockets.hasSubscribers) sockets.publish({ socket })
}

const sockets = channel('udp.socket')

function checkOptions({ recvBufferSize, sendBufferSize, ...options }: Partial<DgramSocketOptions>): void {
  if (recvBufferSize) checkUint32(recvBufferSize, 'options.recvBufferSize')
  if (sendBufferSize) checkUint32(sendBufferSize, 'options.sendBufferSize')
  for (const name of ['receiveBlockList', 'sendBlockList'] as const) {
    const list = options[name]
    if (list && !(list instanceof BlockList)) throw invalidArgType(`options.${name}`, ['net.BlockList'], list)
  }
}

export function newHandle(host: NetHost, type: unknown, given?: AnyLookup): UdpHandle {
  if (given !== undefined) checkFunction(given, 'lookup')
  if (type !== 'udp4' && type !== 'udp6') {
    const message = 'Bad socket type specified. Valid types are: udp4, udp6'
    throw codedError(TypeError, 'ERR_SOCKET_BAD_TYPE', message)
  }
  const isIpv6 = type === 'udp6'
  const lookup = given ?? (host.lookup as unknown as AnyLookup)
  const local = isIpv6 ? '::1' : '127.0.0.1'
  const family = isIpv6 ? 6 : 4
  return new UdpHandle(host, isIpv6, (address, callback) => lookup(address || local, family, callback))
}

function closeWith(socket: DgramSocket, signal: AbortSignal): void {
  checkSignal(signal, 'options.signal')
  const onAbort = () => {
    if (socket[kState].handle !== null) socket.close()
  }
  if (signal.aborted) {
    onAbort()
    return
  }
  signal.addEventListener('abort', onAbort, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', onAbort))
}
