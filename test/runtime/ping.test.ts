// Pings from a stack: what comes back, and that every one comes to an end.
import { expect, test } from 'vitest'
import { simulate } from '../../src/simulate/network.ts'

function pair() {
  const network = simulate({ seed: 3 })
  const [one, other] = [network.host('one'), network.host('other')]
  const link = network.link(one, other, { delay: 5 })
  return { network, one, other, link }
}

test('a reply has its time, its sender and its octets', async () => {
  const { network, one, other } = pair()
  const reply = await network.run(() => one.stack.ping(other.address, { size: 4000, hopLimit: 9 }))
  expect(reply).toMatchObject({ result: 'reply', from: other.address, time: 10, hopLimit: 64, isIntact: true })
})

test('silence ends in a timeout, and a destination without a route at once', async () => {
  const { network, one, other, link } = pair()
  link.partition()
  const silent = await network.run(() => one.stack.ping(other.address, { timeout: 250 }))
  expect(silent).toMatchObject({ result: 'timeout', time: 250 })
  expect(await one.stack.ping('203.0.113.1')).toMatchObject({ result: 'noRoute' })
  expect(() => one.stack.ping('not an address')).toThrow("'not an address' is not an IP address")
})

test('a reply that is there when the time is over, as after the process has stood still, is no timeout', async () => {
  const { network, one, other } = pair()
  const replies = await network.run(() =>
    Promise.all([9, 10].map((timeout) => one.stack.ping(other.address, { timeout }))),
  )
  expect(replies.map(({ result, time }) => [result, time])).toEqual([
    ['timeout', 9],
    ['reply', 10],
  ])
})

test('closing the stack ends those that are under way', async () => {
  const { one, other } = pair()
  const waiting = [one.stack.ping(other.address), one.stack.ping(other.address)]
  one.stack.close()
  expect((await Promise.all(waiting)).map(({ result }) => result)).toEqual(['closed', 'closed'])
  expect(one.stack.driver.time.now()).toBe(0)
})
