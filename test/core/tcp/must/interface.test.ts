// RFC 9293 §3.9.1.8, §3.9.1.9 and §3.9.2: what the user is told and may choose, and what TCP and IP tell each other.
import { describe, expect, it } from 'vitest'
import { Reason } from '../../../../src/core/tcp/state.ts'
import { icmpPacket, tcpPacket } from '../../../support/packets.ts'
import { mss, TcpBench } from '../../../support/tcp-bench.ts'

describe('reports (RFC 9293 §3.9.1.8)', () => {
  it('MUST-47: ICMP errors, many retransmissions and urgent data are told as they come', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    bench.write(connection, 10)
    const { packet } = peer.one()
    bench.deliver(icmpPacket(3, 0, 0, packet.subarray(0, 28), { from: '10.0.0.99', to: '10.0.0.2' }))
    expect(bench.woken).toEqual(['trouble'])
    peer.send('.')
    bench.woken.length = 0
    bench.write(connection, 10)
    bench.wait(3000)
    expect(bench.woken).toEqual(['trouble'])
    expect(connection.trouble).toBe(Reason.timedOut)
    peer.send('U.', { urgent: 1 })
    expect(bench.woken).toContain('urgent')
  })

  it('SHLD-20: who does not want them has no owner told, and loses nothing', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    connection.owner = null
    bench.write(connection, 10)
    const { packet } = peer.one()
    bench.deliver(icmpPacket(3, 0, 0, packet.subarray(0, 28), { from: '10.0.0.99', to: '10.0.0.2' }))
    expect(bench.woken).toEqual([])
    peer.send('.')
    expect(connection.unacknowledged).toBe(0)
  })
})

describe('what IP is given (RFC 9293 §3.9.1.9, §3.9.2)', () => {
  it.each([{}, { from: 'fd00::1' }])(
    'MUST-48, SHLD-21, SHLD-22: the Differentiated Services field, unchanged, and changed when the user likes %o',
    (family) => {
      const bench = new TcpBench()
      const [peer, connection] = bench.accept(family)
      connection.trafficClass = 0xb8
      bench.write(connection, 10)
      expect(peer.one().ip.trafficClass).toBe(0xb8)
      peer.send('P.', { data: 5 })
      expect(peer.one().ip.trafficClass).toBe(0xb8)
      connection.trafficClass = 0x20
      bench.write(connection, 10)
      expect(peer.heard().at(-1)?.ip.trafficClass).toBe(0x20)
      const silent = bench.peer({ ...family, port: 7 })
      bench.connect(silent).trafficClass = 0x28
      expect(silent.one().ip.trafficClass).toBe(0x28)
    },
  )

  it.each([{}, { from: 'fd00::1' }])('MUST-49: the time to live, for the stack and for a connection %o', (family) => {
    const bench = new TcpBench({ hopLimit: 33 })
    const peer = bench.peer(family)
    bench.listen()
    peer.send('S')
    expect(peer.one().ip.hopLimit).toBe(33)
    const [other, connection] = bench.accept({ ...family, port: 4001 })
    bench.write(connection, 10)
    expect(other.one().ip.hopLimit).toBe(33)
    connection.hopLimit = 5
    bench.write(connection, 10)
    other.send('.')
    expect(other.heard().at(-1)?.ip.hopLimit).toBe(5)
    const server = bench.peer({ ...family, port: 7 })
    bench.connect(server)
    expect(server.one().ip.hopLimit).toBe(33)
    const stranger = bench.peer({ ...family, port: 9, stackPort: 999 })
    stranger.send('S')
    expect(stranger.one().ip.hopLimit).toBe(33)
  })

  it('MUST-50: IP options that mean nothing to TCP are passed over', () => {
    const bench = new TcpBench()
    bench.listen()
    // No operation, record route, timestamp, router alert, one that nobody knows.
    const unknown = [
      [1, 1, 1, 0],
      [7, 7, 4, 0, 0, 0, 0, 0],
      [68, 8, 5, 0, 0, 0, 0, 0],
      [148, 4, 0, 0],
      [222, 4, 1, 2],
    ]
    for (const [at, options] of unknown.entries()) {
      const peer = bench.peer({ port: 5000 + at, synOptions: mss(1000) })
      peer.send('S', { raw: { options } })
      expect(peer.one().flags).toBe('S.')
      peer.send('.', { raw: { options } })
      peer.send('P.', { data: 10, raw: { options } })
      expect(bench.listener?.accepted.shift()?.readable).toBe(10)
    }
  })

  it('takes no part in source routing: what comes by one is dropped', () => {
    const bench = new TcpBench()
    bench.listen()
    bench.deliver(tcpPacket([], { flags: 'S', options: [131, 7, 8, 10, 0, 0, 5, 0] }))
    expect(bench.bench.sent().filter((packet) => packet[9] === 6)).toEqual([])
    expect(bench.tcp.requestCount).toBe(0)
    expect(bench.bench.drops('sourceRoute')).toBe(1)
  })
})
