// The index from hashes to rows: the same as a plain list of pairs, whatever is added and removed.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HashIndex } from '../../../src/core/tcp/hash-index.ts'

function rows(index: HashIndex, hash: number): number[] {
  const found: number[] = []
  for (let place = index.first(hash); place >= 0; place = index.next(place, hash)) found.push(index.row(place))
  return found.sort((one, other) => one - other)
}

it('holds what was added and not removed', () => {
  // Few different hashes, most of them near each other: chains that run into one another and round the end.
  const hash = fc.oneof(fc.integer({ min: -4, max: 4 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
  const command = fc.record({ hash, row: fc.nat(40), add: fc.boolean() })
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const index = new HashIndex()
      const model = new Map<number, Set<number>>()
      let count = 0
      for (const { hash, row, add } of commands) {
        const known = model.get(hash) ?? new Set()
        model.set(hash, known)
        if (add === known.has(row)) continue
        if (add) {
          known.add(row)
          index.add(hash, row)
        } else {
          known.delete(row)
          index.remove(hash, row)
        }
        count += add ? 1 : -1
        expect(index.count).toBe(count)
      }
      for (const [hash, known] of model) expect(rows(index, hash)).toEqual([...known].sort((a, b) => a - b))
    }),
    { numRuns: 300 },
  )
})

it('grows, and gives its memory back', () => {
  const index = new HashIndex()
  const empty = index.octets
  for (let row = 0; row < 100_000; row++) index.add(Math.imul(row, 0x9e3779b1), row)
  expect(index.octets).toBeLessThanOrEqual(2_097_152)
  let wrong = 0
  for (let row = 0; row < 100_000; row++) if (rows(index, Math.imul(row, 0x9e3779b1)).join() !== `${row}`) wrong++
  expect(wrong).toBe(0)
  for (let row = 0; row < 100_000; row++) index.remove(Math.imul(row, 0x9e3779b1), row)
  expect(index.count).toBe(0)
  expect(index.octets).toBe(empty)
})
