// A stack in Node: the portable one on the system's clock, randomness and timer, and its part in keeping a process alive.
// An open endpoint (unless it is unref'd) and a ping under way hold the process, as they would with the kernel's stack.
import { type ConnectionsOptions, connections, type SocketView } from '../inspect/connections.ts'
import { PortableStack, type PortableStackOptions } from '../runtime/create-stack.ts'
import type { DriverHooks } from '../runtime/driver.ts'
import type { PingOptions, PingReply } from '../runtime/ping.ts'
import { UdpEndpoint } from '../runtime/udp-endpoint.ts'
import { type StreamSockets, streamSockets } from '../web/stream-sockets.ts'
import { KeepAlive } from './keep-alive.ts'
import { closeSockets } from './net/close-all.ts'
import { Farewells, LAST_WORDS } from './net/farewell.ts'
import { createNet, type Net } from './net/net.ts'
import { type Lookup, type NameOptions, Names } from './resolver.ts'
import { systemEnvironment } from './system.ts'

export interface NodeStackOptions extends Omit<PortableStackOptions, 'environment' | 'hooks'>, NameOptions {
  /** How long closed sockets may hold the process for octets that the peer has not acknowledged: ten seconds when not given. */
  lastWords?: number
}

/** With no options: loopback alone, which needs no device and no privilege. */
export async function createStack(options: NodeStackOptions = {}): Promise<NodeStack> {
  return new NodeStack(options)
}

export class NodeStack extends PortableStack {
  /** `node:net` on this stack. */
  readonly net: Net
  /** Sockets as web streams. */
  readonly web: StreamSockets
  readonly #keepAlive: KeepAlive

  /** @internal `createStack` makes them. */
  constructor(options: NodeStackOptions, hooks: DriverHooks = {}) {
    const { resolver, hosts, lastWords = LAST_WORDS, ...rest } = options
    const keepAlive = new KeepAlive()
    super({ ...rest, hooks, environment: systemEnvironment(keepAlive) })
    this.#keepAlive = keepAlive
    const { core, driver } = this
    const { lookup } = new Names({ resolver, hosts })
    const farewells = new Farewells(driver, keepAlive, lastWords)
    this.net = createNet({ core, driver, keepAlive, farewells, lookup })
    this.web = streamSockets(this, {
      lookup: (hostname) => addressOf(lookup, hostname),
      hold: () => keepAlive.hold(),
      close: (endpoint) => farewells.close(endpoint),
    })
  }

  override openUdp(options?: Parameters<PortableStack['openUdp']>[0]): HeldUdpEndpoint {
    const { socket } = super.openUdp(options)
    return new HeldUdpEndpoint(socket, this.driver, this.#keepAlive)
  }

  override async ping(address: string, options?: PingOptions): Promise<PingReply> {
    const letGo = this.#keepAlive.hold()
    try {
      return await super.ping(address, options)
    } finally {
      letGo()
    }
  }

  /** Every socket: listeners, requests, connections, TIME-WAIT records, and UDP's. */
  connections(options?: ConnectionsOptions): SocketView[] {
    return connections(this, options)
  }

  /** Keeps the process alive until the returned function is called: for who only routes, and has no socket to wait for. */
  hold(): () => void {
    return this.#keepAlive.hold()
  }

  /** Sockets are destroyed, servers closed, and peers told by a reset. */
  override close(): void {
    try {
      closeSockets(this.core)
    } finally {
      try {
        super.close()
      } finally {
        this.#keepAlive.close()
      }
    }
  }
}

function addressOf(lookup: Lookup, hostname: string): Promise<string> {
  return new Promise((resolve, reject) => {
    lookup(hostname, {}, (error, address) => (error ? reject(error) : resolve(address as string)))
  })
}

/** An endpoint that keeps the process alive until it is closed or unref'd. */
export class HeldUdpEndpoint extends UdpEndpoint {
  readonly #keepAlive: KeepAlive
  #letGo: () => void

  constructor(socket: UdpEndpoint['socket'], driver: PortableStack['driver'], keepAlive: KeepAlive) {
    super(socket, driver)
    this.#keepAlive = keepAlive
    this.#letGo = keepAlive.hold()
  }

  ref(): this {
    this.#letGo()
    this.#letGo = this.#keepAlive.hold()
    return this
  }

  unref(): this {
    this.#letGo()
    return this
  }

  override close(): void {
    this.#letGo()
    super.close()
  }
}
