// Datagrams that arrive (RFC 768, RFC 1122 §4.1): verified, then handed to the socket, or to every member of the group.
// Called by the stack through `Udp.receive`. Returns whether somebody was there.
import { Datagram } from '../ip/datagram-queue.ts'
import type { Interface } from '../ip/interface.ts'
import type { Packet } from '../ip/packet.ts'
import { Count, Drop, type DropReason, type Observer } from '../observer.ts'
import type { ReadyList } from '../ready.ts'
import * as udp from '../wire/udp.ts'
import type { UdpDemux } from './demux.ts'
import type { UdpSocket } from './socket.ts'

export class UdpInput {
  readonly #demux: UdpDemux
  readonly #ready: ReadyList
  readonly #observer: Observer
  readonly #datagram = new Datagram()

  constructor(demux: UdpDemux, ready: ReadyList, observer: Observer) {
    this.#demux = demux
    this.#ready = ready
    this.#observer = observer
  }

  /** False where nobody listens on the port. */
  receive(packet: Packet): boolean {
    const { view, offset } = packet
    this.#observer.counters.values[Count.udpReceived]++
    if (packet.length < udp.HEADER_LENGTH) return this.#drop(packet, Drop.udpTruncated)
    const sourcePort = udp.sourcePort(view, offset)
    const destinationPort = udp.destinationPort(view, offset)
    if (packet.segmentSize === 0) {
      const length = udp.length(view, offset)
      if (length < udp.HEADER_LENGTH || length > packet.length) return this.#drop(packet, Drop.udpBadLength)
      packet.length = length
      if (!isRight(packet)) return this.#drop(packet, Drop.udpBadChecksum)
    }
    if (destinationPort === 0) return this.#drop(packet, Drop.udpZeroPort)
    const datagram = this.#datagram
    datagram.source.assign(packet.source)
    datagram.sourcePort = sourcePort
    datagram.destination.assign(packet.destination)
    datagram.destinationPort = destinationPort
    datagram.trafficClass = packet.trafficClass
    datagram.hopLimit = packet.hopLimit
    datagram.interface = (packet.interface as Interface).index
    if (packet.isToGroup) return this.#deliverToAll(packet, sourcePort, destinationPort)
    const socket = this.#demux.find(packet, sourcePort, destinationPort)
    if (socket === null) {
      this.#drop(packet, Drop.udpNoSocket)
      return false
    }
    this.#deliver(socket, packet)
    return true
  }

  #deliverToAll(packet: Packet, sourcePort: number, destinationPort: number): true {
    let members = 0
    for (const socket of this.#demux.onPort(destinationPort)) {
      if (!this.#demux.hears(socket, packet, sourcePort) || !isMember(socket, packet)) continue
      members++
      this.#deliver(socket, packet)
    }
    if (members === 0) this.#drop(packet, Drop.udpNoSocket)
    return true
  }

  /** A super-datagram is as many datagrams as the link has merged. */
  #deliver(socket: UdpSocket, packet: Packet): void {
    const data = packet.offset + udp.HEADER_LENGTH
    const end = packet.offset + packet.length
    const step = packet.segmentSize > 0 ? packet.segmentSize : Math.max(1, end - data)
    let at = data
    do {
      if (!socket.received.push(this.#datagram, packet, at, Math.min(step, end - at))) {
        this.#drop(packet, Drop.udpQueueFull)
      }
      at += step
    } while (at < end)
    this.#ready.push(socket)
  }

  /** True: somebody was there, or nobody is to know. */
  #drop(packet: Packet, reason: DropReason): true {
    this.#observer.drop(reason, packet.batch, packet.row)
    return true
  }
}

/** RFC 768: zero in IPv4 means that the sender made none; RFC 8200 §8.1: in IPv6 that is an error. */
function isRight(packet: Packet): boolean {
  if (udp.checksum(packet.view, packet.offset) === 0) return packet.isIpv4
  return packet.transportIsRight
}

/** Broadcasts are for every socket on the port; a group's datagrams for those that joined it, and from whom they want them. */
function isMember(socket: UdpSocket, packet: Packet): boolean {
  const { destination, source } = packet
  if (!destination.isMulticast) return true
  const from = packet.interface as Interface
  for (const { group, interface: by, source: wanted } of socket.memberships) {
    if (!group.equals(destination) || (by !== from && !from.isLoopback)) continue
    if (wanted === null || wanted.equals(source)) return true
  }
  return false
}
