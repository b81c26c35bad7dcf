// Whatever arrives, nothing is thrown, nothing grows without end, and every reason for a drop is reached:
// random octets, packets mutated octet by octet, and packets built wrong on purpose, in both families.
import { describe, expect, test } from 'vitest'
import { FRAGMENT_LIMITS } from '../../src/core/ip/fragments.ts'
import { Drop } from '../../src/core/observer.ts'
import {
  Bench,
  type Bytes,
  bytes,
  icmpPacket,
  ipv4Packet,
  ipv6Packet,
  prefixes,
  u16,
  u32,
  udpPacket,
} from '../support/packets.ts'
import { seeded } from '../support/seeded.ts'

const ROUNDS = Number(process.env.TUNSTACK_HOSTILE_ROUNDS ?? 200_000)

/** Reasons that this test can't reach, and why. */
const ELSEWHERE: Partial<Record<keyof typeof Drop, string>> = {
  fragmentLimit: 'needs thousands of sources: test/core/ip/fragments',
  offloadMismatch: 'needs a link with offload: test/core/ip/output',
  outputNoRoute: 'needs something to send: test/core/udp',
  outputTooBig: 'what is too large for any packet is refused before: UdpResult.tooLong',
  outputQueueFull: 'needs fragments that wait: test/core/ip/output',
}

const random = seeded(Number(process.env.TUNSTACK_SEED ?? 11))
const below = (limit: number) => (random.int32() >>> 0) % limit
const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)]

function octets(length: number): Bytes {
  const all = new Uint8Array(length)
  for (let at = 0; at < length; at++) all[at] = random.int32()
  return all
}

const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.9', '10.0.0.255', '10.9.0.1', '127.0.0.1', '224.0.0.1', '239.9.9.9']
const ODD = ['0.0.0.0', '255.255.255.255', '240.1.1.1', '169.254.3.4', '203.0.113.1', '0.7.7.7']
const ADDRESSES6 = [
  'fd00::1',
  'fd00::2',
  'fd00::9',
  'fd99::1',
  '::1',
  '::',
  'ff02::1',
  'ff05::2',
  'fe80::1',
  '2001:db8::1',
]

function anything4(): Bytes {
  const fields = {
    from: below(4) > 0 ? '10.0.0.1' : pick([...ADDRESSES, ...ODD]),
    to: below(4) > 0 ? '10.0.0.2' : pick([...ADDRESSES, ...ODD]),
    hopLimit: pick([0, 1, 2, 64, 64, 64]),
    options: below(5) > 0 ? [] : [...octets(4 * (1 + below(10)))],
    fragment: below(4) > 0 ? 0 : pick([0x2000, 0x2001, 0x2010, 0x1fff, 3, 0x4000, below(65_536)]),
    identification: below(3),
  }
  const kind = below(10)
  if (kind < 3)
    return icmpPacket(pick([8, 8, 0, 3, 11, 12, 5, below(256)]), below(16), random.int32(), octets(below(64)), fields)
  if (kind < 6) {
    const ports = { sourcePort: below(3), destinationPort: pick([0, 7, 9, 99]) }
    return udpPacket(octets(below(pick([8, 100, 1400]))), { ...fields, ...ports })
  }
  if (kind < 7) return icmpPacket(pick([3, 11, 12]), below(5), below(1500), quotable(), fields)
  return ipv4Packet(octets(below(100)), { ...fields, protocol: pick([1, 2, 6, 17, 58, below(256)]) })
}

function quotable(): Bytes {
  const inner = udpPacket([1, 2, 3], { from: '10.0.0.2', to: '10.0.0.1', sourcePort: 7, destinationPort: below(3) })
  return inner.slice(0, pick([8, 20, 28, 31]))
}

function anything6(): Bytes {
  const fields = {
    from: below(4) > 0 ? 'fd00::1' : pick(ADDRESSES6),
    to: below(4) > 0 ? 'fd00::2' : pick(ADDRESSES6),
    hopLimit: pick([0, 1, 64, 64, 64]),
  }
  const kind = below(10)
  if (kind < 2)
    return icmpPacket(pick([128, 129, 1, 2, 3, 4, below(256)]), below(5), random.int32(), octets(below(64)), fields)
  if (kind < 4) return udpPacket(octets(below(100)), { ...fields, sourcePort: 5, destinationPort: pick([0, 7, 99]) })
  if (kind < 5) {
    const fragment = bytes(pick([17, 58, 60]), 0, u16(pick([0, 1, 8, 9, 0xfff8, 0xfff9])), u32(below(3)))
    return ipv6Packet(bytes(fragment, octets(pick([0, 8, 16, 30, 1200]))), { ...fields, protocol: 44 })
  }
  if (kind < 6 && below(8) === 0) {
    const atomic = bytes(pick([44, 44, 60, 17]), 0, u16(0), u32(below(3)))
    return ipv6Packet(bytes(...Array.from({ length: below(150) }, () => atomic)), { ...fields, protocol: 44 })
  }
  const isPlain = below(3) === 0
  const count = below(11)
  const headers: Bytes[] = []
  for (let at = 0; at < count; at++) {
    const between = isPlain ? 60 : pick([0, 43, 44, 60, 60, 60])
    const next = at === count - 1 ? pick([17, 58, 59, 6, below(256)]) : between
    headers.push(!isPlain && below(3) === 0 ? bytes(next, 0, octets(6)) : bytes(next, 0, 1, 4, [0, 0, 0, 0]))
  }
  return ipv6Packet(bytes(...headers, octets(below(40))), {
    ...fields,
    protocol: count === 0 ? below(256) : pick([0, 43, 44, 60]),
  })
}

function mutated(packet: Bytes): Bytes {
  const result = below(6) === 0 ? packet.slice(0, below(packet.length + 1)) : packet.slice()
  for (let count = below(4); count > 0 && result.length > 0; count--) result[below(result.length)] = below(256)
  return result
}

function arriving(): Bytes {
  const kind = below(12)
  if (kind === 0) return octets(below(200))
  const packet = below(2) === 0 ? anything4() : anything6()
  return kind < 6 ? mutated(packet) : packet
}

describe('random and mutated packets', () => {
  test(`${ROUNDS} of them`, () => {
    const bench = new Bench({ forward: true, icmpErrors: { perSecond: 100, burst: 5 } })
    const far = bench.add({ name: 'far', mtu: 576, addresses: prefixes('10.9.0.2/16', 'fd99::2/64') })
    const socket = bench.stack.udp.open(true)
    socket.received.limit = 20_000
    socket.bind(socket.local, 7)
    for (let round = 0; round < ROUNDS; round++) {
      bench.receive(arriving())
      if (round % 16 !== 0) continue
      bench.advance(20)
      if (round % 4096 === 0) {
        bench.sent()
        bench.sent(far)
        bench.sent(bench.stack.loopback)
        socket.received.clear()
      }
      if (bench.stack.fragments.octets > FRAGMENT_LIMITS.octets) throw new Error('fragments beyond their limit')
      if (bench.stack.pathMtu.get(socket.local, 1500, bench.now) < 552) throw new Error('a path MTU below its floor')
    }
    const reached = Object.keys(bench.allDrops)
    const expected = Object.keys(Drop).filter((reason) => !reason.startsWith('tcp') && !(reason in ELSEWHERE))
    const missing = expected.filter((reason) => !reached.includes(reason))
    console.log(`reasons reached: ${reached.length}; not reached: ${missing.join(', ') || 'none'}`)
    console.log(`reached elsewhere: ${Object.keys(ELSEWHERE).join(', ')}`)
    expect(missing).toEqual([])
    // And it still works.
    bench.advance(60_000)
    bench.sent()
    expect(bench.answer(icmpPacket(8, 0, 1, [1])).length).toBe(1)
  }, 120_000)
})

test('fifty stacks interleaved keep out of each other', () => {
  const benches = Array.from({ length: 50 }, () => new Bench())
  for (let round = 0; round < 20; round++) {
    for (const [number, bench] of benches.entries()) {
      bench.receive(icmpPacket(8, 0, (number << 16) | round, bytes(number, round, octets(20))))
      const half = udpPacket(bytes(new Uint8Array(24)), { identification: number })
      bench.receive(ipv4Packet(half.subarray(20, 36), { identification: round, fragment: 0x2000 }))
    }
    for (const [number, bench] of benches.entries()) {
      const [reply, ...more] = bench.sent()
      expect(more).toEqual([])
      expect([...reply.subarray(24, 30)]).toEqual([...u32((number << 16) | round), number, round])
    }
  }
  for (const bench of benches) {
    expect(bench.stack.fragments.count).toBe(20)
    expect(bench.allDrops).toEqual({})
  }
})
