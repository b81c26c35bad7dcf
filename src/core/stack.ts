// The whole of the core: four verbs over all layers, and the parts that an application's side may know.
// Called by the driver alone, which brings packets and the time; nothing here calls out.
import { type Allocate, LARGEST_PACKET, type PacketBatch } from './batch.ts'
import { Deadlines } from './deadlines.ts'
import { NO_OFFLOAD, type Offload, type Random } from './environment.ts'
import { type Address, type Prefix, parsePrefix } from './ip/address.ts'
import { type EchoSocket, EchoSockets } from './ip/echo.ts'
import { Forward } from './ip/forward.ts'
import { FRAGMENT_LIMITS, type FragmentLimits, Fragments } from './ip/fragments.ts'
import { type IcmpError, IcmpErrorKind } from './ip/icmp-error.ts'
import { IcmpInput } from './ip/icmp-input.ts'
import { IcmpOutput } from './ip/icmp-output.ts'
import { IpInput } from './ip/input.ts'
import { Interface, type Sender } from './ip/interface.ts'
import { Interfaces } from './ip/interfaces.ts'
import { IpOutput } from './ip/output.ts'
import type { Packet } from './ip/packet.ts'
import { PathMtu } from './ip/path-mtu.ts'
import { type Route, Routes } from './ip/routes.ts'
import { TokenBucket } from './ip/token-bucket.ts'
import { Count, Drop, Observer } from './observer.ts'
import { ReadyList } from './ready.ts'
import { SipHash } from './siphash.ts'
import type { TcpSettings } from './tcp/settings.ts'
import { Tcp } from './tcp/tcp.ts'
import { Udp } from './udp/udp.ts'
import { Protocol } from './wire/ipv4.ts'

export interface StackOptions {
  random: Random
  /** Passes on packets that are for others. */
  forward?: boolean
  fragments?: Partial<FragmentLimits>
  /** ICMP errors a second, and at once. */
  icmpErrors?: { perSecond: number; burst: number }
  /** Echo replies a second, and at once; no limit when not given. */
  echoReplies?: { perSecond: number; burst: number }
  /** TCP's limits and defaults, where they shall be others. */
  tcp?: Partial<TcpSettings>
  /** Makes the memory that packets and TCP's octets lie in, and which applications get slices of: Node's need not be zeroed first. */
  allocate?: Allocate
}

export interface StackInterfaceOptions {
  name: string
  mtu: number
  headroom?: number
  offload?: Offload
  addresses?: readonly Prefix[]
  anyAddress?: boolean
  /** Octets of messages too large for one packet that may wait to be cut into fragments. */
  oversizedLimit?: number
}

/** Linux: net.ipv4.icmp_msgs_per_sec and icmp_msgs_burst. */
const ICMP_ERRORS = { perSecond: 1000, burst: 50 } as const
const OVERSIZED_LIMIT = 1 << 20
const LOOPBACK_MTU = 65_536
/** No wire, nothing that could falsify an octet: partial checksums come back as they went. */
const LOOPBACK_OFFLOAD = Object.freeze({ checksum: true, tcp4: false, tcp6: false, udp: false })

export class Stack {
  readonly observer = new Observer()
  readonly deadlines = new Deadlines()
  readonly routes = new Routes()
  readonly interfaces = new Interfaces(this.routes)
  readonly pathMtu: PathMtu
  readonly ready = new ReadyList()
  readonly fragments: Fragments
  readonly udp: Udp
  readonly tcp: Tcp
  /** Of `StackOptions`, for batches. */
  readonly allocate: Allocate | undefined
  readonly #errors: IcmpOutput
  readonly #input: IpInput
  readonly #icmp: IcmpInput
  readonly #echo: EchoSockets
  readonly #output: IpOutput

  constructor(options: StackOptions) {
    const { random, allocate } = options
    this.allocate = allocate
    const { observer, deadlines, interfaces, ready } = this
    const hash = new SipHash(random)
    this.pathMtu = new PathMtu(hash)
    const loopback = { name: 'lo', mtu: LOOPBACK_MTU, offload: LOOPBACK_OFFLOAD, addresses: loopbackAddresses() }
    const local = this.#addInterface(loopback, true)
    const output = new IpOutput(observer, this.pathMtu, hash, local.replies)
    const { perSecond, burst } = options.icmpErrors ?? ICMP_ERRORS
    const errors = new IcmpOutput(interfaces, output, observer, new TokenBucket(perSecond, burst))
    const forward = new Forward(options.forward ?? false, interfaces, errors, observer)
    const replies = options.echoReplies
    const replyLimit = replies === undefined ? null : new TokenBucket(replies.perSecond, replies.burst)
    this.fragments = new Fragments(observer, hash, deadlines, { ...FRAGMENT_LIMITS, ...options.fragments })
    this.#output = output
    this.#errors = errors
    this.#echo = new EchoSockets(interfaces, output, observer, ready, random, hash)
    this.#input = new IpInput(interfaces, this.fragments, errors, forward, observer)
    this.#icmp = new IcmpInput(interfaces, output, this.#echo, observer, replyLimit)
    this.udp = new Udp({ interfaces, output, observer, hash, random, ready })
    const { routes, pathMtu } = this
    const context = { interfaces, routes, pathMtu, output, observer, deadlines, random, ready, allocate }
    this.tcp = new Tcp(context, options.tcp)
  }

  get loopback(): Interface {
    return this.interfaces.loopback
  }

  /** An interface for a link, with a route to each of its addresses' networks. */
  addInterface(options: StackInterfaceOptions): Interface {
    return this.#addInterface(options, false)
  }

  addRoute(destination: Prefix, by: Interface, gateway: Address | null = null, metric = 0): Route {
    const route = { destination: destination.address, length: destination.length, interface: by, gateway, metric }
    this.routes.add(route)
    return route
  }

  openEcho(): EchoSocket | null {
    return this.#echo.open()
  }

  /** Packets have arrived: all that are in the batch, by the interface it names. */
  receive(batch: PacketBatch, now: number): void {
    this.observer.setNow(now)
    const from = this.interfaces.list[batch.interface]
    // Links in memory hand on what the sender's stack has noted.
    if (this.observer.isDetailed) batch.note.fill(0, batch.first, batch.end)
    for (let row = batch.first; row < batch.end; row++) {
      const packet = this.#input.receive(batch, row, from, now)
      if (packet !== null) this.#deliver(packet, now)
    }
  }

  /** Fills the batch of an interface while there is something to send and room. */
  transmit(batch: PacketBatch, now: number): void {
    this.observer.setNow(now)
    const by = this.interfaces.list[batch.interface]
    const { replies, senders } = by
    while (replies.count > 0) {
      if (batch.copy(replies, replies.first) < 0) return
      replies.shift(1)
    }
    if (by.oversized.length > 0) this.#output.sendFragments(batch, by)
    // Each sends for a while, then stands behind the others again.
    while (senders.count > 0 && !batch.isFull) {
      let emissions = emissionsInARow(batch, senders.count)
      const sender = senders.shift() as Sender
      let hasMore = true
      while (hasMore && emissions-- > 0 && !batch.isFull) hasMore = sender.transmit(batch, now)
      if (hasMore) senders.push(sender)
      if (by.oversized.length > 0) this.#output.sendFragments(batch, by)
    }
  }

  /** Deadlines that have passed. `drained`: no link has packets left that might disarm a loss timer. */
  expire(now: number, drained: boolean): void {
    this.observer.setNow(now)
    this.deadlines.expire(now, drained)
    const { abandoned } = this.fragments
    if (abandoned.length === 0) return
    for (const { source, destination, ...head } of abandoned) {
      this.#errors.sendReassemblyTimeout(head, source, destination, now)
    }
    abandoned.length = 0
  }

  deadline(): number {
    return this.deadlines.next()
  }

  /** Whether any interface has something to be transmitted. */
  get hasOutput(): boolean {
    for (const one of this.interfaces.list) if (one.hasOutput) return true
    return false
  }

  /** Every socket is let go of; peers of TCP connections are sent a reset, with the next `transmit`. */
  close(now: number): void {
    this.tcp.closeAll(now)
    this.udp.closeAll()
    this.#echo.closeAll()
  }

  #addInterface(options: StackInterfaceOptions, isLoopback: boolean): Interface {
    const added = new Interface(this.interfaces.list.length, {
      name: options.name,
      mtu: options.mtu,
      headroom: options.headroom ?? 0,
      offload: options.offload ?? NO_OFFLOAD,
      addresses: options.addresses ?? [],
      anyAddress: options.anyAddress ?? false,
      isLoopback,
      oversizedLimit: options.oversizedLimit ?? OVERSIZED_LIMIT,
      allocate: this.allocate,
    })
    this.interfaces.add(added)
    for (const prefix of added.addresses) if (prefix.length < 128) this.addRoute(prefix, added)
    return added
  }

  #deliver(packet: Packet, now: number): void {
    switch (packet.protocol) {
      case Protocol.udp:
        if (!this.udp.receive(packet)) this.#errors.sendPortUnreachable(packet, now)
        return
      case Protocol.icmp:
      case Protocol.icmpv6: {
        if ((packet.protocol === Protocol.icmp) !== packet.isIpv4) break
        const error = this.#icmp.receive(packet, now)
        if (error !== null) this.#unreachable(error, packet, now)
        return
      }
      case Protocol.tcp:
        this.tcp.receive(packet, now)
        return
    }
    this.observer.drop(Drop.unknownProtocol, packet.batch, packet.row)
    if (packet.protocol !== Protocol.igmp) this.#errors.sendProtocolUnreachable(packet, now)
  }

  /** RFC 5927 §4: an error is believed when the transport has really sent what it quotes. */
  #unreachable(error: IcmpError, packet: Packet, now: number): void {
    if (!this.#isOurs(error)) {
      this.#icmp.unmatched(packet)
      return
    }
    if (error.kind !== IcmpErrorKind.tooBig) return
    const route = this.interfaces.route(error.destination)
    if (route === null) return
    // RFC 1191 §3: routers that say nothing leave us to guess; none can ask for less than what was too big.
    const isSilent = error.mtu === 0 && error.destination.isIpv4
    const mtu = isSilent ? PathMtu.plateau(error.packetLength) : error.mtu
    if (mtu >= error.packetLength) return
    if (!this.pathMtu.learn(error.destination, mtu, route.interface.mtu, now)) return
    this.observer.counters.values[Count.pathMtuLearned]++
    this.tcp.pathChanged(error.destination, now)
  }

  #isOurs(error: IcmpError): boolean {
    switch (error.protocol) {
      case Protocol.tcp:
        return this.tcp.unreachable(error)
      case Protocol.udp:
        return this.udp.unreachable(error)
      case Protocol.icmp:
      case Protocol.icmpv6:
        return this.#echo.unreachable(error)
      default:
        return false
    }
  }
}

function loopbackAddresses(): Prefix[] {
  return [parsePrefix('127.0.0.1/8') as Prefix, parsePrefix('::1/128') as Prefix]
}

/** One, but where packets may be long: then each of few senders has several of the batch's, since a link may join long ones of one flow. */
function emissionsInARow(batch: PacketBatch, senders: number): number {
  return batch.largest < LARGEST_PACKET ? 1 : Math.max(1, Math.floor(batch.longest / senders))
}
