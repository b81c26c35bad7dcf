// A whole run of two hosts from one seed: a random path, random settings, random applications, a schedule of troubles.
// Returns what was wrong with it, and the counters of the mechanisms that were reached.

import { Count } from '../../src/core/observer.ts'
import type { CongestionChoice } from '../../src/core/tcp/congestion/controllers.ts'
import type { Impairment } from '../../src/link/impairment.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import type { Host } from '../../src/simulate/host.ts'
import { type Network, simulate } from '../../src/simulate/network.ts'
import type { NetworkLink } from '../../src/simulate/network-link.ts'
import { SeededRandom } from '../../src/simulate/random.ts'
import { Application, type Plan } from './application.ts'
import { WireObserver } from './wire-observer.ts'

export interface Outcome {
  faults: string[]
  counts: Record<string, number>
  octets: number
  milliseconds: number
}

const PORT = 80
/** CONGESTION=bbr has all seeds under one controller; else each host draws its own. */
const CONTROLLER = process.env.CONGESTION as CongestionChoice | undefined
const CONTROLLERS: readonly CongestionChoice[] = ['cubic', 'reno', 'bbr']
/** Long after every timer of an ordinary connection. */
const LATEST = 3_600_000

/** Everything about one seed. `capture` gets the pcapng file's blocks. */
export function runScenario(seed: number, capture?: (block: Uint8Array) => void): Outcome {
  const random = new SeededRandom(seed, 'scenario')
  const network = simulate({ seed })
  if (capture !== undefined) network.capture(capture)
  const isIpv6 = random.below(3) === 0
  const isTroubled = random.below(6) > 0
  // Of its own, so that it changes nothing of what the seed has drawn otherwise.
  const marks = new SeededRandom(seed, 'marks')
  const tcp = () => ({
    ecn: (['ask', 'ask', 'accept', 'never'] as const)[marks.below(4)],
    timestamps: random.below(4) > 0,
    selectiveAcks: random.below(4) > 0,
    windowScaling: random.below(4) > 0,
    receiveBufferInitial: [4096, 16_384, 131_072][random.below(3)],
    receiveBufferMost: [16_384, 262_144, 6_291_456][random.below(3)],
    sendBufferInitial: [4096, 65_536][random.below(2)],
    // A cookie whose ACK is lost, or comes twice, leaves one end without the other: only paths without trouble have them.
    congestion: CONTROLLER ?? CONTROLLERS[random.below(CONTROLLERS.length)],
    synCookies: isTroubled ? ('when-full' as const) : ('always' as const),
  })
  const client = network.host('client', { tcp: tcp() })
  const server = network.host('server', { tcp: tcp() })
  // Super-segments in one piece, checksums half done: nothing on such a link may be corrupted.
  const hasOffload = random.below(4) === 0
  const links = join(network, client, server, hasOffload, isTroubled, random, marks)
  for (const host of [client, server]) wrapNumbers(host, random)
  const before = [held(client), held(server)]
  const trouble = planTrouble(network, links, isTroubled ? 1 + random.below(5) : 0, hasOffload, random)
  markAndSwallow(network, links, isIpv6, isTroubled, marks, trouble)
  const run = new Run(network, client, server, isIpv6, random, trouble)
  network.advance(LATEST)
  return run.finish(before)
}

/** Directly, or through one or two routers with a narrower link behind the first. */
function join(
  network: Network,
  client: Host,
  server: Host,
  hasOffload: boolean,
  isTroubled: boolean,
  random: SeededRandom,
  marks: SeededRandom,
): NetworkLink[] {
  const path = (): Impairment & { mtu?: number } => {
    const delay = [0, 1, 10, 50, 200][random.below(5)]
    return {
      delay,
      // Jitter overtakes.
      jitter: random.below(3) === 0 && isTroubled ? delay / 2 : 0,
      rate: [1, 10, 1000, Infinity][random.below(4)],
      queue: 20 + random.below(200),
    }
  }
  const mtu = [576, 1280, 1500, 9000][random.below(4)]
  const least = Math.max(mtu, 1280)
  const offload = { checksum: true, tcp4: true, tcp6: true, udp: false }
  if (hasOffload) return [network.link(client, server, { ...asLink(path(), least), offload })]
  if (random.below(3) > 0) return [network.link(client, server, asLink(path(), least))]
  const router = network.router('router')
  const near = network.link(client, router, asLink(path(), 1500))
  const far = asLink(path(), [1280, 1400, 1500][random.below(3)])
  // The first segment may be too long for it, and with it goes the ACK that a cookie needs.
  if (!isTroubled || marks.below(2) === 0) return [near, network.link(router, server, far)]
  // The narrow link is in the middle: only routers tell of it.
  const second = network.router('second')
  return [near, network.link(router, second, far), network.link(second, server, { mtu: 1500 })]
}

function asLink(impairment: Impairment, mtu: number) {
  return { forward: impairment, backward: impairment, mtu }
}

/** Sequence numbers and timestamps that wrap soon. */
function wrapNumbers(host: Host, random: SeededRandom): void {
  if (random.below(3) > 0) return
  const { sequences } = host.stack.core.tcp.shared
  const first = -random.below(200_000)
  let next = 0
  sequences.choose = () => (first + next++ * 64_000) | 0
  const offset = ((random.below(2) === 0 ? 0x7fffffff : -1) - random.below(20_000)) | 0
  sequences.timestampOffset = () => offset
}

export interface Trouble {
  /** Anything at all is wrong with the path. */
  isClean: boolean
  /** So bad, or so long cut, that a connection may be given up. */
  mayTimeOut: boolean
  healedAt: number
}

function planTrouble(
  network: Network,
  links: NetworkLink[],
  kinds: number,
  hasOffload: boolean,
  random: SeededRandom,
): Trouble {
  const trouble: Trouble = { isClean: true, mayTimeOut: false, healedAt: 0 }
  let at = 0
  for (let count = 0; count < kinds; count++) {
    trouble.isClean = false
    const link = links[random.below(links.length)]
    at += random.below(2000)
    const lasts = 100 + random.below(8000)
    trouble.healedAt = Math.max(trouble.healedAt, at + lasts)
    if (random.below(5) === 0) {
      const direction = ([undefined, 'forward', 'backward'] as const)[random.below(3)]
      network.after(at, () => link.partition(direction))
      network.after(at + lasts, () => link.heal(direction))
      continue
    }
    const change = { ...pickImpairment(random), ...(hasOffload ? { corrupt: 0 } : {}) }
    network.after(at, () => link.impair(change))
    network.after(at + lasts, () => link.impair({ loss: 0, burstLoss: null, reorder: 0, duplicate: 0, corrupt: 0 }))
  }
  return trouble
}

/** Congestion marks, which are no trouble, and in some runs a path that swallows long packets, for a while or for good. */
function markAndSwallow(
  network: Network,
  links: NetworkLink[],
  isIpv6: boolean,
  isTroubled: boolean,
  random: SeededRandom,
  trouble: Trouble,
): void {
  const link = links[random.below(links.length)]
  if (random.below(3) === 0) link.impair({ mark: random.fraction() * [0.02, 0.3, 1][random.below(3)] })
  if (!isTroubled || random.below(6) > 0) return
  trouble.isClean = false
  const at = random.below(1500)
  const direction = (['forward', 'backward'] as const)[random.below(2)]
  // No IPv6 path is narrower than 1280 octets; below 576 we do not go in IPv4.
  const mtu = [600, 1000, 1280, 1400][isIpv6 ? 2 + random.below(2) : random.below(4)]
  network.after(at, () => link.impair({ [direction]: { mtu } }))
  if (random.below(3) === 0) return
  const lasts = 100 + random.below(8000)
  trouble.healedAt = Math.max(trouble.healedAt, at + lasts)
  network.after(at + lasts, () => link.impair({ [direction]: { mtu: Number.POSITIVE_INFINITY } }))
}

function pickImpairment(random: SeededRandom): Impairment {
  switch (random.below(6)) {
    case 0:
      return { loss: random.fraction() * 0.05 }
    case 1:
      return { loss: random.fraction() * 0.3 }
    case 2:
      return { burstLoss: { fraction: random.fraction() * 0.2, length: 2 + random.below(10) } }
    case 3:
      // Now and then so late that PAWS takes it for one of another age.
      return {
        reorder: random.fraction() * 0.3,
        reorderDelay: random.below(3) === 0 ? 1 + random.below(400) : 1 + random.below(40),
      }
    case 4:
      return { duplicate: random.fraction() * 0.3 }
    default:
      return { corrupt: random.fraction() * 0.2, loss: random.fraction() * 0.05 }
  }
}

/** What a host holds that must be let go of again. */
function held(host: Host) {
  const { tcp, deadlines } = host.stack.core
  const { shared } = tcp
  return {
    connections: tcp.connectionCount,
    requests: tcp.requestCount,
    timeWait: tcp.timeWaitCount,
    deadlines: deadlines.count,
    timers: shared.timers.count,
    flight: shared.flights.used,
    octets: shared.slabs.held,
  }
}

class Run {
  readonly #network: Network
  readonly #hosts: [Host, Host]
  readonly #observer: WireObserver
  readonly #trouble: Trouble
  readonly #pairs: { client: Application; server: Application | null; plan: Plan }[] = []
  readonly #faults: string[] = []
  readonly #byPort = new Map<number, Plan>()
  readonly #closeListener: () => void

  constructor(network: Network, client: Host, server: Host, isIpv6: boolean, random: SeededRandom, trouble: Trouble) {
    this.#network = network
    this.#hosts = [client, server]
    this.#trouble = trouble
    this.#observer = new WireObserver(
      () => network.now(),
      (key) => this.#expected(key),
    )
    for (const host of this.#hosts) this.#observer.watch(host)
    const asks = random.below(4) === 0
    const hesitation = random.below(300)
    const listener = server.stack.listen({
      port: PORT,
      backlog: 1 + random.below(20),
      onRequest: asks ? (request) => void network.after(hesitation, () => request.accept()) : undefined,
    })
    this.#closeListener = () => listener.close()
    listener.onConnection = (endpoint) => this.#accept(endpoint)
    const address = server.addresses[isIpv6 ? 1 : 0]
    const connections = 1 + random.below(3)
    for (let number = 0; number < connections; number++) {
      const plan = planOf(random, number)
      network.after(random.below(500), () => this.#connect(client, address, plan))
    }
  }

  finish(before: ReturnType<typeof held>[]): Outcome {
    const { faults } = this.#observer
    for (const { client, server, plan } of this.#pairs) {
      // The reset of an abort may be lost: then the other end may wait for ever, and is ended here.
      if (plan.client.abortAfter >= 0 || plan.server.abortAfter >= 0) for (const side of [client, server]) side?.end()
    }
    for (const pair of this.#pairs) this.#compare(pair)
    this.#closeListener()
    for (const [place, host] of this.#hosts.entries()) {
      const after = held(host)
      if (JSON.stringify(after) !== JSON.stringify(before[place])) {
        this.#faults.push(`${host.name} holds ${JSON.stringify(after)}, and before ${JSON.stringify(before[place])}`)
      }
    }
    if (this.#trouble.isClean) this.#checkClean()
    const counts: Record<string, number> = {}
    for (const host of this.#hosts) {
      const { counts: values, drops } = host.stack.counters()
      for (const [name, value] of Object.entries({ ...values, ...drops })) counts[name] = (counts[name] ?? 0) + value
    }
    counts.wireProbes = this.#observer.windowProbes
    return {
      faults: [...this.#faults, ...faults],
      counts,
      octets: this.#observer.octets,
      milliseconds: this.#network.now(),
    }
  }

  get #hasOverflown(): boolean {
    return this.#network.links.some(({ counters }) => counters.forward.overflow + counters.backward.overflow > 0)
  }

  #checkClean(): void {
    const isSteady = this.#network.links.every((link) => {
      const { rate, jitter } = link.settings('forward')
      return rate !== undefined && rate >= 1000 && jitter === 0
    })
    const { drops } = this.#hosts[1].stack.counters()
    // A SYN that found the queue full comes again.
    const isRefused = 'tcpListenOverflow' in drops || 'tcpSynOverflow' in drops
    if (
      !isSteady ||
      this.#hasOverflown ||
      isRefused ||
      this.#pairs.some(({ plan }) => plan.client.abortAfter >= 0 || plan.server.abortAfter >= 0)
    )
      return
    const { values } = this.#hosts[0].stack.core.observer.counters
    if (this.#observer.retransmissions > 0 && this.#observer.windowProbes === 0 && values.length > 0) {
      this.#faults.push(`${this.#observer.retransmissions} retransmissions on a clean path`)
    }
  }

  #connect(client: Host, address: string, plan: Plan): void {
    const endpoint = client.stack.connect({ address, port: PORT })
    this.#byPort.set(endpoint.localPort, plan)
    const application = new Application(endpoint, plan.client, plan.server, this.#network)
    this.#pairs.push({ client: application, server: null, plan })
  }

  #accept(endpoint: Endpoint): void {
    const plan = this.#byPort.get(endpoint.remotePort)
    const pair = this.#pairs.find((one) => one.plan === plan)
    if (plan === undefined || pair === undefined) {
      this.#faults.push(`a connection from port ${endpoint.remotePort} that nobody opened`)
      return
    }
    pair.server = new Application(endpoint, plan.server, plan.client, this.#network)
    pair.server.begin()
  }

  /** What says which octet stands at an offset of a flow's stream. */
  #expected(key: string): ((offset: number) => number) | null {
    const [from, to] = key.split('>')
    const sourcePort = Number(from.slice(from.lastIndexOf(':') + 1))
    const destinationPort = Number(to.slice(to.lastIndexOf(':') + 1))
    const plan = this.#byPort.get(sourcePort === PORT ? destinationPort : sourcePort)
    if (plan === undefined) return null
    return (sourcePort === PORT ? plan.server : plan.client).octet
  }

  #compare({ client, server, plan }: { client: Application; server: Application | null; plan: Plan }): void {
    const where = `connection ${plan.number}`
    for (const side of [client, server]) {
      if (side === null) continue
      for (const fault of side.faults) this.#faults.push(`${where}: ${fault}`)
      if (!side.isClosed) this.#faults.push(`${where}: ${side.name} is not over: ${side.describe()}`)
    }
    const isAborted = plan.client.abortAfter >= 0 || plan.server.abortAfter >= 0
    // RFC 4987 §3.6: a cookie whose ACK is lost or overtaken is no connection, or one for one end alone.
    const hasCookies = this.#hosts[1].stack.core.observer.counters.get(Count.tcpCookiesSent) > 0
    if (isAborted || (hasCookies && (this.#hasOverflown || !this.#trouble.isClean))) return
    for (const side of [client, server]) {
      if (side === null) this.#faults.push(`${where}: nobody accepted it: ${client.describe()}`)
      else if (side.reason !== 'none') this.#faults.push(`${where}: ${side.name} ended with ${side.describe()}`)
      else if (!side.hasEverything) this.#faults.push(`${where}: ${side.name} is short: ${side.describe()}`)
    }
  }
}

function planOf(random: SeededRandom, number: number): Plan {
  const isAborting = random.below(8) === 0
  const side = (name: string) => {
    const length = [0, 1, 100, 5000, 60_000, 300_000][random.below(6)]
    const salt = random.int32()
    const write = [1, 100, 1460, 10_000, 100_000][random.below(5)]
    const pauseWriting = random.below(4) === 0 ? 1 + random.below(300) : 0
    // No run is to last for hours because somebody writes an octet at a time.
    const most = write === 1 || pauseWriting > 0 ? write * 300 : length
    return {
      name,
      length: Math.min(most, length === 0 ? 0 : 1 + random.below(length)),
      octet: (offset: number) => (Math.imul(offset + salt, 0x9e3779b1) >>> 24) & 255,
      write,
      pauseWriting,
      read: [1000, 5000, 1_000_000][random.below(3)],
      pauseReading: random.below(3) === 0 ? 1 + random.below(1500) : 0,
      /** After the peer's end, or as soon as everything is written: a half close. */
      finishEarly: random.below(2) === 0,
      noDelay: random.below(2) === 0,
      lend: random.below(4) === 0,
      cork: random.below(6) === 0,
      urgent: random.below(8) === 0,
      keepAlive: random.below(4) === 0 ? 500 + random.below(3000) : 0,
      abortAfter: isAborting && random.below(2) === 0 ? random.below(20_000) : -1,
    }
  }
  return { number, client: side('client'), server: side('server') }
}
