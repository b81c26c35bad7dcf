// One connection of a simulated host under a socket of Node's own: `net.Socket`, and TLS, HTTP/2 and the HTTP parser, which ask for a
// handle of Node's core. It is one of those, JSStream, with what a kernel's TCP handle has beside it. Node does all the rest: names,
// happy eyeballs, errors, events. Wakes come from the driver's turn, and after each hand-over ticks and promises run dry, as in Node.
import { AsyncResource } from 'node:async_hooks'
import { Socket } from 'node:net'
import { setImmediate } from 'node:timers'
import { parseAddress, unspecified } from '../../core/ip/address.ts'
import type { Owner } from '../../core/ready.ts'
import { connect, type Endpoint, TcpError } from '../../runtime/endpoint.ts'
import { stateName } from '../../runtime/state-name.ts'
import { CODE_OF_REASON, CODE_OF_RESULT, type ErrorCode, errnoException, errnoOf } from '../errors.ts'
import { reachable, whyNotBound } from '../net/bind.ts'
import { fillName, type SocketName } from '../net/host.ts'
import { PendingWrite } from '../net/pending-write.ts'
import { binding, type ConnectRequest, type JsStream, symbolOf } from './bindings.ts'
import { drainBetween, type SocketOwner } from './hand-over.ts'
import { drain, fromRoot, type Holding, type Scope } from './scope.ts'

/** The most octets that one hand-over brings: as libuv's reads. */
const LARGEST_READ = 65_536

/** As libuv, where a delay is given. */
const KEEP_ALIVE_INTERVAL = 1000
const KEEP_ALIVE_PROBES = 10

const { JSStream } = binding('js_stream')

export class HostedTcp extends JSStream implements Owner, Holding {
  /** The TLS socket above, where that stands on another socket. */
  tlsOwner: SocketOwner | null = null
  /** When its peer began what it is saying now: it had the word since. */
  askedAt: number
  readonly scope: Scope
  readonly #resource = new AsyncResource('TCPWRAP')
  /** Its socket is one of IPv6, whatever the addresses. */
  readonly #isMapped: boolean
  #endpoint: Endpoint | null = null
  #local: { address: string; port: number } | null = null
  #connecting: { request: ConnectRequest; resource: AsyncResource } | null = null
  #writes: { request: object; write: PendingWrite }[] = []
  #shutdown: object | null = null
  #wantsOctets = false
  #isRef = true
  #isClosed = false
  /** The end, or an error, has been told. */
  #isEnded = false
  /** We have had the last word. */
  #hasAnswered = true
  /** The program is done with it: what is left is for TCP to do. */
  #hasFinished = false

  constructor(scope: Scope, isMapped = false) {
    super()
    // Node asks for it before anything has set it.
    this.reading = false
    this.scope = scope
    this.askedAt = scope.time.now()
    this.#isMapped = isMapped
    scope.holdings.add(this)
  }

  static accepted(scope: Scope, endpoint: Endpoint, isMapped: boolean): HostedTcp {
    const handle = fromRoot(scope, () => new HostedTcp(scope, isMapped))
    handle.#take(endpoint)
    return handle
  }

  #take(endpoint: Endpoint): void {
    this.#endpoint = endpoint
    endpoint.onOpen = () => this.#connected(0)
    endpoint.onReadable = () => this.#onReadable()
    endpoint.onWritable = () => this.#onWritable()
    endpoint.onClose = () => this.#onClose()
    endpoint.connection.owner = this
  }

  wake(): void {
    const endpoint = this.#endpoint
    if (endpoint === null) return
    try {
      endpoint.wake()
    } finally {
      // What has not been told yet, as when a handler threw, is told in the next turn.
      if (this.#wantsOctets && !this.#isEnded && (endpoint.readable > 0 || endpoint.isAtEnd)) endpoint.wakeAgain()
    }
  }

  /** By its symbol, which handles of Node's have of their own. */
  get #owner(): SocketOwner | undefined {
    return (this as unknown as Record<symbol, SocketOwner>)[ownerSymbol()]
  }

  // Opening.

  /** Takes effect with `connect`. */
  bind(address: string, port: number): number {
    const { stack } = this.scope.host!
    const code = whyNotBound(stack.core, address, port)
    if (code === null) this.#local = { address, port }
    return code === null ? 0 : errnoOf(code)
  }

  bind6(address: string, port: number): number {
    return this.bind(address, port)
  }

  connect(request: ConnectRequest, address: string, port: number): number {
    const remote = parseAddress(address)
    if (remote === null) return errnoOf('EINVAL')
    const own = this.#local === null ? null : parseAddress(this.#local.address)
    if (own !== null && own.isIpv4 !== remote.isIpv4) return errnoOf('EINVAL')
    if (this.scope.isOver) return errnoOf('ENETUNREACH')
    const { core, driver } = this.scope.host!.stack
    this.#connecting = { request, resource: new AsyncResource('TCPCONNECTWRAP') }
    if (port === 0) {
      // Nobody listens there.
      setImmediate(() => this.#connected(errnoOf('ECONNREFUSED')))
      return 0
    }
    try {
      const options = { address: reachable(remote), port, localAddress: own ?? undefined, localPort: this.#local?.port }
      this.#take(connect(core.tcp, driver, options))
    } catch (error) {
      this.#connecting = null
      // As the kernel, which has made a socket by now.
      this.#local ??= { address: remote.isIpv4 ? '0.0.0.0' : '::', port: 0 }
      if (!(error instanceof TcpError)) throw error
      if (error.reason === 'noRoute') this.scope.host!.noWay(address)
      return errnoOf(error.reason === 'addressInUse' ? 'EADDRNOTAVAIL' : CODE_OF_RESULT[error.reason])
    }
    return 0
  }

  connect6(request: ConnectRequest, address: string, port: number): number {
    return this.connect(request, address, port)
  }

  #connected(status: number): void {
    const connecting = this.#connecting
    if (connecting === null || this.#isClosed) return
    this.#connecting = null
    const { request, resource } = connecting
    if (request.oncomplete) {
      resource.runInAsyncScope(request.oncomplete, request, status, this, request, true, true)
    }
    drain()
  }

  // Reading.

  onreadstart(): number {
    this.#wantsOctets = true
    const endpoint = this.#endpoint
    if (endpoint !== null && !this.#isEnded && (endpoint.readable > 0 || endpoint.isAtEnd)) endpoint.wakeAgain()
    return 0
  }

  onreadstop(): number {
    this.#wantsOctets = false
    return 0
  }

  #onReadable(): void {
    const endpoint = this.#endpoint as Endpoint
    let hasRead = false
    while (this.#wantsOctets && !this.#isClosed) {
      const bytes = endpoint.read(LARGEST_READ)
      if (bytes === null) break
      hasRead = true
      if (this.#hasAnswered) this.askedAt = this.scope.time.now()
      this.#hasAnswered = false
      if (this.tlsOwner !== null) drainBetween(this.tlsOwner)
      this.readBuffer(bytes)
      drain()
    }
    // The end has a turn of its own, so that what the last octets have set going (ticks, promises) comes before it, as in Node.
    if (hasRead || !this.#wantsOctets || this.#isEnded || this.#isClosed || this.#connecting !== null) return
    if (endpoint.isAtEnd) this.#end(endpoint)
  }

  #end(endpoint: Endpoint): void {
    this.#isEnded = true
    const code = endpoint.isOver ? CODE_OF_REASON[endpoint.reason] : null
    if (code === null) this.emitEOF()
    else this.#resource.runInAsyncScope(() => (this.tlsOwner ?? this.#owner)?.destroy(errnoException(code, 'read')))
    drain()
  }

  // Writing.

  onwrite(request: object, chunks: Uint8Array[]): number {
    const code = this.#whyMute()
    if (code !== null) return errnoOf(code)
    this.#hasAnswered = true
    const write = new PendingWrite(chunks, () => {})
    if (this.#writes.length > 0 || !write.sendTo(this.#endpoint as Endpoint)) this.#writes.push({ request, write })
    else process.nextTick(finishWrite, this, request, 0)
    return 0
  }

  #onWritable(): void {
    while (this.#writes.length > 0) {
      const { request, write } = this.#writes[0]
      if (!write.sendTo(this.#endpoint as Endpoint)) return
      this.#writes.shift()
      this.finishWrite(request, 0)
      drain()
    }
    if (this.#shutdown !== null) this.#finish(this.#shutdown)
  }

  /** Why nothing can be written; null where it can. */
  #whyMute(): ErrorCode | null {
    if (this.#isClosed) return 'EBADF'
    const endpoint = this.#endpoint
    if (endpoint === null) return 'ENOTCONN'
    if (!endpoint.isOver) return null
    // As Linux: a reset after the peer's end is a broken pipe.
    return this.#isEnded ? 'EPIPE' : (CODE_OF_REASON[endpoint.reason] ?? 'EPIPE')
  }

  /** Nothing more will be written. */
  onshutdown(request: object): number {
    if (this.#isClosed || this.#endpoint === null) return errnoOf('ENOTCONN')
    this.#shutdown = request
    this.#hasFinished = true
    if (this.#writes.length === 0) this.#finish(request)
    return 0
  }

  #finish(request: object): void {
    this.#endpoint?.finish()
    setImmediate(() => {
      if (this.#shutdown !== request) return
      this.#shutdown = null
      this.finishShutdown(request, 0)
    })
  }

  // Closing.

  #onClose(): void {
    const endpoint = this.#endpoint as Endpoint
    if (this.#connecting !== null) {
      this.#connected(errnoOf(CODE_OF_REASON[endpoint.reason] ?? 'ECONNABORTED'))
      return
    }
    this.#onReadable()
    if (this.#isClosed) return
    this.#cancel(errnoOf(this.#whyMute() ?? 'EPIPE'))
    drain()
  }

  #cancel(status: number): void {
    for (const { request } of this.#writes.splice(0)) this.finishWrite(request, status)
    const shutdown = this.#shutdown
    this.#shutdown = null
    if (shutdown !== null) this.finishShutdown(shutdown, status)
  }

  isClosing(): boolean {
    return this.#isClosed
  }

  /** Lets go; what was written is still delivered. */
  close(closed?: () => void): void {
    if (this.#isClosed) return
    const endpoint = this.#endpoint
    if (endpoint !== null) {
      endpoint.onClose = null
      // Nobody who waits for a connection gets one.
      if (this.#connecting !== null) endpoint.abort()
      else endpoint.close()
    }
    this.#over(closed)
  }

  /** Gives up at once; the peer gets a reset. */
  reset(closed?: () => void): number {
    if (this.#isClosed) return errnoOf('EINVAL')
    this.#endpoint?.abort()
    this.#over(closed)
    return 0
  }

  #over(closed: (() => void) | undefined): void {
    const { request, resource } = this.#connecting ?? {}
    this.#detach()
    setImmediate(() => {
      const canceled = errnoOf('ECANCELED')
      // Whoever has given up takes it away.
      if (request?.oncomplete)
        resource?.runInAsyncScope(request.oncomplete, request, canceled, this, request, true, true)
      this.#cancel(canceled)
      if (closed !== undefined) this.#resource.runInAsyncScope(closed)
    })
  }

  drop(): void {
    this.#detach()
    this.#endpoint?.abort()
  }

  #detach(): void {
    this.#isClosed = true
    this.#connecting = null
    this.#wantsOctets = false
    if (this.#endpoint !== null) this.#endpoint.connection.owner = null
    this.scope.holdings.delete(this)
  }

  describe() {
    const endpoint = this.#endpoint
    if (!this.#isRef || this.#hasFinished || endpoint === null) return null
    const { connection, localPort, remotePort } = endpoint
    const address = endpoint.remoteAddress.toString()
    const remote = `${this.scope.host?.nameOf(address) ?? address}:${remotePort}`
    return { kind: 'socket' as const, what: `from port ${localPort} to ${remote}, ${stateName(connection.state)}` }
  }

  // Options and names.

  ref(): void {
    this.#isRef = true
  }

  unref(): void {
    this.#isRef = false
  }

  hasRef(): boolean {
    return this.#isRef && !this.#isClosed
  }

  setNoDelay(isOn: boolean): number {
    this.#endpoint?.setNoDelay(isOn)
    return 0
  }

  /** Seconds; 0 leaves the idle time as it is. */
  setKeepAlive(isOn: boolean, seconds: number): number {
    if (seconds > 0) this.#endpoint?.setKeepAlive(isOn, seconds * 1000, KEEP_ALIVE_INTERVAL, KEEP_ALIVE_PROBES)
    else this.#endpoint?.setKeepAlive(isOn)
    return 0
  }

  getsockname(name: SocketName): number {
    const endpoint = this.#endpoint
    if (endpoint !== null) fillName(name, endpoint.localAddress, endpoint.localPort, this.#isMapped)
    else if (this.#local === null) return errnoOf('EBADF')
    else fillName(name, parseAddress(this.#local.address) ?? unspecified(true), this.#local.port, false)
    return 0
  }

  getpeername(name: SocketName): number {
    const endpoint = this.#endpoint
    if (endpoint === null || this.#connecting !== null) return errnoOf('ENOTCONN')
    fillName(name, endpoint.remoteAddress, endpoint.remotePort, this.#isMapped)
    return 0
  }
}

let owner: symbol | undefined

/** By which a handle knows the socket above it: the first socket shows it. */
export function ownerSymbol(): symbol {
  if (owner !== undefined) return owner
  const handle = new JSStream()
  new Socket({ handle, manualStart: true } as object)
  owner = symbolOf(handle, 'owner_symbol')
  if (owner === undefined) throw new Error(`tunstack/simulate does not know the sockets of Node ${process.version}`)
  return owner
}

function finishWrite(handle: JsStream, request: object, status: number): void {
  handle.finishWrite(request, status)
}
