// A host of a simulated network: a stack with addresses, a clock and a random of its own.
// Its addresses belong to the host, not to a link: each link's interface has all of them.
import type { Clock, Link, Random } from '../core/environment.ts'
import { TappedLink } from '../link/capture.ts'
import { createStack, type PortableStack, type PortableStackOptions } from '../runtime/create-stack.ts'
import type { DriverHooks } from '../runtime/driver.ts'
import type { PingOptions, PingReply } from '../runtime/ping.ts'
import type { VirtualClock } from './clock.ts'

export interface HostOptions extends Omit<PortableStackOptions, 'environment' | 'hooks'> {
  /** `10.0.0.1`, or with the length of a network's prefix. One of each family is handed out unless some are given. */
  addresses?: readonly string[]
  /** Passes on what is for others: a router. */
  forward?: boolean
}

/** Where a host meets a link. */
export interface Port {
  readonly peer: Host
  readonly interface: ReturnType<PortableStack['addInterface']>
  readonly tapped: TappedLink
}

export interface HostWorld {
  readonly clock: VirtualClock
  readonly random: Random
  readonly hooks: DriverHooks
  /** The address that a host or a name stands for; an address is returned as it is. */
  resolve(target: Host | string): string
}

/** The network's clock, with a date of its own. */
export class HostClock implements Clock {
  readonly #clock: VirtualClock
  #skew = 0

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  wall(): number {
    return this.#clock.wall() + this.#skew
  }

  /** How many milliseconds its date is ahead of the network's. */
  skew(milliseconds: number): void {
    this.#skew = milliseconds
  }
}

export class Host {
  readonly name: string
  /** Without the lengths of prefixes. */
  readonly addresses: readonly string[]
  readonly forward: boolean
  readonly clock: HostClock
  readonly stack: PortableStack
  readonly ports: Port[] = []
  readonly #world: HostWorld
  readonly #prefixes: readonly string[]

  constructor(name: string, prefixes: readonly string[], options: HostOptions, world: HostWorld) {
    const { addresses, ...stackOptions } = options
    this.name = name
    this.#prefixes = prefixes
    this.addresses = prefixes.map((prefix) => prefix.split('/')[0])
    this.forward = options.forward ?? false
    this.clock = new HostClock(world.clock)
    this.#world = world
    const environment = {
      clock: this.clock,
      random: world.random,
      alarm: (callback: () => void) => world.clock.alarm(callback),
    }
    this.stack = createStack({ ...stackOptions, environment, hooks: world.hooks })
  }

  /** The first of its addresses. */
  get address(): string {
    return this.addresses[0]
  }

  /** Asks a host, a name or an address for an echo. */
  ping(target: Host | string, options?: PingOptions): Promise<PingReply> {
    return this.stack.ping(this.#world.resolve(target), options)
  }

  /** @internal A link's end becomes an interface, named after who is on the other side. */
  attach(link: Link, peer: Host): Port {
    const tapped = new TappedLink(link, this.#world.clock)
    const before = this.ports.filter((port) => port.peer === peer).length
    const name = before === 0 ? peer.name : `${peer.name}-${before + 1}`
    const added = this.stack.addInterface({ link: tapped, name, addresses: this.#prefixes })
    const port = { peer, interface: added, tapped }
    this.ports.push(port)
    return port
  }
}
