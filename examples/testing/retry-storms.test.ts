// A retry storm: a service stands still for some seconds, everybody tries again, and it drowns in questions whose askers have gone.
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { simulate } from 'tunstack/simulate'
import { expect, test } from 'vitest'

const CLIENTS = 10

type Policy = (random: () => number) => (attempt: number) => number | null

/** Asks until an answer comes within a second, as often as the policy says; it names the wait before the next attempt, or null for none. */
async function ask(next: (attempt: number) => number | null): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch('http://service/', { signal: AbortSignal.timeout(1000) }).catch(() => null)
    await response?.text().catch(() => null)
    if (response !== null) return true
    const wait = next(attempt)
    if (wait === null) return false
    await sleep(wait)
  }
}

/** Each client asks once every two seconds for forty seconds, and the service stands still for ten seconds of them. */
async function storm(policy: Policy): Promise<{ requests: number; asked: number }> {
  const network = simulate({ seed: 1 })
  const service = network.host('service')
  const clients = Array.from({ length: CLIENTS }, (_, number) => network.host(`client-${number}`))
  for (const client of clients) network.link(service, client, { delay: 10 })
  return network.run(async () => {
    let [requests, asked] = [0, 0]
    service.start(() => {
      // One request after the other, 80 ms each: at most 12 in a second.
      let line = Promise.resolve()
      http
        .createServer((_, response) => {
          requests++
          line = line.then(() => sleep(80))
          void line.then(() => response.end('done'))
        })
        .listen(80)
    })
    const over = clients.map((client, number) => {
      const random = network.random.stream(client.name)
      return client.run(async () => {
        await sleep(number * 200)
        for (let round = 0; round < 20; round++) {
          const began = Date.now()
          asked++
          await ask(policy(() => random.fraction()))
          await sleep(Math.max(0, 2000 - (Date.now() - began)))
        }
      })
    })
    setTimeout(() => service.pause(10_000), 5000)
    await Promise.all(over)
    return { requests, asked }
  })
}

test('who tries again at once, for ever, keeps the service down', async () => {
  const { requests, asked } = await storm(() => () => 0)
  expect(requests).toBeGreaterThan(asked * 1.5)
})

test('who waits longer each time, and gives up after three attempts, lets it come back', async () => {
  const backoff: Policy = (random) => (attempt) => (attempt < 3 ? random() * 2000 * 2 ** attempt : null)
  const { requests, asked } = await storm(backoff)
  expect(requests).toBeLessThan(asked * 1.2)
})
