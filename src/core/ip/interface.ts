// An interface: where a link meets the stack. Its addresses and groups, what waits to go out by it, and who wants to send.
// Made by the stack, known by every layer; the link itself is the driver's affair.
import { type Allocate, PacketBatch } from '../batch.ts'
import type { Offload } from '../environment.ts'
import { Ring } from '../ring.ts'
import type { Address, Prefix } from './address.ts'
import type { Oversized } from './message.ts'

/** Somebody who has packets to send by an interface, in turn with others. */
export interface Sender {
  /** Fills free slots of the batch with about one emission's worth; says whether it has more for this interface. */
  transmit(batch: PacketBatch, now: number): boolean
}

export interface InterfaceOptions {
  name: string
  mtu: number
  headroom: number
  offload: Offload
  addresses: readonly Prefix[]
  /** Takes packets for every destination as its own. */
  anyAddress: boolean
  isLoopback: boolean
  /** Octets of messages too large for one packet that may wait. */
  oversizedLimit: number
  allocate?: Allocate
}

/** Answers that wait for the turn's end: RST, echo replies, ICMP errors, forwarded packets. */
const REPLY_PACKETS = 256

export class Interface {
  readonly index: number
  readonly name: string
  readonly mtu: number
  readonly offload: Offload
  readonly anyAddress: boolean
  readonly isLoopback: boolean
  readonly addresses: readonly Prefix[]
  readonly replies: PacketBatch
  /** Those with something to send, each once. */
  readonly senders = new Ring<Sender>()
  /** Messages that go out in fragments, oldest first. */
  readonly oversized: Oversized[] = []
  readonly oversizedLimit: number
  oversizedOctets = 0
  readonly #groups: { address: Address; members: number }[] = []

  constructor(index: number, options: InterfaceOptions) {
    this.index = index
    this.name = options.name
    this.mtu = options.mtu
    this.offload = options.offload
    this.anyAddress = options.anyAddress
    this.isLoopback = options.isLoopback
    this.addresses = [...options.addresses]
    this.oversizedLimit = options.oversizedLimit
    const { mtu: largest, headroom, allocate } = options
    this.replies = new PacketBatch({ capacity: REPLY_PACKETS, largest, headroom, allocate, grows: true })
    this.replies.interface = index
  }

  /** Whether a batch for this interface has something to be filled with. */
  get hasOutput(): boolean {
    return this.replies.count > 0 || this.oversized.length > 0 || this.senders.count > 0
  }

  has(address: Address): boolean {
    for (const own of this.addresses) if (own.address.equals(address)) return true
    return false
  }

  /** RFC 1122 §3.3.6: 255.255.255.255, or all ones in one of our networks' host part. */
  isBroadcast(address: Address): boolean {
    if (!address.isIpv4) return false
    if (address.isLimitedBroadcast) return true
    for (const { address: own, length } of this.addresses) {
      const hostBits = 128 - length
      if (!own.isIpv4 || hostBits < 2) continue
      const hostMask = hostBits >= 32 ? -1 : (1 << hostBits) - 1
      if (address.isWithin(own, length) && (address.word3 & hostMask) === hostMask) return true
    }
    return false
  }

  /** RFC 1112 §7.2, RFC 4291 §2.8: the all-hosts groups have every host as a member. */
  isMember(group: Address): boolean {
    if (group.isIpv4 ? group.word3 === ALL_HOSTS : isAllNodes(group)) return true
    for (const joined of this.#groups) if (joined.address.equals(group)) return true
    return false
  }

  join(group: Address): void {
    const joined = this.#groups.find((one) => one.address.equals(group))
    if (joined === undefined) this.#groups.push({ address: group, members: 1 })
    else joined.members++
  }

  leave(group: Address): void {
    const place = this.#groups.findIndex((one) => one.address.equals(group))
    if (place >= 0 && --this.#groups[place].members === 0) this.#groups.splice(place, 1)
  }
}

/** 224.0.0.1. */
const ALL_HOSTS = 0xe0000001 | 0

/** ff01::1 and ff02::1. */
function isAllNodes(group: Address): boolean {
  const scope = group.word0 >>> 16
  return (
    (scope === 0xff01 || scope === 0xff02) &&
    (group.word0 & 0xffff) === 0 &&
    group.word1 === 0 &&
    group.word2 === 0 &&
    group.word3 === 1
  )
}
