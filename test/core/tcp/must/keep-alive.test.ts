// RFC 9293 §3.8.4: keep-alives.
import { describe, expect, it } from 'vitest'
import { Reason, State } from '../../../../src/core/tcp/state.ts'
import { TcpBench } from '../../../support/tcp-bench.ts'

const HOUR = 3_600_000

describe('keep-alives (RFC 9293 §3.8.4)', () => {
  it('MUST-25: are off unless asked for', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    bench.wait(100 * HOUR)
    expect(peer.lines()).toEqual([])
    expect(connection.state).toBe(State.established)
  })

  it('MAY-5, MUST-24, MUST-28, SHLD-12: asked for, they begin after two hours of silence, without text', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    connection.setKeepAlive(true, null, null, null, bench.now)
    bench.wait(2 * HOUR - 1)
    expect(peer.lines()).toEqual([])
    bench.wait(2)
    const probe = peer.one()
    expect([probe.seq, probe.ack, probe.data.length]).toEqual([0, 1, 0])
  })

  it('MUST-24: can be turned off again', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    connection.setKeepAlive(true, 1000, 1000, 3, bench.now)
    bench.wait(500)
    connection.setKeepAlive(false, null, null, null, bench.now)
    bench.wait(HOUR)
    expect(peer.lines()).toEqual([])
  })

  it("MUST-27: the interval is the user's to choose, for a connection and for the stack", () => {
    const bench = new TcpBench({ keepAliveIdle: 30_000 })
    const [peer, connection] = bench.accept()
    connection.setKeepAlive(true, 5000, null, null, bench.now)
    const [other, second] = bench.accept({ port: 4001 })
    second.setKeepAlive(true, null, null, null, bench.now)
    bench.wait(30_001)
    expect(peer.heard()[0].at).toBe(5000)
    expect(other.heard()[0].at).toBe(30_000)
  })

  it('go on after text was in flight when one was due', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    connection.setKeepAlive(true, 5000, null, null, bench.now)
    bench.wait(4900)
    bench.write(connection, 10)
    bench.wait(150)
    peer.heard()
    peer.send('.')
    bench.wait(10_000)
    expect(peer.heard().map(({ seq, at }) => [seq, at])).toEqual([[10, 10_050]])
  })

  it('are not put off by what is not acceptable: a stranger could send that', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    connection.setKeepAlive(true, 5000, 1000, 3, bench.now)
    bench.wait(4000)
    peer.send('.', { seq: 1_000_000 })
    peer.heard()
    bench.wait(1001)
    expect(peer.heard().map(({ seq, at }) => [seq, at])).toEqual([[0, 5000]])
    for (let probe = 0; probe < 4; probe++) {
      bench.wait(900)
      peer.send('.', { seq: 1_000_000 })
    }
    bench.wait(1000)
    expect(connection.state).toBe(State.closed)
    expect(connection.reason).toBe(Reason.timedOut)
  })

  it('MUST-26: none goes while anything comes, nor while anything is in flight', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    connection.setKeepAlive(true, 5000, 1000, 3, bench.now)
    for (let second = 0; second < 20; second++) {
      bench.wait(4000)
      peer.send('P.', { data: 1 })
      bench.wait(200)
      expect(peer.heard().every(({ seq }) => seq === 1)).toBe(true)
    }
    bench.write(connection, 10)
    bench.wait(60_000)
    const heard = peer.heard()
    expect(heard.length).toBeGreaterThan(3)
    expect(heard.every(({ seq, data }) => seq === 1 && data.length === 10)).toBe(true)
  })

  it('MUST-29: one that is not answered proves nothing; many do', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    connection.setKeepAlive(true, 10_000, 1000, 4, bench.now)
    bench.wait(12_500)
    expect(peer.lines()).toEqual(['. 0:0(0) ack 1', '. 0:0(0) ack 1', '. 0:0(0) ack 1'])
    peer.send('.')
    bench.wait(13_500)
    expect(connection.state).toBe(State.established)
    expect(peer.heard().length).toBe(4)
    bench.wait(1000)
    expect(connection.reason).toBe(Reason.timedOut)
    expect(peer.one().flags).toBe('R.')
  })

  it('answers those of a peer, with and without an octet', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    bench.wait(HOUR)
    peer.send('.', { seq: 0 })
    expect(peer.lines()).toEqual(['. 1:1(0) ack 1'])
    bench.wait(HOUR)
    peer.send('.', { seq: 0, data: [0] })
    expect(peer.lines()).toEqual(['. 1:1(0) ack 1'])
    expect(connection.readable).toBe(0)
  })
})
