// The `Server` of one stack: a function and not a class, since programs call it without `new` and inherit from it. Checks the options.
import { EventEmitter } from 'node:events'
import type { BlockList } from 'node:net'
import { getDefaultHighWaterMark } from 'node:stream'
import { checkNumber } from '../arguments.ts'
import { invalidArgType } from '../errors.ts'
import type { NetHost } from './host.ts'
import { kFilter, kHost, kSocket, StackServer } from './server.ts'
import type { StackSocket } from './socket.ts'
import type { SocketConstructor } from './socket-constructor.ts'

export interface ServerOptions {
  allowHalfOpen?: boolean
  pauseOnConnect?: boolean
  noDelay?: boolean
  keepAlive?: boolean
  keepAliveInitialDelay?: number
  highWaterMark?: number
  blockList?: BlockList
}

export type ConnectionListener = (socket: StackSocket) => void

export interface ServerConstructor {
  new (options?: ServerOptions | ConnectionListener, listener?: ConnectionListener): StackServer
  (options?: ServerOptions | ConnectionListener, listener?: ConnectionListener): StackServer
  readonly prototype: StackServer
}

export function serverConstructor(host: NetHost, Socket: SocketConstructor): ServerConstructor {
  function Server(this: unknown, given?: unknown, listener?: unknown): StackServer | undefined {
    if (!(this instanceof Server)) {
      return new (Server as unknown as ServerConstructor)(given as ServerOptions, listener as ConnectionListener)
    }
    Reflect.apply(EventEmitter, this, [])
    begin(this as unknown as StackServer, host, Socket, given, listener)
    return undefined
  }
  Object.setPrototypeOf(Server.prototype, StackServer.prototype)
  Object.setPrototypeOf(Server, StackServer)
  return Server as unknown as ServerConstructor
}

function begin(server: StackServer, host: NetHost, Socket: SocketConstructor, given: unknown, listener: unknown): void {
  const onConnection = typeof given === 'function' ? given : listener
  if (typeof given !== 'function' && typeof given !== 'object' && given !== undefined) {
    throw invalidArgType('options', ['Object'], given)
  }
  const options = checkOptions(typeof given === 'function' ? {} : { ...(given as ServerOptions | null) })
  for (const [key, value] of [
    [kHost, host],
    [kSocket, Socket],
  ] as const) {
    Object.defineProperty(server, key, { value })
  }
  Object.defineProperty(server, kFilter, { value: null, writable: true })
  if (typeof onConnection === 'function') server.on('connection', onConnection as ConnectionListener)
  server._connections = 0
  server._handle = null
  server._unref = false
  server._listeningId = 1
  server.allowHalfOpen = options.allowHalfOpen || false
  server.pauseOnConnect = Boolean(options.pauseOnConnect)
  server.noDelay = Boolean(options.noDelay)
  server.keepAlive = Boolean(options.keepAlive)
  server.keepAliveInitialDelay = ~~(Number(options.keepAliveInitialDelay) / 1000)
  server.highWaterMark = options.highWaterMark ?? getDefaultHighWaterMark(false)
  if (options.blockList) server.blockList = options.blockList
}

function checkOptions(options: ServerOptions): ServerOptions {
  const { keepAliveInitialDelay, highWaterMark } = options
  if (keepAliveInitialDelay !== undefined) {
    checkNumber(keepAliveInitialDelay, 'options.keepAliveInitialDelay')
    if (keepAliveInitialDelay < 0) options.keepAliveInitialDelay = 0
  }
  if (highWaterMark !== undefined) {
    checkNumber(highWaterMark, 'options.highWaterMark')
    if (highWaterMark < 0) options.highWaterMark = getDefaultHighWaterMark(false)
  }
  return options
}
