// The turn: whoever hooks into it may throw, and there is none that has nothing to do.
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

test('who answers while it is woken is not woken once more for that', () => {
  const clock = new VirtualClock()
  const { ends, forward, backward } = wire({ time: clock, random: { forward: seeded(1), backward: seeded(2) } })
  for (const path of [forward, backward]) path.change({ delay: 1 })
  const environment = { clock, random: seeded(3), alarm: (callback: () => void) => clock.alarm(callback) }
  let turns = 0
  const near = createStack({ environment })
  const far = createStack({ environment, hooks: { before: () => turns++ } })
  near.addInterface({ link: ends[0], addresses: ['10.0.0.1/24'] })
  far.addInterface({ link: ends[1], addresses: ['10.0.0.2/24'] })
  far.listen({ port: 7 }).onConnection = (endpoint) => {
    endpoint.onReadable = () => endpoint.look((octets, start, length) => endpoint.send(octets, start, start + length))
  }
  const asking = near.connect({ address: '10.0.0.2', port: 7 })
  let answers = 0
  asking.onOpen = () => asking.send(new Uint8Array(1))
  asking.onReadable = () => {
    answers++
    asking.look((octets, start, length) => asking.send(octets, start, start + length))
  }
  clock.advance(clock.now() + 10)
  const [turnsBefore, answersBefore] = [turns, answers]
  clock.advance(clock.now() + 100)

  expect(answers - answersBefore).toBeGreaterThan(20)
  expect(turns - turnsBefore).toBeLessThanOrEqual(answers - answersBefore + 1)
})
