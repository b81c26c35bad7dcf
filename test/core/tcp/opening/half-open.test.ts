// Requests that wait for their third segment, and what ends or fails them.
import { describe, expect, it } from 'vitest'
import { mss, stamps, TcpBench } from '../../../support/tcp-bench.ts'

describe('a request', () => {
  it('tells whoever sends what does not fit it where it stands, with its timestamp (RFC 9293 §3.10.7.4, RFC 7323 §3.2)', () => {
    const bench = new TcpBench()
    bench.listen()
    const peer = bench.peer({ synOptions: [...mss(1460), 1, 1, ...stamps(700, 0)] })
    peer.send('S')
    const first = peer.one().stamps ?? [0, 0]
    bench.wait(300)
    peer.send('.', { seq: 1_000_000, options: [1, 1, ...stamps(1000, first[0])] })
    const [answer] = peer.heard()
    expect([answer.flags, answer.seq, answer.ack]).toEqual(['.', 1, 1])
    expect(answer.stamps).toEqual([(first[0] + 300) | 0, 700])
  })

  it('that waits for a verdict is gone with its listener', () => {
    const bench = new TcpBench()
    const listener = bench.listen({ asks: true })
    bench.peer().send('S')
    expect([listener.pending.count, bench.tcp.requestCount]).toEqual([1, 1])
    bench.tcp.close(listener, bench.now)
    expect([listener.pending.count, bench.tcp.requestCount]).toEqual([0, 0])
  })

  it('counts its own SYN-ACKs, not those of the one before it in its place', () => {
    const bench = new TcpBench()
    bench.listen()
    for (const port of [4000, 4001]) {
      const peer = bench.peer({ port })
      peer.send('S')
      bench.wait(120_000)
      expect(peer.heard().length).toBe(6)
      expect(bench.tcp.requestCount).toBe(0)
    }
  })

  it('becomes no connection where there are as many as there may be', () => {
    const bench = new TcpBench({ mostConnections: 1 })
    bench.accept()
    const peer = bench.peer({ port: 4001 })
    peer.send('S')
    peer.heard()
    peer.send('.')
    expect([bench.listener?.accepted.count, bench.bench.drops('tcpListenOverflow')]).toEqual([0, 1])
  })
})
