// What the octets of a stack lie in: Buffers each by itself, and a heap that grows with much of them by a ballast of 8 MB and no more.
import { getHeapStatistics } from 'node:v8'
import { expect, it } from 'vitest'
import { bufferMemory } from '../../src/node/memory.ts'

const SLAB = 65_536
const heap = () => getHeapStatistics().used_heap_size / (1 << 20)

it('adds a ballast to the heap once much was made, one for all stacks of a process', () => {
  const [first, second] = [bufferMemory(), bufferMemory()]
  const before = heap()
  const make = (count: number, allocate: (length: number) => Uint8Array) => {
    for (let made = 0; made < count; made++) expect(allocate(SLAB).length).toBe(SLAB)
    return heap() - before
  }
  const little = make(1000, first)
  const much = make(1000, first)
  const more = make(2000, second)
  expect(much - little).toBeGreaterThan(6)
  expect(more - much).toBeLessThan(4)
})

it('makes Buffers that share their memory with nothing', () => {
  const made = bufferMemory()(100)
  expect(Buffer.isBuffer(made)).toBe(true)
  expect(made.buffer.byteLength).toBe(100)
})
