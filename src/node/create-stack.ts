// A stack in Node: the portable one on the system's clock, randomness and timer, and its part in keeping a process alive.
// An open endpoint (unless it is unref'd) and a ping under way hold the process, as they would with the kernel's stack.
import { PortableStack, type PortableStackOptions } from '../runtime/create-stack.ts'
import type { DriverHooks } from '../runtime/driver.ts'
import type { PingOptions, PingReply } from '../runtime/ping.ts'
import { UdpEndpoint } from '../runtime/udp-endpoint.ts'
import { KeepAlive } from './keep-alive.ts'
import { systemEnvironment } from './system.ts'

export type NodeStackOptions = Omit<PortableStackOptions, 'environment' | 'hooks'>

/** With no options: loopback alone, which needs no device and no privilege. */
export async function createStack(options: NodeStackOptions = {}): Promise<NodeStack> {
  return new NodeStack(options)
}

export class NodeStack extends PortableStack {
  readonly #keepAlive: KeepAlive

  /** @internal `createStack` makes them. */
  constructor(options: NodeStackOptions, hooks: DriverHooks = {}) {
    const keepAlive = new KeepAlive()
    super({ ...options, hooks, environment: systemEnvironment(keepAlive) })
    this.#keepAlive = keepAlive
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

  /** Keeps the process alive until the returned function is called: for who only routes, and has no socket to wait for. */
  hold(): () => void {
    return this.#keepAlive.hold()
  }

  override close(): void {
    super.close()
    this.#keepAlive.close()
  }
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
