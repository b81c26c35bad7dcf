// Whoever hooks into the turn may throw: the stack goes on with the next one.
import { expect, test } from 'vitest'
import { wire } from '../../src/link/wire.ts'
import { createStack } from '../../src/runtime/create-stack.ts'
import { VirtualClock } from '../../src/simulate/clock.ts'
import { seeded } from '../support/seeded.ts'

test('a hook that throws before a turn stops that turn alone', () => {
  const clock = new VirtualClock()
  const { ends } = wire({ time: clock, random: { forward: seeded(1), backward: seeded(2) } })
  let isBroken = false
  const before = () => {
    if (isBroken) throw new Error('the hook is broken')
  }
  const environment = { clock, random: seeded(3), alarm: (callback: () => void) => clock.alarm(callback) }
  const near = createStack({ environment, hooks: { before } })
  const far = createStack({ environment })
  near.addInterface({ link: ends[0], addresses: ['10.0.0.1/24'] })
  far.addInterface({ link: ends[1], addresses: ['10.0.0.2/24'] })
  let accepted = 0
  far.listen({ port: 9 }).onConnection = () => accepted++
  near.connect({ address: '10.0.0.2', port: 9 })

  isBroken = true
  expect(() => clock.advance(clock.now() + 1_000)).toThrow('the hook is broken')
  isBroken = false
  clock.advance(clock.now() + 10_000)

  expect(accepted).toBe(1)
})
