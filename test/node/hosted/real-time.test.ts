// Simulated networks in real time, and beside fake timers.
import { createServer } from 'node:http'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { simulate } from '../../../src/node/simulate.ts'

afterEach(() => {
  vi.useRealTimers()
})

function serve() {
  const network = simulate({ time: 'real' })
  const [client, server] = [network.host('client'), network.host('server')]
  network.link(client, server, { delay: 10 })
  const answer = network.run(async () => {
    server.run(() => createServer((_request, response) => setTimeout(() => response.end('hello'), 20)).listen(80))
    return client.run(async () => (await fetch('http://server')).text())
  })
  return { network, answer }
}

describe('real time', () => {
  test('goes by as it does outside', async () => {
    const [began, date] = [performance.now(), Date.now()]
    const { network, answer } = serve()
    expect(await answer).toBe('hello')
    // Two round trips, and what the server waits.
    expect(performance.now() - began).toBeGreaterThan(55)
    expect(network.clock.wall()).toBeGreaterThanOrEqual(date)
    network.close()
  })

  test('follows fake timers that are there before the network', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] })
    const { network, answer } = serve()
    let text = ''
    answer.then((one) => {
      text = one
    })
    await vi.advanceTimersByTimeAsync(50)
    await new Promise((resolve) => setImmediate(resolve))
    expect(text).toBe('')
    for (let step = 0; step < 20; step++) {
      await vi.advanceTimersByTimeAsync(5)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(await answer).toBe('hello')
    network.close()
  })
})
