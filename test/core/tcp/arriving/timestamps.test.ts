// PAWS where segments overtake each other (RFC 7323 §5): what is a little late is taken, what is old is not.
import { describe, expect, it } from 'vitest'
import type { Connection } from '../../../../src/core/tcp/connection.ts'
import { sendOver } from '../../../support/busy-path.ts'
import { mss, type Peer, pattern, sackPermitted, stamps, TcpBench } from '../../../support/tcp-bench.ts'

const TRIP = 100
const ISS_CLOCK = 1_000_000

/** Established after a round trip of 100 ms, or of so many. */
function established(trip = TRIP): [TcpBench, Peer, Connection] {
  const bench = new TcpBench()
  const listener = bench.listen()
  const peer = bench.peer({ synOptions: [...mss(1000), ...sackPermitted, ...stamps(ISS_CLOCK, 0)], clock: ISS_CLOCK })
  peer.send('S')
  peer.heard()
  bench.wait(trip)
  peer.send('.')
  const connection = listener.accepted.shift()
  if (connection === null) throw new Error('nobody was accepted')
  bench.own(connection)
  return [bench, peer, connection]
}

/** Ten octets at a place, whose timestamp says that they were sent so many milliseconds ago. */
function sendAged(bench: TcpBench, peer: Peer, seq: number, age: number): void {
  const options = [1, 1, ...stamps((ISS_CLOCK + bench.now - age) | 0, peer.echo)]
  peer.send('P.', { seq, data: pattern(10), options })
}

describe('a segment that was sent before TS.Recent', () => {
  it('is taken while that is less than a round trip ago, and TS.Recent does not go back', () => {
    const [bench, peer, connection] = established()
    for (let turn = 0; turn < 5; turn++) {
      bench.wait(TRIP)
      peer.send('P.', { data: pattern(10) })
    }
    const { next } = peer
    const latest = ISS_CLOCK + bench.now
    peer.heard()
    sendAged(bench, peer, next, 60)
    expect(connection.readable).toBe(60)
    const [answer] = peer.heard()
    expect(answer.ack).toBe(next + 10)
    expect(answer.stamps?.[1]).toBe(latest | 0)
    expect(bench.bench.drops('tcpPaws')).toBe(0)
  })

  it('is taken when it is just as old as what came first in the round trip before', () => {
    const [bench, peer, connection] = established()
    for (let turn = 0; turn < 5; turn++) {
      bench.wait(TRIP)
      peer.send('P.', { data: pattern(10) })
    }
    const age = (connection.tsRecent - connection.tsLongBefore) | 0
    expect(age).toBeGreaterThan(0)
    sendAged(bench, peer, peer.next, age)
    expect(connection.readable).toBe(60)
    sendAged(bench, peer, peer.next + 10, age + 1)
    expect([connection.readable, bench.bench.drops('tcpPaws')]).toEqual([60, 1])
  })

  it('is dropped after two round trips, however slowly text comes', () => {
    const [bench, peer, connection] = established()
    for (let turn = 0; turn < 5; turn++) {
      bench.wait(TRIP)
      peer.send('P.', { data: pattern(10) })
    }
    sendAged(bench, peer, peer.next, 2 * TRIP + 1)
    expect(connection.readable).toBe(50)
    expect(bench.bench.drops('tcpPaws')).toBe(1)
  })

  it('is dropped after two seconds on the longest path', () => {
    // Shorter than its first retransmission.
    const [bench, peer, connection] = established(900)
    connection.rtt.onSample(30_000_000, 0, 0, 0)
    for (let turn = 0; turn < 5; turn++) {
      bench.wait(1000)
      peer.send('P.', { data: pattern(10) })
    }
    sendAged(bench, peer, peer.next, 2001)
    expect(connection.readable).toBe(50)
    expect(bench.bench.drops('tcpPaws')).toBe(1)
  })
})

describe('reordering on a quick path', () => {
  it('costs no text for its timestamps', () => {
    const { drops } = sendOver({ impairment: { delay: 10, rate: 200, reorder: 0.05 }, tcp: {} }, 1500)
    expect(drops.tcpPaws ?? 0).toBe(0)
  })
})
