// One connection as `_handle` has it: an endpoint in its socket's own async context, which says what holds the process alive, hands
// over what arrives while its socket is reading, and keeps what the send buffer had no room for. The socket is told by
// `onoctets` and `oncomplete`, each the same function for all sockets. Wakes come from the driver's turn, one a turn.
import { AsyncResource } from 'node:async_hooks'
import { setImmediate } from 'node:timers'
import { parseAddress, unspecified } from '../../core/ip/address.ts'
import type { Owner } from '../../core/ready.ts'
import { connect, type Endpoint, TcpError } from '../../runtime/endpoint.ts'
import { CODE_OF_REASON, CODE_OF_RESULT, type ErrorCode } from '../errors.ts'
import { reachable, whyNotBound } from './bind.ts'
import { fillName, type NetHost, type SocketName } from './host.ts'
import { PendingWrite, type WriteDone } from './pending-write.ts'

/** The most octets that one hand-over brings: as libuv's reads. */
const LARGEST_READ = 65_536

/** As libuv, where a delay is given. */
const KEEP_ALIVE_INTERVAL = 1000
const KEEP_ALIVE_PROBES = 10

/** Where a socket is bound before it connects. */
export interface Local {
  address: string
  port: number
}

/** A context without stores, in which what nobody's call has made is made: as libuv's own callbacks run. */
const root = new AsyncResource('TUNSTACK')

/** What a socket says to its handle's `useBuffer`: where to read to next. */
export type BufferSource = () => Uint8Array | null

export class TcpHandle implements Owner {
  /** Octets, or the end (both null), or an error. Called with the handle as `this`. */
  onoctets: ((this: TcpHandle, bytes: Uint8Array | null, length: number, code: ErrorCode | null) => void) | null = null
  oncomplete: ((code: ErrorCode | null) => void) | null = null
  /** Something was acknowledged: whoever waits for quiet waits anew. */
  onprogress: ((this: TcpHandle) => void) | null = null
  owner: { destroy(): unknown } | null = null
  reading = false
  bytesRead = 0
  bytesWritten = 0
  readonly #host: NetHost
  readonly #resource: AsyncResource
  /** Its socket is one of IPv6, whatever the addresses. */
  readonly #isMapped: boolean
  #endpoint: Endpoint | null = null
  #local: Local | null = null
  #bufferSource: BufferSource | null = null
  #waiting: PendingWrite | null = null
  #onread: unknown = null
  #letGo: (() => void) | null = null
  #isConnecting = false
  #isRef = true
  #isClosed = false
  /** The end, or an error, has been told. */
  #isEnded = false

  constructor(host: NetHost, isMapped = false) {
    this.#host = host
    this.#resource = new AsyncResource('TUNSTACKTCP')
    this.#isMapped = isMapped
  }

  /** For a connection that a listener has accepted. */
  static accepted(host: NetHost, endpoint: Endpoint, isMapped: boolean): TcpHandle {
    const handle = root.runInAsyncScope(() => new TcpHandle(host, isMapped))
    handle.#take(endpoint)
    return handle
  }

  #take(endpoint: Endpoint): void {
    this.#endpoint = endpoint
    endpoint.onOpen = () => this.#onOpen()
    endpoint.onReadable = () => this.#onReadable()
    endpoint.onWritable = () => this.#onWritable()
    endpoint.onDrained = () => this.onprogress?.()
    endpoint.onClose = () => this.#onClose()
    endpoint.connection.owner = this
  }

  wake(): void {
    const endpoint = this.#endpoint
    if (endpoint === null) return
    try {
      this.#resource.runInAsyncScope(endpoint.wake, endpoint)
    } finally {
      // What has not been told yet, as when a handler threw, is told in the next turn.
      if (this.reading && !this.#isEnded && (endpoint.readable > 0 || endpoint.isAtEnd)) endpoint.wakeAgain()
    }
  }

  /** Octets of the present write that wait for room. */
  get writeQueueSize(): number {
    return this.#waiting?.rest ?? 0
  }

  get name(): string {
    return 'net.Socket'
  }

  getAsyncId(): number {
    return this.#resource.asyncId()
  }

  get endpoint(): Endpoint | null {
    return this.#endpoint
  }

  // Opening.

  /** Takes effect with `connect`. */
  bind(address: string, port: number): ErrorCode | null {
    const code = whyNotBound(this.#host.core, address, port)
    if (code === null) this.#local = { address, port }
    return code
  }

  /** `oncomplete` tells how it ended, unless the result says that it could not begin. */
  connect(address: string, port: number): ErrorCode | null {
    const remote = parseAddress(address)
    if (remote === null) return 'EINVAL'
    const own = this.#local === null ? null : parseAddress(this.#local.address)
    if (own !== null && own.isIpv4 !== remote.isIpv4) return 'EINVAL'
    if (port === 0) {
      // Nobody listens there.
      process.nextTick(() => {
        if (!this.#isClosed) this.oncomplete?.('ECONNREFUSED')
      })
      return null
    }
    try {
      const { core, driver } = this.#host
      const options = { address: reachable(remote), port, localAddress: own ?? undefined, localPort: this.#local?.port }
      this.#isConnecting = true
      this.#take(connect(core.tcp, driver, options))
    } catch (error) {
      this.#isConnecting = false
      if (!(error instanceof TcpError)) throw error
      return error.reason === 'addressInUse' ? 'EADDRNOTAVAIL' : CODE_OF_RESULT[error.reason]
    }
    this.#updateHold()
    return null
  }

  #onOpen(): void {
    if (!this.#isConnecting) return
    this.#isConnecting = false
    this.#updateHold()
    this.oncomplete?.(null)
  }

  // Reading.

  /** Reads into the user's own memory from now on. */
  useBuffer(source: BufferSource): void {
    this.#bufferSource = source
  }

  readStart(): void {
    this.reading = true
    this.#updateHold()
    const endpoint = this.#endpoint
    if (endpoint !== null && !this.#isEnded && (endpoint.readable > 0 || endpoint.isAtEnd)) endpoint.wakeAgain()
  }

  readStop(): void {
    this.reading = false
    this.#updateHold()
  }

  /** Node's agents of HTTP put a guard here while a socket idles in their pool, then Node's own function again. */
  get onread(): unknown {
    return this.#onread
  }

  set onread(value: unknown) {
    this.#onread = value
  }

  /** Whatever a peer says that nobody has asked would be taken for the answer to the next request. */
  get #isGuarded(): boolean {
    return typeof this.#onread === 'function' && this.#onread.name === 'freeSocketOnReadGuard'
  }

  #onReadable(): void {
    const endpoint = this.#endpoint as Endpoint
    if (this.#isGuarded && (endpoint.readable > 0 || endpoint.isAtEnd)) {
      this.owner?.destroy()
      return
    }
    let hasRead = false
    while (this.reading && !this.#isClosed) {
      const length = this.#bufferSource === null ? this.#handOver(endpoint) : this.#handInto(endpoint)
      if (length === 0) break
      hasRead = true
    }
    // The end has a turn of its own, so that what the last octets have set going (ticks, promises) comes before it, as in Node.
    if (hasRead || !this.reading || this.#isEnded || this.#isConnecting) return
    if (endpoint.isAtEnd) this.#end(endpoint)
  }

  #handOver(endpoint: Endpoint): number {
    const bytes = endpoint.read(LARGEST_READ)
    if (bytes === null) return 0
    this.bytesRead += bytes.length
    this.onoctets?.(bytes, bytes.length, null)
    return bytes.length
  }

  #handInto(endpoint: Endpoint): number {
    const target = endpoint.readable > 0 ? this.#bufferSource?.() : null
    if (!target) return 0
    const length = endpoint.readInto(target)
    if (length === 0) {
      // As libuv: who offers no room is not asked again.
      this.#isEnded = true
      this.#updateHold()
      this.onoctets?.(null, 0, 'ENOBUFS')
      return 0
    }
    this.bytesRead += length
    this.onoctets?.(target, length, null)
    return length
  }

  #end(endpoint: Endpoint): void {
    this.#isEnded = true
    const code = endpoint.isOver ? CODE_OF_REASON[endpoint.reason] : null
    this.#updateHold()
    this.onoctets?.(null, 0, code)
  }

  // Writing.

  /** True where `done` is called later. */
  write(chunks: readonly Uint8Array[], done: WriteDone): boolean {
    const write = new PendingWrite(chunks, done)
    this.bytesWritten += write.rest
    const code = this.#whyMute()
    if (code !== null) {
      done(code)
      return false
    }
    if (write.sendTo(this.#endpoint as Endpoint)) {
      done(null)
      return false
    }
    this.#waiting = write
    this.#updateHold()
    return true
  }

  #onWritable(): void {
    const waiting = this.#waiting
    if (waiting === null) return
    this.onprogress?.()
    if (!waiting.sendTo(this.#endpoint as Endpoint)) return
    this.#waiting = null
    this.#updateHold()
    waiting.done(null)
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
  shutdown(done: () => void): void {
    this.#endpoint?.finish()
    // In the context of whoever ends it.
    process.nextTick(done)
  }

  // Closing.

  #onClose(): void {
    const endpoint = this.#endpoint as Endpoint
    const code = CODE_OF_REASON[endpoint.reason]
    if (this.#isConnecting) {
      this.#isConnecting = false
      this.#updateHold()
      this.oncomplete?.(code ?? 'ECONNABORTED')
      return
    }
    this.#onReadable()
    const waiting = this.#waiting
    if (waiting === null || this.#isClosed) return
    this.#waiting = null
    this.#updateHold()
    waiting.done(this.#whyMute() ?? 'EPIPE')
  }

  /** Lets go; what was written is still delivered. */
  close(closed?: () => void): void {
    if (this.#isClosed) return
    const endpoint = this.#endpoint
    if (endpoint !== null) {
      // Nobody who waits for a connection gets one.
      endpoint.onClose = null
      if (this.#isConnecting) endpoint.abort()
      else this.#host.farewells.close(endpoint)
    }
    this.#over(closed)
  }

  /** Gives up at once; the peer gets a reset. */
  reset(closed?: () => void): ErrorCode | null {
    if (this.#isClosed) return 'EINVAL'
    this.#endpoint?.abort()
    if (this.#endpoint !== null) this.#endpoint.connection.owner = null
    this.#over(closed)
    return null
  }

  #over(closed: (() => void) | undefined): void {
    this.#isClosed = true
    this.#isConnecting = false
    this.reading = false
    this.#updateHold()
    const waiting = this.#waiting
    this.#waiting = null
    if (closed === undefined && waiting === null) return
    setImmediate(() =>
      this.#resource.runInAsyncScope(() => {
        waiting?.done(null)
        closed?.()
      }),
    )
  }

  // What holds the process: as in libuv, a handle that waits for nothing does not.

  ref(): void {
    this.#isRef = true
    this.#updateHold()
  }

  unref(): void {
    this.#isRef = false
    this.#updateHold()
  }

  hasRef(): boolean {
    return this.#isRef
  }

  #updateHold(): void {
    const isWaiting = this.#isConnecting || (this.reading && !this.#isEnded) || this.#waiting !== null
    if (this.#isRef && !this.#isClosed && isWaiting) this.#letGo ??= this.#host.keepAlive.hold()
    else if (this.#letGo !== null) {
      this.#letGo()
      this.#letGo = null
    }
  }

  // Options.

  setNoDelay(isOn: boolean): void {
    this.#endpoint?.setNoDelay(isOn)
  }

  /** Seconds; 0 leaves the idle time as it is. */
  setKeepAlive(isOn: boolean, seconds: number): void {
    if (seconds > 0) this.#endpoint?.setKeepAlive(isOn, seconds * 1000, KEEP_ALIVE_INTERVAL, KEEP_ALIVE_PROBES)
    else this.#endpoint?.setKeepAlive(isOn)
  }

  getsockname(name: SocketName): void {
    const endpoint = this.#endpoint
    if (endpoint !== null) fillName(name, endpoint.localAddress, endpoint.localPort, this.#isMapped)
    else if (this.#local !== null) {
      fillName(name, parseAddress(this.#local.address) ?? unspecified(true), this.#local.port, false)
    }
  }

  getpeername(name: SocketName): void {
    const endpoint = this.#endpoint
    if (endpoint !== null) fillName(name, endpoint.remoteAddress, endpoint.remotePort, this.#isMapped)
  }
}
