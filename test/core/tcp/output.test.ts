// When a connection has something to send, and by which interface it goes.
import { expect, it } from 'vitest'
import { PacketBatch } from '../../../src/core/batch.ts'
import { hasOutput } from '../../../src/core/tcp/output.ts'
import { State } from '../../../src/core/tcp/state.ts'
import { tcpInfo } from '../../../src/core/tcp/tcp-info.ts'
import { prefixes, put } from '../../support/packets.ts'
import { TcpBench } from '../../support/tcp-bench.ts'

it('an idle connection does not stand in line, one with text or a FIN does', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept()
  expect(hasOutput(connection)).toBe(false)
  bench.write(connection, 10)
  expect(hasOutput(connection)).toBe(true)
  peer.heard()
  peer.send('.')
  expect(hasOutput(connection)).toBe(false)
  connection.finish(bench.now)
  expect(hasOutput(connection)).toBe(true)
  peer.heard()
  expect(hasOutput(connection)).toBe(false)
})

it('who has sent everything does not stand in line again', () => {
  const bench = new TcpBench()
  const [, connection] = bench.accept()
  bench.write(connection, 10)
  const batch = new PacketBatch({ capacity: 4, largest: 1500 })
  batch.interface = bench.bench.interface.index
  expect(connection.transmit(batch, bench.now)).toBe(false)
  expect(batch.count).toBe(1)
})

it('once everything is acknowledged nobody need look for timers that are off', () => {
  const bench = new TcpBench()
  const { stack } = bench.bench
  const [peer, connection] = bench.accept()
  bench.write(connection, 10)
  peer.heard()
  expect(stack.deadline()).toBeLessThan(Number.POSITIVE_INFINITY)
  peer.send('.')
  expect(stack.deadline()).toBe(Number.POSITIVE_INFINITY)
})

it.each([
  ['text', [1, 11], 21],
  ['gaps, one for each', [101, 201, 301], 1],
])('an acknowledgment of %s for which a batch has no room waits for the next', (_, places, ack) => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept()
  for (const seq of places) peer.send('P.', { seq, data: 10 })
  const full = new PacketBatch({ capacity: 1, largest: 1500 })
  full.interface = bench.bench.interface.index
  put(full, peer.packet('.'))
  expect(connection.transmit(full, bench.now)).toBe(true)
  expect(new Set(peer.heard().map((heard) => heard.ack))).toEqual(new Set([ack]))
})

it('nothing is urgent that nobody has called so, wherever the numbers begin', () => {
  const bench = new TcpBench()
  const signs = new Set<number>()
  for (let port = 4000; port < 4016; port++) {
    const [peer, connection] = bench.accept({ port })
    signs.add(Math.sign(peer.stackIss))
    bench.write(connection, 10)
    const { flags, urgent } = peer.one()
    expect([flags, urgent]).toEqual(['P.', 0])
  }
  expect(signs.size).toBe(2)
})

it('what answers for a connection in TIME-WAIT offers the window that it had', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept()
  peer.send('P.', { data: 1000 })
  connection.finish(bench.now)
  const { window } = peer.heard().at(-1) ?? { window: 0 }
  expect(window).toBeGreaterThan(1000)
  peer.send('F.')
  peer.heard()
  peer.send('F.', { seq: 1001 })
  const answer = peer.one()
  expect([answer.flags, answer.seq, answer.ack, answer.window]).toEqual(['.', 2, 1002, window - 1])
  expect(tcpInfo(connection, bench.now).state).toBe(State.timeWait)
})

it('what waits for one interface leaves by the other where the way to the peer has moved', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept()
  const other = bench.bench.add({ name: 'other', addresses: prefixes('10.9.0.2/24') })
  bench.write(connection, 100)
  bench.bench.stack.addRoute(prefixes('10.0.0.1/32')[0], other)
  const batch = new PacketBatch({ largest: 1500 })
  batch.interface = bench.bench.interface.index
  expect(connection.transmit(batch, bench.now)).toBe(false)
  expect([batch.count, peer.heard()]).toEqual([0, []])
  expect(bench.bench.sent(other).length).toBe(1)
})
