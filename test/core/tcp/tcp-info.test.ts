// Every figure of `tcpInfo` beside what has been on the wire.
import { describe, expect, it } from 'vitest'
import { tcpInfo } from '../../../src/core/tcp/tcp-info.ts'
import { u32 } from '../../support/packets.ts'
import { mss, type Peer, sackPermitted, scale, TcpBench } from '../../support/tcp-bench.ts'

const SYN = [...mss(1000), ...sackPermitted, 1, ...scale(7)]
const sack = ({ stackIss }: Peer, start: number, end: number) => [
  1,
  1,
  5,
  10,
  ...u32(stackIss + start),
  ...u32(stackIss + end),
]

/** Established after a round trip of 100 ms; another one later 2,000 octets have been acknowledged. */
function warm(): ReturnType<TcpBench['accept']> {
  const bench = new TcpBench({ congestion: 'reno' })
  const [peer, connection] = bench.acceptAfter(100, { synOptions: SYN, window: 500 })
  bench.warmUp(100, peer, connection)
  return [peer, connection]
}

describe('figures', () => {
  it('of a connection whose SYN is not answered yet', () => {
    const bench = new TcpBench({ congestion: 'reno' })
    const connection = bench.connect(bench.peer())
    bench.flush()
    bench.wait(10)
    const nothing = {
      probes: 0,
      backoff: 0,
      sacked: 0,
      lost: 0,
      rtt: 0,
      rttVariance: 0,
      minimumRtt: 0,
      sendWindow: 0,
      slowStartThreshold: 0,
    }
    const none = { totalRetransmits: 0, octetsAcked: 0, octetsReceived: 0, octetsRetransmitted: 0, segmentsIn: 0 }
    const no = {
      dataSegmentsOut: 0,
      dataSegmentsIn: 0,
      outOfOrder: 0,
      duplicateSacks: 0,
      delivered: 0,
      receiveQueue: 0,
    }
    expect(tcpInfo(connection, bench.now)).toMatchObject({ ...nothing, ...none, ...no, segmentsOut: 1, unacked: 1 })
  })

  it('of an exchange in both directions', () => {
    const [peer, connection] = warm()
    const { bench } = peer
    bench.wait(30)
    peer.send('.', { data: 700 })
    peer.send('.', { data: 300, seq: 2001 })
    peer.heard()
    bench.wait(5)
    expect(tcpInfo(connection, bench.now)).toEqual({
      state: 1,
      congestionState: 0,
      congestionControl: 'reno',
      retransmits: 0,
      probes: 0,
      backoff: 0,
      timestamps: false,
      selectiveAcks: true,
      windowScaling: true,
      sendScale: 7,
      receiveScale: 7,
      applicationLimited: true,
      rto: 300_000,
      sendMss: 1000,
      receiveMss: 700,
      pathMtu: 1500,
      offeredMss: 1460,
      unacked: 0,
      sacked: 0,
      lost: 0,
      retransmitted: 0,
      lastDataSent: 135,
      lastDataReceived: 5,
      lastAckReceived: 5,
      rtt: 100_000,
      // Two samples of 100 ms: 3/4 of 50.
      rttVariance: 37_500,
      minimumRtt: 100_000,
      receiveRtt: 100_000,
      sendCwnd: 10,
      congestionWindow: 10_000,
      slowStartThreshold: 0x7fffffff,
      receiveSpace: 131_072,
      sendWindow: 500 << 7,
      // The 700 octets are unread, and the edge is at a multiple of 128.
      receiveWindow: 130_432,
      totalRetransmits: 0,
      pacingRate: 200_000,
      octetsAcked: 2000,
      octetsReceived: 700,
      octetsRetransmitted: 0,
      segmentsOut: 3,
      segmentsIn: 4,
      dataSegmentsOut: 2,
      dataSegmentsIn: 2,
      notSentOctets: 0,
      outOfOrder: 1,
      duplicateSacks: 0,
      delivered: 2000,
      sendQueue: 0,
      receiveQueue: 700,
    })
  })

  it('of round trips that grow', () => {
    const [peer, connection] = warm()
    const { bench } = peer
    bench.write(connection, 1000)
    peer.heard()
    bench.wait(180)
    peer.send('.')
    const { rtt, minimumRtt, receiveRtt } = tcpInfo(connection, bench.now)
    expect({ rtt, minimumRtt, receiveRtt }).toEqual({ rtt: 110_000, minimumRtt: 100_000, receiveRtt: 110_000 })
  })

  it('of a loss, until it has arrived', () => {
    const [peer, connection] = warm()
    const { bench } = peer
    bench.write(connection, 8000)
    bench.wait(100)
    peer.heard()
    for (const end of [4001, 5001, 6001]) peer.send('.', { ack: 2001, options: sack(peer, 3001, end) })
    peer.heard()
    const during = tcpInfo(connection, bench.now)
    expect(during).toMatchObject({ congestionState: 3, unacked: 8, sacked: 3, lost: 1, retransmitted: 1 })
    expect(during).toMatchObject({ totalRetransmits: 1, octetsRetransmitted: 1000, segmentsOut: 11, delivered: 5000 })
    expect(during).toMatchObject({ lastDataReceived: 200, lastDataSent: 0, lastAckReceived: 0, sendQueue: 8000 })
    peer.send('.', { ack: 10_001 })
    expect(tcpInfo(connection, bench.now)).toMatchObject({ unacked: 0, sacked: 0, lost: 0, retransmitted: 0 })
  })

  it('of a probe of the tail, which is not lost', () => {
    const [peer, connection] = warm()
    const { bench } = peer
    bench.write(connection, 2000)
    bench.wait(20)
    peer.heard()
    bench.wait(200)
    expect(peer.lines()).toEqual(['P. 3001:4001(1000) ack 1'])
    expect(tcpInfo(connection, bench.now)).toMatchObject({ unacked: 2, lost: 0, retransmitted: 1, congestionState: 0 })
  })
})
