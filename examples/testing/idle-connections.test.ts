// Idle connections that a box in between forgets: a pool's connection is dead after a quiet while, and nobody knows.
import { setTimeout as sleep } from 'node:timers/promises'
import { DropsIdle, simulate } from 'tunstack/simulate'
import { expect, test } from 'vitest'
import { LineClient, startLineServer } from './line-protocol.ts'

const MINUTE = 60_000

/** Two questions with a quiet while between them, over one connection through a router that forgets after five minutes. */
async function askTwice(pause: number, options: { keepAlive?: boolean; keepAliveInitialDelay?: number } = {}) {
  const network = simulate({ seed: 1 })
  const [client, server] = [network.host('client'), network.host('server')]
  const wire = network.link(client, server, { delay: 10 })
  wire.add(new DropsIdle({ after: 5 * MINUTE }))
  return network.run(async () => {
    server.start(() => startLineServer(5432))
    return client.run(async () => {
      const connection = new LineClient('server', 5432, options)
      const first = await connection.ask('one')
      await sleep(pause)
      const second = await connection.ask('two').catch((error: Error) => error.name)
      return [first, second]
    })
  })
}

test('four quiet minutes do no harm', async () => {
  expect(await askTwice(4 * MINUTE)).toEqual(['ONE', 'TWO'])
})

test('after six the connection is dead: the question vanishes, and no error comes', async () => {
  expect(await askTwice(6 * MINUTE)).toEqual(['ONE', 'AbortError'])
})

test('with keep-alive probes every two minutes it lives on, for a whole day', async () => {
  const probes = { keepAlive: true, keepAliveInitialDelay: 2 * MINUTE }
  expect(await askTwice(24 * 60 * MINUTE, probes)).toEqual(['ONE', 'TWO'])
})
