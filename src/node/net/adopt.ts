// Node's other servers (http, https, tls, http2) are `net.Server`s: with the stack's methods in the place of the kernel's they listen on a
// stack, and everything above a connection stays Node's. What counts connections and closes is the same in both.
import type { Server } from 'node:net'
import type { NetHost } from './host.ts'
import type { ListenOptions } from './listen.ts'
import { type Filter, kFilter, kHost, kSocket, StackServer } from './server.ts'
import type { SocketConstructor } from './socket-constructor.ts'

/** What a stack's server has beyond Node's. */
export interface StackListening {
  listen(options: ListenOptions, listener?: () => void): this
  /** Asked about every connection before any SYN-ACK goes out. Set it before `listen`. */
  filter(filter: Filter | null): this
}

/** A server of Node's that listens on a stack. */
export type OnStack<NodeServer extends Server> = NodeServer & StackListening

/** What such a server takes from the stack's; the rest, `close` before all, is Node's. */
const TAKEN = ['listen', '_listen2', 'address', 'getConnections', 'ref', 'unref', 'filter', '_emitCloseIfDrained']

export function listeningMethods(host: NetHost, Socket: SocketConstructor): object {
  const methods = {}
  for (const name of TAKEN) {
    Object.defineProperty(methods, name, Object.getOwnPropertyDescriptor(StackServer.prototype, name) as object)
  }
  Object.defineProperty(methods, kHost, { value: host })
  Object.defineProperty(methods, kSocket, { value: Socket })
  Object.defineProperty(methods, kFilter, { value: null, writable: true })
  return methods
}
