// Attacks that make a stack keep or do too much: pieces without end, in the order that hurts, out of place or overlapping
// (SegmentSmack, FragmentSmack, teardrop, Rose), and datagrams larger than any may be (ping of death).
import { describe, expect, test } from 'vitest'
import { FRAGMENT_LIMITS } from '../../src/core/ip/fragments.ts'
import { DEFAULT_SETTINGS } from '../../src/core/tcp/settings.ts'
import { leastCost } from '../support/cost.ts'
import { Bench, bytes, icmpPacket, ipv4Packet, ipv6Packet, u16, u32, udpPacket } from '../support/packets.ts'
import { mss, pattern, sackPermitted, TcpBench } from '../support/tcp-bench.ts'

const PLACES = Uint8Array.from({ length: 0x10000 }, (_, at) => at * 31)
const body = (length: number) => PLACES.slice(0, length)
const echo = (length: number) => icmpPacket(8, 0, 7, body(length)).subarray(20)

function fragment(payload: ArrayLike<number>, start: number, more: boolean, fields = {}) {
  return ipv4Packet(payload, {
    protocol: 1,
    identification: 77,
    fragment: (more ? 0x2000 : 0) | (start / 8),
    ...fields,
  })
}

function fragment6(payload: ArrayLike<number>, start: number, more: boolean, fields = {}) {
  return ipv6Packet(bytes(58, 0, u16(start | (more ? 1 : 0)), u32(77), payload), { protocol: 44, ...fields })
}

describe('SegmentSmack (CVE-2018-5390)', () => {
  const established = () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept({ synOptions: [...mss(1460), ...sackPermitted] })
    return { bench, peer, connection }
  }
  const flood = (count: number, given = established()) => {
    const { peer } = given
    for (let at = 0; at < count; at++) {
      // Every other octet of the window, from both ends towards the middle and all over it.
      const place = 3 + 2 * ((at * 7919) % 30_000)
      peer.send('.', { seq: place, data: pattern(1, place) })
      if (at % 64 === 0) peer.heard()
    }
    return given
  }

  test('one-octet segments out of order are kept up to a number, and memory with them', () => {
    const { bench, connection } = flood(6000)
    expect(connection.reassembly?.count).toBeLessThanOrEqual(DEFAULT_SETTINGS.mostOutOfOrder)
    expect(bench.tcp.shared.slabs.held).toBeLessThanOrEqual(DEFAULT_SETTINGS.receiveBufferMost)
  })

  test('what is missing makes the rest whole, octet for octet', () => {
    const { bench, peer, connection } = flood(500)
    const read: Uint8Array[] = []
    for (let at = 1; at < 60_001; at += 1000) {
      peer.send('P.', { seq: at, data: pattern(1000, at) })
      for (
        let octets = connection.read(1 << 20, bench.now);
        octets !== null;
        octets = connection.read(1 << 20, bench.now)
      )
        read.push(octets.slice())
    }
    expect(Buffer.compare(Buffer.concat(read).subarray(0, 60_000), pattern(60_000, 1))).toBe(0)
  })

  test('its cost grows with the number of segments, not with its square', () => {
    const cost = (count: number) => leastCost(established, (given) => flood(count, given), 3)
    // Eight times as many: with the square it would be 64 times the cost.
    const [small, large] = [cost(1000), cost(8000)]
    expect(large / small).toBeLessThan(40)
  })
})

describe('FragmentSmack (CVE-2018-5391), and fragments without end', () => {
  test('all that wait together hold so many octets, and are gone when their time is over', () => {
    const bench = new Bench()
    for (let at = 0; at < 12_000; at++) {
      const from = `10.${1 + (at % 100)}.${(at >> 7) & 255}.1`
      bench.receive(fragment(body(256), 8 * (1 + (at % 100)), true, { from, identification: at & 0xffff }))
      expect(bench.stack.fragments.octets).toBeLessThanOrEqual(FRAGMENT_LIMITS.octets)
    }
    bench.advance(FRAGMENT_LIMITS.lifetime)
    expect(bench.stack.fragments.count).toBe(0)
  })

  test('one source takes a share, and leaves the rest to others', () => {
    const bench = new Bench()
    for (let at = 0; at < 20_000; at++) {
      bench.receive(fragment(body(512), 0, true, { from: '10.0.0.66', identification: at & 0xffff }))
    }
    expect(bench.stack.fragments.octets).toBeLessThanOrEqual(FRAGMENT_LIMITS.octetsPerSource + 8192)
    const whole = echo(2000)
    bench.receive(fragment(whole.subarray(0, 1000), 0, true))
    expect(bench.answer(fragment(whole.subarray(1000), 1000, false)).length).toBeGreaterThan(0)
  })
})

describe('fragments that overlap (teardrop, CVE-1999-0015; RFC 5722)', () => {
  test.each<[string, [start: number, length: number, more: boolean][]]>([
    [
      'one within another',
      [
        [0, 1000, true],
        [400, 200, false],
      ],
    ],
    [
      'a tail that begins too early',
      [
        [0, 1000, true],
        [992, 200, false],
      ],
    ],
    [
      'the same place with other octets',
      [
        [0, 1000, true],
        [0, 1000, true],
      ],
    ],
  ])('%s: nothing is put together', (_, pieces) => {
    for (const make of [fragment, fragment6]) {
      const bench = new Bench()
      for (const [at, [start, length, more]] of pieces.entries()) {
        bench.receive(
          make(
            body(length).map((octet) => octet ^ at),
            start,
            more,
          ),
        )
      }
      bench.receive(make(body(1000), 1000, false))
      expect(bench.sent()).toEqual([])
      expect(bench.stack.fragments.count).toBeLessThanOrEqual(1)
    }
  })
})

test('ping of death (CVE-1999-0128): a datagram that would end beyond 65,535 octets is none', () => {
  for (const make of [fragment, fragment6]) {
    const bench = new Bench()
    const whole = echo(65_000)
    for (let start = 0; start < 65_000; start += 1000)
      bench.receive(make(whole.subarray(start, start + 1000), start, true))
    bench.receive(make(body(1400), 65_528, false))
    expect(bench.sent()).toEqual([])
    expect(bench.drops('fragmentTooLong')).toBe(1)
    bench.advance(FRAGMENT_LIMITS.lifetime)
    expect(bench.stack.fragments.octets).toBe(0)
  }
})

describe('tiny and atomic fragments', () => {
  test('a first fragment too short for its header decides nothing (RFC 1858, RFC 7112)', () => {
    const bench = new Bench()
    const segment = udpPacket(body(100), { from: 'fd00::1', destinationPort: 7 }).subarray(40)
    bench.receive(
      ipv6Packet(bytes(17, 0, u16(1), u32(5), segment.subarray(0, 0)), { protocol: 44 }),
      ipv6Packet(bytes(17, 0, u16(0), u32(5), segment), { protocol: 44 }),
    )
    expect(bench.stack.fragments.count).toBe(0)
  })

  test('an atomic fragment neither waits nor meets others of its identification (RFC 6946)', () => {
    const bench = new Bench()
    const whole = icmpPacket(128, 0, 7, body(40), { from: 'fd00::1' }).subarray(40)
    bench.receive(fragment6(body(800), 0, true))
    const answers = bench.answer(fragment6(whole, 0, false))
    expect(answers.length).toBe(1)
    expect(bench.stack.fragments.count).toBe(1)
  })
})

describe('floods', () => {
  test('of SYNs to ports that nobody listens at: replies are bounded, and counted where there are too many', () => {
    const bench = new TcpBench()
    const peer = bench.peer({ from: '10.0.0.66' })
    const syns = Array.from({ length: 5000 }, (_, at) => peer.packet('S', { raw: { destinationPort: 1 + at } }))
    bench.deliver(...syns)
    bench.flush()
    expect(bench.others.length).toBeLessThanOrEqual(1024)
    expect(bench.bench.drops('tcpNoConnection')).toBe(5000)
  })

  test('of datagrams to ports that nobody listens at: errors come out of a bucket that empties', () => {
    const bench = new Bench()
    for (let port = 1; port <= 5000; port++) bench.receive(udpPacket([1], { destinationPort: port }))
    expect(bench.sent().length).toBeLessThan(200)
    expect(bench.drops('udpNoSocket')).toBe(5000)
    expect(bench.drops('icmpRateLimited')).toBeGreaterThan(4000)
  })

  test('a port scan shows in the counters: so many segments and datagrams to nobody', () => {
    const bench = new TcpBench()
    const peer = bench.peer({ from: '10.0.0.66' })
    for (const flags of ['S', 'F', '', 'FPU', '.']) {
      for (let port = 1; port <= 100; port++)
        bench.deliver(peer.packet(flags, { raw: { destinationPort: 1000 + port } }))
    }
    expect(bench.bench.drops('tcpNoConnection')).toBe(500)
  })
})
