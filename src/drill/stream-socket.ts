// A TCP socket of a script: the calls of POSIX over an endpoint or a listener of the stack, which they use as every program does.
import type { CloseReason, Endpoint } from '../runtime/endpoint.ts'
import { TcpError } from '../runtime/endpoint.ts'
import type { ListenEndpoint } from '../runtime/listen-endpoint.ts'
import { CLOSE_ERRORS, OPEN_ERRORS } from './errors.ts'
import { type Flow, fillPattern, findStrange } from './flow.ts'
import { Unsupported, type Value } from './script.ts'
import { type Attempt, done, failed, type Outcome, type Socket } from './socket.ts'
import { SocketOptions } from './socket-options.ts'
import type { World } from './world.ts'

const CLOSED = 7
const LISTEN = 10
const SECOND = 1_000_000

export class StreamSocket implements Socket {
  isNonBlocking = false
  readonly options: SocketOptions
  endpoint: Endpoint | null = null
  readonly #world: World
  readonly #isIpv6: boolean
  #listener: ListenEndpoint | null = null
  #flow: Flow | null = null
  #address: string | null = null
  #port = 0
  #isReadShut = false
  #isWriteShut = false
  /** The connection's end was told to the application, as an error is once. */
  #isEndTold = false
  #softError: string | null = null
  #read = 0
  #written = 0

  constructor(world: World, isIpv6: boolean, options = new SocketOptions()) {
    this.#world = world
    this.#isIpv6 = isIpv6
    this.options = options
  }

  get state(): number {
    return this.#listener === null ? CLOSED : LISTEN
  }

  bind(address: string | null, port: number): Outcome {
    if (this.#port !== 0) return failed('EINVAL')
    this.#address = address
    this.#port = port
    return done()
  }

  listen(backlog: number): Outcome {
    if (this.#listener !== null) {
      this.#listener.listener.backlog = backlog
      return done()
    }
    if (this.endpoint !== null) return failed('EINVAL')
    try {
      const address = this.#address ?? (this.#isIpv6 ? '::' : '0.0.0.0')
      const ipv6Only = this.options.isOn('IPV6_V6ONLY')
      const reusePort = this.options.isOn('SO_REUSEPORT')
      this.#listener = this.#world.stack.listen({ address, port: this.#port, backlog, ipv6Only, reusePort })
    } catch (error) {
      return failed(nameOf(error))
    }
    this.options.applyToListener(this.#listener)
    return done()
  }

  connect(address: string | null, port: number): Attempt {
    if (this.endpoint !== null) return () => this.#reconnect(this.endpoint as Endpoint)
    const { stack, setup } = this.#world
    try {
      this.#begin(
        stack.connect({
          address: address ?? setup.remote,
          port,
          localAddress: this.#address ?? undefined,
          localPort: this.#port === 0 ? undefined : this.#port,
        }),
      )
    } catch (error) {
      const name = nameOf(error)
      return () => failed(name)
    }
    const endpoint = this.endpoint as unknown as Endpoint
    this.options.applyTo(endpoint)
    if (this.isNonBlocking) return () => failed('EINPROGRESS')
    return () => (endpoint.isOpen ? done() : endpoint.isOver ? failed(this.#takeError() ?? 'ECONNABORTED') : null)
  }

  /** Again, on a socket that has begun already. */
  #reconnect(endpoint: Endpoint): Outcome {
    const error = this.#takeError()
    if (error !== null) return failed(error)
    if (endpoint.isOpen) return failed('EISCONN')
    return failed(endpoint.isOver ? 'ECONNABORTED' : 'EALREADY')
  }

  accept(): Socket | null {
    const endpoint = this.#listener?.accept() ?? null
    if (endpoint === null) return null
    const socket = new StreamSocket(this.#world, this.#isIpv6, this.options.copy())
    socket.#begin(endpoint)
    socket.options.applyTo(endpoint)
    return socket
  }

  get mayAccept(): boolean {
    return this.#listener !== null
  }

  #begin(endpoint: Endpoint): void {
    const { localAddress, localPort, remoteAddress, remotePort } = endpoint
    this.endpoint = endpoint
    this.#flow = this.#world.open({
      protocol: 'tcp',
      local: localAddress,
      localPort,
      remote: remoteAddress,
      remotePort,
    })
    if (endpoint.connection.mssLimit > 0) this.#flow.mss = Math.min(this.#flow.mss, endpoint.connection.mssLimit)
    if (!endpoint.isOpen) this.#flow.mayRenumber = true
    this.#flow.written = 0
    endpoint.onTrouble = (reason) => {
      if (reason !== 'timedOut') this.#softError = CLOSE_ERRORS[reason]
    }
  }

  read(length: number, flags: ReadonlySet<string>): Outcome | null {
    const { endpoint } = this
    if (endpoint === null) return failed('ENOTCONN')
    if (endpoint.readable > 0) {
      if (flags.has('MSG_WAITALL') && endpoint.readable < length && !endpoint.isOver) return null
      return flags.has('MSG_PEEK') ? done(Math.min(length, endpoint.readable)) : this.#take(endpoint, length)
    }
    const error = this.#takeError()
    if (error !== null) return failed(error)
    if (this.#isReadShut || endpoint.isAtEnd || endpoint.isOver) return done(0)
    return flags.has('MSG_DONTWAIT') ? failed('EAGAIN') : null
  }

  /** The octets must be those that the peer's stream has there. */
  #take(endpoint: Endpoint, length: number): Outcome {
    const bytes = new Uint8Array(Math.min(length, endpoint.readable))
    const count = endpoint.readInto(bytes)
    const strange = findStrange(bytes, 0, count, this.#read)
    if (strange >= 0) {
      const what = { what: 'octets read', expected: { kind: 'text', text: 'as they were sent' } as const }
      return { ...done(count), filled: [{ ...what, got: `another octet at ${this.#read + strange}` }] }
    }
    this.#read += count
    return done(count)
  }

  write(length: number, flags: ReadonlySet<string>): Attempt {
    let left = length
    return () => {
      const outcome = this.#writeSome(left, flags)
      if (typeof outcome !== 'number') return outcome
      left -= outcome
      if (left === 0) return done(length)
      if (!this.isNonBlocking && !flags.has('MSG_DONTWAIT')) return null
      return left < length ? done(length - left) : failed('EAGAIN')
    }
  }

  /** How much was taken, or how it ended. */
  #writeSome(length: number, flags: ReadonlySet<string>): Outcome | number {
    const { endpoint } = this
    if (endpoint === null) return failed('EPIPE')
    const error = this.#takeError()
    if (error !== null) return failed(error)
    if (this.#isWriteShut || endpoint.isOver) return failed('EPIPE')
    // A call that waits asks again and again: it must not make work for the stack.
    if (!endpoint.isOpen || endpoint.room === 0) return 0
    const bytes = new Uint8Array(length)
    fillPattern(bytes, 0, length, this.#written)
    this.options.cork(endpoint, flags.has('MSG_MORE'))
    const taken = flags.has('MSG_OOB') ? endpoint.sendUrgent(bytes) : endpoint.send(bytes)
    this.#written += taken
    if (this.#flow !== null) this.#flow.written += taken
    return taken
  }

  shutdown(how: string): Outcome {
    const { endpoint } = this
    if (endpoint === null || endpoint.isOver) return failed('ENOTCONN')
    if (how !== 'SHUT_WR') this.#isReadShut = true
    if (how === 'SHUT_RD') return done()
    this.#isWriteShut = true
    endpoint.finish()
    return done()
  }

  /** SO_LINGER with a time: a blocking close waits until everything is acknowledged, or the time is over. */
  close(): Attempt {
    this.#listener?.close()
    this.#listener = null
    const { endpoint } = this
    if (endpoint === null) return () => done()
    const linger = this.options.get('SO_LINGER')
    const seconds = typeof linger === 'number' ? linger : -1
    const end = this.#world.now + seconds * SECOND
    endpoint.close()
    if (seconds <= 0 || this.isNonBlocking) return () => done()
    return () => (endpoint.isOver || endpoint.unacknowledged === 0 || this.#world.now >= end ? done() : null)
  }

  setOption(level: string, name: string, value: Value): Outcome {
    const result = this.options.set(level, name, value, this.#world.setup.like)
    if (this.endpoint !== null) this.options.applyTo(this.endpoint, name)
    if (this.#listener !== null) this.options.applyToListener(this.#listener)
    return result
  }

  getOption(level: string, name: string): number | string {
    if (name === 'SO_ERROR') {
      const error = this.#takeError() ?? this.#softError
      this.#softError = null
      return error ?? 0
    }
    if (name === 'SO_ACCEPTCONN') return this.#listener === null ? 0 : 1
    if (name === 'TCP_MAXSEG' && this.endpoint !== null) return this.endpoint.info().sendMss
    const { stack, setup } = this.#world
    return this.options.read(level, name, stack.core.tcp.settings, setup.like)
  }

  control(request: string): number {
    const { endpoint } = this
    switch (request) {
      case 'SIOCINQ':
      case 'FIONREAD':
        return endpoint?.readable ?? 0
      case 'SIOCOUTQ':
      case 'TIOCOUTQ':
      case 'FIONWRITE':
        return endpoint?.unacknowledged ?? 0
      case 'SIOCOUTQNSD':
        return endpoint?.info().notSentOctets ?? 0
      case 'SIOCATMARK':
        return endpoint !== null && endpoint.connection.urgentLeft === 1 ? 1 : 0
      default:
        throw new Unsupported(`ioctl ${request} is not known`)
    }
  }

  readiness(): Set<string> {
    const { endpoint } = this
    const ready = new Set<string>()
    if (this.#listener !== null && this.#listener.listener.accepted.count > 0) ready.add('POLLIN')
    if (endpoint === null) {
      if (this.#listener === null) ready.add('POLLOUT').add('POLLHUP')
      return ready
    }
    const isEnded = endpoint.isAtEnd || endpoint.isOver || this.#isReadShut
    if (endpoint.readable > 0 || isEnded) ready.add('POLLIN')
    if (isEnded) ready.add('POLLRDHUP')
    if (endpoint.isOver || (endpoint.isOpen && (endpoint.room > 0 || this.#isWriteShut))) ready.add('POLLOUT')
    if (endpoint.isOver || (isEnded && this.#isWriteShut)) ready.add('POLLHUP')
    if (endpoint.isOver && !this.#isEndTold && CLOSE_ERRORS[endpoint.reason] !== null) ready.add('POLLERR')
    if (endpoint.connection.urgentLeft > 0) ready.add('POLLPRI')
    return ready
  }

  /** An error is told once, and then the connection is simply over. */
  #takeError(): string | null {
    const { endpoint } = this
    if (endpoint === null || !endpoint.isOver || this.#isEndTold) return null
    this.#isEndTold = true
    const reason: CloseReason = endpoint.reason
    return CLOSE_ERRORS[reason]
  }
}

function nameOf(error: unknown): string {
  if (error instanceof TcpError) return OPEN_ERRORS[error.reason] ?? 'EINVAL'
  throw error
}
