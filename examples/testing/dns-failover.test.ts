// Failover by DNS: the name of a database is pointed at another host. Who asks for the name again finds it.
import dns from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { simulate } from 'tunstack/simulate'
import { expect, test } from 'vitest'
import { LineClient, startLineServer } from './line-protocol.ts'

/** Asks until an answer comes, with a new connection each time; how long that takes, in seconds. */
async function secondsUntilAnswer(connect: () => Promise<LineClient>): Promise<number> {
  const began = Date.now()
  while (Date.now() - began < 600_000) {
    const client = await connect()
    const answer = await client.ask('are you there?', 2000).catch(() => null)
    client.socket.destroy()
    if (answer !== null) break
    await sleep(1000)
  }
  return Math.round((Date.now() - began) / 1000)
}

/** The primary crashes, and half a minute later its name stands for the standby. */
async function failOver(connector: () => Promise<() => Promise<LineClient>>): Promise<number> {
  const network = simulate({ seed: 1 })
  const shop = network.host('shop')
  for (const name of ['primary', 'standby']) network.link(shop, network.host(name), { delay: 5 })
  const [, primary, standby] = network.hosts
  network.names.set('database', 'primary')
  return network.run(async () => {
    primary.start(() => startLineServer(5432))
    standby.start(() => startLineServer(5432))
    return shop.run(async () => {
      const connect = await connector()
      expect(await secondsUntilAnswer(connect)).toBe(0)
      primary.crash()
      setTimeout(() => network.names.set('database', 'standby'), 30_000)
      return secondsUntilAnswer(connect)
    })
  })
}

test('who looks the name up for every connection is there soon after', async () => {
  const seconds = await failOver(async () => async () => new LineClient('database', 5432))
  expect(seconds).toBeGreaterThanOrEqual(30)
  expect(seconds).toBeLessThan(34)
})

test('who has kept the address asks a dead host for ever', async () => {
  const seconds = await failOver(async () => {
    const { address } = await dns.lookup('database')
    return async () => new LineClient(address, 5432)
  })
  expect(seconds).toBeGreaterThanOrEqual(600)
})

test('a resolver that fails for a while is no reason to give up', async () => {
  const network = simulate({ seed: 1 })
  const [shop, database] = [network.host('shop'), network.host('database')]
  network.link(shop, database, { delay: 5 })
  await network.run(async () => {
    database.start(() => startLineServer(5432))
    shop.resolver.fail('SERVFAIL', 'database')
    setTimeout(() => shop.resolver.heal(), 5000)
    const seconds = await shop.run(() => secondsUntilAnswer(async () => new LineClient('database', 5432)))
    expect(seconds).toBeGreaterThanOrEqual(5)
    expect(seconds).toBeLessThan(9)
  })
})
