// RFC 9293 §3.8.6, §3.8.6.2.2, §3.8.6.3 and §3.10.7.4: what is taken, what is acknowledged when, and the window that is offered.
import { describe, expect, it } from 'vitest'
import { Reason, State } from '../../../../src/core/tcp/state.ts'
import { seeded } from '../../../support/seeded.ts'
import { mss, type Peer, pattern, scale, TcpBench } from '../../../support/tcp-bench.ts'

/** Two ends, the first quick acknowledgments behind them. */
function settled(bench: TcpBench) {
  const [peer, connection] = bench.accept()
  for (let count = 0; count < 20; count++) {
    peer.send('P.', { data: 1460 })
    bench.wait(100)
    connection.read(65_535, bench.now)
  }
  peer.heard()
  return [peer, connection] as const
}

describe('acknowledgments (RFC 9293 §3.8.6.3, §3.10.7.4)', () => {
  it('MUST-58, MUST-59: all that has come is processed before one acknowledgment goes', () => {
    const bench = new TcpBench()
    const [peer] = bench.accept()
    bench.deliver(...Array.from({ length: 20 }, () => peer.packet('.', { data: 1000 })))
    expect(peer.lines()).toEqual(['. 1:1(0) ack 20001'])
  })

  it('SHLD-18, MUST-40: a small segment alone is acknowledged later, but within half a second', () => {
    const bench = new TcpBench()
    const [peer] = settled(bench)
    const { now } = bench
    peer.send('P.', { data: 10 })
    expect(peer.lines()).toEqual([])
    bench.wait(500)
    const ack = peer.one()
    expect(ack.at - now).toBeGreaterThan(0)
    expect(ack.at - now).toBeLessThan(500)
  })

  it('MUST-40: whatever delay is asked for', () => {
    const bench = new TcpBench({ delayedAck: 10_000 })
    const [peer] = settled(bench)
    peer.send('P.', { data: 10 })
    bench.wait(499)
    expect(peer.lines().length).toBe(1)
  })

  it('SHLD-18: what is sent meanwhile takes the acknowledgment along', () => {
    const bench = new TcpBench()
    const [peer, connection] = settled(bench)
    peer.send('P.', { data: 10 })
    bench.write(connection, 5)
    expect(peer.one().ack).toBe(peer.next)
    bench.wait(100)
    expect(peer.lines()).toEqual([])
  })

  it('SHLD-19: every second whole segment is acknowledged at once, where each comes alone', () => {
    const bench = new TcpBench()
    const [peer] = settled(bench)
    const acks = Array.from({ length: 8 }, () => {
      peer.send('.', { data: 1460 })
      return peer.lines().length
    })
    expect(acks).toEqual([0, 1, 0, 1, 0, 1, 0, 1])
  })

  it('SHLD-31, MAY-13: a segment out of order is kept, and acknowledged at once', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    const first = peer.packet('.', { data: 100 })
    peer.send('.', { data: 100 })
    expect(peer.lines()).toEqual(['. 1:1(0) ack 1'])
    peer.send('P.', { data: 100 })
    expect(peer.lines()).toEqual(['. 1:1(0) ack 1'])
    bench.deliver(first)
    expect(peer.lines()).toEqual(['. 1:1(0) ack 301'])
    expect([...(connection.read(300, bench.now) ?? [])]).toEqual([...pattern(300, 1)])
  })
})

describe('the window that is offered (RFC 9293 §3.8.6, §3.8.6.2.2)', () => {
  const edgeOf = ({ ack, window }: { ack: number; window: number }, shift = 0) => ack + window * 2 ** shift

  /** Fills the receive buffer to the last octet. */
  const fill = (bench: TcpBench, peer: Peer, size: number) => {
    while (peer.next - 1 < size) {
      peer.send('.', { data: Math.min(1000, size - peer.next + 1) })
      peer.heard()
    }
    peer.send('.', { seq: peer.next - 1, data: 1 })
    expect(edgeOf(peer.one())).toBe(size + 1)
    bench.flush()
  }

  it('MUST-39: its edge moves by a segment or half the buffer, or not at all', () => {
    const bench = new TcpBench({ receiveBufferInitial: 8000, receiveBufferMost: 8000 })
    const [peer, connection] = bench.accept()
    fill(bench, peer, 8000)
    const edges = [8001]
    for (let octet = 0; octet < 8000; octet++) {
      connection.read(1, bench.now)
      for (const heard of peer.heard()) edges.push(edgeOf(heard))
    }
    const steps = edges.slice(1).map((edge, at) => edge - edges[at])
    expect(steps.length).toBeGreaterThan(1)
    expect(Math.min(...steps.filter((step) => step > 0))).toBeGreaterThanOrEqual(1000)
  })

  it('MUST-39: one small segment after another moves it in great steps', () => {
    const bench = new TcpBench({ receiveBufferInitial: 8000, receiveBufferMost: 8000 })
    const [peer, connection] = bench.accept()
    peer.send('.', { data: 1000 })
    connection.read(1000, bench.now)
    const edges = peer.heard().map((heard) => edgeOf(heard))
    for (let count = 0; count < 2000; count++) {
      peer.send('P.', { data: 7 })
      connection.read(7, bench.now)
      bench.wait(50)
      edges.push(...peer.heard().map((heard) => edgeOf(heard)))
    }
    const steps = edges.slice(1).map((edge, at) => edge - edges[at])
    expect(Math.min(...steps.filter((step) => step > 0))).toBeGreaterThanOrEqual(1000)
  })

  it.each([0, 2, 7])('SHLD-14: its right edge never goes back, with a scale of %i', (shift) => {
    const most = 65_535 * 2 ** shift
    const bench = new TcpBench({ receiveBufferInitial: 60_001, receiveBufferMost: most })
    const synOptions = shift === 0 ? mss(1460) : [...mss(1460), ...scale(0)]
    const [peer, connection] = bench.accept({ synOptions })
    const random = seeded(shift + 1)
    let edge = 0
    for (let count = 0; count < 3000; count++) {
      const size = (random.int32() >>> 0) % 1460
      if (peer.next + size <= Math.max(edge, 60_000)) peer.send('.', { data: size })
      if (random.int32() & 1) connection.read((random.int32() >>> 0) % 3000, bench.now)
      if ((random.int32() & 15) === 0) bench.wait(50)
      for (const heard of peer.heard()) {
        expect(edgeOf(heard, shift)).toBeGreaterThanOrEqual(edge)
        edge = edgeOf(heard, shift)
      }
    }
    expect(edge).toBeGreaterThan(100_000)
  })

  it('MAY-8: may stay closed for as long as nobody reads, and each probe is answered', () => {
    const bench = new TcpBench({ receiveBufferInitial: 8000, receiveBufferMost: 8000 })
    const [peer, connection] = bench.accept()
    fill(bench, peer, 8000)
    for (let minute = 0; minute < 600; minute++) {
      bench.wait(60_000)
      peer.send('.', { seq: peer.next, data: 1 })
      const answer = peer.one()
      expect([answer.ack, answer.window]).toEqual([8001, 0])
    }
    expect(connection.state).toBe(State.established)
    expect(connection.readable).toBe(8000)
    while (connection.readable > 0) connection.read(8000, bench.now)
    expect(peer.one().window).toBe(8000)
  })

  it('MUST-66: while it is closed RST, URG and ACK are heard', () => {
    const bench = new TcpBench({ receiveBufferInitial: 8000, receiveBufferMost: 8000 })
    const [peer, connection] = bench.accept()
    bench.write(connection, 100)
    peer.heard()
    fill(bench, peer, 8000)
    connection.wakes = 0
    // The text does not fit, its acknowledgment and its urgent pointer count.
    peer.send('U.', { seq: peer.next, data: 10, urgent: 5, ack: 101 })
    expect(peer.one().ack).toBe(8001)
    expect(connection.unacknowledged).toBe(0)
    expect(connection.urgentLeft).toBe(8000 + 5)
    peer.send('R', { seq: peer.next })
    expect(connection.reason).toBe(Reason.reset)
  })

  it('MUST-66: a reset with text is heard, too', () => {
    const bench = new TcpBench({ receiveBufferInitial: 8000, receiveBufferMost: 8000 })
    const [peer, connection] = bench.accept()
    fill(bench, peer, 8000)
    peer.send('R.', { data: 20 })
    expect(connection.reason).toBe(Reason.reset)
  })
})
