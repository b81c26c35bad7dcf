// The mechanisms of loss recovery at work in a connection: each of these fails without the one that it names.
import { describe, expect, it } from 'vitest'
import { Count } from '../../../../src/core/observer.ts'
import type { Reno } from '../../../../src/core/tcp/congestion/reno.ts'
import type { Connection } from '../../../../src/core/tcp/connection.ts'
import { mss, type Peer, sackPermitted, stamps, TcpBench } from '../../../support/tcp-bench.ts'

const SACKS = [...mss(1000), ...sackPermitted]
const TRIP = 50
/** Long enough for what is paced to have left, and no probe yet. */
const PACED = 40

/** Established, with a measured round trip of 50 ms, its peer expecting octet 2001. */
function established(
  synOptions: readonly number[] = SACKS,
  clock?: number,
  pacing = true,
): [TcpBench, Peer, Connection] {
  const bench = new TcpBench({ congestion: 'reno', pacing })
  const options = clock === undefined ? synOptions : [...synOptions, ...stamps(clock, 0)]
  const [peer, connection] = bench.acceptAfter(TRIP, { synOptions: options, clock })
  bench.warmUp(TRIP, peer, connection)
  return [bench, peer, connection]
}

/** SACK blocks beyond what is acknowledged. */
function sack(peer: Peer, ack: number, ...blocks: [number, number][]): void {
  peer.send('.', sacked(peer, ack, ...blocks))
}

function sacked(peer: Peer, ack: number, ...blocks: [number, number][]) {
  const words = blocks.flat().flatMap((edge) => {
    const number = (peer.stackIss + edge) >>> 0
    return [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255]
  })
  return { ack, options: [1, 1, 5, 2 + words.length, ...words] }
}

const count = (bench: TcpBench, name: keyof typeof Count) => bench.tcp.shared.counters.get(Count[name])

describe('the reordering timer (RFC 8985 §6.2)', () => {
  it('repairs also a single octet', () => {
    const [bench, peer, connection] = established(SACKS, undefined, false)
    bench.write(connection, 1)
    bench.wait(1)
    bench.write(connection, 1000)
    bench.wait(TRIP)
    peer.heard()
    sack(peer, 2001, [2002, 3002])
    bench.wait(TRIP / 2)
    expect(peer.heard().map(({ seq, data }) => [seq, data.length])).toEqual([[2001, 1]])
    expect([count(bench, 'tcpReorderingTimeouts'), count(bench, 'tcpTailProbes')]).toEqual([1, 0])
  })
})

describe('the tail loss probe (RFC 8985 §7)', () => {
  it('sends the last segment again two round trips after the last was sent, and a SACK of it repairs the rest at once', () => {
    const [bench, peer, connection] = established()
    bench.write(connection, 5000)
    // They are paced over the round trip.
    bench.wait(PACED)
    const flight = peer.heard()
    expect(flight).toHaveLength(5)
    const sent = flight[4].at
    bench.wait(120)
    const [probe, ...more] = peer.heard()
    expect(more).toHaveLength(0)
    expect(probe.seq).toBe(6001)
    expect(probe.at - sent).toBeCloseTo(2 * TRIP, -1)
    bench.wait(TRIP)
    sack(peer, 2001, [6001, 7001])
    bench.wait(20)
    expect(peer.heard().map(({ seq }) => seq)).toContain(2001)
    expect(count(bench, 'tcpTailProbes')).toBe(1)
    expect(count(bench, 'tcpTimeouts')).toBe(0)
  })
})

describe('RACK (RFC 8985 §6)', () => {
  it('sends again what a retransmission has been lost of, without a timeout', () => {
    const [bench, peer, connection] = established()
    bench.write(connection, 20_000)
    bench.wait(TRIP)
    peer.heard()
    sack(peer, 2001, [3001, 7001])
    expect(peer.heard()[0].seq).toBe(2001)
    sack(peer, 2001, [3001, peer.expected - 1000])
    expect(peer.heard().length).toBeGreaterThan(0)
    bench.wait(TRIP)
    // What was sent after the retransmission arrives, and that does not.
    sack(peer, 2001, [3001, peer.expected])
    bench.wait(20)
    expect(peer.heard().filter(({ seq }) => seq === 2001)).toHaveLength(1)
    expect(count(bench, 'tcpTimeouts')).toBe(0)
  })

  it('waits a quarter of the round trip for what was overtaken', () => {
    const [bench, peer, connection] = established()
    bench.write(connection, 4000)
    bench.wait(TRIP)
    peer.heard()
    sack(peer, 2001, [3001, 4001])
    bench.wait(10)
    expect(peer.heard()).toHaveLength(0)
    bench.wait(10)
    expect(peer.heard().map(({ seq }) => seq)).toEqual([2001])
    expect(count(bench, 'tcpReorderingTimeouts')).toBe(1)
  })
})

describe('PRR (RFC 9937)', () => {
  it('lets a segment go for about every second that arrives, until half of the flight is left', () => {
    const [bench, peer, connection] = established()
    const { congestion } = connection
    if (congestion === null) throw new Error('no controller')
    bench.write(connection, 100_000)
    bench.wait(TRIP)
    const flight = peer.heard().length
    expect(flight).toBeGreaterThanOrEqual(10)
    let sent = 0
    for (let segment = 1; segment < flight; segment++) {
      sack(peer, 2001, [3001, 3001 + segment * 1000])
      sent += peer.heard().length
    }
    // Its own retransmission, limited transmit's, and ssthresh worth of the rest.
    expect(sent).toBeGreaterThanOrEqual(Math.floor(flight / 2) - 1)
    expect(sent).toBeLessThanOrEqual(Math.ceil(flight / 2) + 3)
    expect(congestion.ssthresh).toBeLessThanOrEqual((flight * 1000) / 2 + 1000)
  })
})

describe('ACKs that come in one turn, of which the last tells of a loss', () => {
  /** A full window of which the first half is acknowledged, and then all but a segment sacked: told at once, or one by one. */
  function lose(isOneTurn: boolean) {
    const [bench, peer, connection] = established(SACKS, undefined, false)
    const reno = connection.congestion as Reno
    // Slow start is over.
    reno.ssthresh = reno.cwnd
    bench.write(connection, 100_000)
    bench.wait(TRIP)
    const flight = peer.heard().length
    const half = 2001 + 1000 * (flight >> 1)
    const told: Parameters<Peer['packet']>[1][] = [{ ack: half }]
    for (let segment = 2; half + segment * 1000 <= peer.expected; segment++) {
      told.push(sacked(peer, half, [half + 1000, half + segment * 1000]))
    }
    if (isOneTurn) bench.deliver(...told.map((fields) => peer.packet('.', fields)))
    else {
      for (const fields of told) {
        peer.send('.', fields)
        bench.flush()
      }
    }
    bench.wait(1)
    return { flight, ssthresh: reno.ssthresh / 1000, left: peer.heard().length }
  }

  it('bring the window down from where it was, not from what they have left of it', () => {
    const { flight, ssthresh } = lose(true)
    expect(flight).toBeGreaterThanOrEqual(10)
    expect(ssthresh).toBeGreaterThanOrEqual(flight / 2)
    expect(ssthresh).toBe(lose(false).ssthresh)
  })

  it('leave a whole ssthresh in flight, not the little that came after the loss was seen', () => {
    const { ssthresh, left } = lose(true)
    expect(left).toBe(Math.floor(ssthresh))
    // One by one, what the first ACK and limited transmit let go is on its way already.
    expect(lose(false).left).toBeGreaterThan(left)
  })
})

describe('what was needless is taken back', () => {
  it('a timeout, by the timestamp that the late ACK echoes (RFC 3522)', () => {
    const [bench, peer, connection] = established(SACKS, 1000)
    const before = connection.congestion?.cwnd
    bench.write(connection, 6000)
    const [first] = peer.heard()
    const echo = first.stamps?.[0] ?? 0
    bench.wait(600)
    expect(peer.heard().length).toBeGreaterThan(0)
    expect(count(bench, 'tcpTimeouts')).toBeGreaterThan(0)
    peer.echo = echo
    peer.send('.', { ack: first.seq + first.data.length })
    expect(count(bench, 'tcpTimeoutsUndone')).toBe(1)
    expect(connection.congestion?.cwnd).toBeGreaterThanOrEqual(before ?? 0)
    expect(peer.heard()).toHaveLength(0)
  })

  it('a timeout, by what was sent once and arrives (F-RTO, RFC 5682), without timestamps', () => {
    const [bench, peer, connection] = established()
    bench.write(connection, 50_000)
    bench.wait(10)
    const flight = peer.heard().length
    bench.wait(600)
    const repeated = peer.heard().filter(({ seq }) => seq === 2001).length
    expect(repeated).toBeGreaterThan(0)
    // The originals arrive after all, one by one.
    peer.send('.', { ack: 3001 })
    peer.send('.', { ack: 4001 })
    peer.send('.', { ack: 5001 })
    expect(count(bench, 'tcpTimeoutsUndone')).toBe(1)
    bench.wait(10)
    const again = peer.heard().filter(({ seq }) => seq >= 3001 && seq < 2001 + flight * 1000)
    expect(again.length).toBeLessThanOrEqual(1)
  })

  it('a recovery, by D-SACKs for all that was sent again (RFC 3708)', () => {
    const [bench, peer, connection] = established()
    const before = connection.congestion?.cwnd ?? 0
    bench.write(connection, 10_000)
    bench.wait(TRIP)
    peer.heard()
    sack(peer, 2001, [3001, 7001])
    expect(peer.heard()[0].seq).toBe(2001)
    expect(connection.congestion?.ssthresh).toBeLessThan(before)
    peer.send('.', { ack: 12_001 })
    sack(peer, 12_001, [2001, 3001])
    expect(count(bench, 'tcpRecoveriesUndone')).toBe(1)
    expect(connection.congestion?.cwnd).toBeGreaterThanOrEqual(before)
  })
})
