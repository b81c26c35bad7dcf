// The pool of slabs: what is held is counted, what is given back is used again, what was handed out is never written again.
import { expect, it } from 'vitest'
import { LARGE_SLAB, SlabPool, SMALL_SLAB } from '../../../src/core/tcp/slabs.ts'

it('takes small slabs for little and large ones for more, and uses them again', () => {
  const pool = new SlabPool()
  const small = pool.take(100)
  const large = pool.take(SMALL_SLAB + 1)
  expect([small.end, large.end]).toEqual([SMALL_SLAB, LARGE_SLAB])
  expect(pool.held).toBe(SMALL_SLAB + LARGE_SLAB)
  pool.give(small)
  pool.give(large)
  expect([pool.held, pool.spare]).toEqual([0, SMALL_SLAB + LARGE_SLAB])
  expect(pool.take(1)).toBe(small)
  expect(pool.take(LARGE_SLAB)).toBe(large)
})

it('uses the rest of a slab that was handed out in part, and nothing before it', () => {
  const pool = new SlabPool()
  const slab = pool.take(LARGE_SLAB)
  slab.handedOut = 10_000
  pool.give(slab)
  const again = pool.take(LARGE_SLAB)
  expect(again).toBe(slab)
  expect([again.start, again.end, pool.held]).toEqual([10_000, LARGE_SLAB, LARGE_SLAB - 10_000])
  again.handedOut = LARGE_SLAB - 100
  pool.give(again)
  expect([pool.held, pool.spare]).toEqual([0, 0])
})

it('counts nothing for what was lent to it, and never keeps it', () => {
  const pool = new SlabPool()
  const slab = pool.adopt(new Uint8Array(LARGE_SLAB))
  expect(pool.held).toBe(0)
  pool.give(slab)
  expect([pool.held, pool.spare]).toEqual([0, 0])
})

it('keeps a bounded number of spare slabs', () => {
  const pool = new SlabPool()
  const slabs = Array.from({ length: 200 }, () => pool.take(LARGE_SLAB))
  const few = Array.from({ length: 2000 }, () => pool.take(1))
  for (const slab of [...slabs, ...few]) pool.give(slab)
  expect(pool.held).toBe(0)
  expect(pool.spare).toBeLessThanOrEqual(8 * 1024 * 1024)
})

it('serves receivers from what was sent from, where nothing else is kept', () => {
  const made: number[] = []
  const pool = new SlabPool((length) => {
    made.push(length)
    return new Uint8Array(length)
  })
  const sent = Array.from({ length: 100 }, () => pool.take(LARGE_SLAB, true))
  // A segment of each was sent.
  for (const slab of sent) slab.parts?.of(0, 1448)
  for (const slab of sent) pool.give(slab)
  made.length = 0
  for (let round = 0; round < 10; round++) pool.give(pool.take(LARGE_SLAB))
  expect(made).toEqual([])
})

it('leaves a slab alone whose octets the application has transferred', () => {
  const pool = new SlabPool()
  const slab = pool.take(LARGE_SLAB)
  slab.handedOut = 10_000
  pool.give(slab)
  structuredClone(slab.bytes, { transfer: [slab.bytes.buffer] })
  const next = pool.take(LARGE_SLAB)
  expect(next.bytes.length).toBe(LARGE_SLAB)
  expect(pool.held).toBe(LARGE_SLAB)
})
