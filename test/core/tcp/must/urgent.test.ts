// RFC 9293 §3.8.5: urgent data, which stays in the stream; only its end is told.
import { describe, expect, it } from 'vitest'
import { pattern, TcpBench } from '../../../support/tcp-bench.ts'

describe('urgent data that is sent', () => {
  it('MUST-30, MUST-62: points to the octet after it', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    connection.sendUrgent(pattern(10), bench.now)
    const first = peer.one()
    expect([first.flags, first.seq, first.urgent]).toEqual(['PU.', 1, 10])
    peer.send('.')
    bench.write(connection, 5)
    const second = peer.one()
    expect([second.flags, second.urgent]).toEqual(['P.', 0])
  })

  it('is not pointed to any more by a keep-alive, which stands before what is acknowledged', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    connection.setKeepAlive(true, 5000, null, null, bench.now)
    connection.sendUrgent(pattern(10), bench.now)
    peer.heard()
    peer.send('.')
    bench.wait(5001)
    expect(peer.heard().map(({ flags, seq, urgent }) => [flags, seq, urgent])).toEqual([['.', 10, 0]])
  })

  it('MUST-62: keeps pointing there from every segment before it, retransmissions too', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    bench.write(connection, 3000)
    connection.sendUrgent(pattern(10), bench.now)
    for (const { seq, flags, urgent } of peer.heard()) {
      expect(flags).toContain('U')
      expect(seq + urgent).toBe(3011)
    }
    bench.wait(300)
    const again = peer.heard()[0]
    expect([again.seq, again.urgent]).toEqual([1, 3010])
  })

  it.each([1, 1461, 65_535, 65_536, 200_000])('MUST-31: may be %i octets long', (length) => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    connection.setBuffers(400_000, null)
    expect(connection.sendUrgent(pattern(length), bench.now)).toBe(length)
    let furthest = 0
    for (let round = 0; round < 400 && peer.expected < length + 1; round++) {
      for (const { seq, data, urgent, flags } of peer.heard()) {
        if (data.length === 0) continue
        expect(flags).toContain('U')
        expect(seq + urgent).toBe(Math.min(length + 1, seq + 65_535))
        furthest = Math.max(furthest, seq + urgent)
      }
      peer.send('.')
      bench.wait(10)
    }
    expect(furthest).toBe(length + 1)
  })

  it('MUST-62: is not left to a link that would copy the pointer into every segment', () => {
    const offload = { checksum: true, tcp4: true, tcp6: true }
    const bench = new TcpBench({}, { offload: { ...offload } as never })
    const [peer, connection] = bench.accept()
    bench.write(connection, 5000)
    connection.sendUrgent(pattern(10), bench.now)
    const heard = peer.heard()
    expect(heard.length).toBe(4)
    for (const { seq, urgent } of heard) expect(seq + urgent).toBe(5011)
  })
})

describe('urgent data that comes', () => {
  it('MUST-30, MUST-32: the user is told at once, and again whenever the pointer moves on', () => {
    const bench = new TcpBench()
    const [peer] = bench.open()
    peer.send('U.', { urgent: 100 })
    expect(bench.woken).toEqual(['urgent'])
    peer.send('PU.', { data: 10, urgent: 100 })
    expect(bench.woken).toEqual(['urgent', 'readable'])
    peer.send('PU.', { data: 10, urgent: 200 })
    expect(bench.woken).toEqual(['urgent', 'readable', 'readable', 'urgent'])
    peer.send('PU.', { data: 10, urgent: 50 })
    expect(bench.woken.filter((name) => name === 'urgent').length).toBe(2)
  })

  it('MUST-33: the user can learn how much of it is left to read', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    expect(connection.urgentLeft).toBe(0)
    peer.send('PU.', { data: 50, urgent: 70 })
    expect(connection.urgentLeft).toBe(70)
    connection.read(20, bench.now)
    expect(connection.urgentLeft).toBe(50)
    peer.send('P.', { data: 100 })
    connection.read(50, bench.now)
    expect(connection.urgentLeft).toBe(0)
    connection.read(100, bench.now)
    // Later urgent data are news again.
    bench.woken.length = 0
    peer.send('PU.', { data: 1, urgent: 1 })
    expect(bench.woken).toContain('urgent')
    expect(connection.urgentLeft).toBe(1)
  })

  it('MUST-31: however long it is', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    let at = 0
    for (let count = 0; count < 200; count++) {
      peer.send('U.', { data: 1000, urgent: 65_535 })
      at += connection.read(1000, bench.now)?.length ?? 0
      expect(connection.urgentLeft).toBe(64_535)
      bench.flush()
    }
    expect(at).toBe(200_000)
  })

  it('MUST-30: keeps its octets in the stream', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    peer.send('PU.', { data: pattern(9), urgent: 4 })
    expect(connection.read(100, bench.now)).toEqual(pattern(9))
  })

  it('MUST-30: a pointer that makes no sense harms nobody', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    peer.send('PU.', { data: 10, urgent: 0 })
    peer.send('UF.', { urgent: 65_535 })
    expect(connection.readable).toBe(10)
    peer.send('U.', { seq: 5, data: 3, urgent: 2 })
    expect(connection.urgentLeft).toBeLessThanOrEqual(65_535 + 10)
  })
})
