// The memory pair: a link by the common suite, bounded queues, super-segments, closing.
import { expect, test } from 'vitest'
import { Checksum, PacketBatch, Segmentation } from '../../src/core/batch.ts'
import { memory } from '../../src/link/memory.ts'
import { ManualTime } from '../support/manual-time.ts'
import { conformance, datagram, hex, put, taken } from './conformance.ts'
import { farSide } from './far-side.ts'

conformance('an end of a memory pair', () => farSide(memory(), (link) => link))
conformance('an end of a memory pair with a large MTU and headroom', () =>
  farSide(memory({ mtu: 9000, headroom: 12 }), (link) => link),
)

function pair(options = {}) {
  const [one, other] = memory(options)
  const time = new ManualTime()
  one.open(() => {}, time)
  other.open(() => {}, time)
  return { one, other }
}

test('a full queue drops its tail and counts', () => {
  const { one, other } = pair({ queue: 3 })
  const batch = new PacketBatch()
  for (let at = 0; at < 5; at++) put(batch, datagram(40, at))
  one.transmit(batch)
  expect(batch.count).toBe(0)
  other.receive(batch)
  expect(taken(batch)).toEqual([datagram(40, 0), datagram(40, 1), datagram(40, 2)])
  expect(one.counters).toMatchObject({ transmitted: 3, overflow: 2 })
  expect(other.counters.received).toBe(3)
})

test('what is longer than the MTU is dropped, a super-segment passes where both ends take them', () => {
  const { one, other } = pair()
  const batch = new PacketBatch()
  put(batch, datagram(1501))
  one.transmit(batch)
  expect(one.counters.oversized).toBe(1)
  other.receive(batch)
  expect(batch.count).toBe(0)

  const offload = { checksum: true, tcp4: true, tcp6: true, udp: true }
  const able = pair({ offload })
  const row = put(batch, datagram(64_000, 5))
  batch.segmentSize[row] = 1460
  batch.segmentation[row] = Segmentation.tcp4
  batch.checksum[row] = Checksum.partial
  batch.checksumStart[row] = 20
  batch.checksumField[row] = 16
  batch.note[row] = 77
  able.one.transmit(batch)
  able.other.receive(batch)
  expect(hex(taken(batch))).toEqual(hex([datagram(64_000, 5)]))
  expect([batch.segmentSize[0], batch.segmentation[0], batch.checksum[0]]).toEqual([1460, Segmentation.tcp4, 1])
  expect([batch.checksumStart[0], batch.checksumField[0], batch.note[0]]).toEqual([20, 16, 0])
})

test('what was sent before the other end opened waits for it', () => {
  const [one, other] = memory()
  const time = new ManualTime()
  one.open(() => {}, time)
  const batch = new PacketBatch()
  put(batch, datagram(40))
  one.transmit(batch)
  let woken = 0
  other.open(() => woken++, time)
  expect(woken).toBe(1)
  other.receive(batch)
  expect(batch.count).toBe(1)
  one.close()
  one.transmit(batch)
  expect(one.counters.closed).toBe(1)
})
