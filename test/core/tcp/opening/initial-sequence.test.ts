// Initial sequence numbers (RFC 6528) and timestamp offsets: unforeseeable, and rising for one 4-tuple.
import { expect, it } from 'vitest'
import { type Address, parseAddress } from '../../../../src/core/ip/address.ts'
import { InitialSequence } from '../../../../src/core/tcp/opening/initial-sequence.ts'
import { seeded } from '../../../support/seeded.ts'

const at = (text: string) => parseAddress(text) as Address
const one = at('10.0.0.1')
const other = at('10.0.0.2')

it('rise by a clock of four microseconds, for one tuple (MUST-8, SHLD-1)', () => {
  const sequences = new InitialSequence(seeded(1))
  const first = sequences.choose(5000, one, 80, other, 1024)
  expect((sequences.choose(5001, one, 80, other, 1024) - first) | 0).toBe(250)
  expect((sequences.choose(5000.004, one, 80, other, 1024) - first) | 0).toBe(1)
  // After 4.77 hours the clock is round.
  expect(sequences.choose(5000 + 2 ** 32 / 250, one, 80, other, 1024)).toBe(first)
})

it('are others for another tuple and another key', () => {
  const sequences = new InitialSequence(seeded(1))
  const all = [
    sequences.choose(0, one, 80, other, 1024),
    sequences.choose(0, one, 81, other, 1024),
    sequences.choose(0, one, 80, other, 1025),
    sequences.choose(0, one, 1024, other, 80),
    sequences.choose(0, other, 80, one, 1024),
    sequences.choose(0, at('fd00::1'), 80, at('fd00::2'), 1024),
    sequences.choose(0, at('fd00::2'), 80, at('fd00::1'), 1024),
    sequences.timestampOffset(one, 80, other, 1024),
    sequences.timestampOffset(one, 80, other, 1025),
    new InitialSequence(seeded(2)).choose(0, one, 80, other, 1024),
  ]
  expect(new Set(all).size).toBe(all.length)
})

it('give one timestamp offset to a tuple, whenever it is asked (RFC 7323 Appendix H)', () => {
  const sequences = new InitialSequence(seeded(1))
  const offset = sequences.timestampOffset(one, 80, other, 1024)
  expect(sequences.timestampOffset(one, 80, other, 1024)).toBe(offset)
})
