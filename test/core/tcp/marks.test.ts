// Explicit congestion notification in whole connections (RFC 3168): asked for, agreed to, echoed, answered once a window.
import { describe, expect, it } from 'vitest'
import { Count } from '../../../src/core/observer.ts'
import { mss, sackPermitted, TcpBench } from '../../support/tcp-bench.ts'

const OPTIONS = [...mss(1000), ...sackPermitted]
const ECT0 = 2
const CE = 3

describe('the handshake', () => {
  it('SHLD-8: agrees where a SYN asks, and says so', () => {
    const bench = new TcpBench()
    bench.listen()
    const peer = bench.peer({ synOptions: OPTIONS })
    peer.send('SEW')
    const { flags } = peer.one()
    expect(flags).toContain('E')
    expect(flags).not.toContain('W')
    peer.send('.')
    expect(bench.listener?.accepted.shift()?.ecn).not.toBeNull()
  })

  it('agrees to nothing where nobody asks, nor where it never shall', () => {
    for (const [ecn, flags] of [
      ['accept', 'S'],
      ['never', 'SEW'],
    ] as const) {
      const bench = new TcpBench({ ecn })
      bench.listen()
      const peer = bench.peer({ synOptions: OPTIONS })
      peer.send(flags)
      expect(peer.one().flags).not.toContain('E')
      peer.send('.')
      expect(bench.listener?.accepted.shift()?.ecn).toBeNull()
    }
  })

  it('asks where it shall, and not a second time', () => {
    const bench = new TcpBench({ ecn: 'ask' })
    const peer = bench.peer({ synOptions: OPTIONS })
    bench.connect(peer)
    expect(peer.one().flags).toMatch(/E.*W/)
    bench.wait(1100)
    expect(peer.one().flags).not.toMatch(/[EW]/)
  })

  it('is without it where the SYN-ACK does not agree, or reflects the question', () => {
    for (const flags of ['S.', 'SEW.']) {
      const bench = new TcpBench({ ecn: 'ask' })
      const peer = bench.peer({ synOptions: OPTIONS })
      const connection = bench.connect(peer)
      peer.heard()
      peer.send(flags)
      expect(connection.ecn).toBeNull()
    }
  })

  it('keeps the answer in a cookie', () => {
    const bench = new TcpBench({ synCookies: 'always' })
    bench.listen()
    const peer = bench.peer({ synOptions: [...OPTIONS, 8, 10, 0, 0, 1, 0, 0, 0, 0, 0], clock: 256 })
    peer.send('SEW')
    expect(peer.one().flags).toContain('E')
    peer.send('.')
    expect(bench.listener?.accepted.shift()?.ecn).not.toBeNull()
  })
})

function agreed(congestion: 'reno' | 'cubic' | 'bbr' = 'reno') {
  const bench = new TcpBench({ congestion })
  const listener = bench.listen()
  const peer = bench.peer({ synOptions: OPTIONS })
  peer.send('SEW')
  peer.heard()
  bench.wait(20)
  peer.send('.')
  const connection = listener.accepted.shift()
  if (connection === null || connection.congestion === null) throw new Error('nobody was accepted')
  bench.own(connection)
  connection.setBuffers(1_000_000, null)
  return { bench, peer, connection, congestion: connection.congestion }
}

describe('the receiver', () => {
  it('SHLD-8: echoes a mark at once, in every ACK, until the sender says CWR', () => {
    const { bench, peer } = agreed()
    peer.send('.', { data: 100, raw: { trafficClass: CE } })
    expect(peer.one().flags).toContain('E')
    peer.send('.', { data: 1000, raw: { trafficClass: ECT0 } })
    peer.send('.', { data: 1000, raw: { trafficClass: ECT0 } })
    bench.wait(50)
    for (const { flags } of peer.heard()) expect(flags).toContain('E')
    peer.send('W.', { data: 1000, raw: { trafficClass: ECT0 } })
    bench.wait(50)
    for (const { flags } of peer.heard()) expect(flags).not.toContain('E')
  })
})

describe('the sender', () => {
  it('marks new text as capable, and neither ACKs nor what it sends again', () => {
    const { bench, peer, connection } = agreed()
    bench.write(connection, 1000)
    expect(peer.one().ip.trafficClass & 3).toBe(ECT0)
    bench.wait(1500)
    for (const { ip } of peer.heard()) expect(ip.trafficClass & 3).toBe(0)
    peer.send('.', { ack: 1001, data: 10 })
    bench.wait(50)
    for (const { ip } of peer.heard()) expect(ip.trafficClass & 3).toBe(0)
  })

  it('SHLD-8: answers echoes once a window, by less than for a loss (RFC 8511), and says CWR once', () => {
    const { bench, peer, connection, congestion } = agreed()
    bench.write(connection, 500_000)
    bench.wait(30)
    const flight = peer.heard().length
    const before = congestion.cwnd
    for (let segment = 1; segment < flight; segment++) peer.send('E.', { ack: 1 + segment * 1000 })
    expect(bench.tcp.shared.counters.get(Count.tcpMarksAnswered)).toBe(1)
    expect(congestion.ssthresh).toBe(before * 0.8)
    bench.wait(30)
    const heard = peer.heard().filter(({ data }) => data.length > 0)
    expect(heard.filter(({ flags }) => flags.includes('W'))).toHaveLength(1)
    expect(heard[0].flags).toContain('W')
  })

  it.each(['reno', 'cubic', 'bbr'] as const)('goes on under echoes without end: %s', (name) => {
    const { bench, peer, connection, congestion } = agreed(name)
    bench.write(connection, 500_000)
    let arrived = 1
    for (let round = 0; round < 200; round++) {
      bench.wait(20)
      peer.heard()
      peer.send('E.', { ack: peer.expected })
      expect(congestion.cwnd).toBeGreaterThanOrEqual(connection.mss)
    }
    expect(peer.expected).toBeGreaterThan(arrived + 100_000)
    arrived = peer.expected
  })
})
