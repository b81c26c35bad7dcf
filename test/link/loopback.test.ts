// The loopback link: one batch at a time, nothing lost.
import { expect, test } from 'vitest'
import { PacketBatch } from '../../src/core/batch.ts'
import { loopback } from '../../src/link/loopback.ts'
import { ManualTime } from '../support/manual-time.ts'
import { datagram, hex, put, taken } from './conformance.ts'

test('what is transmitted comes back in the next turn, in order, and wakes for it', () => {
  const link = loopback()
  let woken = 0
  link.open(() => woken++, new ManualTime())
  const sent = [40, 1500, 65_535].map((length, at) => datagram(length, at))
  const batch = new PacketBatch()
  for (const packet of sent) put(batch, packet)
  batch.note.fill(5)
  link.transmit(batch)
  expect(batch.count).toBe(0)
  expect(woken).toBe(1)
  link.receive(batch)
  expect(hex(taken(batch))).toEqual(hex(sent))
  expect([...batch.note.subarray(0, 3)]).toEqual([0, 0, 0])
})

test('it holds one batch; what is beyond stays with the stack and nothing is lost', () => {
  const link = loopback()
  let woken = 0
  link.open(() => woken++, new ManualTime())
  const outgoing = new PacketBatch()
  const incoming = new PacketBatch()
  const got: Uint8Array[] = []
  const count = 500
  let sent = 0
  for (let turn = 0; got.length < count; turn++) {
    expect(turn).toBeLessThan(200)
    while (sent < count && outgoing.fits(9000)) put(outgoing, datagram(9000, sent++))
    link.transmit(outgoing)
    // Two turns of three read less than is sent.
    const room = turn % 3 === 0 ? incoming : new PacketBatch({ capacity: 7, largest: 9000 })
    link.receive(room)
    got.push(...taken(room))
    room.clear()
  }
  expect(hex(got)).toEqual(hex(Array.from({ length: count }, (_, at) => datagram(9000, at))))
  expect(woken).toBeGreaterThan(10)
})

test('closed, it takes and gives nothing', () => {
  const link = loopback()
  link.open(() => {}, new ManualTime())
  const batch = new PacketBatch()
  put(batch, datagram(40))
  link.transmit(batch)
  link.close()
  put(batch, datagram(40))
  link.transmit(batch)
  expect(batch.count).toBe(0)
  link.receive(batch)
  expect(batch.count).toBe(0)
})

test('no octet is copied on the way between batches that are alike', () => {
  const link = loopback()
  link.open(() => {}, new ManualTime())
  const [outgoing, incoming] = [new PacketBatch(), new PacketBatch()]
  for (let at = 0; at < 3; at++) put(outgoing, datagram(1500, at))
  const { bytes } = outgoing
  const before = hex(taken(outgoing))
  outgoing.checksum[1] = 1
  link.transmit(outgoing)
  put(outgoing, datagram(9000, 9))
  link.receive(incoming)
  expect(incoming.bytes).toBe(bytes)
  expect(outgoing.bytes).not.toBe(bytes)
  expect(hex(taken(incoming))).toEqual(before)
  expect([...incoming.checksum.subarray(0, 3)]).toEqual([0, 1, 0])
})
