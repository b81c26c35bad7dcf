// The environment in Node: clock, randomness, and the one timer, whatever a test does to the global ones.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { KeepAlive } from '../../src/node/keep-alive.ts'
import { SystemRandom, systemClock, systemEnvironment } from '../../src/node/system.ts'

const nextImmediate = () => new Promise<void>((resolve) => setImmediate(resolve))
const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

function alarm() {
  const fired: number[] = []
  const armed = systemEnvironment(new KeepAlive()).alarm(() => void fired.push(systemClock.now()))
  return { fired, arm: (at: number) => armed.arm(at) }
}

describe('the clock', () => {
  it('goes on in milliseconds with fractions, and knows the date', async () => {
    const before = systemClock.now()
    await pause(5)
    const after = systemClock.now()
    expect(after - before).toBeGreaterThan(3)
    expect(Number.isInteger(after) && Number.isInteger(before)).toBe(false)
    expect(Math.abs(systemClock.wall() - Date.now())).toBeLessThan(1000)
  })
})

describe('the randomness', () => {
  it('gives integers of 32 bits, of both signs, over more than one pool', () => {
    const random = new SystemRandom()
    const drawn = Array.from({ length: 5000 }, () => random.int32())
    expect(drawn.every((number) => number === (number | 0))).toBe(true)
    expect(new Set(drawn).size).toBeGreaterThan(4990)
    const negative = drawn.filter((number) => number < 0).length
    expect(negative).toBeGreaterThan(2200)
    expect(negative).toBeLessThan(2800)
  })
})

describe('the alarm', () => {
  afterEach(() => void vi.useRealTimers())

  it('rings in the next round of the loop when it is due, once however often it was armed', async () => {
    const { fired, arm } = alarm()
    for (let times = 0; times < 10; times++) arm(Number.NEGATIVE_INFINITY)
    arm(systemClock.now() - 5)
    expect(fired).toHaveLength(0)
    await nextImmediate()
    await nextImmediate()
    expect(fired).toHaveLength(1)
  })

  it('never rings before its time', async () => {
    const { fired, arm } = alarm()
    const at = systemClock.now() + 7.25
    arm(at)
    await vi.waitFor(() => expect(fired).toHaveLength(1))
    expect(fired[0]).toBeGreaterThanOrEqual(at)
  })

  it('rings sooner when it is armed for sooner', async () => {
    const { fired, arm } = alarm()
    arm(systemClock.now() + 60_000)
    arm(systemClock.now() + 5)
    await vi.waitFor(() => expect(fired).toHaveLength(1))
  })

  it('waits when it is armed for later meanwhile, and when it was due at once', async () => {
    const { fired, arm } = alarm()
    const at = systemClock.now() + 30
    arm(systemClock.now() + 2)
    arm(Number.NEGATIVE_INFINITY)
    arm(at)
    await vi.waitFor(() => expect(fired).toHaveLength(1))
    expect(fired[0]).toBeGreaterThanOrEqual(at)
  })

  it('is silent when it is armed for never', async () => {
    const { fired, arm } = alarm()
    arm(Number.NEGATIVE_INFINITY)
    arm(systemClock.now() + 2)
    arm(Number.POSITIVE_INFINITY)
    await pause(10)
    expect(fired).toHaveLength(0)
    arm(systemClock.now() + 2)
    await vi.waitFor(() => expect(fired).toHaveLength(1))
  })

  it('bears times that no timer of Node can wait for', async () => {
    const { fired, arm } = alarm()
    arm(systemClock.now() + 2 ** 40)
    await pause(5)
    expect(fired).toHaveLength(0)
    arm(Number.NEGATIVE_INFINITY)
    await vi.waitFor(() => expect(fired).toHaveLength(1))
  })

  it('goes on when a test has set fake timers in place of the real ones', async () => {
    const { fired, arm } = alarm()
    const real = { setImmediate, performance: systemClock.now() }
    vi.useFakeTimers()
    arm(systemClock.now() + 3)
    while (fired.length === 0 && systemClock.now() < real.performance + 5000) {
      await new Promise<void>((resolve) => void real.setImmediate(resolve))
    }
    expect(fired).toHaveLength(1)
  })
})
