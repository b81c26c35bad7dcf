// A datagram of a socket becomes a packet (RFC 768, RFC 8200 §8.1), in fragments where it is larger than the path.
// Called when the socket's turn at its interface comes.
import { copyOctets, type PacketBatch } from '../batch.ts'
import type { Address } from '../ip/address.ts'
import type { Datagram } from '../ip/datagram-queue.ts'
import type { Interface } from '../ip/interface.ts'
import { direct, type Interfaces } from '../ip/interfaces.ts'
import { type IpOutput, NO_ROOM } from '../ip/output.ts'
import type { Route } from '../ip/routes.ts'
import { Count, Drop, type Observer } from '../observer.ts'
import type { SipHash } from '../siphash.ts'
import * as ipv4 from '../wire/ipv4.ts'
import * as udp from '../wire/udp.ts'
import type { UdpSocket } from './socket.ts'

export class UdpOutput {
  readonly #interfaces: Interfaces
  readonly #output: IpOutput
  readonly #observer: Observer
  readonly #hash: SipHash

  constructor(interfaces: Interfaces, output: IpOutput, observer: Observer, hash: SipHash) {
    this.#interfaces = interfaces
    this.#output = output
    this.#observer = observer
    this.#hash = hash
  }

  routeOf(socket: UdpSocket, { destination, interface: by }: Datagram): Route | null {
    return this.routeTo(socket, destination, by < 0 ? null : this.#interfaces.list[by])
  }

  /** `by` goes before what the socket and the routes say. */
  routeTo(socket: UdpSocket, destination: Address, by: Interface | null): Route | null {
    if (by !== null && !this.#interfaces.isLocal(destination)) return direct(destination, by)
    if (destination.isMulticast && socket.multicastInterface !== null)
      return direct(destination, socket.multicastInterface)
    if (socket.device !== null && !this.#interfaces.isLocal(destination)) return direct(destination, socket.device)
    return this.#interfaces.route(destination)
  }

  /** False where the batch has no room. What can't be sent is counted and forgotten. */
  emit(socket: UdpSocket, message: Datagram, batch: PacketBatch, now: number): boolean {
    const { destination } = message
    const route = this.routeOf(socket, message)
    const source = route === null ? null : this.#sourceOf(socket, message, route)
    if (route === null || source === null) {
      this.#observer.drop(Drop.outputNoRoute, null, 0)
      return true
    }
    // RFC 1112 §6.1: a group's datagrams of time-to-live 0 stay on this host.
    const staysHere = destination.isMulticast && socket.multicastHopLimit === 0 && !route.interface.isLoopback
    if (!staysHere && !this.#write(socket, message, batch, route, source, now)) return false
    socket.noteSentTo(this.peerHash(destination, message.destinationPort))
    // RFC 1112 §6.1, RFC 3678: members on this host hear what it sends.
    if (destination.isMulticast && socket.multicastLoop && !route.interface.isLoopback) {
      const { loopback } = this.#interfaces
      if (!this.#write(socket, message, loopback.replies, direct(destination, loopback), source, now)) {
        this.#observer.drop(Drop.repliesFull, null, 0)
      }
    }
    return true
  }

  peerHash(address: Address, port: number): number {
    const hash = this.#hash.begin().word(address.word0).word(address.word1).word(address.word2).word(address.word3)
    return hash.word(port).end()
  }

  #sourceOf(socket: UdpSocket, message: Datagram, route: Route): Address | null {
    if (isSingle(message.source, route)) return message.source
    if (isSingle(socket.local, route)) return socket.local
    return this.#interfaces.selectSource(message.destination, route)
  }

  #write(
    socket: UdpSocket,
    message: Datagram,
    batch: PacketBatch,
    route: Route,
    source: Address,
    now: number,
  ): boolean {
    const { destination } = message
    const output = this.#output
    const length = udp.HEADER_LENGTH + message.length
    const at = output.compose(batch, route, source, destination, length, now)
    if (at === NO_ROOM) return false
    if (at < 0) {
      this.#observer.drop(Drop.outputQueueFull, null, 0)
      return true
    }
    output.header.hopLimit = destination.isMulticast ? socket.multicastHopLimit : socket.hopLimit
    output.header.trafficClass = socket.trafficClass
    if (!destination.isIpv4) output.header.flowLabel = this.#flowLabel(message, source)
    const { octets } = output
    udp.write(octets.view, at, message.sourcePort, message.destinationPort, length)
    copyOctets(octets, at + udp.HEADER_LENGTH, message, message.offset, message.length)
    output.writeChecksum(ipv4.Protocol.udp, udp.CHECKSUM_AT)
    output.send(ipv4.Protocol.udp)
    this.#observer.counters.values[Count.udpSent]++
    return true
  }

  /** RFC 6437 §3: the same for a flow, and nothing that anybody can foresee. */
  #flowLabel(message: Datagram, source: Address): number {
    const { destination } = message
    const hash = this.#hash
      .begin()
      .word(source.word2)
      .word(source.word3)
      .word(destination.word2)
      .word(destination.word3)
    return hash.word((message.sourcePort << 16) | message.destinationPort).end() & 0xfffff
  }
}

/** RFC 1122 §3.2.1.3: a group or a broadcast address, which a socket may be bound to, is no packet's source. */
function isSingle(address: Address, route: Route): boolean {
  return !address.isUnspecified && !address.isMulticast && !route.interface.isBroadcast(address)
}
