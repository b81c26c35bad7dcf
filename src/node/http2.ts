// `stack.http2`: Node's own module. Servers listen on a stack, `connect` opens a socket of the stack, in clear for `http:`, with TLS for `https:`.

import type http2 from 'node:http2'
import type {
  ClientHttp2Session,
  ClientSessionOptions,
  Http2SecureServer,
  Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  SecureClientSessionOptions,
  SecureServerOptions,
  ServerOptions,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { withMethods } from './derive.ts'
import { jsStreamSocket } from './js-stream.ts'
import type { OnStack } from './net/adopt.ts'
import { kHost } from './net/base-socket.ts'
import type { Connect } from './net/net.ts'
import type { StackSocket } from './net/socket.ts'

type Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void

export interface Http2 extends Omit<typeof http2, 'createServer' | 'createSecureServer'> {
  createServer(listener?: Listener): OnStack<Http2Server>
  createServer(options: ServerOptions, listener?: Listener): OnStack<Http2Server>
  createSecureServer(listener?: Listener): OnStack<Http2SecureServer>
  createSecureServer(options: SecureServerOptions, listener?: Listener): OnStack<Http2SecureServer>
}

type Options = (ClientSessionOptions | SecureClientSessionOptions) & { socket?: unknown; protocol?: string }

export function createHttp2(node: typeof http2, listening: object, connect: Connect): Http2 {
  // Node does not export their classes.
  const prototypes = new Map<object, object>()
  const adopt = <Server extends Http2Server | Http2SecureServer>(server: Server) => {
    const own = Object.getPrototypeOf(server)
    const prototype = prototypes.get(own) ?? withMethods(own, listening)
    prototypes.set(own, prototype)
    return Object.setPrototypeOf(server, prototype) as OnStack<Server>
  }
  return {
    ...node,
    createServer: (...args: unknown[]) => adopt(Reflect.apply(node.createServer, node, args)),
    createSecureServer: (...args: unknown[]) => adopt(Reflect.apply(node.createSecureServer, node, args)),
    connect(authority: string | URL, ...rest: unknown[]): ClientHttp2Session {
      const [given, listener] = typeof rest[0] === 'function' ? [{}, rest[0]] : rest
      const options = (given ?? {}) as Options
      if (options.createConnection || options.socket) return node.connect(authority, options, listener as () => void)
      const [below, how] = socketTo(connect, authority, options)
      const session = node.connect(authority, { ...options, ...how }, listener as () => void)
      // It ends when what is above has ended, and not before.
      below.allowHalfOpen = true
      if ('socket' in how) below[kHost].keyLog?.onClient(session.socket as TLSSocket)
      return session
    },
  } as Http2
}

/** Node runs TLS over a socket that it is given; in clear it wants to be given the way to one. */
function socketTo(connect: Connect, authority: string | URL, options: Options): [StackSocket, Options] {
  const { protocol, hostname, port } = typeof authority === 'string' ? new URL(authority) : authority
  const isClear = (protocol || options.protocol) === 'http:'
  const host = hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost'
  const below = connect({ ...(options as object), host, port: port || (isClear ? 80 : 443) })
  return [below, isClear ? { createConnection: () => jsStreamSocket(below) } : { socket: below }]
}
