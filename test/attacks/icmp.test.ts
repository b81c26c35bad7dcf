// Lies by ICMP (RFC 5927): path MTUs that nobody has, errors about what was never sent, hard errors against what is established.
import { describe, expect, test } from 'vitest'
import { State } from '../../src/core/tcp/state.ts'
import { type Bytes, icmpPacket } from '../support/packets.ts'
import { TcpBench } from '../support/tcp-bench.ts'

const V4 = { peer: {}, error: { from: '10.0.0.99', to: '10.0.0.2' }, tooBig: [3, 4], port: [3, 3], protocol: [3, 2] }
const V6 = {
  peer: { from: 'fd00::1' },
  error: { from: 'fd00::99', to: 'fd00::2' },
  tooBig: [2, 0],
  port: [1, 4],
  protocol: [4, 1],
}

function inFlight(family: typeof V4 | typeof V6) {
  const bench = new TcpBench()
  const [peer, connection] = bench.open(family.peer)
  bench.write(connection, 5000)
  const [first] = peer.heard()
  const quoted = family === V4 ? 28 : 100
  const quote = first.packet.slice(0, quoted)
  const tell = ([type, code]: number[], rest = 0, body: Bytes = quote) =>
    bench.deliver(icmpPacket(type, code, rest, body, family.error))
  return { bench, peer, connection, quote, tell }
}

describe.each([
  ['IPv4', V4],
  ['IPv6', V6],
])('over %s', (_, family) => {
  test.each([
    // RFC 1191 §5: an old router that says nothing means the next plateau below.
    [0, [1452, 8, 1452]],
    [1, [512, 512, 436]],
    [68, [512, 512, 436]],
    [296, [512, 512, 436]],
    [1279, [1239, 221, 1239]],
  ])('a path that is said to carry %i octets is cut no further than the floor', (mtu, pieces) => {
    const { peer, connection, tell } = inFlight(family)
    tell(family.tooBig, mtu)
    expect(connection.state).toBe(State.established)
    // RFC 8201 §4: nothing below 1,280 is believed. IPv4 goes down to 552.
    const lengths = peer.heard().map(({ data }) => data.length)
    expect(lengths.slice(0, 3)).toEqual(family === V4 ? pieces : [])
  })

  test('a larger MTU than that of the link, and one that is not smaller, are not believed', () => {
    const { peer, tell } = inFlight(family)
    for (const mtu of [1500, 9000, 65_535]) tell(family.tooBig, mtu)
    expect(peer.heard()).toEqual([])
  })

  test.each(['port', 'protocol'] as const)(
    '%s unreachable ends no connection that is established (RFC 5927 §5.2)',
    (kind) => {
      const { connection, tell, peer } = inFlight(family)
      tell(family[kind])
      expect(connection.state).toBe(State.established)
      peer.send('.')
      expect(connection.unacknowledged).toBe(0)
    },
  )

  test('an error that quotes a number outside of what is in flight is about nothing of ours', () => {
    const { bench, connection, quote, tell, peer } = inFlight(family)
    const at = family === V4 ? 24 : 44
    for (const away of [-1_000_000, 100_000, 1 << 30]) {
      const forged = quote.slice()
      const view = new DataView(forged.buffer)
      view.setInt32(at, view.getInt32(at) + away)
      tell(family.tooBig, 1280, forged)
      tell(family.port, 0, forged)
    }
    expect(bench.bench.drops('icmpUnmatched')).toBe(6)
    expect(peer.heard()).toEqual([])
    expect(connection.state).toBe(State.established)
  })

  test('an error about another’s connection, or a quote that is cut off, is about nothing', () => {
    const { bench, quote, tell, peer } = inFlight(family)
    const other = quote.slice()
    new DataView(other.buffer).setUint16(family === V4 ? 20 : 40, 9)
    tell(family.tooBig, 1280, other)
    tell(family.tooBig, 1280, quote.slice(0, family === V4 ? 22 : 42))
    expect(peer.heard()).toEqual([])
    expect(Object.values(bench.bench.allDrops).reduce((sum, one) => sum + one, 0)).toBe(2)
  })

  test('an error about an error, or to a group, is not answered', () => {
    const { bench, quote } = inFlight(family)
    const [type, code] = family.port
    const error = icmpPacket(type, code, 0, quote, family.error)
    const about = icmpPacket(type, code, 0, error.slice(0, 60), { ...family.error })
    bench.deliver(about)
    expect(bench.bench.sent()).toEqual([])
  })
})

test('a source quench and a redirect change nothing (RFC 6633)', () => {
  const { connection, tell, peer } = inFlight(V4)
  const cwnd = connection.congestion?.cwnd
  tell([4, 0])
  tell([5, 1], 0x0a00_0042)
  expect(connection.congestion?.cwnd).toBe(cwnd)
  expect(peer.heard()).toEqual([])
})

test('an echo request to a group or a broadcast address is not multiplied (smurf, CVE-1999-0513)', () => {
  const bench = new TcpBench()
  bench.deliver(
    icmpPacket(8, 0, 7, [1, 2, 3], { to: '10.0.0.255' }),
    icmpPacket(8, 0, 7, [1, 2, 3], { to: '255.255.255.255' }),
    icmpPacket(8, 0, 7, [1, 2, 3], { to: '224.0.0.1' }),
  )
  expect(bench.bench.sent()).toEqual([])
})
