// A stack with its driver, for everywhere: give it an environment and links, get endpoints. Node's `createStack` stands on this.
import type { Environment, Link, Random } from '../core/environment.ts'
import { type Address, type Prefix, parseAddress, parsePrefix } from '../core/ip/address.ts'
import type { Interface } from '../core/ip/interface.ts'
import { Stack, type StackOptions } from '../core/stack.ts'
import { loopback } from '../link/loopback.ts'
import { Driver, type DriverHooks } from './driver.ts'
import { type ConnectEndpointOptions, connect, type Endpoint } from './endpoint.ts'
import { type ListenEndpoint, type ListenEndpointOptions, listen } from './listen-endpoint.ts'
import { Pinger, type PingOptions, type PingReply } from './ping.ts'
import { UdpEndpoint } from './udp-endpoint.ts'
import type { EventListener } from './watching.ts'

export interface PortableStackOptions extends Omit<StackOptions, 'random'> {
  environment: Environment
  hooks?: DriverHooks
}

export interface InterfaceOptions {
  link: Link
  name?: string
  /** Each with the length of its network's prefix: `10.7.0.2/24`, `fd00:7::2/64`. */
  addresses?: readonly string[]
  /** Takes packets for every destination as its own. */
  anyAddress?: boolean
  /** Routers for everything else: one of each family, at most. */
  gateways?: readonly string[]
}

export interface RouteOptions {
  destination: string
  interface: Interface
  gateway?: string
  metric?: number
}

export class PortableStack {
  readonly core: Stack
  readonly driver: Driver
  readonly random: Random
  #pinger: Pinger | null = null
  #isClosed = false

  constructor(options: PortableStackOptions) {
    const { environment, hooks, ...coreOptions } = options
    if (environment === undefined) throw new TypeError('a stack needs an environment: { clock, random, alarm }')
    this.random = environment.random
    this.core = new Stack({ ...coreOptions, random: environment.random })
    this.driver = new Driver(this.core, environment, hooks)
    this.driver.attach(loopback(), this.core.loopback)
  }

  addInterface(options: InterfaceOptions): Interface {
    const { link, anyAddress } = options
    if (typeof link?.receive !== 'function') {
      throw new TypeError('an interface needs a link: tun(…), packets(…), or one end of memory()')
    }
    const addresses = (options.addresses ?? []).map(toPrefix)
    const gateways = (options.gateways ?? []).map(toAddress)
    const { mtu, headroom, offload } = link
    const name = options.name ?? `link${this.core.interfaces.list.length - 1}`
    const added = this.core.addInterface({ name, mtu, headroom, offload, addresses, anyAddress })
    for (const gateway of gateways) this.core.addRoute(everything(gateway), added, gateway)
    // Who takes every destination also answers to everybody.
    if (anyAddress === true && gateways.length === 0) {
      this.core.addRoute(toPrefix('0.0.0.0/0'), added, null, LAST_RESORT)
      this.core.addRoute(toPrefix('::/0'), added, null, LAST_RESORT)
    }
    this.driver.attach(link, added)
    return added
  }

  addRoute(options: RouteOptions): void {
    const gateway = options.gateway === undefined ? null : toAddress(options.gateway)
    this.core.addRoute(toPrefix(options.destination), options.interface, gateway, options.metric ?? 0)
  }

  /** A UDP socket; one of IPv6 hears IPv4 too unless `ipv6Only`. */
  openUdp(options: { ipv6?: boolean; ipv6Only?: boolean; reuse?: boolean } = {}): UdpEndpoint {
    const socket = this.core.udp.open(options.ipv6 ?? false)
    socket.isIpv6Only = options.ipv6Only ?? false
    socket.isReuse = options.reuse ?? false
    return new UdpEndpoint(socket, this.driver)
  }

  /** An active open of TCP. Throws where it can't even begin. */
  connect(options: ConnectEndpointOptions): Endpoint {
    return connect(this.core.tcp, this.driver, options)
  }

  listen(options: ListenEndpointOptions): ListenEndpoint {
    return listen(this.core.tcp, this.driver, options)
  }

  ping(address: string, options?: PingOptions): Promise<PingReply> {
    if (this.#pinger === null) {
      const socket = this.core.openEcho()
      if (socket === null) throw new Error('every echo identifier is in use')
      this.#pinger = new Pinger(socket, this.driver)
    }
    return this.#pinger.ping(toAddress(address), options)
  }

  /** Tells of what TCP does, for all connections, at the end of each turn; the returned function ends it. */
  watch(listener: EventListener): () => void {
    return this.driver.watch(listener)
  }

  /** All counters that are not zero, and the drops by their reason. */
  counters(): { counts: Record<string, number>; drops: Record<string, number> } {
    return this.core.observer.counters.toJSON()
  }

  /** Lets go of everything: sockets are closed without a word, links are closed. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    try {
      this.#pinger?.close()
      this.core.close(this.driver.time.now())
      this.driver.flush()
    } finally {
      this.driver.close()
    }
  }
}

export function createStack(options: PortableStackOptions): PortableStack {
  return new PortableStack(options)
}

/** Behind every route that somebody has set. */
const LAST_RESORT = 1_000_000

function everything(gateway: Address): Prefix {
  return toPrefix(gateway.isIpv4 ? '0.0.0.0/0' : '::/0')
}

function toPrefix(text: string): Prefix {
  const prefix = parsePrefix(text)
  if (prefix === null) throw new TypeError(`'${text}' is not an IP address with a prefix length, such as 10.7.0.2/24`)
  return prefix
}

function toAddress(text: string): Address {
  const address = parseAddress(text)
  if (address === null) throw new TypeError(`'${text}' is not an IP address`)
  return address
}
