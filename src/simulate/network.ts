// A network of hosts in virtual time: one seed gives one run, octet for octet. `simulate` is where users begin.
// Time moves only in `advance` and `run`, from event to event; nothing here waits for real time.
import type { Offload } from '../core/environment.ts'
import { parseAddress } from '../core/ip/address.ts'
import { type EachWay, eachWay, type Impairment } from '../link/impairment.ts'
import { type PcapngOptions, type PcapngSink, PcapngWriter } from '../link/pcapng.ts'
import { wire } from '../link/wire.ts'
import { VirtualClock } from './clock.ts'
import { explain } from './failure.ts'
import { FlightRecorder } from './flight-recorder.ts'
import { Host, type HostOptions, type HostWorld, settingsOf, tap } from './host.ts'
import { describeLeaks, heldBy, listensAt } from './leaks.ts'
import { checkedLimit, tooLong } from './limit.ts'
import { canonicalName, hostKey, NameError, Names } from './names.ts'
import { checkedMtu, type Direction, NetworkLink } from './network-link.ts'
import { Paths } from './paths.ts'
import { SeededRandom } from './random.ts'
import type { Held } from './resident.ts'
import { type Settler, settler } from './settle.ts'
import { StackWatcher } from './stack-watcher.ts'
import { type Happening, Timeline } from './timeline.ts'
import { drawTimeline, type TimelinePictureOptions } from './timeline-picture.ts'

export interface SimulateOptions {
  /** 1 unless said otherwise. */
  seed?: number | string
  /** The date at which time begins, in milliseconds since 1970: that of 2025-01-01T00:00:00Z unless said otherwise. */
  beginning?: number
  /** Another clock than one that begins at `beginning` and stands still by itself. */
  clock?: VirtualClock
  /** Virtual milliseconds that one `run` of a function may take: two days unless said otherwise, `Infinity` for no end. Then it fails, and says what goes on. */
  limit?: number
  /** How `run` waits until the program has nothing more to do at once. */
  settler?: () => Settler
  /** Octets of packets that are kept for the capture that a failure leaves behind: 4 MB unless said otherwise, 0 for none. */
  recorder?: number
  /** Writes the capture (pcapng) of a failure somewhere, and says where, for the failure's message. In Node into the system's temporary folder. */
  keep?: (capture: Uint8Array<ArrayBuffer>, seed: number | string) => string | null
}

/** As much as some thousand packets take. */
const RECORDED = 4 * 1024 * 1024

/**
 * Impairments both ways or each way, and `mtu`: the link's own, which both hosts know; 1500 unless said otherwise. `offload`: what the
 * link does for its hosts' stacks: super-segments then cross it, and are lost, as one packet each.
 */
export type LinkOptions = Impairment | (EachWay<Direction> & { mtu?: number; offload?: Offload })

export function simulate(options: SimulateOptions = {}): Network {
  return new Network(options)
}

export class Network {
  readonly seed: number | string
  readonly clock: VirtualClock
  /** Chance that repeats with the seed: `random.fraction()` in the place of `Math.random()`. */
  readonly random: SeededRandom
  /** What names stand for. Every host has its own by birth. */
  readonly names: Names
  readonly #timeline = new Timeline(() => this.clock.now())
  readonly #watchers = new Map<Host, { stack: Host['stack']; watcher: StackWatcher }>()
  readonly #recorder: FlightRecorder
  readonly #keep: SimulateOptions['keep']
  readonly #hosts = new Map<string, Host>()
  readonly #owners = new Map<string, Host>()
  readonly #links: NetworkLink[] = []
  readonly #captures: { writer: PcapngWriter; stops: (() => void)[] }[] = []
  readonly #paths = new Paths()
  readonly #settler: () => Settler
  readonly #limit: number
  /** What applications' handlers have thrown, in the order in which they did. */
  protected readonly errors: unknown[] = []
  protected isRunning = false
  #handedOut = 0

  constructor(options: SimulateOptions = {}) {
    this.seed = options.seed ?? 1
    this.random = new SeededRandom(this.seed)
    this.clock = options.clock ?? new VirtualClock(options.beginning)
    this.#settler = options.settler ?? settler
    this.#limit = checkedLimit(options.limit)
    this.#recorder = new FlightRecorder(options.recorder ?? RECORDED)
    this.#keep = options.keep
    this.names = new Names(
      (name) => this.#hosts.get(name)?.addresses ?? null,
      (text) => this.#timeline.add('fault', null, null, text),
    )
  }

  /** Virtual milliseconds since the beginning. */
  now(): number {
    return this.clock.now()
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()]
  }

  get links(): readonly NetworkLink[] {
    return this.#links
  }

  /** A host by that name, with addresses of its own; those that aren't given are handed out: 10.0.0.1 and fd00::1, and so on. */
  host(name: string, options: readonly string[] | HostOptions = {}): Host {
    const key = hostKey(name)
    if (this.#hosts.has(key)) throw new Error(`there is a host '${name}' already: give each a name of its own`)
    const settings = settingsOf(options)
    const prefixes = settings.addresses ?? this.#handOut()
    if (prefixes.length === 0) throw new Error(`host '${name}' needs an address`)
    const host = this.make(name, prefixes, settings, this.#worldOf(name))
    for (const address of host.addresses) {
      const owner = this.#owners.get(address)
      if (owner !== undefined)
        throw new Error(
          `${address} is an address of '${owner.name}' already: give each host its own, or leave them to the network`,
        )
    }
    for (const address of host.addresses) this.#owners.set(address, host)
    this.#hosts.set(key, host)
    this.#paths.addHost(host)
    return host
  }

  /** The host by that name. */
  find(given: Host | string): Host {
    const host = this.#hosts.get(canonicalName(typeof given === 'string' ? given : given.name))
    if (host !== undefined && (host === given || typeof given === 'string')) return host
    if (typeof given !== 'string') throw new Error(`'${given.name}' is a host of another network`)
    const known = this.hosts.map(({ name }) => `'${name}'`).join(', ')
    throw new Error(
      `there is no host '${given}'; make it with network.host('${given}')${known === '' ? '' : `, or name one of ${known}`}`,
    )
  }

  /** The first link that joins the two. */
  linkBetween(one: Host | string, other: Host | string): NetworkLink {
    const [first, second] = [this.find(one), this.find(other)]
    const link = this.#links.find(({ hosts }) => hosts.includes(first) && hosts.includes(second))
    if (link !== undefined) return link
    throw new Error(
      `no link joins '${first.name}' and '${second.name}'; make it with network.link('${first.name}', '${second.name}')`,
    )
  }

  /** A host that passes on what is for others. */
  router(name: string, options: readonly string[] | HostOptions = {}): Host {
    return this.host(name, { ...settingsOf(options), forward: true })
  }

  /** Joins two hosts. Every host gets routes along the shortest paths, counted in links, that lead through routers. */
  link(one: Host | string, other: Host | string, options: LinkOptions = {}): NetworkLink {
    const hosts = [this.find(one), this.find(other)] as const
    const [first, second] = hosts
    if (first === second) throw new Error(`'${first.name}' can't be linked to itself: it reaches itself without a link`)
    const { mtu, offload, ...impairments } = options as EachWay<Direction> & { mtu?: number; offload?: Offload }
    const parallel = first.ports.filter((port) => port.peer === second).length
    const random = this.random.stream(`link ${first.name} ${second.name} ${parallel}`)
    const joined = wire({
      time: this.clock,
      random: { forward: random.stream('forward'), backward: random.stream('backward') },
      mtu: checkedMtu(mtu),
      offload,
    })
    const faces = {
      forward: this.#recorder.addFace(`${first.name} to ${second.name}`),
      backward: this.#recorder.addFace(`${second.name} to ${first.name}`),
    }
    const link = new NetworkLink(hosts, joined, {
      time: this.clock,
      tell: ({ hosts: [from, to] }, text, series) => this.#timeline.add('fault', from.name, to.name, text, series),
      carried: (_, direction, batch, row, fate) => {
        this.#recorder.record(faces[direction], this.clock.now(), batch, row, fate)
      },
    })
    const each = eachWay(impairments, 'forward', 'backward')
    joined.forward.change(each.forward)
    joined.backward.change(each.backward)
    const firstPort = first.attach(joined.ends[0], second)
    const secondPort = second.attach(joined.ends[1], first)
    this.#paths.addLink(first, firstPort, second, secondPort)
    this.#links.push(link)
    for (const { writer, stops } of this.#captures) {
      stops.push(tap(first, firstPort, writer), tap(second, secondPort, writer))
    }
    return link
  }

  /** The first address that a host or a name stands for; an address is returned as it is. */
  resolve(target: Host | string): string {
    if (typeof target !== 'string') return target.address
    const found = this.names.find(target)?.[0] ?? target
    if (parseAddress(found) === null) throw new NameError(target, 'NXDOMAIN')
    return found
  }

  /** All that was worth a word, in the order in which it happened. */
  timeline(): readonly Happening[] {
    return this.#timeline.happenings
  }

  /** The timeline as SVG: a lane for each host, and the most noteworthy in words. */
  drawTimeline(options?: TimelinePictureOptions): string {
    return drawTimeline(
      this.hosts.map(({ name }) => name),
      this.#timeline.happenings,
      options,
    )
  }

  /** The last packets, as a pcapng file: each as it set out, with a comment where it did not arrive. What a failure leaves behind. */
  recording(): Uint8Array<ArrayBuffer> {
    return this.#recorder.toPcapng(this.clock.wall() - this.clock.now())
  }

  /** What programs on the hosts hold now: sockets, servers and timers. What TCP itself still has to finish doesn't count. */
  held(): readonly Held[] {
    return this.hosts.flatMap((host) => heldBy(host, (address) => this.#nameOf(address)))
  }

  /** Throws where a program has left a socket, a server or a timer behind, and names each. */
  expectNoLeaks(): void {
    const leaks = describeLeaks(this.held())
    if (leaks !== null) throw this.explained(new Error(leaks))
  }

  /** Puts a remark of the program's into the timeline. */
  note(text: string, host: Host | string | null = null): void {
    this.#timeline.add('note', typeof host === 'string' ? host : (host?.name ?? null), null, text)
  }

  /** Something that happens after so many virtual milliseconds; the returned function cancels it. */
  after(milliseconds: number, callback: () => void): () => void {
    return this.clock.after(milliseconds, callback)
  }

  /** Lets everything happen up to that time, that which is due then included; without one, until nothing is left to happen. Promises that are fulfilled on the way go on only when it has returned. */
  advance(until?: number): void {
    if (this.isRunning) throw new Error('the network is running already')
    this.isRunning = true
    try {
      this.happen(until)
    } finally {
      this.isRunning = false
    }
  }

  /** As `advance`, but between any two times the program's promises go on. */
  run(until?: number): Promise<void>
  /** Moves time until what the function has begun is done, and returns what it returns. */
  run<Result>(work: () => Promise<Result> | Result): Promise<Result>
  async run<Result>(given?: number | (() => Promise<Result> | Result)): Promise<Result | undefined> {
    if (this.isRunning) throw new Error('the network is running already')
    this.isRunning = true
    try {
      if (typeof given === 'function') return await this.work(given)
      await this.move(() => false, given)
      return undefined
    } catch (error) {
      throw this.explained(error)
    } finally {
      this.isRunning = false
    }
  }

  /** Writes what crosses every link, at both of its ends, those added later too, as one pcapng file; the returned function ends it. */
  capture(sink: PcapngSink, options: PcapngOptions = {}): () => void {
    const writer = new PcapngWriter(sink, options)
    const stops = this.hosts.flatMap((host) => host.ports.map((port) => tap(host, port, writer)))
    const capture = { writer, stops }
    this.#captures.push(capture)
    return () => {
      for (const stop of stops) stop()
      const place = this.#captures.indexOf(capture)
      if (place >= 0) this.#captures.splice(place, 1)
    }
  }

  /** Closes every stack: sockets are let go of without a word. */
  close(): void {
    if (this.isRunning) {
      throw new Error(
        'the network is still running: await network.run(…) before the test ends, and close it after that',
      )
    }
    for (const host of this.#hosts.values()) host.stack.close()
  }

  /** Nobody has caught it: it ends the run. */
  protected failed(error: unknown): void {
    this.errors.push(error)
    this.#timeline.add('error', null, null, `nobody has caught this: ${error}`)
  }

  /** An exception of an application's handler ends it at once. */
  protected happen(until = Number.POSITIVE_INFINITY): void {
    while (this.clock.next <= until && this.clock.step()) {
      const [error] = this.errors.splice(0)
      if (error !== undefined) throw error
    }
    if (until !== Number.POSITIVE_INFINITY) this.clock.advance(until)
  }

  protected async work<Result>(work: () => Promise<Result> | Result): Promise<Result> {
    let isDone = false
    const result = Promise.resolve().then(work)
    const done = () => void (isDone = true)
    result.then(done, done)
    const end = this.now() + this.#limit
    const isTooLong = () => this.clock.next > end && this.clock.next !== Number.POSITIVE_INFINITY
    await this.move(() => isDone || isTooLong())
    if (isDone) return result
    const held = isTooLong() ? this.goingOn() : null
    if (held !== null) throw tooLong(this.#limit, held)
    throw new Error(`nothing more will happen in the network, and what it runs is not done: ${this.stuck()}`)
  }

  /** What to do about it. */
  protected stuck(): string {
    return 'await only what a host or a timer will bring about'
  }

  /** What keeps time moving, as far as it is known; null where that is nothing that holds anybody. */
  protected goingOn(): readonly Held[] | null {
    return this.held()
  }

  /** Moves time until `isDone`, or up to `until`, or until nothing is left to happen. */
  protected async move(isDone: () => boolean, until?: number): Promise<void> {
    const end = until ?? Number.POSITIVE_INFINITY
    const { settle, close } = this.#settler()
    try {
      for (await settle(); !isDone(); await settle()) {
        if (this.clock.next > end || this.clock.next === Number.POSITIVE_INFINITY) break
        this.happen(this.clock.next)
      }
    } finally {
      close()
    }
    if (until !== undefined) this.happen(until)
  }

  /** For networks whose hosts can do more. */
  protected make(name: string, prefixes: readonly string[], options: HostOptions, world: HostWorld): Host {
    return new Host(name, prefixes, options, world)
  }

  #worldOf(name: string): HostWorld {
    const random = this.random.stream(`host ${name}`)
    return {
      clock: this.clock,
      random: (start) => (start === 1 ? random : random.stream(`start ${start}`)),
      hooks: { failed: (error) => this.failed(error) },
      names: this.names,
      resolve: (target) => this.resolve(target),
      route: (host) => this.#paths.restore(host),
      tell: (host, text) => this.#timeline.add('fault', host.name, null, text),
      trouble: (host, text, series) => this.#timeline.add('trouble', host.name, null, text, series),
      turned: (host) => this.#look(host),
    }
  }

  #look(host: Host): void {
    const { stack } = host
    let watched = this.#watchers.get(host)
    if (watched?.stack !== stack) {
      const watcher = new StackWatcher(host.name, stack, this.#timeline, {
        nameOf: (address) => this.#nameOf(address),
        listensAt: (address, port) => listensAt(this.#owners.get(address) ?? host, port),
      })
      watched = { stack, watcher }
      this.#watchers.set(host, watched)
    }
    watched.watcher.look()
  }

  #nameOf(address: string): string {
    return this.#owners.get(address)?.name ?? address
  }

  /** @internal An error, with what there is to say of the network. */
  protected explained(error: unknown): unknown {
    return explain(error, {
      seed: this.seed,
      now: this.now(),
      timeline: this.#timeline,
      keep: () => {
        return this.#keep === undefined || this.#recorder.count === 0 ? null : this.#keep(this.recording(), this.seed)
      },
    })
  }

  #handOut(): string[] {
    for (;;) {
      const number = ++this.#handedOut
      const addresses = [`10.0.${number >> 8}.${number & 255}`, `fd00::${number.toString(16)}`]
      if (!addresses.some((address) => this.#owners.has(address))) return addresses
    }
  }
}
