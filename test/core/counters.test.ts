// What is counted: all of it, for conversations short enough to count on one's fingers.
import { expect, test } from 'vitest'
import { Count } from '../../src/core/observer.ts'
import { icmpPacket, ipv4Packet, u32, udpPacket } from '../support/packets.ts'
import { mss, sackPermitted, TcpBench } from '../support/tcp-bench.ts'

const counted = (bench: TcpBench) => bench.bench.stack.observer.counters.toJSON()

test('a connection that the peer opens and ends', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept()
  peer.send('P.', { data: 100 })
  peer.heard()
  connection.read(100, bench.now)
  bench.write(connection, 50)
  peer.heard()
  peer.send('F.')
  peer.heard()
  connection.finish(bench.now)
  peer.heard()
  peer.send('.')
  expect(counted(bench)).toEqual({
    counts: {
      ipReceived: 5,
      ipDelivered: 5,
      ipSent: 5,
      ipOctetsReceived: 304,
      ipOctetsSent: 254,
      tcpReceived: 5,
      tcpSent: 5,
      tcpPassiveOpens: 1,
    },
    drops: {},
  })
})

test('a connection that we open and end', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.open()
  connection.finish(bench.now)
  peer.heard()
  peer.send('F.')
  peer.heard()
  peer.send('F.', { seq: 1 })
  peer.heard()
  expect(counted(bench)).toEqual({
    counts: {
      ipReceived: 3,
      ipDelivered: 3,
      ipSent: 5,
      ipOctetsReceived: 124,
      ipOctetsSent: 220,
      tcpReceived: 3,
      tcpSent: 5,
      tcpActiveOpens: 1,
      tcpTimeWaits: 1,
    },
    drops: { tcpClosed: 1 },
  })
})

test('what is refused, reset and answered with a reset', () => {
  const bench = new TcpBench()
  const peer = bench.peer()
  const refused = bench.connect(peer)
  peer.heard()
  peer.send('R.')
  expect(refused.isOver).toBe(true)
  const [other, connection] = bench.accept({ port: 4001 })
  other.send('R', { seq: 5 })
  other.heard()
  other.send('R')
  expect(connection.isOver).toBe(true)
  const half = bench.peer({ port: 4002 })
  half.send('S')
  half.heard()
  half.send('.', { ack: 500 })
  half.heard()
  half.send('R')
  bench.peer({ port: 4003, stackPort: 81 }).send('S')
  bench.flush()
  expect(counted(bench)).toEqual({
    counts: {
      ipReceived: 9,
      ipDelivered: 9,
      ipSent: 6,
      ipOctetsReceived: 372,
      ipOctetsSent: 268,
      tcpReceived: 9,
      tcpSent: 6,
      tcpActiveOpens: 1,
      tcpPassiveOpens: 1,
      tcpFailedAttempts: 2,
      tcpEstablishedResets: 1,
      tcpResetsSent: 2,
      tcpResetsReceived: 4,
      tcpChallengeAcks: 1,
    },
    drops: { tcpNoConnection: 1, tcpUnacceptable: 1, tcpOutOfWindow: 1 },
  })
})

test('a tail that is probed, and then times out', () => {
  const bench = new TcpBench({ congestion: 'reno' })
  const [peer, connection] = bench.acceptAfter(100, { synOptions: [...mss(1000), ...sackPermitted] })
  bench.warmUp(100, peer, connection)
  bench.write(connection, 2000)
  bench.wait(10)
  peer.heard()
  bench.wait(1000)
  peer.heard()
  peer.send('.')
  expect(counted(bench)).toEqual({
    counts: {
      ipReceived: 4,
      ipDelivered: 4,
      ipSent: 7,
      ipOctetsReceived: 168,
      ipOctetsSent: 6288,
      tcpReceived: 4,
      tcpSent: 7,
      tcpRetransmitted: 2,
      tcpPassiveOpens: 1,
      tcpTimeouts: 1,
      tcpTailProbes: 1,
      tcpPacingWaits: 1,
    },
    drops: {},
  })
})

test('a probe of the tail that repaired a loss, whatever a D-SACK has said to another connection', () => {
  const bench = new TcpBench({ congestion: 'reno' })
  const options = { synOptions: [...mss(1000), ...sackPermitted] }
  const [peer, connection] = bench.acceptAfter(100, options)
  bench.warmUp(100, peer, connection)
  const [other, otherConnection] = bench.accept({ ...options, port: 4001 })
  bench.write(connection, 2000)
  bench.wait(220)
  expect(peer.lines().at(-1)).toBe('P. 3001:4001(1000) ack 1')
  bench.write(otherConnection, 2000)
  bench.wait(5)
  other.heard()
  other.send('.', { ack: 1001 })
  other.send('.', {
    ack: 1001,
    options: [1, 1, 5, 10, ...u32(other.stackIss + 1), ...u32(other.stackIss + 1001)],
  })
  const { counters } = bench.bench.stack.observer
  expect(counters.get(Count.tcpDuplicateSacks)).toBe(1)
  peer.send('.', { ack: 4001 })
  bench.write(connection, 1000)
  bench.wait(50)
  peer.heard()
  peer.send('.', { ack: 5001 })
  expect(counters.get(Count.tcpTailRepairs)).toBe(1)
})

test('datagrams, echoes, errors and fragments', () => {
  const bench = new TcpBench()
  bench.deliver(
    icmpPacket(8, 0, 7, [1, 2, 3]),
    icmpPacket(128, 0, 7, [1, 2, 3], { from: 'fd00::1' }),
    udpPacket([1, 2], { destinationPort: 9 }),
    ipv4Packet(new Array(16).fill(0), { protocol: 17, fragment: 0x2000 }),
    ipv4Packet([1], { protocol: 200 }),
    ipv4Packet([1], { to: '10.0.0.77' }),
  )
  bench.flush()
  expect(counted(bench)).toEqual({
    counts: {
      ipReceived: 6,
      ipDelivered: 4,
      ipSent: 4,
      ipOctetsReceived: 190,
      ipOctetsSent: 189,
      fragmentsReceived: 1,
      icmpReceived: 2,
      icmpSent: 4,
      icmpErrorsSent: 2,
      echoRequestsReceived: 2,
      echoRepliesSent: 2,
      udpReceived: 1,
    },
    drops: { notForUs: 1, unknownProtocol: 1, udpNoSocket: 1 },
  })
})

test('a loss that SACKs tell of, sent again needlessly, says a D-SACK', () => {
  const bench = new TcpBench({ congestion: 'reno' })
  const [peer, connection] = bench.acceptAfter(100, { synOptions: [...mss(1000), ...sackPermitted] })
  bench.warmUp(100, peer, connection)
  bench.write(connection, 8000)
  bench.wait(100)
  peer.heard()
  const sack = (start: number, end: number) => [1, 1, 5, 10, ...u32(peer.stackIss + start), ...u32(peer.stackIss + end)]
  for (const end of [4001, 5001, 6001]) peer.send('.', { ack: 2001, options: sack(3001, end) })
  expect(peer.lines()).toEqual(['. 2001:3001(1000) ack 1'])
  peer.send('.', { ack: 10_001 })
  peer.send('.', { ack: 10_001, options: sack(2001, 3001) })
  expect(counted(bench)).toEqual({
    counts: {
      ipReceived: 8,
      ipDelivered: 8,
      ipSent: 12,
      ipOctetsReceived: 376,
      ipOctetsSent: 11_488,
      tcpReceived: 8,
      tcpSent: 12,
      tcpRetransmitted: 1,
      tcpPassiveOpens: 1,
      tcpFastRecoveries: 1,
      tcpDuplicateSacks: 1,
      tcpRecoveriesUndone: 1,
      tcpPacingWaits: 7,
    },
    drops: {},
  })
})
