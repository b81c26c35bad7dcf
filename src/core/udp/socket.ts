// One UDP socket: what it is bound and connected to, what has arrived, what waits to be sent (RFC 768, RFC 8085).
// The user calls stand here; `Udp` finds it and `udp/output` writes what it sends. An endpoint owns it.
import type { Octets, PacketBatch } from '../batch.ts'
import { Address, unspecified } from '../ip/address.ts'
import { Datagram, DatagramQueue } from '../ip/datagram-queue.ts'
import type { Interface } from '../ip/interface.ts'
import { RecentPeers } from '../ip/recent-peers.ts'
import type { Route } from '../ip/routes.ts'
import { type Emitter, SendQueue } from '../ip/send-queue.ts'
import type { Owner, Wakeable } from '../ready.ts'

/** What a user call answers. */
export const UdpResult = {
  done: 0,
  addressInUse: 1,
  addressNotAvailable: 2,
  noRoute: 3,
  tooLong: 4,
  queueFull: 5,
  notPermitted: 6,
  notConnected: 7,
  alreadyBound: 8,
  wrongFamily: 9,
  closed: 10,
} as const

/** What a socket asks of UDP as a whole. */
export interface UdpLayer {
  bind(socket: UdpSocket, address: Address, port: number): number
  bindAny(socket: UdpSocket, device: Interface): number
  connect(socket: UdpSocket, address: Address, port: number, by: Interface | null): number
  maySend(socket: UdpSocket, to: Address, length: number, by: Interface | null): number
  routeOf(socket: UdpSocket, message: Datagram): Route | null
  emit(socket: UdpSocket, message: Datagram, batch: PacketBatch, now: number): boolean
  forget(socket: UdpSocket): void
  /** Puts the socket on the ready list. */
  wake(socket: UdpSocket): void
}

export interface Membership {
  readonly group: Address
  readonly interface: Interface
  /** Null: from anybody. */
  readonly source: Address | null
}

export class UdpSocket implements Emitter, Wakeable {
  owner: Owner | null = null
  isReady = false
  readonly isIpv6: boolean
  readonly local = new Address()
  localPort = 0
  isBound = false
  /** Takes datagrams to every port of the interface it is bound to. */
  isAnyPort = false
  isIpv6Only = false
  /** SO_REUSEPORT: sockets that have it share a port, and the flows that come to it. */
  isReuse = false
  /** SO_REUSEADDR, as Linux has it for UDP: sockets that have it share a port, and the one bound last hears. */
  isReuseAddress = false
  /** Only what comes by this interface, and out by it; null for any. */
  device: Interface | null = null
  readonly remote = new Address()
  remotePort = 0
  isConnected = false
  isClosed = false
  mayBroadcast = false
  hopLimit = 64
  multicastHopLimit = 1
  multicastLoop = true
  multicastInterface: Interface | null = null
  trafficClass = 0
  readonly memberships: Membership[] = []
  readonly received: DatagramQueue
  readonly outgoing: SendQueue
  /** The newest ICMP error about what was sent to the connected peer, a value of `IcmpErrorKind`; -1 for none. */
  errorKind = -1
  /** Somebody waits for what is to be sent to go: the owner is woken when a datagram has left. */
  isAwaited = false
  /** The local address was chosen by `connect`, and goes with it. */
  #isLocalChosen = false
  readonly #udp: UdpLayer
  readonly #next = new Datagram()
  readonly #peers = new RecentPeers()

  constructor(udp: UdpLayer, isIpv6: boolean, receiveLimit: number, sendLimit: number) {
    this.#udp = udp
    this.isIpv6 = isIpv6
    if (!isIpv6) {
      this.local.setIpv4(0)
      this.remote.setIpv4(0)
    }
    this.received = new DatagramQueue(receiveLimit)
    this.outgoing = new SendQueue(this, sendLimit)
  }

  /** Port 0 asks for a random one. A value of `UdpResult`. */
  bind(address: Address, port: number): number {
    return this.#udp.bind(this, address, port)
  }

  /** Takes every datagram that comes by the interface, whatever its port, and answers from there. */
  bindAny(device: Interface): number {
    return this.#udp.bindAny(this, device)
  }

  /** RFC 1122 §4.1.3.3: from now on only this peer is heard, and its errors are told. `by` as in `send`. */
  connect(address: Address, port: number, by: Interface | null = null): number {
    return this.#udp.connect(this, address, port, by)
  }

  /** Connected without an address of its own, it takes the one that it talks to the peer from. */
  chooseLocal(address: Address): void {
    if (!this.local.isUnspecified) return
    this.local.assign(address)
    this.#isLocalChosen = true
  }

  disconnect(): void {
    this.isConnected = false
    this.remotePort = 0
    if (this.#isLocalChosen) this.local.assign(unspecified(!this.isIpv6))
    this.#isLocalChosen = false
    this.errorKind = -1
  }

  /**
   * Sends to `destination`, or to the connected peer where it is null. `source`, where given, is the address and port that
   * it is to come from (an answer of a socket bound to any address); `by`, where given, the interface that it leaves by,
   * which a link-local destination needs. A value of `UdpResult`.
   */
  send(
    from: Octets,
    offset: number,
    length: number,
    destination: Address | null,
    port: number,
    source: Address | null = null,
    sourcePort = 0,
    by: Interface | null = null,
  ): number {
    if (this.isClosed) return UdpResult.closed
    if (destination === null && !this.isConnected) return UdpResult.notConnected
    const to = destination ?? this.remote
    const allowed = this.#udp.maySend(this, to, length, by)
    if (allowed !== UdpResult.done) return allowed
    if (!this.isBound) {
      const bound = this.bind(this.local, 0)
      if (bound !== UdpResult.done) return bound
    }
    const next = this.#next
    next.destination.assign(to)
    next.destinationPort = destination === null ? this.remotePort : port
    if (source === null) next.source.set(0, 0, 0, 0)
    else next.source.assign(source)
    next.sourcePort = sourcePort === 0 ? this.localPort : sourcePort
    next.interface = by === null ? -1 : by.index
    return this.outgoing.push(next, from, offset, length) ? UdpResult.done : UdpResult.queueFull
  }

  /** `source` asks for that sender's datagrams alone. */
  join(group: Address, by: Interface, source: Address | null = null): number {
    if (this.#membership(group, by, source) >= 0) return UdpResult.addressInUse
    this.memberships.push({ group, interface: by, source })
    by.join(group)
    return UdpResult.done
  }

  leave(group: Address, by: Interface, source: Address | null = null): number {
    const place = this.#membership(group, by, source)
    if (place < 0) return UdpResult.addressNotAvailable
    this.memberships.splice(place, 1)
    by.leave(group)
    return UdpResult.done
  }

  /** Hears nothing more, and its port is free. What waits to be sent still goes, as it was taken. */
  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    for (const { group, interface: by } of this.memberships) by.leave(group)
    this.memberships.length = 0
    this.received.clear()
    this.#udp.forget(this)
    this.owner = null
  }

  interfaceOf(message: Datagram): Interface | null {
    return this.#udp.routeOf(this, message)?.interface ?? null
  }

  onLeft(): void {
    if (!this.isAwaited) return
    this.isAwaited = false
    this.#udp.wake(this)
  }

  emit(message: Datagram, batch: PacketBatch, now: number): boolean {
    return this.#udp.emit(this, message, batch, now)
  }

  /** Whether something was sent there lately, by the peer's hash. */
  hasSentTo(hash: number): boolean {
    return this.#peers.has(hash)
  }

  noteSentTo(hash: number): void {
    this.#peers.note(hash)
  }

  #membership(group: Address, by: Interface, source: Address | null): number {
    return this.memberships.findIndex(
      (one) =>
        one.interface === by &&
        one.group.equals(group) &&
        (one.source === null || source === null ? one.source === source : one.source.equals(source)),
    )
  }
}
