// Sequence numbers (RFC 9293 §3.4): comparisons modulo 2^32, wherever they wrap.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { atMost, between, distance, earlier, later, lessThan } from '../../../src/core/tcp/sequence.ts'

const sequence = () => fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const span = () => fc.integer({ min: 0, max: 2 ** 31 - 1 })

it('compares numbers less than 2^31 apart, wherever they begin', () => {
  fc.assert(
    fc.property(sequence(), span(), (start, octets) => {
      const end = (start + octets) | 0
      expect(distance(start, end)).toBe(octets)
      expect(lessThan(start, end)).toBe(octets > 0)
      expect(atMost(start, end)).toBe(true)
      expect(atMost(end, start)).toBe(octets === 0)
      expect(earlier(start, end)).toBe(start)
      expect(later(start, end)).toBe(end)
    }),
  )
})

it('knows what lies within a range', () => {
  fc.assert(
    fc.property(sequence(), span(), span(), (start, octets, at) => {
      expect(between(start, (start + at) | 0, (start + octets) | 0)).toBe(at < octets)
    }),
  )
  expect(between(5, 4, 9)).toBe(false)
  expect(between(-2, 1, 3)).toBe(true)
})
