// Sockets that ask for echoes (RFC 792, RFC 4443 §4.1): each has an identifier of its own, as Linux's ICMP sockets have.
// The runtime's `ping` stands on them. Called by icmp-input with replies and errors, and by the stack to transmit.
import { copyOctets, type Octets, type PacketBatch } from '../batch.ts'
import type { Random } from '../environment.ts'
import { Count, Drop, type Observer } from '../observer.ts'
import type { Owner, ReadyList, Wakeable } from '../ready.ts'
import type { SipHash } from '../siphash.ts'
import * as icmp from '../wire/icmp.ts'
import * as icmpv6 from '../wire/icmpv6.ts'
import * as ipv4 from '../wire/ipv4.ts'
import type { Address } from './address.ts'
import { Datagram, DatagramQueue } from './datagram-queue.ts'
import { type IcmpError, IcmpErrorKind } from './icmp-error.ts'
import type { Interface } from './interface.ts'
import type { Interfaces } from './interfaces.ts'
import { type IpOutput, NO_ROOM } from './output.ts'
import type { Packet } from './packet.ts'
import { RecentPeers } from './recent-peers.ts'
import { type Emitter, SendQueue } from './send-queue.ts'

const QUEUE_LIMIT = 256 * 1024

export class EchoSocket implements Emitter, Wakeable {
  owner: Owner | null = null
  isReady = false
  readonly identifier: number
  /** Replies: `sourcePort` is the sequence number. */
  readonly received = new DatagramQueue(QUEUE_LIMIT)
  /** The newest error about one of our requests, until it is looked at: kind (-1 for none), sequence number, and who sent it. */
  errorKind = -1
  errorSequence = 0
  errorFrom: Address | null = null
  readonly #sockets: EchoSockets
  readonly #queue = new SendQueue(this, QUEUE_LIMIT)
  readonly #next = new Datagram()

  constructor(sockets: EchoSockets, identifier: number) {
    this.#sockets = sockets
    this.identifier = identifier
  }

  /** Asks; false where there is no route, or too much waits. */
  send(destination: Address, sequence: number, payload: Octets, hopLimit: number): boolean {
    const next = this.#next
    next.destination.assign(destination)
    next.destinationPort = sequence & 0xffff
    next.hopLimit = hopLimit
    if (this.interfaceOf(next) === null) return false
    return this.#queue.push(next, payload, 0, payload.bytes.length)
  }

  interfaceOf(message: Datagram): Interface | null {
    return this.#sockets.interfaceOf(message.destination)
  }

  emit(message: Datagram, batch: PacketBatch, now: number): boolean {
    return this.#sockets.emit(this, message, batch, now)
  }

  onLeft(): void {}

  close(): void {
    this.#queue.clear()
    this.#sockets.forget(this)
    this.received.clear()
    this.owner = null
  }
}

export class EchoSockets {
  readonly #interfaces: Interfaces
  readonly #output: IpOutput
  readonly #observer: Observer
  readonly #ready: ReadyList
  readonly #random: Random
  readonly #sockets = new Map<number, EchoSocket>()
  readonly #reply = new Datagram()
  readonly #hash: SipHash
  readonly #answered = new RecentPeers()

  constructor(
    interfaces: Interfaces,
    output: IpOutput,
    observer: Observer,
    ready: ReadyList,
    random: Random,
    hash: SipHash,
  ) {
    this.#interfaces = interfaces
    this.#output = output
    this.#observer = observer
    this.#ready = ready
    this.#random = random
    this.#hash = hash
  }

  get count(): number {
    return this.#sockets.size
  }

  /** Null where every identifier is taken. */
  open(): EchoSocket | null {
    if (this.#sockets.size > 0xff00) return null
    let identifier = this.#random.int32() & 0xffff
    while (this.#sockets.has(identifier)) identifier = (identifier + 1) & 0xffff
    const socket = new EchoSocket(this, identifier)
    this.#sockets.set(identifier, socket)
    return socket
  }

  closeAll(): void {
    for (const socket of [...this.#sockets.values()]) socket.close()
  }

  forget(socket: EchoSocket): void {
    this.#sockets.delete(socket.identifier)
  }

  /** A reply has come; false where nobody waits for it. */
  receive(packet: Packet, _now: number): boolean {
    const { view, offset } = packet
    const socket = this.#sockets.get(icmp.identifier(view, offset))
    if (socket === undefined) return false
    const reply = this.#reply
    reply.source.assign(packet.source)
    reply.destination.assign(packet.destination)
    reply.sourcePort = icmp.sequenceNumber(view, offset)
    reply.hopLimit = packet.hopLimit
    reply.trafficClass = packet.trafficClass
    socket.received.push(reply, packet, offset + icmp.HEADER_LENGTH, packet.length - icmp.HEADER_LENGTH)
    this.#ready.push(socket)
    return true
  }

  /** A reply to somebody's request goes out, so large that it may be too big for the path. */
  noteReply(destination: Address, identifierAndSequence: number): void {
    this.#answered.note(this.#hashOf(destination, identifierAndSequence))
  }

  /** An error quotes an echo request of ours, or a reply that may be too big; false where it is nobody's. */
  unreachable(error: IcmpError): boolean {
    const { source, destination, sequence } = error
    const type = error.sourcePort >>> 8
    if (error.kind === IcmpErrorKind.tooBig && type === (source.isIpv4 ? icmp.Type.echoReply : icmpv6.Type.echoReply))
      return this.#answered.has(this.#hashOf(destination, sequence))
    const isRequest = type === (source.isIpv4 ? icmp.Type.echoRequest : icmpv6.Type.echoRequest)
    const socket = isRequest ? this.#sockets.get(sequence >>> 16) : undefined
    if (socket === undefined) return false
    socket.errorKind = error.kind
    socket.errorSequence = sequence & 0xffff
    socket.errorFrom = error.from.copy()
    this.#ready.push(socket)
    return true
  }

  #hashOf(address: Address, identifierAndSequence: number): number {
    const hash = this.#hash.begin().word(address.word0).word(address.word1).word(address.word2).word(address.word3)
    return hash.word(identifierAndSequence).end()
  }

  interfaceOf(destination: Address): Interface | null {
    return this.#interfaces.route(destination)?.interface ?? null
  }

  /** False where the batch has no room. What can't be sent at all is counted. */
  emit(socket: EchoSocket, message: Datagram, batch: PacketBatch, now: number): boolean {
    const { destination } = message
    const route = this.#interfaces.route(destination)
    const source = route === null ? null : this.#interfaces.selectSource(destination, route)
    if (route === null || source === null) {
      this.#observer.drop(Drop.outputNoRoute, null, 0)
      return true
    }
    const output = this.#output
    const at = output.compose(batch, route, source, destination, icmp.HEADER_LENGTH + message.length, now)
    if (at === NO_ROOM) return false
    if (at < 0) {
      this.#observer.drop(Drop.outputTooBig, null, 0)
      return true
    }
    output.header.hopLimit = message.hopLimit
    const type = destination.isIpv4 ? icmp.Type.echoRequest : icmpv6.Type.echoRequest
    icmp.write(output.octets.view, at, type, 0, (socket.identifier << 16) | message.destinationPort)
    copyOctets(output.octets, at + icmp.HEADER_LENGTH, message, message.offset, message.length)
    const protocol = destination.isIpv4 ? ipv4.Protocol.icmp : ipv4.Protocol.icmpv6
    output.writeIcmpChecksum(protocol)
    output.send(protocol)
    this.#observer.counters.values[Count.icmpSent]++
    this.#observer.counters.values[Count.echoRequestsSent]++
    return true
  }
}
