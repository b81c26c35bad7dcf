// Everything around a script: a stack of its own, a link whose other end is the script, virtual time, and the flows between them.
// Time is microseconds since the script began.
import type { Environment } from '../core/environment.ts'
import { Protocol } from '../core/wire/ipv4.ts'
import { Flag } from '../core/wire/tcp.ts'
import { TappedLink } from '../link/capture.ts'
import { packets } from '../link/packets.ts'
import type { PcapngSink } from '../link/pcapng.ts'
import { createStack, type PortableStack } from '../runtime/create-stack.ts'
import { VirtualClock } from '../simulate/clock.ts'
import { SeededRandom } from '../simulate/random.ts'
import { compose } from './composer.ts'
import { Flow, type Tuple } from './flow.ts'
import type { PacketSpec, TcpSpec } from './script.ts'
import { read, type Seen } from './seen.ts'
import type { Setup } from './setup.ts'

/** The script's ends of connections that come to us. */
const FIRST_REMOTE_PORT = 49_152
/** The clock when the script begins: a stack that has just been started is nobody's case. */
const BEGINNING = 10_000

export class World {
  readonly setup: Setup
  readonly clock = new VirtualClock()
  readonly stack: PortableStack
  /** What the stack has sent and no line has asked for yet. */
  readonly sent: Seen[] = []
  /** The link refuses packets while this is false. */
  linkTakes = true
  readonly #link: ReturnType<typeof packets>
  readonly #flows: Flow[] = []
  #current: Flow | null = null
  #identification = 1
  #nextPort = FIRST_REMOTE_PORT

  constructor(setup: Setup, seed: string, sink: PcapngSink | null) {
    this.setup = setup
    const environment: Environment = {
      clock: this.clock,
      random: new SeededRandom(seed),
      alarm: (callback) => this.clock.alarm(callback),
    }
    const failed = (error: unknown) => {
      throw error
    }
    this.stack = createStack({ environment, tcp: setup.tcp, hooks: { failed } })
    this.#link = packets({ mtu: setup.mtu, send: (octets) => this.#take(octets) })
    const link = new TappedLink(this.#link)
    if (sink !== null) link.tap(sink, { name: 'drill' })
    const { local, prefix, gateway } = setup
    this.clock.advance(BEGINNING)
    this.stack.addInterface({ link, addresses: [`${local}/${prefix}`], gateways: [String(gateway)] })
    this.settle()
  }

  get now(): number {
    return this.#toScript(this.clock.now())
  }

  /** When the stack next has something to do. */
  get next(): number {
    return this.#toScript(this.clock.next)
  }

  /** The next thing happens. */
  step(): void {
    this.clock.step()
  }

  /** Everything happens that is due up to then. */
  advance(until: number): void {
    this.clock.advance(Math.max(this.clock.now(), BEGINNING + until / 1000))
  }

  /** Whatever is due now. */
  settle(): void {
    this.clock.advance(this.clock.now())
  }

  refuse(isRefusing: boolean): void {
    this.linkTakes = !isRefusing
    if (this.linkTakes) this.#link.ready()
  }

  close(): void {
    this.stack.close()
  }

  /** The peer sends this. */
  inject(spec: PacketSpec): Flow {
    const flow = this.#flowFor(spec)
    const { body } = spec
    if (body.protocol === 'tcp') noteSegment(body, flow, this.setup.mtu)
    if (body.protocol === 'icmp' && body.mtu !== null && body.quote !== null) {
      flow.mss = Math.min(flow.mss, flow.payloadOf(body.mtu))
    }
    this.#link.deliver(compose(spec, { flow, identification: this.#identification++ }))
    this.settle()
    return flow
  }

  /** The flow that a packet of the stack belongs to; null where the script knows of none. */
  flowOf(seen: Seen): Flow | null {
    const { source, destination, sourcePort, destinationPort, protocol } = seen
    const isPart = seen.fragment !== null && seen.fragment.start > 0
    if (isPart || (protocol !== Protocol.tcp && protocol !== Protocol.udp)) {
      return source.equals(this.setup.local) && destination.equals(this.setup.remote) ? this.#lastFlow() : null
    }
    const flow = this.#find({
      protocol: protocol === Protocol.tcp ? 'tcp' : 'udp',
      local: source,
      localPort: sourcePort,
      remote: destination,
      remotePort: destinationPort,
    })
    if (flow !== null) this.#current = flow
    return flow
  }

  /** A conversation begins, or is one that is known. */
  open(tuple: Tuple): Flow {
    const flow = this.#find(tuple) ?? this.#add(tuple)
    this.#current = flow
    return flow
  }

  #find(tuple: Tuple): Flow | null {
    return this.#flows.find((flow) => flow.matches(tuple)) ?? null
  }

  #add(tuple: Tuple): Flow {
    const flow = new Flow(tuple, this.setup.mtu)
    this.#flows.push(flow)
    return flow
  }

  #flowFor({ body, ports, direction }: PacketSpec): Flow {
    const { local, remote, bindPort } = this.setup
    const quoted = body.protocol === 'icmp' ? (body.quote?.protocol ?? this.#current?.protocol ?? 'tcp') : body.protocol
    if (ports !== null) {
      const [remotePort, localPort] =
        direction === 'in' ? [ports.source, ports.destination] : [ports.destination, ports.source]
      return this.open({ protocol: quoted, local, localPort, remote, remotePort })
    }
    const known =
      this.#current?.protocol === quoted ? this.#current : this.#flows.find((one) => one.protocol === quoted)
    if (known !== undefined) return known
    return this.open({ protocol: quoted, local, localPort: bindPort, remote, remotePort: this.#nextPort++ })
  }

  #lastFlow(): Flow {
    const { local, remote, bindPort } = this.setup
    return (
      this.#current ?? this.open({ protocol: 'tcp', local, localPort: bindPort, remote, remotePort: this.#nextPort++ })
    )
  }

  #take(octets: Uint8Array<ArrayBuffer>): boolean {
    if (!this.linkTakes) return false
    this.sent.push(read(octets, this.now))
    return true
  }

  #toScript(milliseconds: number): number {
    return Math.round((milliseconds - BEGINNING) * 1000)
  }
}

/** What a segment of the peer says of the conversation. */
function noteSegment(spec: TcpSpec, flow: Flow, mtu: number): void {
  if ((spec.flags & Flag.syn) === 0) return
  flow.remoteStart = (spec.sequence + 1) >>> 0
  if ((spec.flags & Flag.ack) === 0) flow.mayRenumber = true
  const option = spec.options.list.find(({ kind }) => kind === 'mss')
  if (option?.kind === 'mss' && option.value !== null) flow.mss = Math.min(option.value, flow.payloadOf(mtu))
}
