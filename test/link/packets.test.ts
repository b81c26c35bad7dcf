// The link of two callbacks: a link by the common suite, back-pressure, limits, exceptions.
import { expect, test, vi } from 'vitest'
import { PacketBatch } from '../../src/core/batch.ts'
import { packets } from '../../src/link/packets.ts'
import { ManualTime } from '../support/manual-time.ts'
import { conformance, datagram, put } from './conformance.ts'

for (const borrowed of [false, true]) {
  conformance(`a link of two callbacks${borrowed ? ' that borrows' : ''}`, () => {
    const sent: Uint8Array[] = []
    const link = packets({ mtu: 9000, borrowed, send: (packet) => sent.push(borrowed ? packet.slice() : packet) })
    return { link, send: (packet) => link.deliver(packet), received: () => sent.splice(0) }
  })
}

test('false from send keeps the packet with the stack until there is room again', () => {
  let room = 2
  const sent: number[] = []
  const link = packets({ send: (packet) => room-- > 0 && sent.push(packet.length) > 0 })
  let woken = 0
  link.open(() => woken++, new ManualTime())
  const batch = new PacketBatch()
  for (const length of [40, 41, 42]) put(batch, datagram(length))
  link.transmit(batch)
  expect(batch.count).toBe(1)
  expect(batch.length[batch.first]).toBe(42)
  room = 1
  link.ready()
  expect(woken).toBe(1)
  link.transmit(batch)
  expect(sent).toEqual([40, 41, 42])
  expect(batch.count).toBe(0)
})

test('what is delivered beyond the queue, empty or over-long is dropped and counted', () => {
  const link = packets({ send: () => true, queue: 2 })
  link.open(() => {}, new ManualTime())
  for (let at = 0; at < 3; at++) link.deliver(datagram(40, at))
  link.deliver(new Uint8Array(0))
  link.deliver(new Uint8Array(70_000))
  expect(link.counters).toMatchObject({ overflow: 1, malformed: 2 })
})

test('an exception from send costs that packet alone and is thrown on', async () => {
  const microtask = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => {})
  const sent: number[] = []
  const link = packets({
    send(packet) {
      if (packet.length === 41) throw new Error('the socket is closed')
      sent.push(packet.length)
    },
  })
  link.open(() => {}, new ManualTime())
  const batch = new PacketBatch()
  for (const length of [40, 41, 42]) put(batch, datagram(length))
  link.transmit(batch)
  const [thrower] = microtask.mock.calls[0]
  microtask.mockRestore()
  expect(sent).toEqual([40, 42])
  expect(link.counters).toMatchObject({ transmitted: 2, failed: 1 })
  expect(thrower).toThrow('the socket is closed')
})
