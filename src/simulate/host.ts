// A host of a simulated network: a stack with addresses, a clock, timers, a resolver and a random of its own. It may crash,
// start again and stand still. Its addresses belong to the host, not to a link: each link's interface has all of them.
import type { Clock, Link, Random, Time } from '../core/environment.ts'
import type { Wakeable } from '../core/ready.ts'
import { TappedLink } from '../link/capture.ts'
import type { PcapngWriter } from '../link/pcapng.ts'
import { createStack, type PortableStack, type PortableStackOptions } from '../runtime/create-stack.ts'
import type { DriverHooks } from '../runtime/driver.ts'
import type { PingOptions, PingReply } from '../runtime/ping.ts'
import type { VirtualClock } from './clock.ts'
import { Gate, GatedLink } from './gate.ts'
import { HostTimers } from './host-timers.ts'
import { type Names, Resolver } from './names.ts'
import type { Resident } from './resident.ts'

export interface HostOptions extends Omit<PortableStackOptions, 'environment' | 'hooks'> {
  /** `10.0.0.1`, or with the length of a network's prefix. One of each family is handed out unless some are given. */
  addresses?: readonly string[]
  /** Passes on what is for others: a router. */
  forward?: boolean
}

export interface PauseOptions {
  /**
   * What stands still. `'program'`, unless said otherwise: a long garbage collection. The operating system goes on without it: it opens
   * connections and acknowledges what comes until its buffers are full, and nobody reads. `'machine'`: everything, as when a virtual machine
   * is moved or a laptop sleeps. Packets wait in the device's queue, and peers send theirs again.
   */
  what?: 'program' | 'machine'
}

/** Where a host meets a link. */
export interface Port {
  readonly peer: Host
  /** Another one after each restart of the host. */
  readonly interface: ReturnType<PortableStack['addInterface']>
  readonly tapped: TappedLink
}

export interface HostWorld {
  readonly clock: VirtualClock
  /** For the stack that is made when the host starts for the nth time, from 1. */
  random(start: number): Random
  readonly hooks: DriverHooks
  readonly names: Names
  /** The address that a host or a name stands for; an address is returned as it is. */
  resolve(target: Host | string): string
  /** Gives a new stack the routes of the old one. */
  route(host: Host): void
  /** Something happened to the host, in plain words. */
  tell(host: Host, text: string): void
  /** Its program suffers from something; of one series the last tells all. */
  trouble(host: Host, text: string, series: string): void
  /** Its stack has had a turn. */
  turned(host: Host): void
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
  /** Timers of the program: they come late while it is paused, and are gone when the host crashes. */
  readonly time: Time
  readonly resolver: Resolver
  readonly ports: Port[] = []
  /** Who shares the host's fate. */
  readonly residents = new Set<Resident>()
  readonly #world: HostWorld
  readonly #prefixes: readonly string[]
  readonly #options: Omit<HostOptions, 'addresses'>
  readonly #gate: Gate
  /** Sockets that are to be woken when the program goes on. */
  readonly #asleep = new Set<Wakeable>()
  /** Listeners whose queue is said to be full, and how long it really is. */
  readonly #filled = new Map<{ backlog: number }, number>()
  #stack: PortableStack
  #starts = 0
  #isUp = true
  #pausedUntil = 0
  #program: (() => unknown) | null = null

  constructor(name: string, prefixes: readonly string[], options: HostOptions, world: HostWorld) {
    const { addresses, ...stackOptions } = options
    this.name = name
    this.#prefixes = prefixes
    this.#options = stackOptions
    this.addresses = prefixes.map((prefix) => prefix.split('/')[0])
    this.forward = options.forward ?? false
    this.clock = new HostClock(world.clock)
    this.#world = world
    this.#gate = new Gate(world.clock, () => world.turned(this))
    const timers = new HostTimers(name, world.clock, () => this.clock.wall())
    this.time = timers
    this.residents.add(timers)
    const failed = (asked: string, text: string) => world.trouble(this, text, `${name} name ${asked}`)
    this.resolver = new Resolver(world.names, timers, (text) => world.tell(this, text), failed)
    this.#stack = this.#boot()
  }

  /** The first of its addresses. */
  get address(): string {
    return this.addresses[0]
  }

  /** Another one after each restart; after a crash the dead one, which neither sends nor hears anything. */
  get stack(): PortableStack {
    return this.#stack
  }

  /** Neither crashed nor closed. */
  get isUp(): boolean {
    return this.#isUp
  }

  /** Some program on it waits for TCP connections. */
  get isListening(): boolean {
    let isListening = false
    this.#stack.core.tcp.forEachListener(() => {
      isListening = true
    })
    return this.#isUp && isListening
  }

  /** Asks a host, a name or an address for an echo. */
  ping(target: Host | string, options?: PingOptions): Promise<PingReply> {
    this.assertUp()
    return this.stack.ping(this.#world.resolve(target), options)
  }

  /**
   * Runs the program's beginning now, and again at each `restart`: it opens the servers, say. What is not begun here doesn't come back by
   * itself, since a crash takes all that the host held.
   */
  start<Result>(program: (host: this) => Result): Result {
    this.assertUp()
    this.#program = () => program(this)
    return this.enter(() => program(this))
  }

  /**
   * As when the power goes: the program is gone, with its timers and connections, and nobody is told: no FIN, no RST. Packets to it vanish, so
   * that peers go on asking until they lose patience, or until the host is up again and says that it knows nothing of them.
   */
  crash(): void {
    if (!this.#isUp) return
    this.#isUp = false
    this.#pausedUntil = 0
    this.#gate.shut(0)
    this.#asleep.clear()
    this.#filled.clear()
    this.#stack.driver.close()
    for (const resident of this.residents) resident.crash?.()
    this.#world.tell(this, 'crashes: all that it held is gone, and nobody is told')
  }

  /** Up again after a crash (which comes first, where it was up): a new stack with the same addresses, and the program that was given to `start`. */
  restart(): void {
    this.crash()
    this.#isUp = true
    this.#stack = this.#boot()
    for (const port of this.ports as Mutable<Port>[]) port.interface = this.#join(port.tapped, port.interface.name)
    this.#world.route(this)
    for (const resident of this.residents) resident.restart?.()
    this.#world.tell(this, this.#program === null ? 'is up again' : 'is up again, and its program starts')
    if (this.#program !== null) this.#restartProgram(this.#program)
  }

  /** The program (or the whole machine: see the options) stands still for so many milliseconds; its timers come late. */
  pause(milliseconds: number, { what = 'program' }: PauseOptions = {}): void {
    this.assertUp()
    if (!(milliseconds >= 0 && Number.isFinite(milliseconds))) {
      throw new RangeError(`a pause must be a number of milliseconds, not ${milliseconds}`)
    }
    if (what !== 'program' && what !== 'machine') {
      throw new TypeError(`what stands still is the 'program' or the 'machine', not '${what}'`)
    }
    const { clock } = this.#world
    const until = Math.max(this.#pausedUntil, clock.now() + milliseconds)
    this.#pausedUntil = until
    if (what === 'machine') this.#gate.shut(until)
    for (const resident of this.residents) resident.pause?.(until)
    clock.after(until - clock.now(), () => this.#goOn())
    this.#world.tell(this, `${what === 'machine' ? 'the machine' : 'the program'} stands still for ${milliseconds} ms`)
  }

  /**
   * As when a program is too busy to accept: the queue of connections that wait for it is full, and attempts to connect are dropped without a word,
   * until `drainListenQueue`. Who connects tries again after 1, 3 and 7 s, and so on. Connections that stand are not touched. All ports, unless one is given.
   */
  fillListenQueue(port?: number): void {
    this.assertUp()
    let found = 0
    this.#stack.core.tcp.forEachListener((listener) => {
      if (port !== undefined && listener.localPort !== port) return
      found++
      if (!this.#filled.has(listener)) this.#filled.set(listener, listener.backlog)
      listener.backlog = NO_BACKLOG
    })
    if (found === 0) {
      throw new Error(
        `'${this.name}' listens on no ${port === undefined ? 'port' : `port ${port}`} whose queue could be full; start its server first`,
      )
    }
    this.#world.tell(this, `the listen queue${port === undefined ? '' : ` of port ${port}`} is full`)
  }

  /** The program accepts again. */
  drainListenQueue(): void {
    for (const [listener, backlog] of this.#filled) listener.backlog = backlog
    this.#filled.clear()
    this.#world.tell(this, 'the listen queue has room again')
  }

  /** Runs something as this host. */
  enter<Result>(work: () => Result): Result {
    return work()
  }

  /** Its program suffers from something; of one series the last tells all. */
  protected trouble(text: string, series: string): void {
    this.#world.trouble(this, text, `${this.name} ${series}`)
  }

  /** Throws one sentence where the host has crashed. */
  assertUp(): void {
    if (!this.#isUp) throw new Error(`'${this.name}' has crashed; ${this.name}.restart() brings it up again`)
  }

  /** @internal A link's end becomes an interface, named after who is on the other side. */
  attach(link: Link, peer: Host): Port {
    const tapped = new TappedLink(link, this.#world.clock)
    const before = this.ports.filter((port) => port.peer === peer).length
    const port = {
      peer,
      interface: this.#join(tapped, before === 0 ? peer.name : `${peer.name}-${before + 1}`),
      tapped,
    }
    this.ports.push(port)
    return port
  }

  #join(tapped: TappedLink, name: string): Port['interface'] {
    return this.#stack.addInterface({ link: new GatedLink(tapped, this.#gate), name, addresses: this.#prefixes })
  }

  #boot(): PortableStack {
    const { clock, hooks, random } = this.#world
    const environment = {
      clock: this.clock,
      random: random(++this.#starts),
      alarm: (callback: () => void) => this.#gate.alarm(callback),
    }
    const wake = (socket: Wakeable, now: number) => {
      if (this.#pausedUntil > clock.now()) this.#asleep.add(socket)
      else if (hooks.wake !== undefined) hooks.wake(socket, now)
      else socket.owner?.wake(now)
    }
    return this.createStack({ ...this.#options, environment, hooks: { ...hooks, wake } })
  }

  /** For hosts whose stacks can do more. */
  protected createStack(options: PortableStackOptions): PortableStack {
    return createStack(options)
  }

  /** The pause is over, unless there was a longer one. */
  #goOn(): void {
    if (!this.#isUp || this.#pausedUntil > this.#world.clock.now()) return
    for (const socket of this.#asleep) this.#stack.core.ready.push(socket)
    this.#asleep.clear()
    this.#stack.driver.request()
  }

  #restartProgram(program: () => unknown): void {
    const failed = (error: unknown) => this.#world.hooks.failed?.(error)
    try {
      Promise.resolve(this.enter(program)).catch(failed)
    } catch (error) {
      failed(error)
    }
  }
}

/** An empty queue is too long for it. */
const NO_BACKLOG = -1

type Mutable<Of> = { -readonly [Key in keyof Of]: Of[Key] }

/** Addresses alone are options too. */
export function settingsOf(options: readonly string[] | HostOptions): HostOptions {
  return Array.isArray(options) ? { addresses: options } : (options as HostOptions)
}

/** Writes what crosses the port's link; the returned function ends it. */
export function tap(host: Host, port: Port, writer: PcapngWriter): () => void {
  return port.tapped.tap(writer, { name: `${host.name} to ${port.interface.name}` })
}
