// The two windows of a connection, as its handshake and its user leave them.
import { expect, it } from 'vitest'
import { PacketBatch, Segmentation } from '../../../src/core/batch.ts'
import { TcpResult } from '../../../src/core/tcp/tcp.ts'
import { tcpInfo } from '../../../src/core/tcp/tcp-info.ts'
import { ipv4Packet, put } from '../../support/packets.ts'
import { mss, scale, TcpBench } from '../../support/tcp-bench.ts'

it.each(['open', 'accept'])('MUST-38: half of the largest window counts from the handshake on: %s', (how) => {
  const bench = new TcpBench()
  const options = { synOptions: mss(1460), window: 2000 }
  const [peer, connection] = how === 'open' ? bench.open(options) : bench.accept(options)
  peer.send('.', { window: 600 })
  bench.write(connection, 5000)
  expect(peer.heard()).toEqual([])
  peer.send('.', { window: 1000 })
  expect(peer.one().data.length).toBe(1000)
})

it('an older segment, come late, does not change the window (RFC 9293 §3.10.7.4)', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept()
  peer.send('P.', { seq: 11, data: 10, window: 500 })
  expect(connection.sndWnd).toBe(500)
  peer.send('P.', { seq: 1, data: 10, window: 3000 })
  expect(connection.sndWnd).toBe(500)
  peer.send('.', { seq: 21, window: 4000 })
  expect(connection.sndWnd).toBe(4000)
})

it('whoever waits for room is woken for that alone', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept()
  connection.setBuffers(10_000, null)
  peer.send('.')
  while (bench.write(connection, 10_000) > 0);
  bench.woken.length = 0
  for (let round = 0; round < 20; round++) {
    peer.heard()
    peer.send('.')
  }
  expect(new Set(bench.woken)).toEqual(new Set(['writable', 'drained']))
})

it.each([
  ['a third, where more waits to be sent', 16_000, 6],
  ['twice what waits to be sent', 11_000, 2],
  ['a sixteenth, where all of it is in flight', 10_000, 1],
])('whoever waits for room is woken when there is %s', (_, buffer, segments) => {
  const bench = new TcpBench({ pacing: false })
  const [peer, connection] = bench.accept({ synOptions: mss(1000) })
  connection.setBuffers(buffer, null)
  peer.send('.')
  // The initial window: ten segments.
  while (bench.write(connection, buffer) > 0);
  bench.flush()
  expect([connection.flight.pipe, connection.room]).toEqual([10_000, 0])
  bench.woken.length = 0
  let acknowledged = 0
  while (bench.woken.length === 0) peer.send('.', { ack: 1 + 1000 * ++acknowledged })
  expect([acknowledged, ...bench.woken]).toEqual([segments, 'writable'])
})

it('a segment may take 64 hops', () => {
  const bench = new TcpBench()
  const peer = bench.peer()
  bench.connect(peer)
  expect(peer.one().ip.hopLimit).toBe(64)
})

it('samples are limited by the application where it has nothing more to send, and only there', () => {
  const bench = new TcpBench({ pacing: false })
  const [peer, connection] = bench.accept()
  bench.write(connection, 60_000)
  peer.heard()
  expect(connection.unsent).toBeGreaterThan(0)
  expect(connection.limitedUntil).toBe(0)
  for (let round = 0; round < 10; round++) {
    peer.send('.')
    peer.heard()
  }
  bench.write(connection, 100)
  peer.heard()
  expect(connection.limitedUntil).toBe(60_100)
})

it('a window probe remembers what was delivered before it, as every record does', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.acceptAfter(50)
  bench.warmUp(50, peer, connection)
  peer.window = 0
  peer.send('.')
  bench.write(connection, 1000)
  // The first one: it is stamped anew when it is sent again.
  let heard = peer.heard()
  for (; heard.length === 0; heard = peer.heard()) bench.wait(1)
  expect(heard.map(({ data }) => data.length)).toEqual([1])
  const { flight } = connection
  expect(flight.count).toBe(1)
  expect(flight.slab.delivered[flight.first]).toBe(connection.delivered)
})

it('the controller is told of every segment, and of what was in flight before it', () => {
  const bench = new TcpBench({ pacing: false })
  const [peer, connection] = bench.accept()
  const told: unknown[] = []
  const congestion = connection.congestion as NonNullable<typeof connection.congestion>
  congestion.onSent = (...what) => told.push(what)
  bench.write(connection, 3000)
  peer.heard()
  expect(told).toEqual([
    [1460, 0, false, 0],
    [1460, 1460, false, 0],
    [80, 2920, true, 0],
  ])
})

it('the controller hears of no segment that acknowledges nothing', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept()
  let heard = 0
  const congestion = connection.congestion as NonNullable<typeof connection.congestion>
  congestion.onAcknowledged = () => void heard++
  bench.write(connection, 1460)
  peer.heard()
  peer.send('.', { ack: 1 })
  peer.send('.', { ack: 1, window: 20_000 })
  expect(heard).toBe(0)
  peer.send('.')
  expect(heard).toBe(1)
})

it('the receive window grows with what the application takes in a round trip', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.acceptAfter(100)
  const { limit } = connection.window
  for (let round = 0; round < 4; round++) {
    for (let segment = 0; segment < 44; segment++) peer.send('.', { data: 1460 })
    peer.heard()
    while (connection.read(65_536, bench.now) !== null);
    bench.wait(100)
  }
  expect(connection.window.limit).toBe(limit)
  for (let round = 0; round < 4; round++) {
    for (let half = 0; half < 2; half++) {
      for (let segment = 0; segment < 44; segment++) peer.send('.', { data: 1460 })
      peer.heard()
      while (connection.read(65_536, bench.now) !== null);
      bench.wait(50)
    }
  }
  expect(connection.window.limit).toBeGreaterThan(limit)
})

it('what fits nothing in a simultaneous open is counted, and reset', () => {
  const bench = new TcpBench()
  const peer = bench.peer()
  bench.connect(peer)
  peer.heard()
  peer.send('S')
  peer.heard()
  peer.send('.', { ack: 500 })
  expect(peer.lines()).toEqual(['R 500:500(0)'])
  expect(bench.bench.allDrops).toEqual({ tcpUnacceptable: 1 })
})

it('a listener that could be made says so, after one that could not', () => {
  const bench = new TcpBench()
  const { localAddress } = bench.listen()
  expect(bench.tcp.listen({ localAddress, localPort: 80 })).toBeNull()
  expect(bench.tcp.result).toBe(TcpResult.addressInUse)
  expect(bench.tcp.listen({ localAddress, localPort: 81 })).not.toBeNull()
  expect(bench.tcp.result).toBe(TcpResult.done)
})

it('nobody is at 0.0.0.0/8', () => {
  const bench = new TcpBench()
  bench.deliver(ipv4Packet([1], { to: '0.1.2.3' }))
  expect(bench.bench.allDrops).toEqual({ martianDestination: 1 })
})

it('what a link has merged counts as the segments that it was', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept()
  const before = tcpInfo(connection, bench.now)
  const batch = new PacketBatch({ largest: 9000 })
  batch.interface = bench.bench.interface.index
  put(batch, peer.packet('P.', { data: 3500 }))
  batch.segmentation[batch.first] = Segmentation.tcp4
  batch.segmentSize[batch.first] = 1000
  bench.bench.stack.receive(batch, bench.now)
  const { segmentsIn, dataSegmentsIn } = tcpInfo(connection, bench.now)
  expect([segmentsIn - before.segmentsIn, dataSegmentsIn]).toEqual([4, 4])
})

it('what fits the window of a connection in TIME-WAIT fits it by its scale too', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept({ synOptions: [...mss(1460), 1, ...scale(7)] })
  connection.finish(bench.now)
  peer.heard()
  peer.send('F.')
  peer.heard()
  peer.send('.', { seq: peer.next + 5000 })
  expect(peer.heard()).toEqual([])
  peer.send('.', { seq: peer.next + 10_000_000 })
  expect(peer.lines()).toEqual(['. 2:2(0) ack 2'])
})
