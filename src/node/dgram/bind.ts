// What `bind` may be given: `([port[, address]][, callback])` or `(options[, callback])`. Descriptors and handles of the kernel are none
// of a stack's; a handle of a stack is taken as it is.
import type * as kernel from 'node:dgram'
import type { EventEmitter } from 'node:events'
import { codedError, exceptionOf } from '../errors.ts'
import { BindState, kState, type SocketState } from './socket-state.ts'
import { BindFlag, type RemoteInfo, UdpHandle } from './udp-handle.ts'

/** `exclusive` changes nothing: sockets of a stack are not shared between processes. */
export type BindOptions = kernel.BindOptions

/** What it asks of the socket. */
interface Binding extends EventEmitter {
  close(): unknown
  readonly [kState]: SocketState
  readonly type: string
  setRecvBufferSize(size: number): void
  setSendBufferSize(size: number): void
}

export function bindSocket(socket: Binding, args: readonly unknown[]): void {
  const state = socket[kState]
  if (state.bindState !== BindState.unbound) {
    throw codedError(Error, 'ERR_SOCKET_ALREADY_BOUND', 'Socket is already bound')
  }
  state.bindState = BindState.binding
  const callback = args.at(-1)
  if (typeof callback === 'function') tellOnce(socket, callback as () => void)
  const [first, second] = args
  const options = typeof first === 'object' && first !== null ? (first as BindOptions) : null
  if (options !== null && 'recvStart' in options) {
    takeHandle(socket, options)
    return
  }
  if (Number.isInteger(options?.fd) && (options?.fd as number) > 0) {
    throw codedError(TypeError, 'ERR_INVALID_FD_TYPE', 'Unsupported fd type: a userspace stack has no descriptors')
  }
  const port = options === null ? first : options.port
  const asked = options === null ? (typeof second === 'function' ? '' : second) : options.address
  const name = (asked || (socket.type === 'udp4' ? '0.0.0.0' : '::')) as string
  state.handle?.lookup(name, (error, address) => {
    if (!state.handle) return
    const errno = error ? 0 : state.handle.bind(address, Number(port || 0) >>> 0, flagsOf(state))
    if (!error && errno === 0) {
      startListening(socket)
      return
    }
    state.bindState = BindState.unbound
    socket.emit('error', error ?? exceptionOf(errno, 'bind', address, port as number))
  })
}

/** Called once the socket listens; not at all where an error comes first. */
function tellOnce(socket: EventEmitter, callback: () => void): void {
  const forget = () => {
    socket.removeListener('error', forget)
    socket.removeListener('listening', onListening)
  }
  const onListening = () => {
    forget()
    Reflect.apply(callback, socket, [])
  }
  socket.on('error', forget)
  socket.on('listening', onListening)
}

function flagsOf({ reuseAddr, reusePort, ipv6Only }: SocketState): number {
  return (
    (reuseAddr ? BindFlag.reuseAddress : 0) | (reusePort ? BindFlag.reusePort : 0) | (ipv6Only ? BindFlag.ipv6Only : 0)
  )
}

function takeHandle(socket: Binding, handle: unknown): void {
  if (!(handle instanceof UdpHandle)) {
    throw codedError(TypeError, 'ERR_INVALID_HANDLE_TYPE', 'This handle is not one of a stack')
  }
  const state = socket[kState]
  const old = state.handle as UdpHandle
  if (!old.hasRef()) handle.unref()
  handle.lookup = old.lookup
  handle.owner = socket
  old.close()
  state.handle = handle
  startListening(socket)
}

function startListening(socket: Binding): void {
  const state = socket[kState]
  const handle = state.handle as UdpHandle
  handle.onmessage = onMessage
  handle.onerror = onError
  handle.recvStart()
  state.receiving = true
  state.bindState = BindState.bound
  if (state.recvBufferSize) socket.setRecvBufferSize(state.recvBufferSize)
  if (state.sendBufferSize) socket.setSendBufferSize(state.sendBufferSize)
  socket.emit('listening')
}

function onMessage(size: number, handle: UdpHandle, octets?: Buffer, from?: RemoteInfo): void {
  const socket = handle.owner as Binding
  if (size < 0) {
    socket.emit('error', exceptionOf(size, 'recvmsg'))
    return
  }
  const { receiveBlockList } = socket[kState]
  if (receiveBlockList && from && receiveBlockList.check(from.address, from.family === 'IPv4' ? 'ipv4' : 'ipv6')) return
  socket.emit('message', octets, from)
}

function onError(_size: number, handle: UdpHandle, error: Error): void {
  ;(handle.owner as Binding).emit('error', error)
}
