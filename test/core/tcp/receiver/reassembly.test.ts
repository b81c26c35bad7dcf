// Reassembly: the ranges are those of a plain set of octets, whatever arrives; SACK blocks and D-SACKs are those of the RFCs.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Inserted, Reassembly, ReassemblyPool } from '../../../../src/core/tcp/receiver/reassembly.ts'
import { leastCost } from '../../../support/cost.ts'

const starts = new Int32Array(4)
const ends = new Int32Array(4)

function blocks(reassembly: Reassembly, room = 4): number[][] {
  const count = reassembly.blocks(room, starts, ends)
  return Array.from({ length: count }, (_, block) => [starts[block], ends[block]])
}

const made = (most = 100) => new Reassembly(new ReassemblyPool(most))

describe('SACK blocks (RFC 2018 §4)', () => {
  it('tell of the newest arrival first, then of those before it', () => {
    const reassembly = made()
    for (const start of [1000, 3000, 5000, 7000, 9000]) reassembly.insert(start, start + 500)
    expect(blocks(reassembly)).toEqual([
      [9000, 9500],
      [7000, 7500],
      [5000, 5500],
      [3000, 3500],
    ])
    expect(blocks(reassembly, 3)).toEqual([
      [9000, 9500],
      [7000, 7500],
      [5000, 5500],
    ])
    reassembly.insert(1500, 2000)
    expect(blocks(reassembly, 3)).toEqual([
      [1000, 2000],
      [9000, 9500],
      [7000, 7500],
    ])
    // The gap between two closes: one block, the newest.
    reassembly.insert(3500, 5000)
    expect(blocks(reassembly)).toEqual([
      [3000, 5500],
      [1000, 2000],
      [9000, 9500],
      [7000, 7500],
    ])
  })

  it('are the examples of RFC 2018 §7', () => {
    const second = made()
    for (const [start, end, expected] of [
      [5500, 6000, [[5500, 6000]]],
      [6000, 6500, [[5500, 6500]]],
      [6500, 7000, [[5500, 7000]]],
    ] as const) {
      second.insert(start, end)
      expect(blocks(second)).toEqual(expected)
    }
    const third = made()
    third.insert(5500, 6000)
    third.insert(6500, 7000)
    expect(blocks(third)).toEqual([
      [6500, 7000],
      [5500, 6000],
    ])
    third.insert(7500, 8000)
    third.insert(8500, 9000)
    expect(blocks(third)).toEqual([
      [8500, 9000],
      [7500, 8000],
      [6500, 7000],
      [5500, 6000],
    ])
    // The fourth packet, 6500 less 500, arrives and closes a gap; the second one lets RCV.NXT move on.
    third.insert(6000, 6500)
    expect(blocks(third)).toEqual([
      [5500, 7000],
      [8500, 9000],
      [7500, 8000],
    ])
    expect(third.advance(5500)).toBe(7000)
    expect(blocks(third)).toEqual([
      [8500, 9000],
      [7500, 8000],
    ])
  })

  it('are none when nothing waits', () => {
    const reassembly = made()
    expect([reassembly.hasBlocks, blocks(reassembly)]).toEqual([false, []])
    reassembly.insert(10, 20)
    expect([reassembly.hasBlocks, reassembly.octets, reassembly.count]).toEqual([true, 10, 1])
    expect(reassembly.advance(10)).toBe(20)
    expect([reassembly.hasBlocks, reassembly.isEmpty, reassembly.octets, reassembly.count]).toEqual([false, true, 0, 0])
  })
})

describe('D-SACK (RFC 2883 §4)', () => {
  it('tells once of text that came twice below RCV.NXT', () => {
    const reassembly = made()
    reassembly.noteDuplicate(3000, 3500)
    expect(blocks(reassembly)).toEqual([[3000, 3500]])
    reassembly.onSent()
    expect([reassembly.hasBlocks, blocks(reassembly)]).toEqual([false, []])
  })

  it('is the first stretch of those that a segment brings twice, and the next segment is told of anew', () => {
    const reassembly = made()
    reassembly.onSegment()
    reassembly.noteDuplicate(1000, 1500)
    reassembly.noteDuplicate(2000, 2500)
    expect(blocks(reassembly)).toEqual([[1000, 1500]])
    reassembly.onSegment()
    reassembly.noteDuplicate(3000, 3500)
    expect(blocks(reassembly)).toEqual([[3000, 3500]])
  })

  it('goes before the block that holds it', () => {
    const reassembly = made()
    reassembly.insert(4000, 4500)
    reassembly.insert(5000, 5500)
    expect(reassembly.insert(4000, 4500)).toBe(Inserted.duplicate)
    expect(blocks(reassembly)).toEqual([
      [4000, 4500],
      [4000, 4500],
      [5000, 5500],
    ])
    reassembly.onSent()
    expect(blocks(reassembly)).toEqual([
      [4000, 4500],
      [5000, 5500],
    ])
  })

  it('tells of the part that came twice', () => {
    const reassembly = made()
    reassembly.insert(1000, 1500)
    expect(reassembly.insert(1200, 2000)).toBe(Inserted.added)
    expect(blocks(reassembly)).toEqual([
      [1200, 1500],
      [1000, 2000],
    ])
    reassembly.onSent()
    // In-order text that runs into what waits.
    reassembly.onSegment()
    expect(reassembly.advance(1300)).toBe(2000)
    expect(blocks(reassembly)).toEqual([[1000, 1300]])
  })

  it('makes one of neighbours, and keeps the last of others', () => {
    const reassembly = made()
    reassembly.noteDuplicate(100, 200)
    reassembly.noteDuplicate(200, 300)
    expect(blocks(reassembly)).toEqual([[100, 300]])
    reassembly.onSegment()
    reassembly.noteDuplicate(500, 600)
    expect(blocks(reassembly)).toEqual([[500, 600]])
    reassembly.clear()
    expect(reassembly.hasBlocks).toBe(false)
  })
})

describe('ranges', () => {
  it('are bounded; what touches one is taken all the same', () => {
    const reassembly = made(3)
    for (const start of [10, 30, 50]) expect(reassembly.insert(start, start + 10)).toBe(Inserted.added)
    expect(reassembly.insert(70, 80)).toBe(Inserted.refused)
    expect(reassembly.insert(20, 30)).toBe(Inserted.added)
    expect(reassembly.insert(70, 80)).toBe(Inserted.added)
    expect(reassembly.count).toBe(3)
  })

  it('are those of a set of octets, wherever sequence numbers wrap', () => {
    const SIZE = 300
    const command = fc.record({
      start: fc.nat(SIZE - 1),
      length: fc.integer({ min: 1, max: 30 }),
      inOrder: fc.boolean(),
    })
    const base = fc.oneof(
      fc.constant(2 ** 31 - 100),
      fc.constant(-100),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    )
    fc.assert(
      fc.property(base, fc.array(command, { maxLength: 80 }), (first, commands) => {
        const reassembly = made()
        const here = new Uint8Array(SIZE + 40)
        const sequence = (at: number) => (first + at) | 0
        let next = 0
        for (const { start, length, inOrder } of commands) {
          const from = inOrder ? next : Math.max(next + 1, start)
          const end = Math.min(from + length, SIZE)
          if (from >= end) continue
          const wasHere = here.subarray(from, end).every((octet) => octet === 1)
          here.fill(1, from, end)
          if (inOrder) {
            const gap = here.indexOf(0, next)
            expect(reassembly.advance(sequence(end))).toBe(sequence(gap))
            next = gap
          } else {
            expect(reassembly.insert(sequence(from), sequence(end))).toBe(wasHere ? Inserted.duplicate : Inserted.added)
          }
          const waiting = here.subarray(next).reduce((sum, octet) => sum + octet, 0)
          expect(reassembly.octets).toBe(waiting)
          expect(reassembly.isEmpty).toBe(waiting === 0)
          reassembly.onSent()
          for (const [blockStart, blockEnd] of blocks(reassembly)) {
            const at = (blockStart - first) | 0
            const to = (blockEnd - first) | 0
            expect(here.subarray(at, to).every((octet) => octet === 1)).toBe(true)
            expect([here[at - 1], here[to]]).toEqual([0, 0])
          }
          if (!inOrder) {
            const [newest] = blocks(reassembly)
            expect(from >= ((newest[0] - first) | 0) && end <= ((newest[1] - first) | 0)).toBe(true)
          }
        }
      }),
      { numRuns: 500 },
    )
  })

  it('cost little, however many there are and whatever their order', () => {
    const flood = (reassembly: Reassembly, count: number) => {
      for (let round = 0; round < count; round++) {
        const at = (Math.imul(round, 1741) & (count - 1)) * 10
        reassembly.insert(at, at + 5)
      }
      const last = 10 * (count - 1)
      for (let round = 0; round < 5 * count; round++) reassembly.insert(last, last + 5)
    }
    const cost = (count: number) =>
      leastCost(
        () => made(count),
        (reassembly) => flood(reassembly, count),
      )
    const most = made(4096)
    flood(most, 4096)
    expect(most.count).toBe(4096)
    // Sixteen times as many, of which each may be a little dearer: with the square it would be 256 times the cost.
    expect(cost(4096) / cost(256)).toBeLessThan(100)
  })

  it('go back to the pool when the gaps close, and when the connection ends', () => {
    class Counting extends ReassemblyPool {
      given = 0
      override give(ranges: Parameters<ReassemblyPool['give']>[0]): void {
        this.given++
        super.give(ranges)
      }
    }
    const pool = new Counting(10)
    const one = new Reassembly(pool)
    one.insert(10, 20)
    expect(one.advance(10)).toBe(20)
    expect(pool.given).toBe(1)
    one.insert(30, 40)
    one.clear()
    one.clear()
    expect(pool.given).toBe(2)
  })

  it('are used again by the next connection', () => {
    const pool = new ReassemblyPool(10)
    const one = new Reassembly(pool)
    one.insert(10, 20)
    one.clear()
    const other = new Reassembly(pool)
    other.insert(30, 40)
    expect(blocks(other)).toEqual([[30, 40]])
    expect(blocks(one)).toEqual([])
  })
})
