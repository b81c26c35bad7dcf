// UDP as a whole: sockets are opened, bound and connected here; what arrives and what ICMP says of it goes to them (RFC 768, RFC 1122 §4.1).
// Owned by the stack.

import type { PacketBatch } from '../batch.ts'
import type { Random } from '../environment.ts'
import type { Address } from '../ip/address.ts'
import type { Datagram } from '../ip/datagram-queue.ts'
import { type IcmpError, IcmpErrorKind } from '../ip/icmp-error.ts'
import type { Interface } from '../ip/interface.ts'
import type { Interfaces } from '../ip/interfaces.ts'
import { type IpOutput, LONGEST_DATAGRAM } from '../ip/output.ts'
import type { Packet } from '../ip/packet.ts'
import type { Route } from '../ip/routes.ts'
import type { Observer } from '../observer.ts'
import type { ReadyList } from '../ready.ts'
import type { SipHash } from '../siphash.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as ipv6 from '../wire/ipv6.ts'
import * as udp from '../wire/udp.ts'
import { UdpDemux } from './demux.ts'
import { UdpInput } from './input.ts'
import { UdpOutput } from './output.ts'
import { type UdpLayer, UdpResult, UdpSocket } from './socket.ts'

export interface UdpContext {
  readonly interfaces: Interfaces
  readonly output: IpOutput
  readonly observer: Observer
  readonly hash: SipHash
  readonly random: Random
  readonly ready: ReadyList
}

/** What Linux gives a socket by default (net.core.rmem_default, wmem_default). */
export const DEFAULT_QUEUE_OCTETS = 212_992
/** RFC 6056 §3.3 with Linux's range. */
const FIRST_EPHEMERAL = 32_768
const LAST_EPHEMERAL = 60_999

export class Udp implements UdpLayer {
  readonly #output: UdpOutput
  readonly #demux = new UdpDemux()
  readonly #input: UdpInput
  readonly #context: UdpContext
  readonly #sockets = new Set<UdpSocket>()
  #isClosed = false

  constructor(context: UdpContext) {
    this.#context = context
    this.#output = new UdpOutput(context.interfaces, context.output, context.observer, context.hash)
    this.#input = new UdpInput(this.#demux, context.ready, context.observer)
  }

  get sockets(): ReadonlySet<UdpSocket> {
    return this.#sockets
  }

  open(isIpv6: boolean): UdpSocket {
    const socket = new UdpSocket(this, isIpv6, DEFAULT_QUEUE_OCTETS, DEFAULT_QUEUE_OCTETS)
    if (this.#isClosed) socket.close()
    else this.#sockets.add(socket)
    return socket
  }

  /** False where nobody listens on the port. */
  receive(packet: Packet): boolean {
    return this.#input.receive(packet)
  }

  /** An ICMP error quotes a datagram: whether it is one that a socket here has sent. */
  unreachable(error: IcmpError): boolean {
    const hash = this.#output.peerHash(error.destination, error.destinationPort)
    let isOurs = false
    // Those on every port have no connected peer to be told of; what fits counts for them as for all.
    for (const socket of this.#demux.onAnyPort) isOurs ||= socket.hasSentTo(hash)
    for (const socket of this.#demux.onPort(error.sourcePort)) {
      if (!socket.local.isUnspecified && !socket.local.equals(error.source)) continue
      if (!socket.hasSentTo(hash)) continue
      isOurs = true
      // RFC 1122 §4.1.3.3: told to the socket that is connected to that peer. What fits is the path's affair.
      const isPeer = socket.remotePort === error.destinationPort && socket.remote.equals(error.destination)
      if (!socket.isConnected || !isPeer || error.kind === IcmpErrorKind.tooBig) continue
      socket.errorKind = error.kind
      this.#context.ready.push(socket)
    }
    return isOurs
  }

  bind(socket: UdpSocket, address: Address, port: number): number {
    if (socket.isClosed) return UdpResult.closed
    if (socket.isBound) return UdpResult.alreadyBound
    if (address.isIpv4 ? socket.isIpv6 && socket.isIpv6Only : !socket.isIpv6) return UdpResult.wrongFamily
    if (!this.#mayBind(address)) return UdpResult.addressNotAvailable
    const chosen = port === 0 ? this.#randomPort(socket, address) : port
    if (chosen === 0 || !this.#isFree(socket, address, chosen)) return UdpResult.addressInUse
    socket.local.assign(address)
    socket.localPort = chosen
    socket.isBound = true
    this.#demux.add(socket)
    return UdpResult.done
  }

  bindAny(socket: UdpSocket, device: Interface): number {
    if (socket.isClosed) return UdpResult.closed
    if (socket.isBound) return UdpResult.alreadyBound
    socket.device = device
    socket.isAnyPort = true
    socket.isBound = true
    this.#demux.add(socket)
    return UdpResult.done
  }

  connect(socket: UdpSocket, address: Address, port: number, by: Interface | null): number {
    if (socket.isClosed) return UdpResult.closed
    const allowed = this.maySend(socket, address, 0, by)
    if (allowed !== UdpResult.done) return allowed
    if (!socket.isBound) {
      const bound = this.bind(socket, socket.local, 0)
      if (bound !== UdpResult.done) return bound
    }
    const route = this.#output.routeTo(socket, address, by)
    const source = route === null ? null : this.#context.interfaces.selectSource(address, route)
    if (source !== null) socket.chooseLocal(source)
    socket.remote.assign(address)
    socket.remotePort = port
    socket.isConnected = true
    socket.errorKind = -1
    return UdpResult.done
  }

  /** Whether a datagram of that length may go there. */
  maySend(socket: UdpSocket, to: Address, length: number, by: Interface | null): number {
    if (to.isIpv4 ? socket.isIpv6 && socket.isIpv6Only : !socket.isIpv6) return UdpResult.wrongFamily
    const headers = udp.HEADER_LENGTH + (to.isIpv4 ? ipv4.MINIMUM_LENGTH : ipv6.HEADER_LENGTH)
    if (length + headers > LONGEST_DATAGRAM) return UdpResult.tooLong
    const route = this.#output.routeTo(socket, to, by)
    if (route === null) return UdpResult.noRoute
    if (!socket.mayBroadcast && (to.isLimitedBroadcast || route.interface.isBroadcast(to)))
      return UdpResult.notPermitted
    return UdpResult.done
  }

  routeOf(socket: UdpSocket, message: Datagram): Route | null {
    return this.#output.routeOf(socket, message)
  }

  wake(socket: UdpSocket): void {
    this.#context.ready.push(socket)
  }

  emit(socket: UdpSocket, message: Datagram, batch: PacketBatch, now: number): boolean {
    return this.#output.emit(socket, message, batch, now)
  }

  /** The socket is closed: its port is free again. */
  forget(socket: UdpSocket): void {
    this.#sockets.delete(socket)
    if (socket.isBound) this.#demux.remove(socket)
  }

  /** No socket can be used any more, nor one that is opened later. */
  closeAll(): void {
    this.#isClosed = true
    for (const socket of [...this.#sockets]) socket.close()
  }

  /** All addresses, one of ours, a group, or a broadcast address. */
  #mayBind(address: Address): boolean {
    const { interfaces } = this.#context
    if (address.isUnspecified || address.isMulticast || interfaces.isLocal(address)) return true
    return interfaces.list.some((one) => one.isBroadcast(address) || one.anyAddress)
  }

  #isFree(socket: UdpSocket, address: Address, port: number): boolean {
    return this.#demux.onPort(port).every((other) => !conflicts(socket, address, other))
  }

  /** RFC 6056 §3.3.1: from a random place on, the first that is free. 0 where none is. */
  #randomPort(socket: UdpSocket, address: Address): number {
    const count = LAST_EPHEMERAL - FIRST_EPHEMERAL + 1
    const start = (this.#context.random.int32() >>> 0) % count
    for (let step = 0; step < count; step++) {
      const port = FIRST_EPHEMERAL + ((start + step) % count)
      if (this.#demux.onPort(port).length === 0 || this.#isFree(socket, address, port)) return port
    }
    return 0
  }
}

/** Two sockets on one port: both allow it, or their addresses are apart. */
function conflicts(socket: UdpSocket, address: Address, other: UdpSocket): boolean {
  if ((socket.isReuse && other.isReuse) || (socket.isReuseAddress && other.isReuseAddress)) return false
  if (socket.device !== null && other.device !== null && socket.device !== other.device) return false
  if (!address.isUnspecified && !other.local.isUnspecified) return address.equals(other.local)
  const hearsIpv4 = !socket.isIpv6 || (!socket.isIpv6Only && (address.isUnspecified || address.isIpv4))
  const otherHearsIpv4 = !other.isIpv6 || (!other.isIpv6Only && (other.local.isUnspecified || other.local.isIpv4))
  return (hearsIpv4 && otherHearsIpv4) || (socket.isIpv6 && other.isIpv6)
}
