// Reassembly and the attacks on it (RFC 791 §3.2, RFC 815, RFC 5722, RFC 6946, RFC 8200 §4.5).
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Deadlines } from '../../../src/core/deadlines.ts'
import { type Address, parseAddress } from '../../../src/core/ip/address.ts'
import { FRAGMENT_LIMITS, Fragments } from '../../../src/core/ip/fragments.ts'
import { Packet } from '../../../src/core/ip/packet.ts'
import { SipHash } from '../../../src/core/siphash.ts'
import { leastCost } from '../../support/cost.ts'
import {
  Bench,
  type Bytes,
  bytes,
  icmpPacket,
  ipv4Packet,
  ipv6Packet,
  readIp,
  u16,
  u32,
} from '../../support/packets.ts'
import { seeded } from '../../support/seeded.ts'

const PLACES = Uint8Array.from({ length: 0x10000 }, (_, at) => at * 31)
const body = (length: number) => PLACES.slice(0, length)
const echo = (length: number) => icmpPacket(8, 0, 7, body(length)).subarray(20)
const echo6 = (length: number) => icmpPacket(128, 0, 7, body(length), { from: 'fd00::1' }).subarray(40)

function piece(payload: Bytes, start: number, end: number, fields = {}): Bytes {
  const more = end < payload.length ? 0x2000 : 0
  const fragment = more | (start / 8)
  return ipv4Packet(payload.subarray(start, end), { protocol: 1, identification: 77, fragment, ...fields })
}

function piece6(payload: Bytes, start: number, end: number, more = end < payload.length, identification = 77): Bytes {
  const header = bytes(58, 0, u16(start | (more ? 1 : 0)), u32(identification))
  return ipv6Packet(bytes(header, payload.subarray(start, end)), { from: 'fd00::1', protocol: 44 })
}

describe('whole datagrams', () => {
  test('in any order and with repetitions', () => {
    const payload = echo(4000)
    const cuts = [0, 1480, 2960, payload.length]
    const pieces = [0, 1, 2].map((at) => piece(payload, cuts[at], cuts[at + 1]))
    fc.assert(
      fc.property(
        fc.array(fc.nat(2), { maxLength: 6 }),
        fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
        (some, all) => {
          const bench = new Bench()
          const answer = [...some, ...all].flatMap((at) => bench.answer(pieces[at]))
          expect(answer.length).toBeGreaterThan(0)
          const whole = answer.slice(0, 3).flatMap((packet) => [...readIp(packet).payload])
          expect(whole.slice(8)).toEqual([...payload.subarray(8)])
          expect(bench.stack.fragments.count).toBeLessThanOrEqual(1)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('IPv6', () => {
    const payload = echo6(3000)
    const bench = new Bench()
    const answer = bench.answer(
      piece6(payload, 2464, payload.length),
      piece6(payload, 1232, 2464),
      piece6(payload, 0, 1232),
    )
    expect(answer.map((packet) => readIp(packet).protocol)).toEqual([44, 44, 44])
    expect(answer.every((packet) => packet.length <= 1500)).toBe(true)
    expect(bench.stack.fragments.octets).toBe(0)
  })

  test('an atomic fragment is a packet of its own: RFC 6946', () => {
    const bench = new Bench()
    const payload = echo6(3000)
    bench.receive(piece6(payload, 0, 1232))
    const [reply] = bench.answer(piece6(echo6(8), 0, 16, false))
    expect(reply[40]).toBe(129)
    expect(bench.stack.fragments.count).toBe(1)
  })

  test('datagrams of two senders, two identifications and two protocols are kept apart', () => {
    const payload = echo(32)
    const bench = new Bench()
    bench.receive(piece(payload, 0, 16), piece(payload, 0, 16, { from: '10.0.0.3' }))
    bench.receive(piece(payload, 0, 16, { identification: 78 }), piece(payload, 0, 16, { protocol: 17 }))
    expect(bench.stack.fragments.count).toBe(4)
    expect(bench.answer(piece(payload, 16, 40)).length).toBe(1)
    expect(bench.stack.fragments.count).toBe(3)
  })
})

describe('what is wrong ends the datagram', () => {
  const payload = echo(4000)

  test('teardrop: a fragment that lies within another', () => {
    const bench = new Bench()
    const [first, rest] = [piece(payload, 0, 1480), piece(payload, 1480, payload.length)]
    expect(bench.answer(first, piece(payload, 24, 48), rest)).toEqual([])
    expect(bench.drops('fragmentOverlap')).toBe(1)
  })

  test('overlapping IPv6 fragments drop the datagram: RFC 5722', () => {
    const bench = new Bench()
    const six = echo6(3000)
    expect(bench.answer(piece6(six, 0, 1232), piece6(six, 1224, 2464), piece6(six, 2464, six.length))).toEqual([])
    expect(bench.drops('fragmentOverlap')).toBe(1)
  })

  test('overlapping fragments of one datagram of several at a time', () => {
    const bench = new Bench()
    const payload = echo(3000)
    for (let identification = 1; identification <= 20; identification++)
      bench.receive(piece(payload, 0, 1480, { identification }))
    bench.receive(piece(payload, 0, 1480, { identification: 13 }))
    expect(bench.allDrops).toEqual({})
    bench.receive(piece(payload, 8, 1488, { identification: 13 }))
    expect(bench.allDrops).toEqual({ fragmentOverlap: 1 })
  })

  test('the ping of death: octets beyond 65,535', () => {
    const bench = new Bench()
    expect(bench.answer(ipv4Packet(body(1000), { protocol: 1, fragment: 0x1fff }))).toEqual([])
    expect(bench.drops('fragmentTooLong')).toBe(1)
    // With its header of 20 octets, 65,520 are too many: no total length could say so.
    bench.receive(ipv4Packet(body(8), { protocol: 1, fragment: 8189 }))
    expect(bench.drops('fragmentTooLong')).toBe(2)
    bench.receive(ipv6Packet(bytes(58, 0, u16(0xfff8), u32(7), body(16)), { from: 'fd00::1', protocol: 44 }))
    expect(bench.allDrops).toEqual({ fragmentTooLong: 3 })
  })

  test('fragments within fragments are not gone into, however many: 8,000 in one datagram', () => {
    const bench = new Bench()
    const whole = bytes(...Array.from({ length: 8000 }, () => bytes(44, 0, u16(0), u32(1))))
    for (let at = 0; at < whole.length; at += 1200) {
      const header = bytes(44, 0, u16(at | (at + 1200 < whole.length ? 1 : 0)), u32(77))
      bench.receive(ipv6Packet(bytes(header, whole.subarray(at, at + 1200)), { from: 'fd00::1', protocol: 44 }))
    }
    expect(bench.allDrops).toEqual({ badExtensionHeader: 1 })
  })

  test('two ends that disagree, and octets beyond the end', () => {
    const bench = new Bench()
    bench.receive(ipv4Packet(body(16), { protocol: 1, fragment: 10 }))
    bench.receive(ipv4Packet(body(16), { protocol: 1, fragment: 20 }))
    bench.receive(ipv4Packet(body(16), { protocol: 1, identification: 1, fragment: 10 }))
    bench.receive(ipv4Packet(body(16), { protocol: 1, identification: 1, fragment: 0x2000 | 30 }))
    bench.receive(ipv4Packet(body(16), { protocol: 1, identification: 2, fragment: 0x2000 | 30 }))
    bench.receive(ipv4Packet(body(16), { protocol: 1, identification: 2, fragment: 10 }))
    expect(bench.allDrops).toEqual({ fragmentOverlap: 3 })
    expect(bench.stack.fragments.count).toBe(0)
  })

  test('fragments of no octets, or of a length that is no multiple of eight', () => {
    const bench = new Bench()
    bench.receive(
      ipv4Packet([], { protocol: 1, fragment: 0x2000 }),
      ipv4Packet(body(12), { protocol: 1, fragment: 0x2000 }),
    )
    expect(bench.allDrops).toEqual({ badFragment: 2 })
    const [error] = bench.answer(piece6(echo6(100), 0, 20))
    expect([...readIp(error).payload.subarray(0, 8)]).toEqual([4, 0, error[42], error[43], 0, 0, 0, 4])
  })

  test('no datagram is longer than 65,535 octets, to the octet', () => {
    const bench = new Bench()
    const last = (length: number) => bytes(bytes(58, 0, u16(65_528), u32(9)), body(length))
    bench.receive(ipv6Packet(last(7), { from: 'fd00::1', protocol: 44 }))
    expect([bench.stack.fragments.count, bench.allDrops]).toEqual([1, {}])
    bench.receive(ipv6Packet(last(8), { from: 'fd00::1', protocol: 44 }))
    expect(bench.allDrops).toEqual({ fragmentTooLong: 1 })
  })

  test('a tiny first fragment in IPv6 hides nothing: RFC 7112', () => {
    const bench = new Bench()
    const tiny = bytes(bytes(60, 0, u16(1), u32(5)), bytes(58, 0, 1, 4, [0, 0, 0, 0]))
    const [error] = bench.answer(ipv6Packet(tiny, { from: 'fd00::1', protocol: 44 }))
    // The pointer is zero for this code: RFC 7112 §5.
    expect([...readIp(error).payload.subarray(0, 8)]).toEqual([4, 3, error[42], error[43], 0, 0, 0, 0])
    expect(bench.allDrops).toEqual({ badFragment: 1 })
  })
})

describe('datagrams whose hashes are the same', () => {
  class Same extends SipHash {
    override end(): number {
      return 7
    }
  }
  const fields = { from: '10.0.0.1', to: '10.0.0.2', identification: 77, protocol: 1 }

  test.each([
    ['another identification', { identification: 78 }],
    ['another protocol', { protocol: 17 }],
    ['another source', { from: '10.0.0.9' }],
    ['another destination', { to: '10.0.0.255' }],
    ['nothing in common', { identification: 78, protocol: 17, from: '10.0.0.9', to: '10.0.0.255' }],
  ])('are never one: %s', (_, other) => {
    const { observer } = new Bench().stack
    const fragments = new Fragments(observer, new Same(seeded(1)), new Deadlines(), FRAGMENT_LIMITS)
    const receive = (start: number, more: boolean, own: Partial<typeof fields>) => {
      const { from, to, identification, protocol } = { ...fields, ...own }
      const packet = new Packet()
      packet.source.assign(parseAddress(from) as Address)
      packet.destination.assign(parseAddress(to) as Address)
      packet.isIpv4 = true
      packet.bytes = new Uint8Array(28)
      packet.view = new DataView(packet.bytes.buffer)
      packet.offset = 20
      packet.length = 8
      return fragments.receive(packet, identification, protocol, start, more, 0)
    }
    expect(receive(0, true, {})).toBe(-1)
    expect(receive(8, false, other)).toBe(-1)
    // The other took its place; what completes that one completes it.
    expect(receive(0, true, other)).toBe(16)
    expect([fragments.count, fragments.octets]).toEqual([0, 0])
  })
})

describe('limits', () => {
  test('what is not whole after 30 seconds goes, with an error only where the first fragment came', () => {
    const bench = new Bench()
    const payload = echo(4000)
    const datagram = bytes([0, 9, 0, 99], u16(4008), [0, 0], body(4000))
    bench.receive(piece(datagram, 0, 1480, { protocol: 17 }), piece(payload, 1480, 2960, { identification: 5 }))
    bench.advance(29_999)
    expect(bench.stack.fragments.count).toBe(2)
    bench.advance(1)
    expect(bench.stack.fragments.count).toBe(0)
    expect(bench.stack.fragments.octets).toBe(0)
    expect(bench.drops('fragmentTimeout')).toBe(2)
    const errors = bench.sent()
    expect(errors.map((packet) => [...readIp(packet).payload.subarray(0, 2)])).toEqual([[11, 1]])
    expect(bench.stack.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  test('each goes in its turn, whichever of them was whole first', () => {
    for (const whole of [1, 2, 3]) {
      const bench = new Bench()
      const first = (identification: number) => piece(echo(2000), 0, 1480, { identification })
      for (const identification of [1, 2, 3]) bench.receive(first(identification))
      bench.advance(1000)
      bench.receive(piece(echo(2000), 1480, 2008, { identification: whole }))
      bench.receive(first(4))
      expect(bench.stack.fragments.count).toBe(3)
      bench.advance(29_000)
      expect(bench.stack.fragments.count, `${whole} was whole`).toBe(1)
      bench.advance(1000)
      expect([bench.stack.fragments.count, bench.stack.fragments.octets]).toEqual([0, 0])
    }
  })

  test('50,000 first fragments from everywhere stay below the limit, and a ping goes through meanwhile', () => {
    const bench = new Bench()
    let largest = 0
    for (let at = 0; at < 50_000; at++) {
      const from = `10.${1 + (at % 200)}.${(at >> 4) & 255}.${1 + (at % 250)}`
      bench.receive(ipv4Packet(body(512), { from, protocol: 17, identification: at & 0xffff, fragment: 0x2000 }))
      largest = Math.max(largest, bench.stack.fragments.octets)
      if (at % 1000 === 0) expect(bench.answer(icmpPacket(8, 0, at, [1])).length).toBe(1)
    }
    expect(largest).toBeLessThanOrEqual(FRAGMENT_LIMITS.octets)
    expect(bench.drops('fragmentLimit')).toBeGreaterThan(40_000)
    const payload = echo(4000)
    expect(bench.answer(piece(payload, 0, 2000), piece(payload, 2000, 4008)).length).toBe(3)
  })

  test('a datagram that grows pushes out the oldest others, not itself', () => {
    const bench = new Bench()
    const payload = echo(60_000)
    const flood = (count: number, first: number) => {
      for (let at = first; at < first + count; at++) {
        const from = `10.${1 + (at % 200)}.${(at >> 4) & 255}.${1 + (at % 250)}`
        bench.receive(ipv4Packet(body(512), { from, protocol: 17, identification: at & 0xffff, fragment: 0x2000 }))
      }
    }
    flood(5_000, 0)
    const answer = []
    for (let start = 0; start < payload.length; start += 1480) {
      answer.push(...bench.answer(piece(payload, start, Math.min(start + 1480, payload.length))))
      expect(bench.stack.fragments.octets).toBeLessThanOrEqual(FRAGMENT_LIMITS.octets)
      flood(20, 5_000 + start)
    }
    expect(answer.length).toBe(41)
  })

  test('is told of by so much of a first fragment’s headers as was kept, where they are longer', () => {
    const bench = new Bench()
    const options = bytes([44, 10, 1, 84], new Uint8Array(84))
    const header = bytes(17, 0, u16(1), u32(77))
    bench.receive(ipv6Packet(bytes(options, header, body(512)), { from: 'fd00::1', protocol: 60 }))
    bench.advance(30_000)
    const [error, ...more] = bench.sent()
    expect(more).toEqual([])
    expect([error[40], error.length]).toEqual([3, 40 + 8 + 128])
  })

  test('of a datagram to a broadcast address nobody is told that it was never whole: RFC 1122 §3.2.2', () => {
    const bench = new Bench()
    const datagram = bytes([0, 9, 0, 99], u16(4008), [0, 0], body(4000))
    bench.receive(piece(datagram, 0, 1480, { protocol: 17, to: '10.0.0.255' }))
    bench.advance(30_000)
    expect(bench.drops('fragmentTimeout')).toBe(1)
    expect(bench.sent()).toEqual([])
  })

  test('one source has its share and no more; others keep theirs', () => {
    const bench = new Bench()
    const payload = echo(4000)
    bench.receive(piece(payload, 0, 2000, { from: '10.0.0.3' }))
    for (let at = 0; at < 20_000; at++) {
      bench.receive(ipv4Packet(body(512), { protocol: 17, identification: at & 0xffff, fragment: 0x2000 }))
    }
    expect(bench.stack.fragments.octets).toBeLessThanOrEqual(FRAGMENT_LIMITS.octetsPerSource + 8192)
    expect(bench.answer(piece(payload, 2000, 4008, { from: '10.0.0.3' })).length).toBe(3)
  })

  test('a flood of fragments makes no garbage, and nothing is kept when nothing waits', () => {
    const bench = new Bench()
    const packets = Array.from({ length: 4_000 }, (_, at) => {
      const from = `10.${1 + (at % 200)}.${(at >> 4) & 255}.${1 + (at % 250)}`
      return ipv4Packet(body(512), { from, protocol: 17, identification: at, fragment: 0x2000 })
    })
    const before = process.memoryUsage().arrayBuffers
    bench.receive(...packets)
    const held = process.memoryUsage().arrayBuffers
    let most = held
    for (let round = 0; round < 5; round++) {
      bench.receive(...packets)
      most = Math.max(most, process.memoryUsage().arrayBuffers)
    }
    expect(held - before).toBeLessThan(FRAGMENT_LIMITS.octets + (2 << 20))
    expect(most - held).toBeLessThan(1 << 20)
    bench.advance(30_000)
    expect(bench.stack.fragments.octets).toBe(0)
  })

  test('endless fragments of one datagram: eight octets each, in an order that hurts, in time that grows with their number', () => {
    const cost = (count: number) => {
      const packets = Array.from({ length: count }, (_, at) => {
        const place = (at * 4099) % 8191
        return ipv4Packet(body(8), { protocol: 17, fragment: 0x2000 | (place + 1) })
      })
      return leastCost(
        () => new Bench(),
        (bench) => {
          for (const packet of packets) bench.receive(packet)
        },
      )
    }
    // Eight times as many: with the square it would be 64 times the cost.
    const [small, large] = [cost(1000), cost(8000)]
    expect(large / small).toBeLessThan(40)
  })
})
