// What is told of a segment's cause goes by its number.
import { expect, it } from 'vitest'
import { Cause } from '../../../src/core/tcp/cause.ts'

it('each cause of a segment has a number of its own', () => {
  const numbers = Object.values(Cause)
  expect(new Set(numbers).size).toBe(numbers.length)
})
