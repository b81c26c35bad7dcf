// RFC 9293 §3.9.2.2: what ICMP errors do to a connection, and what they don't.
import { describe, expect, it } from 'vitest'
import { Reason, State } from '../../../../src/core/tcp/state.ts'
import { type Bytes, icmpPacket } from '../../../support/packets.ts'
import { type Peer, TcpBench } from '../../../support/tcp-bench.ts'

/** An error from a router about a packet that the stack has sent. */
function error(bench: TcpBench, type: number, code: number, packet: Bytes, rest = 0): void {
  const isIpv6 = packet[0] >>> 4 === 6
  const addresses = isIpv6 ? { from: 'fd00::99', to: 'fd00::2' } : { from: '10.0.0.99', to: '10.0.0.2' }
  bench.deliver(icmpPacket(type, code, rest, packet.subarray(0, isIpv6 ? 100 : 28), addresses))
}

/** An established connection with a segment in flight: that segment. */
function inFlight(family = {}) {
  const bench = new TcpBench()
  const [peer, connection] = bench.open(family)
  bench.write(connection, 100)
  return { bench, peer, connection, packet: peer.one().packet }
}

const V6 = { from: 'fd00::1' }

describe('ICMP errors (RFC 9293 §3.9.2.2)', () => {
  it('MUST-54: reach the connection that they are about, and no other', () => {
    const { bench, connection, packet } = inFlight()
    const [, other] = bench.open({ port: 4001 })
    error(bench, 3, 1, packet)
    expect(connection.trouble).toBe(Reason.hostUnreachable)
    expect(other.trouble).toBe(Reason.none)
  })

  it('MUST-54: those of IPv6, too', () => {
    const { bench, connection, packet } = inFlight(V6)
    error(bench, 1, 0, packet)
    expect(connection.trouble).toBe(Reason.networkUnreachable)
  })

  it('MUST-55: a source quench is for nobody', () => {
    const { bench, connection, packet } = inFlight()
    const cwnd = connection.congestion?.cwnd
    error(bench, 4, 0, packet)
    expect(connection.congestion?.cwnd).toBe(cwnd)
    expect(connection.trouble).toBe(Reason.none)
    expect(bench.woken).toEqual([])
    expect(bench.bench.sent()).toEqual([])
  })

  it.each([
    ['network unreachable', {}, 3, 0],
    ['host unreachable', {}, 3, 1],
    ['source route failed', {}, 3, 5],
    ['time exceeded in transit', {}, 11, 0],
    ['reassembly time exceeded', {}, 11, 1],
    ['parameter problem', {}, 12, 0],
    ['no route (IPv6)', V6, 1, 0],
    ['address unreachable (IPv6)', V6, 1, 3],
    ['time exceeded (IPv6)', V6, 3, 0],
    ['reassembly time exceeded (IPv6)', V6, 3, 1],
    ['parameter problem (IPv6)', V6, 4, 0],
    ['unknown next header (IPv6)', V6, 4, 1],
    ['unknown option (IPv6)', V6, 4, 2],
  ])('MUST-56: a soft error ends no connection: %s', (_name, family, type, code) => {
    const { bench, peer, connection, packet } = inFlight(family)
    error(bench, type, code, packet)
    expect(connection.state).toBe(State.established)
    peer.send('.')
    expect(connection.unacknowledged).toBe(0)
  })

  it.each([
    ['network unreachable', 3, 0, Reason.networkUnreachable],
    ['host unreachable', 3, 1, Reason.hostUnreachable],
    ['source route failed', 3, 5, Reason.hostUnreachable],
  ])('SHLD-25, MUST-47: %s is told to the user, while it lasts', (_name, type, code, reason) => {
    const { bench, peer, connection, packet } = inFlight()
    error(bench, type, code, packet)
    expect(bench.woken).toEqual(['trouble'])
    expect(connection.trouble).toBe(reason)
    peer.send('.')
    expect(connection.trouble).toBe(Reason.none)
  })

  it('SHLD-25: it is what the user is told when the connection times out at last', () => {
    const { bench, connection, packet } = inFlight()
    error(bench, 3, 1, packet)
    bench.wait(3_600_000)
    expect(connection.reason).toBe(Reason.hostUnreachable)
  })

  it.each([
    ['protocol unreachable', 2, Reason.protocolUnreachable],
    ['port unreachable', 3, Reason.refused],
  ])('SHLD-26: a hard error ends an open that waits: %s', (_name, code, reason) => {
    const bench = new TcpBench()
    const peer = bench.peer()
    const connection = bench.connect(peer)
    error(bench, 3, code, peer.one().packet)
    expect(connection.reason).toBe(reason)
    expect(bench.woken).toEqual(['closed'])
  })

  it.each([2, 3])('SHLD-26: but no connection that is established, since anybody could forge it: code %i', (code) => {
    const { bench, connection, packet } = inFlight()
    error(bench, 3, code, packet)
    expect(connection.state).toBe(State.established)
    expect(bench.woken).toEqual(['trouble'])
  })

  it('MUST-54: what quotes nothing in flight is for nobody (RFC 5927)', () => {
    const { bench, peer, connection, packet } = inFlight()
    peer.send('.')
    error(bench, 3, 1, packet)
    expect(connection.trouble).toBe(Reason.none)
    expect(bench.bench.drops('icmpUnmatched')).toBe(1)
  })

  it.each([
    [{}, 3, 4, 1000, 1000],
    [V6, 2, 0, 1400, 1400],
  ])(
    'MUST-16: a path that takes less makes segments smaller, at once and for what is in flight %o',
    (family, type, code, mtu, size) => {
      const bench = new TcpBench()
      const [peer, connection] = bench.open(family)
      const cwnd = connection.congestion?.cwnd
      bench.write(connection, 2500)
      const { packet } = peer.heard()[0]
      error(bench, type, code, packet, mtu)
      const again = peer.heard()
      expect(again.length).toBeGreaterThan(1)
      expect(Math.max(...again.map((one) => one.packet.length))).toBe(size)
      expect(connection.congestion?.cwnd).toBe(cwnd)
      takeAll(peer, 2500)
    },
  )
})

/** Acknowledges until everything has come. */
function takeAll(peer: Peer, length: number): void {
  for (let round = 0; round < 20 && peer.expected <= length; round++) {
    peer.send('.')
    peer.bench.wait(300)
    peer.heard()
  }
}
