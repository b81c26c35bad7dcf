// A host of a simulated network on which programs of Node's run unchanged.
import type { PortableStack, PortableStackOptions } from '../../runtime/create-stack.ts'
import { Host, type HostOptions, type HostWorld } from '../../simulate/host.ts'
import type { NameError, Resolver } from '../../simulate/names.ts'
import type { Held, Resident } from '../../simulate/resident.ts'
import { NodeStack } from '../create-stack.ts'
import type { Dgram } from '../dgram/dgram.ts'
import { lookupException } from '../errors.ts'
import type { Http } from '../http.ts'
import type { Net } from '../net/net.ts'
import { type HostInside, Scope, type ScopeTime } from './scope.ts'

/** What a host's network lends it. */
export interface Surroundings {
  readonly time: ScopeTime
  failed(error: unknown): void
  nameOf(address: string): string | null
  /** Its `run` goes on. */
  isAtWork(): boolean
  /** Another sequence for each program that is started. */
  randomOf(host: string): () => number
}

export class SimulatedHost extends Host {
  readonly #program: Program
  readonly #around: Surroundings

  /** @internal A network makes its hosts. */
  constructor(name: string, prefixes: readonly string[], options: HostOptions, world: HostWorld, around: Surroundings) {
    super(name, prefixes, options, world)
    this.#around = around
    this.#program = new Program(this, around)
    this.residents.add(this.#program)
  }

  override get stack(): NodeStack {
    return super.stack as NodeStack
  }

  /** `node:net` on this host, for who passes it by hand: inside of `run` everybody's is. */
  get net(): Net {
    return this.stack.net
  }

  /** `node:dgram` on this host. */
  get dgram(): Dgram {
    return this.stack.dgram
  }

  /** `node:http` on this host. */
  get http(): Http {
    return this.stack.http
  }

  /**
   * Runs a program on this host: in it, and in all that follows from it, `node:net`, `dgram`, `dns`, `http`, `https`, `http2`, `fetch` and
   * timers are this host's, whatever way they were imported. It makes sense inside of `network.run`, which moves time.
   */
  run<Result>(program: () => Result): Result {
    this.assertUp()
    this.#assertAtWork('run')
    return this.enter(program)
  }

  /**
   * Runs the program's beginning now, and again at each `restart`: it opens the servers, say. What is not begun here doesn't come back by
   * itself, since a crash takes all that the host held. Call it inside of `network.run`, unless the program uses nothing but the host it is given.
   */
  override start<Result>(program: (host: this) => Result): Result {
    if (program.length === 0) this.#assertAtWork('start')
    return super.start(program)
  }

  /** @internal */
  override enter<Result>(work: () => Result): Result {
    return this.#program.scope().enter(work)
  }

  /** @internal Its program has asked for an address that no route leads to. */
  noWay(address: string): void {
    const name = this.#around.nameOf(address)
    const text =
      name === null
        ? `${address} is no host's address in this network: nothing leads there`
        : `nothing leads to ${name} (${address}): hosts are joined with network.link`
    this.trouble(text, `way ${address}`)
  }

  /** @internal Lets go of all that its program holds, and tells nobody but the caller. */
  release(): Held[] {
    const held = this.#program.held()
    this.#program.crash()
    return held
  }

  /** Elsewhere `node:net` and timers are the kernel's. */
  #assertAtWork(verb: 'run' | 'start'): void {
    if (this.#around.isAtWork()) return
    const call = `${this.name}.${verb}(…)`
    throw new Error(
      `${call} was called outside of network.run(…): there its program would get the kernel's network and real time; call it inside`,
    )
  }

  protected override createStack(options: PortableStackOptions): PortableStack {
    const { environment, hooks, ...rest } = options
    const resolver = async (hostname: string, { family }: { family: 0 | 4 | 6 }) => {
      try {
        return await this.resolver.resolve(hostname, family)
      } catch (error) {
        const isMissing = (error as NameError).failure === 'NXDOMAIN'
        throw lookupException(isMissing ? 'ENOTFOUND' : 'EAI_AGAIN', hostname)
      }
    }
    return new NodeStack({ ...rest, resolver }, hooks, environment)
  }
}

/** What runs on a host, from its start to its crash; then there is another one. */
class Program implements Resident {
  readonly #host: SimulatedHost
  readonly #around: Surroundings
  #scope: Scope | null = null

  constructor(host: SimulatedHost, around: Surroundings) {
    this.#host = host
    this.#around = around
  }

  scope(): Scope {
    this.#scope ??= new Scope(new Inside(this.#host, this.#around), this.#around.failed)
    return this.#scope
  }

  crash(): void {
    this.#scope?.end()
    this.#scope = null
  }

  pause(until: number): void {
    this.scope().pausedUntil = until
  }

  held(): Held[] {
    return this.#scope?.held() ?? []
  }
}

/** A host as its program's scope sees it: by its own calendar. */
class Inside implements HostInside, ScopeTime {
  readonly #host: SimulatedHost
  readonly #around: Surroundings
  readonly random: () => number

  constructor(host: SimulatedHost, around: Surroundings) {
    this.#host = host
    this.#around = around
    this.random = around.randomOf(host.name)
  }

  get name(): string {
    return this.#host.name
  }

  get stack(): NodeStack {
    return this.#host.stack
  }

  get resolver(): Resolver {
    return this.#host.resolver
  }

  get isReal(): boolean {
    return this.#around.time.isReal
  }

  nameOf(address: string): string | null {
    return this.#around.nameOf(address)
  }

  noWay(address: string): void {
    this.#host.noWay(address)
  }

  lookedUp(): void {}

  now(): number {
    return this.#around.time.now()
  }

  wall(): number {
    return this.#host.clock.wall()
  }

  after(milliseconds: number, callback: () => void): () => void {
    return this.#around.time.after(milliseconds, callback)
  }

  idle(): void {
    this.#around.time.idle()
  }
}
