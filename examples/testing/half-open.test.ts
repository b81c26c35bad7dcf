// Half-open connections: one end has crashed, and the other goes on believing in the connection.
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { simulate } from 'tunstack/simulate'
import { expect, test } from 'vitest'
import { LineClient, startLineServer } from './line-protocol.ts'

const HOUR = 3_600_000

/** How many connections the server holds an hour after its only client has crashed. */
async function heldAfterCrash(onSocket: (socket: Socket) => void): Promise<number> {
  const network = simulate({ seed: 1 })
  const [client, server] = [network.host('client'), network.host('server')]
  network.link(client, server, { delay: 10 })
  const held = new Set<Socket>()
  return network.run(async () => {
    server.start(() =>
      startLineServer(5432, (socket) => {
        held.add(socket)
        socket.on('close', () => held.delete(socket))
        onSocket(socket)
      }),
    )
    await client.run(() => new LineClient('server', 5432).ask('hello'))
    await sleep(1000)
    client.crash()
    await sleep(HOUR)
    return held.size
  })
}

test('a server that only waits holds the connection of a dead client for ever', async () => {
  expect(await heldAfterCrash(() => {})).toBe(1)
})

test('with keep-alive probes it finds out', async () => {
  expect(await heldAfterCrash((socket) => socket.setKeepAlive(true, 60_000))).toBe(0)
})

test('with a limit for silence it finds out too', async () => {
  const limit = (socket: Socket) => socket.setTimeout(300_000, () => socket.destroy())
  expect(await heldAfterCrash(limit)).toBe(0)
})

test('a client learns of a restart of its server at its next question, and not before', async () => {
  const network = simulate({ seed: 1 })
  const [client, server] = [network.host('client'), network.host('server')]
  network.link(client, server, { delay: 10 })
  await network.run(async () => {
    server.start(() => startLineServer(5432))
    const connection = client.run(() => new LineClient('server', 5432))
    expect(await connection.ask('one')).toBe('ONE')
    await sleep(1000)
    server.restart()
    await sleep(HOUR)
    expect(connection.socket.destroyed).toBe(false)
    await expect(connection.ask('two')).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})
