// `stack.net`: what `node:net` exports, on one stack. Addresses, lists of them and their checks are pure, and are Node's own.
import { BlockList, isIP, isIPv4, isIPv6, SocketAddress } from 'node:net'
import { sortArguments } from './call-arguments.ts'
import type { ConnectOptions } from './connect.ts'
import { FamilyDefaults } from './families.ts'
import type { NetHost } from './host.ts'
import type { StackServer } from './server.ts'
import {
  type ConnectionListener,
  type ServerConstructor,
  type ServerOptions,
  serverConstructor,
} from './server-constructor.ts'
import type { StackSocket } from './socket.ts'
import { clientSockets, type SocketConstructor, type SocketOptions, socketConstructor } from './socket-constructor.ts'

export interface Connect {
  (options: SocketOptions & ConnectOptions, listener?: () => void): StackSocket
  (port: number | string, host: string, listener?: () => void): StackSocket
  (port: number | string, listener?: () => void): StackSocket
  (...args: unknown[]): StackSocket
}

export interface Net {
  readonly Socket: SocketConstructor
  readonly Server: ServerConstructor
  /** Node's older name for `Socket`. */
  readonly Stream: SocketConstructor
  readonly BlockList: typeof BlockList
  readonly SocketAddress: typeof SocketAddress
  readonly isIP: typeof isIP
  readonly isIPv4: typeof isIPv4
  readonly isIPv6: typeof isIPv6
  readonly connect: Connect
  readonly createConnection: Connect
  createServer(options?: ServerOptions | ConnectionListener, listener?: ConnectionListener): StackServer
  getDefaultAutoSelectFamily(): boolean
  setDefaultAutoSelectFamily(value: boolean): void
  getDefaultAutoSelectFamilyAttemptTimeout(): number
  setDefaultAutoSelectFamilyAttemptTimeout(value: number): void
  /** @internal */
  _normalizeArgs(args: readonly unknown[]): unknown[]
  /** @internal */
  _setSimultaneousAccepts(): void
}

export function createNet(host: NetHost): Net {
  const defaults = new FamilyDefaults()
  const Socket = socketConstructor(host, defaults)
  const Server = serverConstructor(host, Socket)
  let hasWarned = false
  const connect = (...args: unknown[]): StackSocket => {
    const sorted = sortArguments(args)
    const socket = new Socket(sorted[0])
    if (clientSockets.hasSubscribers) clientSockets.publish({ socket })
    if (sorted[0].timeout) socket.setTimeout(sorted[0].timeout)
    return socket.connect(sorted)
  }
  return {
    Socket,
    Server,
    Stream: Socket,
    BlockList,
    SocketAddress,
    isIP,
    isIPv4,
    isIPv6,
    connect,
    createConnection: connect,
    createServer: (options, listener) => new Server(options, listener),
    getDefaultAutoSelectFamily: () => defaults.autoSelectFamily,
    setDefaultAutoSelectFamily: (value) => defaults.setAutoSelectFamily(value),
    getDefaultAutoSelectFamilyAttemptTimeout: () => defaults.attemptTimeout,
    setDefaultAutoSelectFamilyAttemptTimeout: (value) => defaults.setAttemptTimeout(value),
    _normalizeArgs: sortArguments,
    _setSimultaneousAccepts() {
      const message = 'net._setSimultaneousAccepts() is deprecated and will be removed.'
      if (!hasWarned) process.emitWarning(message, 'DeprecationWarning', 'DEP0121')
      hasWarned = true
    },
  }
}
