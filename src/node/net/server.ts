// `net.Server` on a stack: Node's methods, properties, events and defaults, and what Node lacks: `filter`, a server for every address and
// port of an interface, and `for await (const socket of server)`. Made by server-constructor, which checks the options.
import { channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'
import type { AddressInfo, BlockList } from 'node:net'
import type { ConnectionRequest } from '../../runtime/listen-endpoint.ts'
import { checkFunction } from '../arguments.ts'
import { codedError, type ErrorCode, errnoException, listenException } from '../errors.ts'
import { sortArguments } from './call-arguments.ts'
import { connectionsOf } from './connections.ts'
import { findInterface, type NetHost, type SocketName, textOf } from './host.ts'
import { checkListen, type ListenOptions, type ListenTarget } from './listen.ts'
import { ListenHandle } from './listen-handle.ts'
import type { StackSocket } from './socket.ts'
import { type SocketConstructor, serverSockets } from './socket-constructor.ts'
import type { TcpHandle } from './tcp-handle.ts'

export const kHost = Symbol('host')
export const kSocket = Symbol('Socket')
export const kFilter = Symbol('filter')

/** What a filter is asked about. */
export interface IncomingRequest {
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
}

export type Verdict = 'accept' | 'refuse' | 'drop'
export type Filter = (request: IncomingRequest) => Verdict | Promise<Verdict>

export class StackServer extends EventEmitter {
  declare readonly [kHost]: NetHost
  declare readonly [kSocket]: SocketConstructor
  declare [kFilter]: Filter | null
  declare allowHalfOpen: boolean
  declare pauseOnConnect: boolean
  declare noDelay: boolean
  declare keepAlive: boolean
  /** Seconds. */
  declare keepAliveInitialDelay: number
  declare highWaterMark: number
  declare blockList: BlockList | undefined
  declare maxConnections: number
  /** @deprecated `getConnections` counts. */
  declare connections: number
  declare [Symbol.asyncDispose]: () => Promise<void>
  declare _connections: number
  declare _handle: ListenHandle | null
  declare _unref: boolean
  declare _listeningId: number
  declare _connectionKey: string

  listen(options: ListenOptions, listener?: () => void): this
  listen(port?: number | string | null, host?: string, backlog?: number, listener?: () => void): this
  listen(port: number | string | null, host: string, listener?: () => void): this
  listen(port: number | string | null, backlog: number, listener?: () => void): this
  listen(port: number | string | null, listener?: () => void): this
  listen(listener?: () => void): this
  listen(...args: unknown[]): this
  listen(...args: unknown[]): this {
    if (this._handle !== null) {
      const message = 'Listen method has been called more than once without closing.'
      throw codedError(Error, 'ERR_SERVER_ALREADY_LISTEN', message)
    }
    const { target, callback, signal } = checkListen(args)
    if (callback !== null) this.once('listening', callback)
    if (signal !== undefined) closeWith(this, signal)
    publishListening(this, args)
    this[kHost].keyLog?.onServer(this)
    const id = ++this._listeningId
    const { host } = target
    if (!host) {
      this._listen2(null, target.port, 4, target)
      return this
    }
    this[kHost].lookup(host, {}, (error, address, family) => {
      if (id !== this._listeningId) return
      if (error) this.emit('error', error)
      else this._listen2(address as string, target.port, family ?? 4, target)
    })
    return this
  }

  /** Named as Node's, which some wrap. */
  _listen2(address: string | null, port: number, family: number, target: ListenTarget): void {
    const handle = open(this, address ?? '::', target)
    if (typeof handle === 'string') {
      const error = listenException(handle, 'listen', address ?? '::', port)
      if (listenErrors.hasSubscribers) listenErrors.publish({ server: this, error })
      process.nextTick(() => this.emit('error', error))
      return
    }
    handle.owner = this
    handle.onconnection = onConnection
    handle.onrequest = onRequest
    this._handle = handle
    this._connectionKey = `${address === null ? 6 : family}:${address ?? '::'}:${port}`
    if (this._unref) handle.unref()
    if (listenEnds.hasSubscribers) listenEnds.publish({ server: this })
    process.nextTick(() => {
      if (this._handle !== null) this.emit('listening')
    })
  }

  get listening(): boolean {
    return this._handle !== null
  }

  address(): AddressInfo | null {
    if (this._handle === null) return null
    const name: SocketName = {}
    this._handle.getsockname(name)
    return name as AddressInfo
  }

  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this._connections)
    return this
  }

  /**
   * Asked about every connection before any SYN-ACK goes out; it may take its time, up to ten seconds. Null for none any more;
   * who was asked about still waits for the answer. Where it fails the connection is refused, and the error is nobody's: it reaches `unhandledRejection`.
   */
  filter(filter: Filter | null): this {
    if (filter !== null) checkFunction(filter, 'filter')
    this[kFilter] = filter
    this._handle?.ask(filter !== null)
    return this
  }

  close(callback?: (error?: Error) => void): this {
    this._listeningId++
    if (typeof callback === 'function') {
      if (this._handle !== null) this.once('close', callback)
      else {
        const error = codedError(Error, 'ERR_SERVER_NOT_RUNNING', 'Server is not running.')
        this.once('close', () => callback(error))
      }
    }
    this._handle?.close()
    this._handle = null
    this._emitCloseIfDrained()
    return this
  }

  _emitCloseIfDrained(): void {
    if (this._handle !== null || this._connections > 0) return
    process.nextTick(() => this.emit('close'))
  }

  ref(): this {
    this._unref = false
    this._handle?.ref()
    return this
  }

  unref(): this {
    this._unref = true
    this._handle?.unref()
    return this
  }

  /** Every connection that comes, until the server is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<StackSocket> {
    return connectionsOf(this)
  }

  override [EventEmitter.captureRejectionSymbol](error: Error, event: string, socket: StackSocket): void {
    if (event === 'connection') socket.destroy(error)
    else this.emit('error', error)
  }
}

// By its description: Node 18.18 has the symbol, and so has whatever fills it in before.
const { asyncDispose = Symbol.for('nodejs.asyncDispose') } = Symbol as { asyncDispose?: symbol }
Object.defineProperty(StackServer.prototype, asyncDispose, {
  configurable: true,
  writable: true,
  async value(this: StackServer): Promise<void> {
    if (this._handle === null) return
    await new Promise<void>((resolve, reject) => this.close((error) => (error ? reject(error) : resolve())))
  },
})
Object.defineProperty(StackServer.prototype, 'listening', {
  ...(Object.getOwnPropertyDescriptor(StackServer.prototype, 'listening') as PropertyDescriptor),
  enumerable: true,
})

const listenStarts = channel('tracing:net.server.listen:asyncStart')
const listenEnds = channel('tracing:net.server.listen:asyncEnd')
const listenErrors = channel('tracing:net.server.listen:error')

function publishListening(server: StackServer, args: readonly unknown[]): void {
  if (listenStarts.hasSubscribers) listenStarts.publish({ server, options: sortArguments(args)[0] })
}

function open(server: StackServer, address: string, target: ListenTarget): ListenHandle | ErrorCode {
  const { [kHost]: host, [kFilter]: filter } = server
  const by = target.interface === undefined ? undefined : findInterface(host, target.interface)
  if (by === null) return 'ENODEV'
  const { port, backlog, ipv6Only, reusePort } = target
  const isAsking = filter !== null
  return ListenHandle.open(host, { address, port, interface: by, backlog, ipv6Only, reusePort, isAsking })
}

function closeWith(server: StackServer, signal: AbortSignal): void {
  const onAbort = () => void server.close()
  if (signal.aborted) {
    process.nextTick(onAbort)
    return
  }
  signal.addEventListener('abort', onAbort, { once: true })
  server.once('close', () => signal.removeEventListener('abort', onAbort))
}

function onConnection(this: ListenHandle, code: ErrorCode | null, handle: TcpHandle): void {
  const server = this.owner as StackServer
  if (code) {
    server.emit('error', errnoException(code, 'accept'))
    return
  }
  if (server.maxConnections && server._connections >= server.maxConnections) {
    server.emit('drop', namesOf(handle))
    handle.close()
    return
  }
  if (isBlocked(server, handle)) {
    handle.close()
    return
  }
  const options = {
    handle,
    allowHalfOpen: server.allowHalfOpen,
    pauseOnCreate: server.pauseOnConnect,
    readableHighWaterMark: server.highWaterMark,
    writableHighWaterMark: server.highWaterMark,
  }
  const socket = new server[kSocket](options)
  if (server.noDelay) socket.setNoDelay(true)
  if (server.keepAlive) socket.setKeepAlive(true, server.keepAliveInitialDelay * 1000)
  server._connections++
  socket.server = server
  socket._server = server
  server.emit('connection', socket)
  // What Node's TLS and HTTP/2 have put on top of it says when it ends; ending by itself it would cut off what they still write.
  if (!(server instanceof StackServer)) socket.allowHalfOpen = true
  if (serverSockets.hasSubscribers) serverSockets.publish({ socket })
}

/** What a 'drop' says. */
function namesOf(handle: TcpHandle): Record<string, unknown> {
  const local: SocketName = {}
  const remote: SocketName = {}
  handle.getsockname(local)
  handle.getpeername(remote)
  return {
    localAddress: local.address,
    localPort: local.port,
    localFamily: local.family,
    remoteAddress: remote.address,
    remotePort: remote.port,
    remoteFamily: remote.family,
  }
}

function isBlocked(server: StackServer, handle: TcpHandle): boolean {
  if (!server.blockList) return false
  const { address = '', family } = namesOfPeer(handle)
  return server.blockList.check(address, family === 'IPv6' ? 'ipv6' : 'ipv4')
}

function namesOfPeer(handle: TcpHandle): SocketName {
  const remote: SocketName = {}
  handle.getpeername(remote)
  return remote
}

function onRequest(this: ListenHandle, request: ConnectionRequest): void {
  const filter = (this.owner as StackServer)[kFilter]
  if (filter === null) {
    request.accept()
    return
  }
  void judge(filter, request, this.isMapped)
}

async function judge(filter: Filter, request: ConnectionRequest, isMapped: boolean): Promise<void> {
  let verdict: Verdict = 'refuse'
  try {
    const { localPort, remotePort } = request
    // As the socket will have them.
    const localAddress = textOf(request.localAddress, isMapped)
    const remoteAddress = textOf(request.remoteAddress, isMapped)
    verdict = await filter({ localAddress, localPort, remoteAddress, remotePort })
  } finally {
    if (verdict === 'accept') request.accept()
    else if (verdict === 'drop') request.drop()
    else request.refuse()
  }
}
