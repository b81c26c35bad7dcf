// A thundering herd: a link heals, and everybody who was cut off comes back at the same moment.
import { setTimeout as sleep } from 'node:timers/promises'
import { simulate } from 'tunstack/simulate'
import { expect, test } from 'vitest'
import { LineClient, startLineServer } from './line-protocol.ts'

const CLIENTS = 24

/** Keeps a connection up: when it is over, or says nothing for two seconds, there is another after the delay. */
async function keepUp(delay: (attempt: number) => number): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    await sleep(delay(attempt))
    const client = new LineClient('server', 9000)
    while (await client.ask('ping', 2000).catch(() => null)) {
      attempt = 0
      await sleep(1000)
    }
    client.socket.destroy()
  }
}

/** The most connections that reach the server within one tenth of a second after a cut of a minute. */
async function peak(delay: (random: () => number) => (attempt: number) => number): Promise<number> {
  const network = simulate({ seed: 1 })
  const [server, router] = [network.host('server'), network.router('router')]
  const uplink = network.link(server, router, { delay: 5 })
  const clients = Array.from({ length: CLIENTS }, (_, number) => network.host(`client-${number}`))
  for (const client of clients) network.link(router, client, { delay: 5 })
  return network.run(async () => {
    const arrivals = new Map<number, number>()
    let isHealed = false
    server.start(() =>
      startLineServer(9000, () => {
        const tenth = Math.floor(Date.now() / 100)
        if (isHealed) arrivals.set(tenth, (arrivals.get(tenth) ?? 0) + 1)
      }),
    )
    for (const client of clients) {
      // A random of the network's, so that the seed repeats it.
      const random = network.random.stream(client.name)
      client.run(() => void keepUp(delay(() => random.fraction())))
    }
    await sleep(8000)
    uplink.partition()
    await sleep(60_000)
    uplink.heal()
    isHealed = true
    await sleep(40_000)
    return Math.max(...arrivals.values())
  })
}

test('with a fixed delay all come at once', async () => {
  expect(await peak(() => () => 5000)).toBeGreaterThan(CLIENTS / 2)
})

test('with a delay that chance draws they come one after another', async () => {
  const spread = (random: () => number) => (attempt: number) => random() * Math.min(30_000, 1000 * 2 ** attempt)
  expect(await peak(spread)).toBeLessThan(CLIENTS / 4)
})
