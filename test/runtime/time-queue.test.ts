// Callbacks by time: their order, and that those that are cancelled do not pile up.
import { expect, it } from 'vitest'
import { TimeQueue } from '../../src/runtime/time-queue.ts'

it('calls back in the order of time, and of asking where times are equal', () => {
  const queue = new TimeQueue()
  const called: string[] = []
  for (const [at, name] of [
    [3, 'c'],
    [1, 'a'],
    [2, 'b1'],
    [2, 'b2'],
  ] as const) {
    queue.add(at, () => called.push(name))
  }
  queue.run(2)
  expect(called).toEqual(['a', 'b1', 'b2'])
  expect(queue.next()).toBe(3)
})

it('does not call what was cancelled, though it was called already or is cancelled twice', () => {
  const queue = new TimeQueue()
  let calls = 0
  const cancel = queue.add(1, () => calls++)
  const other = queue.add(2, () => calls++)
  other()
  other()
  queue.run(5)
  cancel()
  expect(calls).toBe(1)
  expect(queue.next()).toBe(Number.POSITIVE_INFINITY)
})

it('holds no more than as many again of what was cancelled', () => {
  const queue = new TimeQueue()
  const called: number[] = []
  for (let at = 0; at < 100; at++) queue.add(at * 1000, () => called.push(at))
  for (let round = 0; round < 10_000; round++) queue.add(1e9 + round, () => called.push(-1))()
  expect(queue.length).toBeLessThan(300)
  queue.run(2e9)
  expect(called).toEqual(Array.from({ length: 100 }, (_, at) => at))
})
