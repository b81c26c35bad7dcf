// Segments that fall back and grow again in a connection (RFC 4821): when it does, and that nothing is sent that the path can't carry.
import { describe, expect, it } from 'vitest'
import { Count } from '../../../src/core/observer.ts'
import type { Connection } from '../../../src/core/tcp/connection.ts'
import { clearPath } from '../../../src/core/tcp/sender/path-mtu.ts'
import { mss, type Peer, type PeerOptions, sackPermitted, TcpBench } from '../../support/tcp-bench.ts'

const SACKS = [...mss(1460), ...sackPermitted]
const TRIP = 20

function established(options: PeerOptions = { synOptions: SACKS }, mtu = 1500): [TcpBench, Peer, Connection] {
  const bench = new TcpBench({ congestion: 'reno' }, { mtu })
  const [peer, connection] = bench.acceptAfter(TRIP, options)
  return [bench, peer, connection]
}

const count = (bench: TcpBench, name: keyof typeof Count) => bench.tcp.shared.counters.get(Count[name])

/** Lengths of text. */
const lengths = (peer: Peer) => peer.heard().map(({ data }) => data.length)

/** The whole way down, nothing answered. */
function fall(bench: TcpBench, peer: Peer): void {
  bench.wait(3000)
  peer.heard()
}

describe('falling back', () => {
  it('comes with the first timeout where a tail loss probe was not answered either, and nothing long ever arrived', () => {
    const [bench, peer, connection] = established()
    bench.write(connection, 20_000)
    expect(lengths(peer).every((length) => length === 1460)).toBe(true)
    bench.wait(100)
    expect(lengths(peer)).toEqual([1460])
    expect(count(bench, 'tcpTailProbes')).toBe(1)
    bench.wait(200)
    // In two pieces.
    expect(lengths(peer)).toEqual([1240, 220])
    expect(count(bench, 'tcpBlackHoles')).toBe(1)
  })

  it('comes with the second timeout where long ones have arrived before, and where there is no SACK', () => {
    for (const synOptions of [SACKS, mss(1460)]) {
      const [bench, peer, connection] = established({ synOptions })
      bench.write(connection, 20_000)
      peer.heard()
      if (synOptions === SACKS) peer.send('.', { ack: 1461 })
      peer.heard()
      while (count(bench, 'tcpTimeouts') < 1) bench.wait(1)
      expect(Math.min(...lengths(peer))).toBe(1460)
      expect(count(bench, 'tcpBlackHoles')).toBe(0)
      while (count(bench, 'tcpTimeouts') < 2) bench.wait(1)
      expect(lengths(peer)[0]).toBe(1240)
      expect(count(bench, 'tcpBlackHoles')).toBe(1)
    }
  })

  it('does not come for short segments, nor for a window that was closed', () => {
    const [bench, peer, connection] = established()
    bench.write(connection, 500)
    fall(bench, peer)
    expect(count(bench, 'tcpTimeouts')).toBeGreaterThan(2)
    const [other, closed, sender] = established()
    other.write(sender, 20_000)
    closed.heard()
    closed.send('.', { ack: 1, window: 0 })
    fall(other, closed)
    expect(count(other, 'tcpTimeouts')).toBeGreaterThan(2)
    for (const one of [bench, other]) expect(count(one, 'tcpBlackHoles')).toBe(0)
  })

  it('takes nothing back from the window where long ones had arrived, and all where none ever had', () => {
    for (const hasArrived of [false, true]) {
      const [bench, peer, connection] = established()
      bench.write(connection, 50_000)
      peer.heard()
      if (hasArrived) peer.send('.', { ack: 1461 })
      peer.heard()
      fall(bench, peer)
      peer.send('.', { ack: hasArrived ? 1461 + 536 : 537 })
      expect(connection.congestion?.cwnd).toBeGreaterThan(hasArrived ? 0 : 14_000)
      expect(connection.congestion?.cwnd).toBeLessThan(hasArrived ? 3000 : 20_000)
    }
  })

  it('is forgotten where the timeouts were needless', () => {
    const [bench, peer, connection] = established()
    bench.write(connection, 20_000)
    bench.wait(350)
    peer.heard()
    expect(connection.mss).toBe(1240)
    // RFC 5682: what was sent once only has arrived.
    peer.send('.', { ack: 1460 * 2 + 1 })
    peer.heard()
    peer.send('.', { ack: 1460 * 4 + 1 })
    expect(connection.mss).toBe(1460)
  })
})

describe('growing again', () => {
  it('sends again in the size of now what had gone in small segments', () => {
    const [bench, peer, connection] = established({ synOptions: [...mss(8960), ...sackPermitted] }, 9000)
    bench.write(connection, 30_000)
    peer.heard()
    // A window that was shrunk lets nothing go again but the oldest segment.
    peer.send('.', { ack: 1, window: 100 })
    while (count(bench, 'tcpBlackHoles') < 1) bench.wait(1)
    expect(connection.mss).toBe(1240)
    clearPath(connection, connection.recover, bench.now)
    expect(connection.mss).toBe(8960)
    peer.heard()
    const before = count(bench, 'tcpSent')
    peer.send('.', { ack: 1241 })
    bench.wait(20_000)
    const heard = peer.heard()
    expect(heard.map(({ data }) => data.length)).toContain(8960 - 1240)
    // One segment each: the link makes no more of them.
    expect(count(bench, 'tcpSent') - before).toBe(heard.length)
  })

  it('probes with new text that others follow, and sends a lost probe again in pieces without a smaller window', () => {
    const [bench, peer, connection] = established()
    bench.write(connection, 14_600)
    bench.wait(350)
    peer.heard()
    peer.send('.', { ack: 1241 })
    bench.wait(TRIP)
    expect(Math.max(...lengths(peer))).toBe(1240)
    peer.send('.', { ack: 14_601 })
    bench.write(connection, 100_000)
    bench.wait(1)
    const heard = peer.heard()
    const probe = heard.findIndex(({ data }) => data.length === 1460)
    expect(probe).toBeGreaterThanOrEqual(0)
    expect(heard.slice(probe + 1).every(({ data }) => data.length === 1240)).toBe(true)
    expect(heard.length - probe).toBeGreaterThan(4)
    const window = connection.congestion?.cwnd ?? 0
    const { seq } = heard[probe]
    const block = (edge: number) => {
      const number = (peer.stackIss + edge) >>> 0
      return [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255]
    }
    for (let after = 1; after <= 4; after++) {
      const end = seq + 1460 + after * 1240
      peer.send('.', { ack: seq, options: [1, 1, 5, 10, ...block(seq + 1460), ...block(end)] })
    }
    bench.wait(30)
    expect(count(bench, 'tcpPathProbesLost')).toBe(1)
    const again = peer.heard().filter((one) => one.seq >= seq && one.seq < seq + 1460)
    expect(again.map(({ data }) => data.length)).toEqual([1240, 220])
    expect(connection.congestion?.cwnd).toBeGreaterThanOrEqual(window)
    expect(count(bench, 'tcpFastRecoveries')).toBe(0)
  })
})
