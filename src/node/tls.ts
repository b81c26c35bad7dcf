// `stack.tls`: Node's own module over a stack's sockets. `connect` opens a socket of the stack and lets Node's TLS run on it.

import type tls from 'node:tls'
import type { Server, TLSSocket, TlsOptions } from 'node:tls'
import { derive } from './derive.ts'
import { connectWith } from './js-stream.ts'
import type { OnStack } from './net/adopt.ts'
import { kHost } from './net/base-socket.ts'
import { sortArguments } from './net/call-arguments.ts'
import type { Connect } from './net/net.ts'
import type { StackSocket } from './net/socket.ts'

type ConnectionListener = (socket: TLSSocket) => void

export interface Tls extends Omit<typeof tls, 'createServer'> {
  createServer(listener?: ConnectionListener): OnStack<Server>
  createServer(options: TlsOptions, listener?: ConnectionListener): OnStack<Server>
}

export function createTls(node: typeof tls, listening: object, connect: Connect): Tls {
  const Server = derive(node.Server, listening)
  return {
    ...node,
    Server,
    createServer: (...args: unknown[]) => Reflect.construct(Server, args),
    connect: (...args: unknown[]) => {
      const [options, callback] = sortArguments(args)
      // `(port[, host][, options][, callback])`
      const more = args.slice(1, 3).find((one) => typeof one === 'object' && one !== null)
      return secure(node, connect, { ...options, ...more }, callback)
    },
  } as Tls
}

function secure(
  node: typeof tls,
  connect: Connect,
  options: tls.ConnectionOptions,
  callback: ((...args: unknown[]) => void) | null,
): TLSSocket {
  if (options.socket) return node.connect(options, callback ?? undefined)
  const below = connect({ ...options, timeout: undefined, signal: undefined } as Parameters<Connect>[0])
  const socket = settle(node.connect({ ...options, socket: below }, callback ?? undefined), below)
  if (options.timeout) socket.setTimeout(options.timeout)
  return socket
}

/** TLS on a socket that is still connecting. */
export function settle(socket: TLSSocket, below: StackSocket): TLSSocket {
  // It ends when TLS has ended, and not before.
  below.allowHalfOpen = true
  connectWith(socket, below)
  below[kHost].keyLog?.onClient(socket)
  return socket
}
