// A batch of packets through the core alone, 64 at once as a turn brings them: echo requests in both families, which are
// decoded, answered and put into the batch that goes out; and damaged ones, which are decoded, counted and dropped.
import { BATCH_PACKETS, PacketBatch } from '../../src/core/batch.ts'
import { type Link, NO_OFFLOAD } from '../../src/core/environment.ts'
import { type Address, type Prefix, parseAddress, parsePrefix } from '../../src/core/ip/address.ts'
import type { Interface } from '../../src/core/ip/interface.ts'
import { pseudoHeaderSum } from '../../src/core/ip/packet.ts'
import { Drop } from '../../src/core/observer.ts'
import { Stack } from '../../src/core/stack.ts'
import * as checksum from '../../src/core/wire/checksum.ts'
import * as icmp from '../../src/core/wire/icmp.ts'
import * as icmpv6 from '../../src/core/wire/icmpv6.ts'
import * as ipv4 from '../../src/core/wire/ipv4.ts'
import * as ipv6 from '../../src/core/wire/ipv6.ts'
import { Driver } from '../../src/runtime/driver.ts'
import type { GarbageCall, GarbageClaim } from './claim.ts'

const BODY = 56
const MESSAGE = icmp.HEADER_LENGTH + BODY
const OURS = ['10.7.0.2/24', 'fd07::2/64'] as const
const HOST = '10.7.0.1'
const HOST_IPV6 = 'fd07::1'

export const echo: GarbageClaim[] = [
  { name: 'decode plus echo reply of one packet in the core', below: 1, prepare: () => answering(request4) },
  { name: 'decode plus echo reply of one IPv6 packet in the core', below: 1, prepare: () => answering(request6) },
  { name: 'the same with the turn of the driver around it', below: 1, prepare: () => turning(request4) },
  {
    name: 'a packet with a bad checksum, counted and dropped, with the turn',
    below: 1,
    prepare: () => turning(damaged),
  },
]

interface Bench {
  stack: Stack
  tun: Interface
  incoming: PacketBatch
  outgoing: PacketBatch
}

function build(write: (batch: PacketBatch, sequence: number) => void): Bench {
  let state = 1
  const random = { int32: () => (state = Math.imul(state, 1_664_525) + 1_013_904_223) }
  const stack = new Stack({ random })
  const tun = stack.addInterface({
    name: 'tun0',
    mtu: 1_500,
    addresses: OURS.map((text) => parsePrefix(text) as Prefix),
  })
  const incoming = new PacketBatch({ largest: 1_500 })
  const outgoing = new PacketBatch({ largest: 1_500 })
  incoming.interface = tun.index
  outgoing.interface = tun.index
  for (let sequence = 0; sequence < BATCH_PACKETS; sequence++) write(incoming, sequence)
  return { stack, tun, incoming, outgoing }
}

/** Time is a double in a row of an array, as the driver keeps it. */
const clock = new Float64Array(1)

function answering(write: (batch: PacketBatch, sequence: number) => void): GarbageCall {
  const { stack, incoming, outgoing } = build(write)
  let replies = 0
  return {
    packets: BATCH_PACKETS,
    call() {
      clock[0] += 0.05
      stack.receive(incoming, clock[0])
      while (stack.hasOutput) {
        stack.transmit(outgoing, clock[0])
        replies += outgoing.count
        outgoing.clear()
      }
    },
    handled: () => replies,
  }
}

/** An echo request whose body does not add up. */
function damaged(batch: PacketBatch, sequence: number): void {
  request4(batch, sequence)
  batch.bytes[batch.offset[sequence] + ipv4.MINIMUM_LENGTH + icmp.HEADER_LENGTH] ^= 1
}

/** The real driver, with the system's clock and a link that has the same 64 packets for every turn. */
function turning(write: (batch: PacketBatch, sequence: number) => void): GarbageCall {
  const { stack, tun, incoming } = build(write)
  const environment = {
    clock: { now: () => performance.now(), wall: () => 0 },
    random: { int32: () => 4 },
    alarm: () => ({ arm: (_at: number) => {} }),
  }
  let replies = 0
  let wake = () => {}
  const link: Link = {
    medium: 'ip',
    mtu: 1_500,
    headroom: 0,
    offload: NO_OFFLOAD,
    open: (asked) => {
      wake = asked
    },
    close: () => {},
    receive: (batch) => {
      for (let row = 0; row < BATCH_PACKETS; row++) batch.copy(incoming, row)
    },
    transmit: (batch) => {
      replies += batch.count
      batch.clear()
    },
  }
  new Driver(stack, environment).attach(link, tun)
  return {
    packets: BATCH_PACKETS,
    call: () => wake(),
    handled: () => replies + stack.observer.counters.drops[Drop.icmpBadChecksum],
  }
}

function request4(batch: PacketBatch, sequence: number): void {
  const at = batch.reserve(ipv4.MINIMUM_LENGTH + MESSAGE)
  const { word3: source } = parseAddress(HOST) as Address
  const { word3: destination } = (parsePrefix(OURS[0]) as Prefix).address
  const total = ipv4.MINIMUM_LENGTH + MESSAGE
  ipv4.write(batch.view, at, total, 0, 0, ipv4.DONT_FRAGMENT, 64, ipv4.Protocol.icmp, source, destination)
  writeMessage(batch.view, at + ipv4.MINIMUM_LENGTH, icmp.Type.echoRequest, sequence, 0)
  batch.commit(total)
}

function request6(batch: PacketBatch, sequence: number): void {
  const at = batch.reserve(ipv6.HEADER_LENGTH + MESSAGE)
  const source = parseAddress(HOST_IPV6) as Address
  const destination = (parsePrefix(OURS[1]) as Prefix).address
  ipv6.write(batch.view, at, MESSAGE, 0, 0, 64, ipv4.Protocol.icmpv6)
  writeAddress(batch.view, at + ipv6.SOURCE_AT, source)
  writeAddress(batch.view, at + ipv6.DESTINATION_AT, destination)
  const pseudo = checksum.fold(pseudoHeaderSum(source, destination, ipv4.Protocol.icmpv6, MESSAGE))
  writeMessage(batch.view, at + ipv6.HEADER_LENGTH, icmpv6.Type.echoRequest, sequence, pseudo)
  batch.commit(ipv6.HEADER_LENGTH + MESSAGE)
}

function writeAddress(view: DataView, at: number, { word0, word1, word2, word3 }: Address): void {
  ipv6.writeAddress(view, at, word0, word1, word2, word3)
}

function writeMessage(view: DataView, at: number, type: number, sequence: number, pseudo: number): void {
  for (let octet = 0; octet < BODY; octet++) view.setUint8(at + icmp.HEADER_LENGTH + octet, octet)
  icmp.write(view, at, type, 0, (0x1234 << 16) | sequence)
  view.setUint16(at + icmp.CHECKSUM_AT, checksum.finish(checksum.sum(view, at, MESSAGE, pseudo)))
}
