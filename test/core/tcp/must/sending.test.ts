// RFC 9293 §3.7.4, §3.8.6 and §3.9.1.2: what leaves when, into windows of every kind.
import { describe, expect, it } from 'vitest'
import { Option } from '../../../../src/core/tcp/control-block.ts'
import { State } from '../../../../src/core/tcp/state.ts'
import { mss, type Peer, pattern, scale, TcpBench } from '../../../support/tcp-bench.ts'

const lengths = (peer: Peer) => peer.heard().map(({ data }) => data.length)

describe('pushing (RFC 9293 §3.9.1.2)', () => {
  it('MUST-61: the last segment of what is written has PSH', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    bench.write(connection, 4000)
    expect(peer.lines()).toEqual(['. 1:1461(1460) ack 1', '. 1461:2921(1460) ack 1', 'P. 2921:4001(1080) ack 1'])
  })

  it('MUST-61: so has a FIN that takes the last octets along, and a probe that is the last octet', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    bench.write(connection, 10)
    connection.finish(bench.now)
    expect(peer.one().flags).toBe('FP.')
    const [closed, other] = bench.accept({ port: 4001 })
    closed.send('.', { window: 0 })
    bench.write(other, 1)
    bench.wait(1000)
    expect(closed.heard()[0].flags).toBe('P.')
  })

  it('MUST-60: nothing waits for ever: Nagle waits for an acknowledgment, cork for 200 ms', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    bench.write(connection, 10)
    expect(lengths(peer)).toEqual([10])
    bench.write(connection, 10)
    expect(lengths(peer)).toEqual([])
    peer.send('.')
    expect(lengths(peer)).toEqual([10])
    peer.send('.')
    connection.setOption(Option.cork, true, bench.now)
    bench.write(connection, 10)
    bench.wait(199)
    expect(lengths(peer)).toEqual([])
    bench.wait(2)
    expect(lengths(peer)).toEqual([10])
  })

  it('SHLD-27, MAY-16: octets of many writes go together, with one PSH', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    for (let count = 0; count < 10; count++) bench.write(connection, 300)
    expect(peer.lines()).toEqual(['. 1:1461(1460) ack 1', '. 1461:2921(1460) ack 1', 'P. 2921:3001(80) ack 1'])
  })

  it('SHLD-28: segments are as large as they may be', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    bench.write(connection, 14_600)
    expect(lengths(peer)).toEqual(Array(10).fill(1460))
  })
})

describe("Nagle's algorithm (RFC 9293 §3.7.4)", () => {
  it.each(['classic', 'minshall'] as const)('SHLD-7: one small segment is in flight at a time (%s)', (nagle) => {
    const bench = new TcpBench({ nagle })
    const [peer, connection] = bench.accept()
    bench.write(connection, 5)
    expect(peer.lines()).toEqual(['P. 1:6(5) ack 1'])
    bench.write(connection, 5)
    bench.write(connection, 5)
    expect(peer.lines()).toEqual([])
    bench.write(connection, 1500)
    expect(lengths(peer)).toEqual([1460])
    peer.send('.')
    expect(lengths(peer)).toEqual([50])
  })

  it('SHLD-7: the classic variant also waits behind whole segments', () => {
    const bench = new TcpBench({ nagle: 'classic' })
    const [peer, connection] = bench.accept()
    bench.write(connection, 1500)
    expect(lengths(peer)).toEqual([1460])
    peer.send('.')
    expect(lengths(peer)).toEqual([40])
  })

  it('MUST-17: can be turned off for a connection', () => {
    const bench = new TcpBench({ nagle: 'classic' })
    const [peer, connection] = bench.accept()
    connection.setOption(Option.noDelay, true, bench.now)
    for (let count = 0; count < 3; count++) {
      bench.write(connection, 5)
      expect(lengths(peer)).toEqual([5])
    }
    connection.setOption(Option.noDelay, false, bench.now)
    bench.write(connection, 5)
    expect(lengths(peer)).toEqual([])
  })
})

describe('silly windows (RFC 9293 §3.8.6.2.1)', () => {
  it('MUST-38: a rest of the window that is no segment, and not half of the largest window, is not used', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept({ window: 3000 })
    bench.write(connection, 10_000)
    expect(lengths(peer)).toEqual([1460, 1460])
    peer.send('.', { ack: 1461, window: 1640 })
    expect(lengths(peer)).toEqual([])
    peer.send('.', { ack: 2921, window: 1400 })
    expect(lengths(peer)).toEqual([])
    peer.send('.', { ack: 2921, window: 1500 })
    expect(lengths(peer)).toEqual([1460])
  })

  it('MUST-38: half of the largest window is enough', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept({ window: 1000 })
    bench.write(connection, 5000)
    expect(lengths(peer)).toEqual([1000])
    peer.send('.', { window: 499 })
    expect(lengths(peer)).toEqual([])
    peer.send('.', { window: 500 })
    expect(lengths(peer)).toEqual([500])
  })

  it('MUST-38: a timer overrides it, so that no two ends wait for each other', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept({ window: 3000 })
    bench.write(connection, 5000)
    peer.heard()
    peer.send('.', { window: 50 })
    expect(lengths(peer)).toEqual([])
    bench.wait(1000)
    expect(lengths(peer)[0]).toBe(50)
  })
})

describe('a window that shrinks (RFC 9293 §3.8.6)', () => {
  /** Ten segments are in flight, more octets wait, and the window's right edge comes back to `edge`. */
  const shrunk = (edge: number) => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    bench.write(connection, 20_000)
    expect(lengths(peer).length).toBe(10)
    peer.send('.', { ack: 1, window: edge })
    return { bench, peer, connection }
  }

  it('MUST-34, SHLD-15: a usable window below zero sends nothing new', () => {
    const { bench, peer, connection } = shrunk(3000)
    expect(connection.sndWnd).toBe(3000)
    expect(connection.state).toBe(State.established)
    expect(lengths(peer)).toEqual([])
    bench.wait(20_000)
    for (const { seq, data } of peer.heard()) expect(seq + data.length).toBeLessThanOrEqual(14_601)
  })

  it('SHLD-16: what lies within it is sent again as ever', () => {
    const { bench, peer } = shrunk(3000)
    bench.wait(250)
    expect(peer.lines()).toEqual(['. 1:1461(1460) ack 1'])
    peer.send('.', { ack: 1461, window: 1540 })
    expect(peer.lines()).toContain('. 1461:2921(1460) ack 1')
  })

  it('MAY-7: of what lies beyond it, the oldest octets alone go again', () => {
    const { bench, peer } = shrunk(3000)
    bench.wait(60_000)
    const again = peer.heard()
    expect(again.length).toBeGreaterThan(3)
    expect(Math.max(...again.map(({ seq, data }) => seq + data.length))).toBeLessThanOrEqual(3001)
  })

  it('MUST-35, SHLD-17: shrunk to zero it is probed, and the connection lives as long as the peer answers', () => {
    const { bench, peer, connection } = shrunk(0)
    const probes: number[] = []
    for (let second = 0; second < 7200; second++) {
      bench.wait(1000)
      for (const heard of peer.heard()) {
        probes.push(heard.at)
        peer.send('.', { ack: 1, window: 0 })
      }
    }
    expect(connection.state).toBe(State.established)
    expect(probes.length).toBeGreaterThan(50)
    const gaps = probes.slice(1).map((at, place) => at - probes[place])
    expect(Math.max(...gaps)).toBeLessThanOrEqual(121_000)
    peer.send('.', { ack: 1, window: 65_535 })
    let received = 1
    for (let round = 0; round < 40 && received < 20_001; round++) {
      bench.wait(200)
      for (const { seq, data } of peer.heard()) if (seq <= received) received = Math.max(received, seq + data.length)
      peer.send('.', { ack: received })
    }
    expect(received).toBe(20_001)
  })
})

describe('a window of zero (RFC 9293 §3.8.6.1)', () => {
  const closed = (settings = {}) => {
    const bench = new TcpBench(settings)
    const [peer, connection] = bench.accept()
    peer.send('.', { window: 0 })
    bench.write(connection, pattern(5000))
    return { bench, peer, connection }
  }

  it('MUST-36, SHLD-29, SHLD-30: is probed with an octet after an RTO, then ever more seldom', () => {
    const { bench, peer } = closed()
    const rto = 200
    bench.wait(rto - 1)
    expect(peer.lines()).toEqual([])
    const probes: number[] = []
    for (let step = 0; step < 4000; step++) {
      bench.wait(100)
      for (const heard of peer.heard()) {
        expect(heard.data.length).toBe(1)
        expect(heard.seq).toBe(1)
        probes.push(heard.at)
        peer.send('.', { ack: 1, window: 0 })
      }
    }
    expect(probes[0]).toBeLessThanOrEqual(rto + 10)
    const gaps = probes.slice(1).map((at, place) => at - probes[place])
    for (let place = 1; place < gaps.length; place++) {
      expect(gaps[place]).toBeGreaterThanOrEqual(Math.min(119_000, gaps[place - 1] * 1.9))
    }
    expect(gaps.length).toBeGreaterThan(8)
  })

  it('MUST-37: may stay so for a day where the peer answers', () => {
    const { bench, peer, connection } = closed()
    for (let minute = 0; minute < 24 * 60; minute++) {
      bench.wait(60_000)
      if (peer.heard().length > 0) peer.send('.', { ack: 1, window: 0 })
    }
    expect(connection.state).toBe(State.established)
    peer.send('.', { ack: 1, window: 60_000 })
    const text = new Uint8Array(5000)
    for (const { seq, data } of peer.heard()) text.set(data, seq - 1)
    expect(text).toEqual(pattern(5000))
  })

  it('MUST-36: a probe whose octet was taken goes on behind it', () => {
    const { bench, peer } = closed()
    bench.wait(250)
    expect(peer.one().data.length).toBe(1)
    peer.send('.', { ack: 2, window: 0 })
    peer.send('.', { ack: 2, window: 10_000 })
    const heard = peer.heard()
    expect(heard[0].seq).toBe(2)
    expect([...heard[0].data.subarray(0, 9)]).toEqual([...pattern(9, 1)])
  })

  it('MUST-20, MUST-36: a peer that answers no probe is given up at last', () => {
    const { bench, connection } = closed()
    bench.wait(100_000)
    expect(connection.isOver).toBe(false)
    bench.wait(3_600_000)
    expect(connection.isOver).toBe(true)
  })

  it('MUST-36: opens again for a FIN, too', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept({ synOptions: [...mss(1460), ...scale(2)] })
    peer.send('.', { window: 0 })
    connection.finish(bench.now)
    expect(peer.lines()).toEqual([])
    bench.wait(1000)
    expect(peer.heard()[0].flags).toBe('F.')
  })
})
