// A UDP socket of a script, over the stack's endpoint.
import { parseAddress } from '../core/ip/address.ts'
import { type UdpEndpoint, UdpError } from '../runtime/udp-endpoint.ts'
import { ERRNO, ICMP_ERRORS, OPEN_ERRORS } from './errors.ts'
import { fillPattern, findStrange } from './flow.ts'
import { Unsupported, type Value } from './script.ts'
import { type Attempt, done, failed, type Outcome, type Socket } from './socket.ts'
import { numberOf } from './values.ts'
import type { World } from './world.ts'

const CLOSED = 7
const TYPE_DATAGRAM = 2

export class DatagramSocket implements Socket {
  isNonBlocking = false
  readonly state = CLOSED
  readonly #world: World
  readonly #endpoint: UdpEndpoint
  readonly #kept = new Map<string, number>()
  #error: string | null = null
  #isReadShut = false

  constructor(world: World, isIpv6: boolean) {
    this.#world = world
    this.#endpoint = world.stack.openUdp({ ipv6: isIpv6 })
    this.#endpoint.onError = (kind) => {
      this.#error = ICMP_ERRORS[kind] ?? null
    }
  }

  bind(address: string | null, port: number): Outcome {
    return this.#try(() => this.#endpoint.bind(port, address ?? undefined))
  }

  listen(): Outcome {
    return failed('EOPNOTSUPP')
  }

  connect(address: string | null, port: number): Attempt {
    const to = address === null ? this.#world.setup.remote : (parseAddress(address) ?? this.#world.setup.remote)
    const outcome = this.#try(() => this.#endpoint.connect(to, port))
    if (outcome.error === null) this.#openFlow(port)
    return () => outcome
  }

  accept(): Socket | null {
    return null
  }

  read(length: number, flags: ReadonlySet<string>): Outcome | null {
    const { received } = this.#endpoint.socket
    const error = this.#takeError()
    if (error !== null) return failed(error)
    if (this.#isReadShut) return done(0)
    if (received.count === 0) return flags.has('MSG_DONTWAIT') ? failed('EAGAIN') : null
    if (flags.has('MSG_PEEK')) throw new Unsupported('MSG_PEEK on a UDP socket is not known')
    const datagram = this.#endpoint.receive()
    if (datagram === null) return null
    const count = Math.min(length, datagram.length)
    const strange = findStrange(datagram.bytes, datagram.offset, count, 0)
    if (strange < 0) return done(flags.has('MSG_TRUNC') ? datagram.length : count)
    const expected = { kind: 'text', text: 'as they were sent' } as const
    return { ...done(count), filled: [{ what: 'octets read', expected, got: `another octet at ${strange}` }] }
  }

  write(length: number, _flags: ReadonlySet<string>, to: { address: string | null; port: number } | null): Attempt {
    const bytes = new Uint8Array(length)
    fillPattern(bytes, 0, length, 0)
    return () => {
      const error = this.#takeError()
      if (error !== null) return failed(error)
      const { socket } = this.#endpoint
      // `sendto(3, ..., 1000)` of a socket without a peer means the script's own.
      const isOpen = to === null && socket.isConnected
      const address = to?.address ?? this.#world.setup.remote
      const port = to?.port ?? this.#world.setup.connectPort
      let isTaken = true
      const outcome = this.#try(() => {
        isTaken = isOpen ? this.#endpoint.send(bytes) : this.#endpoint.send(bytes, address, port)
      })
      if (outcome.error !== null) return outcome
      if (!isTaken) return this.isNonBlocking ? failed('EAGAIN') : null
      this.#openFlow(isOpen ? socket.remotePort : port)
      return done(length)
    }
  }

  shutdown(how: string): Outcome {
    if (!this.#endpoint.socket.isConnected) return failed('ENOTCONN')
    if (how !== 'SHUT_WR') this.#isReadShut = true
    return done()
  }

  close(): Attempt {
    this.#endpoint.close()
    return () => done()
  }

  setOption(level: string, name: string, value: Value): Outcome {
    const { socket } = this.#endpoint
    const number = numberOf(value.kind === 'list' ? value.items[0] : value)
    if (number === null) throw new Unsupported(`${name} can't be set to what is written`)
    if (name === 'IP_TOS' || name === 'IPV6_TCLASS') socket.trafficClass = number
    else if (name === 'IP_TTL' || name === 'IPV6_UNICAST_HOPS') socket.hopLimit = number
    else if (name === 'SO_BROADCAST') socket.mayBroadcast = number !== 0
    else if (name === 'IPV6_V6ONLY') socket.isIpv6Only = number !== 0
    else if (name === 'SO_REUSEADDR' || name === 'SO_REUSEPORT') socket.isReuse = number !== 0
    else throw new Unsupported(`the option ${level} ${name} of a UDP socket is not known`)
    this.#kept.set(name, number)
    return done()
  }

  getOption(level: string, name: string): number | string {
    if (name === 'SO_ERROR') return this.#takeError() ?? 0
    if (name === 'SO_TYPE') return TYPE_DATAGRAM
    const kept = this.#kept.get(name)
    if (kept === undefined) throw new Unsupported(`the option ${level} ${name} of a UDP socket is not known`)
    return kept
  }

  control(request: string): number {
    throw new Unsupported(`ioctl ${request} of a UDP socket is not known`)
  }

  readiness(): Set<string> {
    const ready = new Set(['POLLOUT'])
    if (this.#endpoint.socket.received.count > 0 || this.#isReadShut) ready.add('POLLIN')
    if (this.#error !== null) ready.add('POLLERR')
    return ready
  }

  /** The packets of the script that have no ports are this socket's from now on. */
  #openFlow(remotePort: number): void {
    const { local, remote } = this.#world.setup
    this.#world.open({ protocol: 'udp', local, localPort: this.#endpoint.socket.localPort, remote, remotePort })
  }

  #takeError(): string | null {
    const error = this.#error
    this.#error = null
    return error
  }

  #try(call: () => void): Outcome {
    try {
      call()
      return done()
    } catch (error) {
      if (!(error instanceof UdpError)) throw error
      const name = OPEN_ERRORS[error.reason] ?? 'EINVAL'
      return failed(name in ERRNO ? name : 'EINVAL')
    }
  }
}
