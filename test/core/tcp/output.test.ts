// When a connection has something to send, and by which interface it goes.
import { expect, it } from 'vitest'
import { PacketBatch } from '../../../src/core/batch.ts'
import { hasOutput } from '../../../src/core/tcp/output.ts'
import { prefixes } from '../../support/packets.ts'
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
