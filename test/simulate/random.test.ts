// The seeded random: the same for the same seed and name, evenly spread, one stream apart from another.
import { expect, test } from 'vitest'
import { SeededRandom } from '../../src/simulate/random.ts'

const draw = (random: SeededRandom, count = 5) => Array.from({ length: count }, () => random.int32())

test('one seed and one name give one stream', () => {
  expect(draw(new SeededRandom(1, 'a'))).toEqual(draw(new SeededRandom(1, 'a')))
  const streams = [new SeededRandom(1), new SeededRandom(2), new SeededRandom(1, 'a'), new SeededRandom(1, 'b')]
  expect(new Set(streams.map((random) => draw(random).join())).size).toBe(4)
})

test('a stream does not depend on what has been drawn before', () => {
  const used = new SeededRandom(9)
  draw(used, 100)
  expect(draw(used.stream('link'))).toEqual(draw(new SeededRandom(9).stream('link')))
})

test('a change of the generator shows: every seed would give another run', () => {
  expect(draw(new SeededRandom(1), 3)).toEqual([-274898455, 81334191, -501143540])
})

test('every bit is set half of the time, in many streams too', () => {
  const COUNT = 20_000
  const one = new SeededRandom(3)
  for (const next of [() => one.int32(), (at: number) => new SeededRandom(at).int32()]) {
    const set = new Array<number>(32).fill(0)
    for (let at = 0; at < COUNT; at++) {
      const value = next(at)
      for (let bit = 0; bit < 32; bit++) set[bit] += (value >>> bit) & 1
    }
    for (const count of set) expect(Math.abs(count / COUNT - 0.5)).toBeLessThan(0.02)
  }
})

test('fractions and whole numbers keep to their ranges', () => {
  const random = new SeededRandom('text')
  const seen = new Set<number>()
  for (let at = 0; at < 1000; at++) {
    const fraction = random.fraction()
    expect(fraction >= 0 && fraction < 1).toBe(true)
    seen.add(random.below(6))
  }
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5])
})
