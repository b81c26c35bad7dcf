// How packets come from a link: short ones many at a time, long ones each in memory of its own.
import { expect, test } from 'vitest'
import { type Arena, LARGEST_PACKET, PacketBatch } from '../../src/core/batch.ts'
import { type Link, NO_OFFLOAD, type Offload } from '../../src/core/environment.ts'
import { Stack } from '../../src/core/stack.ts'
import { Port } from '../../src/runtime/port.ts'
import { seeded } from '../support/seeded.ts'

class Source implements Link {
  readonly medium = 'ip'
  readonly mtu = 1500
  readonly headroom = 10
  readonly offload: Offload
  readonly mergesInBatch: boolean
  readonly burst: number | undefined
  readonly waiting: number[] = []
  readonly batches = new Set<PacketBatch>()

  constructor(offload: Offload, mergesInBatch: boolean, burst?: number) {
    this.offload = offload
    this.mergesInBatch = mergesInBatch
    this.burst = burst
  }

  open(): void {}
  close(): void {}
  transmit(): void {}

  receive(batch: PacketBatch): void {
    this.batches.add(batch)
    while (this.waiting.length > 0) {
      const at = batch.reserve(this.waiting[0])
      if (at < 0 || batch.isFull) return
      batch.bytes.fill(0, at, at + 1)
      batch.commit(this.waiting.shift() as number)
    }
  }
}

function port(offload: Offload, mergesInBatch = false, burst?: number) {
  const stack = new Stack({ random: seeded(1) })
  const link = new Source(offload, mergesInBatch, burst)
  const at = stack.addInterface({ name: 'link0', mtu: link.mtu, headroom: link.headroom, offload })
  const made = new Port(link, at, stack.allocate)
  return { link, port: made, turn: () => made.receive(stack, 0) }
}

const OFFLOAD: Offload = { checksum: true, tcp4: true, tcp6: true, udp: false }

test('long packets come one a batch once they come, up to sixteen a turn, and short ones together again', () => {
  const { link, port: made, turn } = port(OFFLOAD)
  link.waiting.push(60_000, 60_000)
  turn()
  expect([...link.batches].map(({ capacity }) => capacity)).toEqual([64])
  expect([link.waiting.length, made.hasMore]).toEqual([0, false])
  link.waiting.push(...Array.from({ length: 17 }, () => 60_000))
  turn()
  expect([...link.batches].map(({ capacity }) => capacity)).toEqual([64, ...Array.from({ length: 16 }, () => 1)])
  expect([link.waiting.length, made.hasMore, made.fullBatches]).toEqual([1, true, 1])
  link.batches.clear()
  link.waiting.push(...Array.from({ length: 40 }, () => 60))
  turn()
  expect([link.waiting.length, link.batches.size, made.hasMore]).toEqual([25, 16, true])
  link.batches.clear()
  turn()
  expect([...link.batches].map(({ capacity }) => capacity)).toEqual([64])
  expect([link.waiting.length, made.hasMore]).toEqual([0, false])
})

test.each([
  ['as any', undefined, 4],
  ['that moves eight together', 8, 8],
])('a turn sends so many of the longest packets by a link %s, and takes four times as many', (_, burst, most) => {
  const { link, port: made, turn } = port(OFFLOAD, false, burst)
  let sent = 0
  for (; !made.outgoing.isFull; sent++) {
    expect(made.outgoing.reserve(LARGEST_PACKET, 52)).toBeGreaterThan(0)
    made.outgoing.commit(LARGEST_PACKET)
  }
  expect(sent).toBe(most)
  link.waiting.push(60_000, 60_000)
  turn()
  link.waiting.push(...Array.from({ length: 64 }, () => 60_000))
  turn()
  expect(link.waiting.length).toBe(64 - 4 * most)
})

test.each([
  ['whose packets are never long', NO_OFFLOAD, false],
  ['that needs room for many packets to merge them', OFFLOAD, true],
])('a link %s has one batch', (_, offload, mergesInBatch) => {
  const { link, turn } = port(offload, mergesInBatch)
  for (let round = 0; round < 3; round++) {
    link.waiting.push(...(mergesInBatch ? [60_000, 60_000] : [1500, 1500]))
    turn()
  }
  expect(link.batches.size).toBe(1)
})

test('a batch takes other memory where a reader keeps what it has', () => {
  const batch = new PacketBatch({ capacity: 1, largest: 65_536 })
  const { bytes } = batch
  const arena = batch.keepable as Arena
  batch.clear()
  expect(batch.keepable).toBe(arena)
  arena.isKept = true
  batch.clear()
  expect(batch.bytes.buffer).not.toBe(bytes.buffer)
  const many = new PacketBatch()
  expect([many.bytes.length > 0, many.keepable]).toEqual([true, null])
})
