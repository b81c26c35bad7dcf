// Attacks on opening: SYN floods with and without cookies, forged cookies, LAND, martians, and a stack made to send more than it got.
import { describe, expect, test } from 'vitest'
import { DEFAULT_SETTINGS } from '../../src/core/tcp/settings.ts'
import { icmpPacket, prefixes, tcpPacket, udpPacket } from '../support/packets.ts'
import { mss, TcpBench } from '../support/tcp-bench.ts'

const stranger = (at: number) => `10.${1 + (at & 63)}.${(at >> 6) & 255}.${1 + ((at >> 14) & 127)}`
const syn = (at: number, fields = {}) =>
  tcpPacket([], { from: stranger(at), flags: 'S', sequence: at * 7919, ...fields })

describe('a SYN flood', () => {
  test('costs rows up to a number, then a cookie each and no memory; a client gets in all the same', () => {
    const bench = new TcpBench()
    bench.bench.stack.addRoute(prefixes('0.0.0.0/0')[0], bench.bench.interface)
    bench.listen({ backlog: 64 })
    for (let at = 0; at < 5000; at++) {
      bench.deliver(syn(at))
      if (at % 64 === 0) bench.flush()
    }
    expect(bench.tcp.requestCount).toBeLessThanOrEqual(65)
    const client = bench.peer({ from: '10.0.0.1', synOptions: mss(1460) })
    client.send('S')
    client.heard()
    client.send('.')
    expect(bench.listener?.accepted.shift()).not.toBeNull()
  })

  test('without cookies: later SYNs are dropped, and rows are free again when their time is over', () => {
    const bench = new TcpBench({ synCookies: 'never' })
    bench.listen({ backlog: 64 })
    for (let at = 0; at < 1000; at++)
      bench.deliver(syn(at, { from: `10.0.0.${100 + (at % 100)}`, sourcePort: 1000 + at }))
    expect(bench.tcp.requestCount).toBeLessThanOrEqual(65)
    expect(bench.bench.drops('tcpSynOverflow')).toBeGreaterThan(900)
    bench.wait(200_000)
    expect(bench.tcp.requestCount).toBe(0)
  })

  test('forged cookies open nothing', () => {
    const bench = new TcpBench({ synCookies: 'always' })
    bench.listen()
    // One is under way to somebody else.
    bench.peer({ port: 4000 }).send('S')
    const peer = bench.peer()
    for (let at = 0; at < 20_000; at++) peer.send('.', { seq: at, ack: (at * 2_654_435_761) | 0 })
    expect(bench.listener?.accepted.count).toBe(0)
    expect(bench.tcp.connectionCount).toBe(0)
  })

  test('a cookie of another peer, another port or another time opens nothing', () => {
    const bench = new TcpBench({ synCookies: 'always' })
    bench.listen()
    const one = bench.peer({ port: 4000 })
    one.send('S')
    one.heard()
    const other = bench.peer({ port: 4001 })
    other.stackIss = one.stackIss
    other.send('.', { seq: 1, ack: 1 })
    expect(bench.listener?.accepted.count).toBe(0)
    bench.wait(600_000)
    one.send('.')
    expect(bench.listener?.accepted.count).toBe(0)
  })
})

test('while no cookie is under way none can be guessed: not even the right one opens anything', () => {
  const cookieOf = (bench: TcpBench) => {
    const peer = bench.peer()
    peer.send('S')
    peer.heard()
    return peer.stackIss
  }
  const asked = new TcpBench({ synCookies: 'always' })
  asked.listen()
  // The same keys, and nobody has asked it.
  const calm = new TcpBench({ synCookies: 'always' })
  calm.listen()
  const peer = calm.peer()
  peer.stackIss = cookieOf(asked)

  peer.send('.', { seq: 1, ack: 1 })

  expect(calm.tcp.connectionCount).toBe(0)
  expect(peer.heard()).toMatchObject([{ flags: 'R' }])
  expect(calm.bench.drops('tcpBadCookie')).toBe(0)
  expect(cookieOf(calm)).toBe(peer.stackIss)
})

test('LAND (CVE-1999-0016): a SYN from our own address and port is dropped', () => {
  const bench = new TcpBench()
  bench.listen()
  bench.deliver(
    tcpPacket([], { from: '10.0.0.2', to: '10.0.0.2', sourcePort: 80, flags: 'S' }),
    tcpPacket([], { from: 'fd00::2', to: 'fd00::2', sourcePort: 80, flags: 'S' }),
  )
  expect(bench.bench.drops('ownSource')).toBe(2)
  expect(bench.bench.sent()).toEqual([])
})

test.each(['127.0.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '240.0.0.1', '10.0.0.255', '::1', 'ff02::1', '::'])(
  'a martian source opens nothing: %s',
  (from) => {
    const bench = new TcpBench()
    bench.listen()
    bench.deliver(tcpPacket([], { from, flags: 'S' }), udpPacket([1], { from }))
    expect(bench.bench.drops('martianSource')).toBe(2)
    expect(bench.bench.sent()).toEqual([])
  },
)

describe('a listener does not multiply what a stranger sends', () => {
  const octets = (packets: { length: number }[]) => packets.reduce((sum, { length }) => sum + length, 0)

  test('an ordinary SYN gets a SYN-ACK no longer than itself', () => {
    const bench = new TcpBench()
    bench.listen()
    const options = [2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7]
    for (const tcpOptions of [mss(1460), options]) {
      const packet = tcpPacket([], { flags: 'S', tcpOptions, sourcePort: 4000 + tcpOptions.length })
      bench.deliver(packet)
      expect(octets(bench.bench.sent())).toBeLessThanOrEqual(packet.length)
    }
  })

  test('a flood of them gets no more octets than it has, its repetitions counted in', () => {
    const bench = new TcpBench()
    bench.listen({ backlog: 128 })
    const packets = Array.from({ length: 10_000 }, (_, at) =>
      syn(at, { from: `10.0.0.${10 + (at % 200)}`, sourcePort: 1024 + at, tcpOptions: mss(1460) }),
    )
    let out = 0
    for (const packet of packets) {
      bench.deliver(packet)
      bench.flush()
    }
    bench.wait(300_000)
    out = octets(bench.others)
    const repeated = 129 * DEFAULT_SETTINGS.synAckRetries * 44
    expect(out).toBeLessThanOrEqual(octets(packets) + repeated)
  })

  test('a segment to nobody, and a ping, get no more than they are', () => {
    const bench = new TcpBench()
    for (const packet of [
      tcpPacket([], { flags: 'S', destinationPort: 9 }),
      tcpPacket([1, 2, 3], { flags: '.', destinationPort: 9 }),
      icmpPacket(8, 0, 7, [1, 2, 3]),
    ]) {
      bench.deliver(packet)
      expect(octets(bench.bench.sent())).toBeLessThanOrEqual(packet.length)
    }
  })

  test('a RST, an ICMP error and a segment to a group get nothing', () => {
    const bench = new TcpBench()
    bench.listen()
    bench.deliver(
      tcpPacket([], { flags: 'R' }),
      tcpPacket([], { flags: 'R.', destinationPort: 9 }),
      tcpPacket([], { flags: 'S', to: '10.0.0.255' }),
      tcpPacket([], { flags: 'S', to: '224.0.0.1' }),
      icmpPacket(3, 3, 0, tcpPacket([], { from: '10.0.0.2', to: '10.0.0.1' }).subarray(0, 28)),
    )
    expect(bench.bench.sent()).toEqual([])
  })
})
