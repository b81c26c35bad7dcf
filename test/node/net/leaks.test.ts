// Sockets in numbers, ended in each of the eight ways: afterwards nothing is left, of sockets, timers, buffers or ports.
import { afterAll, describe, expect, it } from 'vitest'
import { createStack } from '../../../src/node/create-stack.ts'
import { held, SocketPairs, WAYS } from '../../support/socket-ways.ts'

const ROUNDS = 6
const AT_ONCE = 50

const stack = await createStack({ tcp: { timeWait: 50 } })

afterAll(() => stack.close())

describe.each(Object.keys(WAYS))('ended by %s', (way) => {
  it(`${ROUNDS * AT_ONCE} connections leave nothing behind`, async () => {
    const before = held(stack)
    const pairs = new SocketPairs(stack)
    for (let round = 0; round < ROUNDS; round++) await pairs.round(way, AT_ONCE)
    await expect.poll(() => held(stack), { timeout: 20_000 }).toEqual(before)
    expect(pairs.open).toBe(0)
    expect(process.getActiveResourcesInfo().filter((resource) => resource === 'Immediate').length).toBeLessThan(3)
  })
})
