// Timeouts that are set wrong: who waits in front must wait longer than who waits behind, or work is done for nobody.
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { simulate } from 'tunstack/simulate'
import { expect, test } from 'vitest'

interface Patience {
  /** Milliseconds that the gateway waits for the service, and the service for the database. */
  gateway: number
  service: number
}

/** Passes a question on, and says 504 where no answer comes in time. */
function startProxy(to: string, timeout: number, done: (isTooLate: boolean) => void = () => {}): http.Server {
  const server = http.createServer(async (_, response) => {
    let isGone = false
    response.on('close', () => {
      isGone = !response.writableFinished
    })
    try {
      const answer = await fetch(`http://${to}/`, { signal: AbortSignal.timeout(timeout) })
      response.statusCode = answer.status
      response.end(await answer.text())
    } catch {
      response.statusCode = 504
      response.end()
    }
    done(isGone)
  })
  return server.listen(80)
}

/** A database that takes three seconds for each answer, behind a service, behind a gateway. */
async function ask({ gateway: outer, service: inner }: Patience) {
  const network = simulate({ seed: 1 })
  const [gateway, service, database] = [network.host('gateway'), network.host('service'), network.host('database')]
  network.link(gateway, service, { delay: 5 })
  network.link(service, database, { delay: 5 })
  const customer = network.host('customer')
  network.link(customer, gateway, { delay: 30 })
  return network.run(async () => {
    let wasted = 0
    database.start(() => http.createServer((_, response) => setTimeout(() => response.end('rows'), 3000)).listen(80))
    service.start(() => startProxy('database', inner, (isTooLate) => void (wasted += isTooLate ? 1 : 0)))
    gateway.start(() => startProxy('service', outer))
    const began = Date.now()
    const response = await customer.run(() => fetch('http://gateway/'))
    const seconds = Math.round((Date.now() - began) / 1000)
    await sleep(30_000)
    return { status: response.status, seconds, wasted }
  })
}

test('a gateway that is less patient than its service lets it work for nobody', async () => {
  expect(await ask({ gateway: 2000, service: 10_000 })).toEqual({ status: 504, seconds: 2, wasted: 1 })
})

test('the other way round the error comes from where it arose', async () => {
  expect(await ask({ gateway: 2000, service: 1500 })).toEqual({ status: 504, seconds: 2, wasted: 0 })
})

test('and with enough patience there is an answer', async () => {
  expect(await ask({ gateway: 10_000, service: 5000 })).toEqual({ status: 200, seconds: 3, wasted: 0 })
})

test('fetch without a timeout of its own waits for five minutes', async () => {
  const network = simulate({ seed: 1 })
  const [shop, stock] = [network.host('shop'), network.host('stock')]
  network.link(shop, stock, { delay: 5 })
  await network.run(async () => {
    stock.start(() => http.createServer(() => {}).listen(80))
    const began = Date.now()
    await expect(shop.run(() => fetch('http://stock/'))).rejects.toThrow('fetch failed')
    expect(Math.round((Date.now() - began) / 1000)).toBe(300)
  })
})
