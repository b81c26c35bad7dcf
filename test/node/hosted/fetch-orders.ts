// The client and server of test/simulate/orders.ts as programs of Node's: `http` and `fetch`, with a timeout, retries and a pause between them.
// What `npm run prove -- testkit` repeats over seeds.
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Network } from '../../../src/node/simulate.ts'
import type { Orders } from '../../simulate/orders.ts'

/** Puts so many orders through, on hosts 'client' and 'server' over one link. */
export async function fetchOrders(network: Network, orders: number, isIdempotent: boolean): Promise<Orders> {
  const [client, server] = [network.host('client'), network.host('server')]
  network.link(client, server, { delay: 20, jitter: 4, loss: 0.01 })
  const disk: number[] = []
  return network.run(async () => {
    server.start(() => startServer(disk, isIdempotent))
    const attempts = await client.run(async () => {
      let attempts = 0
      for (let number = 1; number <= orders; number++) {
        for (attempts++; !(await attempt(number)); attempts++) await sleep(250)
        await sleep(300)
      }
      return attempts
    })
    return { disk, attempts }
  })
}

async function attempt(number: number): Promise<boolean> {
  try {
    const url = 'http://server/orders'
    const response = await fetch(url, { method: 'POST', body: `${number}`, signal: AbortSignal.timeout(1000) })
    return (await response.text()) === `${number}`
  } catch {
    return false
  }
}

function startServer(disk: number[], isIdempotent: boolean): http.Server {
  const server = http.createServer(async (request, response) => {
    let text = ''
    try {
      for await (const octets of request) text += octets
    } catch {
      return
    }
    await sleep(5)
    const number = Number(text)
    if (!(isIdempotent && disk.includes(number))) disk.push(number)
    await sleep(5)
    response.end(text)
  })
  return server.listen(80)
}
