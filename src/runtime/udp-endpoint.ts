// A UDP socket for programs that want no streams and no events: plain calls, and callbacks for when there is something to read.
// `receive` lends a datagram until the next call. `node:dgram`'s shape and the services stand on this.
import type { Octets } from '../core/batch.ts'
import { type Address, parseAddress } from '../core/ip/address.ts'
import type { Datagram } from '../core/ip/datagram-queue.ts'
import type { Interface } from '../core/ip/interface.ts'
import type { Owner } from '../core/ready.ts'
import { UdpResult, type UdpSocket } from '../core/udp/socket.ts'
import type { Driver } from './driver.ts'

/** An operating error: `reason` is a name of `UdpResult`. */
export class UdpError extends Error {
  readonly reason: keyof typeof UdpResult

  constructor(result: number) {
    const reason = udpReason(result)
    super(SENTENCES[reason])
    this.name = 'UdpError'
    this.reason = reason
  }
}

/** Who a datagram came from, and whom it was for. */
type Peers = Pick<Datagram, 'source' | 'sourcePort' | 'destination' | 'destinationPort'>

export class UdpEndpoint implements Owner {
  /** Datagrams can be received. */
  onReadable: (() => void) | null = null
  /** An ICMP error came back from the connected peer: a value of `IcmpErrorKind`. */
  onError: ((kind: number) => void) | null = null
  /** What it is called in lists of sockets. */
  name: string | null = null
  readonly socket: UdpSocket
  readonly #driver: Driver

  constructor(socket: UdpSocket, driver: Driver) {
    this.socket = socket
    this.#driver = driver
    socket.owner = this
  }

  wake(): void {
    const { socket } = this
    const kind = socket.errorKind
    if (kind >= 0) {
      socket.errorKind = -1
      this.onError?.(kind)
    }
    if (socket.received.count > 0) this.onReadable?.()
  }

  /** No address means all of the socket's family; port 0 a random one. */
  bind(port = 0, address?: string | Address): void {
    check(this.socket.bind(address === undefined ? this.socket.local : toAddress(address), port))
  }

  /** Every datagram that comes by an `anyAddress` interface, whatever its port. */
  bindAny(device: Interface): void {
    check(this.socket.bindAny(device))
  }

  connect(address: string | Address, port: number): void {
    check(this.socket.connect(toAddress(address), port))
  }

  /** The next datagram, lent until the next call of this endpoint; null where there is none. */
  receive(): Datagram | null {
    return this.socket.received.shift()
  }

  /** Copies the octets. Throws where they can't be sent; says false where too much waits already. */
  send(data: Uint8Array<ArrayBuffer>, address?: string | Address, port = 0): boolean {
    const to = address === undefined ? null : toAddress(address)
    const octets = { bytes: data, view: new DataView(data.buffer, data.byteOffset, data.byteLength) }
    return this.#sent(this.socket.send(octets, 0, data.length, to, port))
  }

  /**
   * Sends to where a datagram came from, from the address and port that it was sent to. Says false where that can't be:
   * a stranger chose the address, so nothing is thrown for want of a route to it.
   */
  reply(to: Peers, octets: Octets, offset: number, length: number): boolean {
    const { source, sourcePort, destination, destinationPort } = to
    const result = this.socket.send(octets, offset, length, source, sourcePort, destination, destinationPort)
    if (result !== UdpResult.done) return false
    this.#driver.request()
    return true
  }

  join(group: string | Address, by: Interface, source?: string | Address): void {
    check(this.socket.join(toAddress(group), by, source === undefined ? null : toAddress(source)))
  }

  leave(group: string | Address, by: Interface, source?: string | Address): void {
    check(this.socket.leave(toAddress(group), by, source === undefined ? null : toAddress(source)))
  }

  close(): void {
    this.socket.close()
  }

  #sent(result: number): boolean {
    if (result === UdpResult.queueFull) return false
    check(result)
    this.#driver.request()
    return true
  }
}

function toAddress(address: string | Address): Address {
  if (typeof address !== 'string') return address
  const parsed = parseAddress(address)
  if (parsed === null) throw new TypeError(`'${address}' is not an IP address`)
  return parsed
}

function check(result: number): void {
  if (result !== UdpResult.done) throw new UdpError(result)
}

/** By their numbers, which are their places. */
const REASONS = Object.keys(UdpResult) as (keyof typeof UdpResult)[]

/** The name of what a call of the socket has answered. */
export function udpReason(result: number): keyof typeof UdpResult {
  return REASONS[result]
}

const SENTENCES: Record<keyof typeof UdpResult, string> = {
  done: 'done',
  addressInUse: 'the address and port are in use',
  addressNotAvailable: 'no interface has this address',
  noRoute: 'no route leads to the destination',
  tooLong: 'the datagram is longer than an IP packet can be',
  queueFull: 'too many datagrams wait to be sent',
  notPermitted: 'sending to a broadcast address must be permitted first',
  notConnected: 'the socket is not connected, and no destination is given',
  alreadyBound: 'the socket is bound already',
  wrongFamily: "the address is not of the socket's family",
  closed: 'the socket is closed',
}
