// What arrives: validated, answered, or dropped with its reason (RFC 791, RFC 1122 §3.2, RFC 8200).
import { describe, expect, test } from 'vitest'
import { Checksum, PacketBatch } from '../../../src/core/batch.ts'
import type { Drop } from '../../../src/core/observer.ts'
import {
  Bench,
  type Bytes,
  bytes,
  icmpPacket,
  ipv4Packet,
  ipv6Packet,
  put,
  readIp,
  transportChecksumIsRight,
  u16,
  udpPacket,
} from '../../support/packets.ts'

type Reason = keyof typeof Drop

const request = (fields = {}) => icmpPacket(8, 0, 0x12340001, bytes(1, 2, 3, 4, 5), fields)
const request6 = (fields = {}) => icmpPacket(128, 0, 0x12340001, bytes(1, 2, 3, 4, 5), { from: 'fd00::1', ...fields })

test('a packet after whose header nothing follows is taken, and nothing comes of it: RFC 8200 §4.7', () => {
  const bench = new Bench()
  expect(bench.answer(ipv6Packet(bytes(1, 2, 3), { from: 'fd00::1', protocol: 59 }))).toEqual([])
  expect(bench.answer(ipv6Packet(bytes(59, 0, 1, 4, 0, 0, 0, 0), { from: 'fd00::1', protocol: 60 }))).toEqual([])
  expect(bench.allDrops).toEqual({})
})

test('an error that quotes nothing at all, where the memory of the batch ends too', () => {
  const bench = new Bench()
  const error = icmpPacket(3, 1, 0, [])
  const batch = new PacketBatch({ capacity: 1, largest: error.length })
  batch.interface = bench.interface.index
  put(batch, error)
  expect(batch.offset[0] + batch.length[0]).toBe(batch.bytes.length)
  bench.stack.receive(batch, bench.now)
  expect(bench.sent()).toEqual([])
})

describe('echo', () => {
  test('an IPv4 echo request is answered with its own octets: RFC 1122 §3.2.2.6', () => {
    const bench = new Bench()
    const [reply, ...rest] = bench.answer(request({ trafficClass: 0xb9 }))
    expect(rest).toEqual([])
    const ip = readIp(reply)
    expect(ip).toMatchObject({ from: '10.0.0.2', to: '10.0.0.1', protocol: 1, hopLimit: 64, headerIsRight: true })
    expect(ip).toMatchObject({ identification: 0, dontFragment: true, trafficClass: 0xb8 })
    expect([...ip.payload.subarray(0, 2)]).toEqual([0, 0])
    expect([...ip.payload.subarray(4)]).toEqual([0x12, 0x34, 0, 1, 1, 2, 3, 4, 5])
    expect(transportChecksumIsRight(reply)).toBe(true)
  })

  test('an IPv6 echo request is answered: RFC 4443 §4.2', () => {
    const [reply] = new Bench().answer(request6())
    expect(readIp(reply)).toMatchObject({ from: 'fd00::2', to: 'fd00::1', protocol: 58, hopLimit: 64 })
    expect(reply[40]).toBe(129)
    expect(transportChecksumIsRight(reply)).toBe(true)
  })

  test('one of 60,000 octets comes back in fragments that carry it whole', () => {
    const body = Uint8Array.from({ length: 60_000 }, (_, at) => at * 7)
    const bench = new Bench()
    const whole = icmpPacket(8, 0, 1, body)
    const payload = whole.subarray(20)
    const fragments: Bytes[] = []
    for (let at = 0; at < payload.length; at += 1480) {
      const more = at + 1480 < payload.length ? 0x2000 : 0
      fragments.push(
        ipv4Packet(payload.subarray(at, at + 1480), { protocol: 1, identification: 9, fragment: more | (at / 8) }),
      )
    }
    const answer = bench.answer(...fragments).map(readIp)
    expect(answer.length).toBe(41)
    expect(answer.every((one) => one.headerIsRight && one.total <= 1500 && !one.dontFragment)).toBe(true)
    const back = new Uint8Array(payload.length)
    for (const one of answer) back.set(one.payload, one.offset)
    expect([...back.subarray(0, 2)]).toEqual([0, 0])
    expect(back.subarray(8)).toEqual(body)
    expect(answer.at(-1)?.more).toBe(false)
  })

  test('requests to a broadcast address or a group stay unanswered', () => {
    const bench = new Bench()
    expect(bench.answer(request({ to: '10.0.0.255' }), request({ to: '255.255.255.255' }))).toEqual([])
    expect(bench.answer(request({ to: '224.0.0.1' }), request6({ to: 'ff02::1' }))).toEqual([])
    expect(bench.drops('icmpToGroup')).toBe(4)
  })

  test('replies can be limited, and are not by default', () => {
    const limited = new Bench({ echoReplies: { perSecond: 10, burst: 3 } })
    const many = Array.from({ length: 20 }, () => request())
    expect(limited.answer(...many).length).toBe(3)
    limited.now += 500
    expect(limited.answer(...many).length).toBe(3)
    expect(new Bench().answer(...many).length).toBe(20)
  })

  test('a hop limit of zero is no reason to drop what is for us: RFC 1122 §3.2.1.7, RFC 8200 §3', () => {
    expect(new Bench().answer(request({ hopLimit: 0 }), request6({ hopLimit: 0 })).length).toBe(2)
  })

  test('loopback needs no link', async () => {
    const bench = new Bench()
    for (const to of ['127.0.0.1', '127.9.9.9', '10.0.0.2']) {
      bench.receiveBy(bench.stack.loopback, request({ from: to, to }))
      expect(bench.sent(bench.stack.loopback).map((packet) => readIp(packet).from)).toEqual([to])
    }
  })
})

describe('bad packets are dropped by their reason and never answered', () => {
  const right = request()
  const cases: [Reason, string, Bytes][] = [
    ['truncated', 'one octet', bytes(0x45)],
    ['truncated', 'half an IPv4 header', right.slice(0, 12)],
    ['truncated', 'half an IPv6 header', request6().slice(0, 39)],
    ['badVersion', 'version 0', bytes(0x05, right.subarray(1))],
    ['badVersion', 'version 5', bytes(0x55, right.subarray(1))],
    ['badHeaderLength', 'IHL of 4', bytes(0x44, right.subarray(1))],
    ['badHeaderLength', 'IHL beyond the packet', bytes(0x4f, right.slice(1, 30))],
    ['badTotalLength', 'total length beyond the packet', ipv4Packet([1, 2], { totalLength: 200 })],
    ['badTotalLength', 'total length within the header', ipv4Packet([1, 2], { totalLength: 16 })],
    ['badTotalLength', 'payload length beyond the packet', ipv6Packet([1, 2], { totalLength: 200 })],
    ['badHeaderChecksum', 'a wrong header checksum', ipv4Packet([1, 2], { checksum: 0x1234 })],
    ['sourceRoute', 'loose source route', withOptions([131, 7, 4, 10, 0, 0, 9, 0])],
    ['sourceRoute', 'strict source route', withOptions([137, 7, 4, 10, 0, 0, 9, 0])],
    ['martianSource', 'loopback source', request({ from: '127.0.0.1' })],
    ['martianSource', 'group source', request({ from: '224.0.0.5' })],
    ['martianSource', 'broadcast source', request({ from: '255.255.255.255' })],
    ['martianSource', 'subnet broadcast source', request({ from: '10.0.0.255' })],
    ['martianSource', 'zero source', request({ from: '0.0.0.0' })],
    ['martianSource', 'source in 0.0.0.0/8', request({ from: '0.1.2.3' })],
    ['martianSource', 'source in 240.0.0.0/4', request({ from: '240.0.0.1' })],
    ['martianSource', 'IPv6 group source', request6({ from: 'ff02::2' })],
    ['martianSource', 'IPv6 loopback source', request6({ from: '::1' })],
    ['martianSource', 'IPv6 unspecified source', request6({ from: '::' })],
    ['martianSource', 'mapped source', mapped('from')],
    ['martianDestination', 'mapped destination', mapped('to')],
    ['martianDestination', 'loopback destination', request({ to: '127.0.0.1' })],
    ['martianDestination', 'IPv6 loopback destination', request6({ to: '::1' })],
    ['martianDestination', 'zero destination', request({ to: '0.0.0.0' })],
    ['martianDestination', 'IPv6 unspecified destination', request6({ to: '::' })],
    ['ownSource', 'LAND', request({ from: '10.0.0.2' })],
    ['ownSource', 'LAND in IPv6', request6({ from: 'fd00::2' })],
    ['notForUs', 'a neighbour', request({ to: '10.0.0.9' })],
    ['notForUs', 'a group we are not in', request({ to: '239.1.2.3' })],
    ['notForUs', 'malformed options for a neighbour', ipv4Packet([], { to: '10.0.0.9', options: [7, 40, 4, 0] })],
    ['icmpTruncated', 'ICMP of 7 octets', ipv4Packet([8, 0, 0, 0, 0, 0, 0], { protocol: 1 })],
    ['icmpBadChecksum', 'a wrong ICMP checksum', icmpPacket(8, 0, 1, [1], { icmpChecksum: 1 })],
    ['icmpBadChecksum', 'a wrong ICMPv6 checksum', icmpPacket(128, 0, 1, [1], { from: 'fd00::1', icmpChecksum: 1 })],
    ['icmpUnknownType', 'an ICMP type of nobody', icmpPacket(42, 0, 0, [])],
    ['icmpUnknownType', 'a redirect', icmpPacket(5, 1, 0, new Uint8Array(28))],
    ['icmpUnknownType', 'a source quench', icmpPacket(4, 0, 0, new Uint8Array(28))],
    ['icmpUnmatched', 'an echo reply nobody waits for', icmpPacket(0, 0, 1, [])],
    ['tooManyExtensionHeaders', 'nine extension headers', chained(9)],
    ['badExtensionHeader', 'a fragment within a fragment', ipv6Packet(bytes(atomic(), atomic()), extension(44))],
    ['badExtensionHeader', 'a chain beyond the packet', ipv6Packet(bytes(58, 5, new Uint8Array(6)), extension(60))],
  ]
  test.each(cases)('%s: %s', (reason, _, packet) => {
    const bench = new Bench()
    expect(bench.answer(packet)).toEqual([])
    expect(bench.allDrops).toEqual({ [reason]: 1 })
  })

  function atomic(): Bytes {
    return bytes(44, 0, u16(0), [0, 0, 0, 1])
  }

  function withOptions(options: number[]): Bytes {
    return ipv4Packet(bytes(8, 0, [0xf7, 0xff], [0, 0, 0, 0]), { protocol: 1, options })
  }

  function mapped(which: 'from' | 'to'): Bytes {
    const packet = request6()
    packet.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 9], which === 'from' ? 8 : 24)
    return packet
  }
})

/** Fields of a packet from fd00::1 whose next header is an extension. */
function extension(kind: number) {
  return { from: 'fd00::1', protocol: kind }
}

function chained(count: number): Bytes {
  const headers = Array.from({ length: count }, (_, at) => bytes(at === count - 1 ? 58 : 60, 0, 1, 4, [0, 0, 0, 0]))
  const echo = request6().subarray(40)
  return ipv6Packet(bytes(...headers, echo), extension(60))
}

describe('errors that are due', () => {
  const quoteOf = (packet: Bytes) => (readIp(packet).version === 4 ? packet.subarray(28) : packet.subarray(48))
  const typeAndCode = (packet: Bytes) => [...readIp(packet).payload.subarray(0, 2)]

  test('malformed options: parameter problem (RFC 1122 §3.2.2.5)', () => {
    const bench = new Bench()
    const packet = ipv4Packet([1, 2, 3, 4, 5, 6, 7, 8], { protocol: 17, options: [7, 40, 4, 0] })
    const [error] = bench.answer(packet)
    expect(typeAndCode(error)).toEqual([12, 0])
    expect(quoteOf(error)).toEqual(packet)
    expect(bench.allDrops).toEqual({ badOptions: 1 })
  })

  test('harmless options are passed over', () => {
    const message = request().subarray(20)
    const [reply] = new Bench().answer(ipv4Packet(message, { protocol: 1, options: [1, 148, 4, 0, 0, 1, 1, 0] }))
    expect(typeAndCode(reply)).toEqual([0, 0])
  })

  test('an unknown protocol: protocol unreachable, and in IPv6 a parameter problem at the field that names it', () => {
    const bench = new Bench()
    const [error] = bench.answer(ipv4Packet([1, 2, 3, 4, 5, 6, 7, 8], { protocol: 200 }))
    expect(typeAndCode(error)).toEqual([3, 2])
    const packet = ipv6Packet(bytes(200, 0, 1, 4, [0, 0, 0, 0], [1, 2, 3]), extension(60))
    const [error6] = bench.answer(packet)
    expect(typeAndCode(error6)).toEqual([4, 1])
    expect([...readIp(error6).payload.subarray(4, 8)]).toEqual([0, 0, 0, 40])
    expect(quoteOf(error6)).toEqual(packet)
    expect(transportChecksumIsRight(error6)).toBe(true)
    expect(bench.allDrops).toEqual({ unknownProtocol: 2 })
  })

  test('a routing header of type 0 with segments left: parameter problem at the type (RFC 5095 §3)', () => {
    const bench = new Bench()
    const routing = bytes(58, 2, 0, 1, [0, 0, 0, 0], new Uint8Array(16))
    const [error] = bench.answer(ipv6Packet(bytes(routing, request6().subarray(40)), extension(43)))
    expect(typeAndCode(error)).toEqual([4, 0])
    expect([...readIp(error).payload.subarray(4, 8)]).toEqual([0, 0, 0, 42])
    expect(bench.allDrops).toEqual({ routingHeader: 1 })
  })

  test('a routing header without segments left is passed over', () => {
    const routing = bytes(58, 2, 0, 0, [0, 0, 0, 0], new Uint8Array(16))
    const [reply] = new Bench().answer(ipv6Packet(bytes(routing, request6().subarray(40)), extension(43)))
    expect(reply[40]).toBe(129)
  })

  test('eight extension headers are walked', () => {
    expect(new Bench().answer(chained(8))[0][40]).toBe(129)
  })

  test.each([
    [0x1e, 'skipped', 129],
    [0x5e, 'discarded', undefined],
    [0x9e, 'reported', 4],
    [0xde, 'reported unless to a group', 4],
  ])('an unknown option %i is %s: RFC 8200 §4.2', (kind, _, type) => {
    const bench = new Bench()
    const options = bytes(58, 0, kind, 4, [0, 0, 0, 0])
    const [answer] = bench.answer(ipv6Packet(bytes(options, request6().subarray(40)), extension(60)))
    expect(answer?.[40]).toBe(type)
    if (type === 4) expect([...readIp(answer).payload.subarray(0, 8).slice(4)]).toEqual([0, 0, 0, 42])
  })

  test('hop-by-hop options anywhere but first: parameter problem', () => {
    const headers = bytes(0, 0, 1, 4, [0, 0, 0, 0], 58, 0, 1, 4, [0, 0, 0, 0])
    const [error] = new Bench().answer(ipv6Packet(bytes(headers, request6().subarray(40)), extension(60)))
    expect(typeAndCode(error)).toEqual([4, 1])
  })

  test('a closed port: port unreachable, quoting the datagram; not for a group', () => {
    const bench = new Bench()
    const datagram = udpPacket([1, 2, 3], { destinationPort: 99 })
    const [error] = bench.answer(datagram)
    expect(typeAndCode(error)).toEqual([3, 3])
    expect(quoteOf(error)).toEqual(datagram)
    const datagram6 = udpPacket([1, 2, 3], { from: 'fd00::1', destinationPort: 99 })
    const [error6] = bench.answer(datagram6)
    expect(typeAndCode(error6)).toEqual([1, 4])
    expect(bench.answer(udpPacket([1], { to: '224.0.0.1', destinationPort: 99 }))).toEqual([])
    expect(bench.answer(udpPacket([1], { to: '10.0.0.255', destinationPort: 99 }))).toEqual([])
  })

  test('a quote has at most 576 octets of packet in IPv4, 1280 in IPv6', () => {
    const bench = new Bench()
    const long = new Uint8Array(1400)
    expect(bench.answer(udpPacket(long, { destinationPort: 99 }))[0].length).toBe(576)
    expect(bench.answer(udpPacket(long, { from: 'fd00::1', destinationPort: 99 }))[0].length).toBe(1280)
  })

  test('never about an error: RFC 1122 §3.2.2', () => {
    const bench = new Bench()
    const inner = ipv4Packet([1, 2, 3, 4, 5, 6, 7, 8], { from: '10.0.0.2', to: '10.0.0.1', protocol: 200 })
    expect(bench.answer(icmpPacket(3, 3, 0, inner, { options: [7, 40, 4, 0] }))).toEqual([])
  })

  test('they are limited by a token bucket: 50 at once, a thousand a second', () => {
    const bench = new Bench()
    const flood = Array.from({ length: 200 }, () => udpPacket([1], { destinationPort: 99 }))
    expect(bench.answer(...flood).length).toBe(50)
    expect(bench.drops('icmpRateLimited')).toBe(150)
    bench.now += 10
    expect(bench.answer(...flood).length).toBe(10)
  })
})

describe('offload', () => {
  test('a checksum that the link vouches for, or leaves to us unfinished, is not looked at', () => {
    for (const checksum of [Checksum.partial, Checksum.verified]) {
      const bench = new Bench()
      const batch = new PacketBatch()
      batch.interface = bench.interface.index
      const row = put(batch, udpPacket([1, 2, 3], { destinationPort: 99, udpChecksum: 1 }))
      batch.checksum[row] = checksum
      bench.stack.receive(batch, 0)
      expect(bench.allDrops).toEqual({ udpNoSocket: 1 })
    }
  })

  test('octets after the datagram are padding', () => {
    const bench = new Bench()
    expect(bench.answer(bytes(request(), [0, 0, 0, 0])).length).toBe(1)
    expect(bench.answer(bytes(request6(), u16(0))).length).toBe(1)
  })
})
