// What the octets of a stack lie in: Buffers each by itself, and a heap that grows with much of them by a ballast of 8 MB and no more.
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it, vi } from 'vitest'
import { bufferMemory } from '../../src/node/memory.ts'

const SLAB = 65_536

/** What is left once garbage is gone. No other file's tests run in this process: what they left might go at any time. */
function liveHeap(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return getHeapStatistics().used_heap_size / (1 << 20)
}

it('adds a ballast to the heap once much was made, one for all stacks of a process', async () => {
  vi.resetModules()
  const { bufferMemory: fresh } = await import('../../src/node/memory.ts')
  const [first, second] = [fresh(), fresh()]
  const make = (count: number, allocate: (length: number) => Uint8Array) => {
    for (let made = 0; made < count; made++) expect(allocate(SLAB).length).toBe(SLAB)
    return liveHeap()
  }
  const little = make(1000, first)
  const much = make(1000, first)
  const more = make(2000, second)
  expect(much - little).toBeGreaterThan(6)
  expect(much - little).toBeLessThan(10)
  expect(Math.abs(more - much)).toBeLessThan(2)
  expect([first(1).length, second(1).length]).toEqual([1, 1])
})

it('makes Buffers that share their memory with nothing', () => {
  const made = bufferMemory()(100)
  expect(Buffer.isBuffer(made)).toBe(true)
  expect(made.buffer.byteLength).toBe(100)
})
