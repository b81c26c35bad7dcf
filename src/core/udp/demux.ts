// Which socket a datagram is for: the one that says most about it (a connected peer, a local address), among equals by a hash of the flow.
// Called by udp/input, and by `Udp` for ICMP errors and when a port is taken.
import type { Address } from '../ip/address.ts'
import type { Packet } from '../ip/packet.ts'
import type { UdpSocket } from './socket.ts'

const NONE: readonly UdpSocket[] = Object.freeze([] as UdpSocket[])

export class UdpDemux {
  readonly #ports = new Map<number, UdpSocket[]>()
  /** Those that take every port. */
  readonly #any: UdpSocket[] = []

  get onAnyPort(): readonly UdpSocket[] {
    return this.#any
  }

  get count(): number {
    let count = this.#any.length
    for (const sockets of this.#ports.values()) count += sockets.length
    return count
  }

  add(socket: UdpSocket): void {
    if (socket.isAnyPort) {
      this.#any.push(socket)
      return
    }
    const sockets = this.#ports.get(socket.localPort)
    if (sockets === undefined) this.#ports.set(socket.localPort, [socket])
    else sockets.push(socket)
  }

  remove(socket: UdpSocket): void {
    const sockets = socket.isAnyPort ? this.#any : this.#ports.get(socket.localPort)
    const place = sockets?.indexOf(socket) ?? -1
    if (sockets === undefined || place < 0) return
    sockets.splice(place, 1)
    if (sockets.length === 0 && !socket.isAnyPort) this.#ports.delete(socket.localPort)
  }

  onPort(port: number): readonly UdpSocket[] {
    return this.#ports.get(port) ?? NONE
  }

  find(packet: Packet, sourcePort: number, destinationPort: number): UdpSocket | null {
    const sockets = this.#ports.get(destinationPort)
    return (
      (sockets === undefined ? null : this.#best(sockets, packet, sourcePort)) ??
      this.#best(this.#any, packet, sourcePort)
    )
  }

  /** Whether the socket takes datagrams of this kind at all, group membership aside. */
  hears(socket: UdpSocket, packet: Packet, sourcePort: number): boolean {
    return score(socket, packet, sourcePort) >= 0
  }

  /** The sockets that share the best score share the flows; of those that share an address alone the one bound last has it. */
  #best(sockets: readonly UdpSocket[], packet: Packet, sourcePort: number): UdpSocket | null {
    let best: UdpSocket | null = null
    let bestScore = -1
    let equals = 0
    for (const socket of sockets) {
      const points = score(socket, packet, sourcePort)
      if (points < 0 || points < bestScore) continue
      if (points > bestScore) {
        bestScore = points
        best = socket
        equals = 1
      } else if (socket.isReuseAddress || flow(packet.source, sourcePort) % ++equals === 0) best = socket
    }
    return best
  }
}

/** -1: not for this socket. */
function score(socket: UdpSocket, packet: Packet, sourcePort: number): number {
  if (packet.isIpv4 ? socket.isIpv6 && (socket.isIpv6Only || !isWildIpv4(socket.local)) : !socket.isIpv6) return -1
  let points = 0
  if (!socket.local.isUnspecified && !packet.isToGroup) {
    if (!socket.local.equals(packet.destination)) return -1
    points += 2
  } else if (!socket.local.isUnspecified && !socket.local.equals(packet.destination)) return -1
  if (socket.device !== null) {
    if (socket.device !== packet.interface) return -1
    points++
  }
  if (socket.isConnected) {
    if (socket.remotePort !== sourcePort || !socket.remote.equals(packet.source)) return -1
    points += 4
  }
  return points
}

/** A socket of IPv6 hears IPv4 when it is bound to all addresses, or to a mapped one. */
function isWildIpv4(local: Address): boolean {
  return local.isUnspecified || local.isIpv4
}

function flow(source: Address, port: number): number {
  return (Math.imul(source.word3 ^ source.word1 ^ port, 0x9e3779b1) >>> 16) & 0x7fff
}
