// Recovery for peers without SACK, where a timeout would be the other way: each of these fails without what it names.
import { describe, expect, it } from 'vitest'
import { Count } from '../../../../src/core/observer.ts'
import type { Connection } from '../../../../src/core/tcp/connection.ts'
import { earlyThreshold } from '../../../../src/core/tcp/sender/new-reno.ts'
import { sendOver } from '../../../support/busy-path.ts'
import { mss, type Peer, TcpBench } from '../../../support/tcp-bench.ts'

const TRIP = 50

/** Established, with a measured round trip of 50 ms, its peer expecting octet 2001; segments of 1,000 octets, which leave at once. */
function established(): [TcpBench, Peer, Connection] {
  const bench = new TcpBench({ congestion: 'reno', pacing: false })
  const [peer, connection] = bench.acceptAfter(TRIP, { synOptions: mss(1000) })
  bench.warmUp(TRIP, peer, connection)
  return [bench, peer, connection]
}

/** Sends so many octets; returns how many segments leave. */
function fly(bench: TcpBench, peer: Peer, connection: Connection, octets: number): number {
  bench.write(connection, octets)
  bench.wait(TRIP)
  return peer.heard().length
}

/** So many duplicate ACKs one by one; the sequence numbers that they let go. */
function duplicates(peer: Peer, count: number, ack = 2001): number[] {
  const numbers: number[] = []
  for (let number = 0; number < count; number++) {
    peer.send('.', { ack })
    numbers.push(...peer.heard().map(({ seq }) => seq))
  }
  return numbers
}

const count = (bench: TcpBench, name: keyof typeof Count) => bench.tcp.shared.counters.get(Count[name])

describe('a retransmission that is lost too', () => {
  it('goes again when three more duplicates come than what was on its way can have brought about', () => {
    const [bench, peer, connection] = established()
    const flight = fly(bench, peer, connection, 100_000)
    expect(flight).toBeGreaterThanOrEqual(10)
    expect(duplicates(peer, 3)).toContain(2001)
    const onTheirWay = (peer.expected - 2001) / 1000 - 4
    // And two of what was sent after the retransmission.
    expect(duplicates(peer, onTheirWay + 2)).not.toContain(2001)
    expect(duplicates(peer, 1)).toContain(2001)
    expect(count(bench, 'tcpTimeouts')).toBe(0)
  })

  it('is a second sign of congestion (RFC 5681 §4.3)', () => {
    const [bench, peer, connection] = established()
    fly(bench, peer, connection, 100_000)
    duplicates(peer, 3)
    const once = connection.congestion?.ssthresh ?? 0
    duplicates(peer, (peer.expected - 2001) / 1000 - 4 + 3)
    expect(connection.congestion?.ssthresh).toBeLessThan(once)
  })
})

describe('what is lost right behind a recovery', () => {
  it('goes again when more duplicates have come than what was sent again explains (RFC 6582 §4)', () => {
    const [bench, peer, connection] = established()
    fly(bench, peer, connection, 100_000)
    duplicates(peer, 3)
    const recover = peer.expected
    // Whatever was sent since is lost, or late.
    peer.send('.', { ack: recover })
    peer.heard()
    expect(duplicates(peer, 3, recover)).not.toContain(recover)
    expect(duplicates(peer, 1, recover)).toContain(recover)
    expect(count(bench, 'tcpFastRecoveries')).toBe(2)
    expect(count(bench, 'tcpTimeouts')).toBe(0)
  })

  it('is told of by duplicates that came before the recovery was over, too', () => {
    const [bench, peer, connection] = established()
    fly(bench, peer, connection, 100_000)
    duplicates(peer, 3)
    const recover = peer.expected
    const onTheirWay = (recover - 2001) / 1000 - 4
    // Two of what was sent since, but not the first.
    duplicates(peer, onTheirWay + 2)
    expect(peer.expected - recover).toBeGreaterThanOrEqual(3000)
    peer.send('.', { ack: recover })
    peer.heard()
    expect(duplicates(peer, 1, recover)).not.toContain(recover)
    expect(duplicates(peer, 1, recover)).toContain(recover)
    expect(count(bench, 'tcpTimeouts')).toBe(0)
  })
})

describe('after a timeout', () => {
  it('duplicates for what was never sent before make room for what was lost', () => {
    const [bench, peer, connection] = established()
    const flight = fly(bench, peer, connection, 100_000)
    bench.wait(600)
    expect(peer.heard()[0].seq).toBe(2001)
    const timeouts = count(bench, 'tcpTimeouts')
    // F-RTO: what moves on lets new text go, whose arrival shows that there is another hole.
    peer.send('.', { ack: 5001 })
    bench.wait(TRIP / 2)
    const fresh = peer.heard().map(({ seq }) => seq)
    expect(fresh.length).toBeGreaterThan(0)
    expect(Math.min(...fresh)).toBe(2001 + flight * 1000)
    const answers = duplicates(peer, fresh.length, 5001)
    bench.wait(TRIP)
    answers.push(...peer.heard().map(({ seq }) => seq))
    expect(answers).toContain(5001)
    expect(count(bench, 'tcpTimeouts')).toBe(timeouts)
  })
})

describe('early retransmit (RFC 5827)', () => {
  it('wants one duplicate less than there are segments, of two to four', () => {
    expect([1, 2, 3, 4, 100].map(earlyThreshold)).toEqual([3, 1, 2, 3, 3])
  })

  it.each([
    [2, 1],
    [3, 2],
    [5, 3],
  ])('sends the first of %i segments again after %i duplicates', (segments, needed) => {
    const [bench, peer, connection] = established()
    expect(fly(bench, peer, connection, segments * 1000)).toBe(segments)
    expect(duplicates(peer, needed - 1)).toEqual([])
    expect(duplicates(peer, 1)).toEqual([2001])
    expect(count(bench, 'tcpTimeouts')).toBe(0)
  })

  it('waits for three where more can follow', () => {
    const [bench, peer, connection] = established()
    bench.write(connection, 2000)
    peer.heard()
    bench.write(connection, 50_000)
    expect(duplicates(peer, 2)).not.toContain(2001)
  })
})

describe('chance losses of one percent, without SACK', () => {
  it('cost no timeouts', () => {
    const impairment = { delay: 10, rate: 100, loss: 0.01 }
    const { counts } = sendOver({ impairment, tcp: { selectiveAcks: false }, seed: 4 }, 40_000)
    expect(counts.tcpFastRecoveries).toBeGreaterThan(100)
    expect(counts.tcpTimeouts ?? 0).toBe(0)
  })
})
