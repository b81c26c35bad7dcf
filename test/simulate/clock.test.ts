// Virtual time: order, alarms, cancelled events, and the end of waiting.
import { expect, test } from 'vitest'
import { BEGINNING, VirtualClock } from '../../src/simulate/clock.ts'

test('events happen at their times, equal times in the order of asking', () => {
  const clock = new VirtualClock()
  const log: string[] = []
  clock.after(5, () => log.push(`second ${clock.now()}`))
  clock.after(2, () => {
    log.push(`first ${clock.now()}`)
    clock.after(3, () => log.push(`third ${clock.now()}`))
  })
  const cancel = clock.after(4, () => log.push('cancelled'))
  cancel()
  cancel()
  clock.advance(5)
  expect(log).toEqual(['first 2', 'second 5', 'third 5'])
  clock.advance(7.25)
  expect([clock.now(), clock.wall()]).toEqual([7.25, BEGINNING + 7.25])
  clock.advance()
  expect(clock.now()).toBe(7.25)
  expect(new Date(BEGINNING).toISOString()).toBe('2025-01-01T00:00:00.000Z')
})

test('an alarm rings once, at the time armed last; a past time means now', () => {
  const clock = new VirtualClock()
  const rung: number[] = []
  const alarm = clock.alarm(() => rung.push(clock.now()))
  alarm.arm(10)
  alarm.arm(20)
  clock.advance(30)
  alarm.arm(40)
  alarm.arm(Number.POSITIVE_INFINITY)
  clock.advance(50)
  alarm.arm(Number.NEGATIVE_INFINITY)
  expect(clock.next).toBe(50)
  clock.advance(60)
  expect(rung).toEqual([20, 50])
  expect(clock.next).toBe(Number.POSITIVE_INFINITY)
})

test('time that can not move on says so', () => {
  const clock = new VirtualClock()
  const again = () => {
    clock.after(0, again)
  }
  again()
  expect(() => clock.advance(1)).toThrow("time can't move on from 0 ms")
  expect(() => clock.after(Number.NaN, again)).toThrow('a time must be a number of milliseconds')
})
