// Sockets in numbers, ended in each of the eight ways: afterwards nothing is left, of sockets, timers, buffers or ports.
import { once } from 'node:events'
import { afterAll, describe, expect, it } from 'vitest'
import { createStack } from '../../../src/node/create-stack.ts'
import type { StackServer } from '../../../src/node/net/server.ts'
import type { StackSocket } from '../../../src/node/net/socket.ts'

const ROUNDS = 6
const AT_ONCE = 50

const stack = await createStack({ tcp: { timeWait: 50 } })
const { net, core } = stack

afterAll(() => stack.close())

/** How one connection is brought to its end; both ends are watched until they are closed. */
const WAYS: Record<string, (client: StackSocket, accepted: StackSocket, control: AbortController) => void> = {
  end: (client) => client.end(),
  destroy: (client) => client.destroy(),
  reset: (client) => client.resetAndDestroy(),
  timeout: (client) => client.setTimeout(5, () => client.destroy()),
  'abort signal': (_client, _accepted, control) => control.abort(),
  'peer end': (_client, accepted) => accepted.end(),
  'peer reset': (_client, accepted) => accepted.resetAndDestroy(),
  'server close': (client, accepted) => {
    ;(accepted.server as StackServer).close()
    client.end('the last')
  },
}

async function listening(): Promise<{ server: StackServer; port: number }> {
  const server = net.createServer((socket) => socket.on('error', () => {}))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: server.address()?.port as number }
}

/** Both ends of a connection over which something was sent each way. */
interface Pair {
  client: StackSocket
  accepted: StackSocket
  control: AbortController
}

async function open(port: number): Promise<Pair> {
  const control = new AbortController()
  const client = net.connect({ port, host: '127.0.0.1', signal: control.signal })
  client.on('error', () => {})
  await once(client, 'connect')
  const accepted = await acceptedFrom(client.localPort as number)
  accepted.write('hello')
  client.write(Buffer.alloc(20_000))
  await once(client, 'data')
  client.resume()
  accepted.resume()
  return { client, accepted, control }
}

async function end({ client, accepted, control }: Pair, way: (typeof WAYS)[string]): Promise<void> {
  const areClosed = Promise.all([closed(client), closed(accepted)])
  way(client, accepted, control)
  await areClosed
}

/** Accepted ones by the peer's port, and who asks for one that is not accepted yet. */
const sockets = new Map<number, StackSocket>()
const askers = new Map<number, (socket: StackSocket) => void>()

function onConnection(socket: StackSocket): void {
  const port = socket.remotePort as number
  sockets.set(port, socket)
  socket.once('close', () => sockets.delete(port))
  askers.get(port)?.(socket)
  askers.delete(port)
}

function acceptedFrom(port: number): Promise<StackSocket> {
  return new Promise((done) => {
    const socket = sockets.get(port)
    if (socket === undefined) askers.set(port, done)
    else done(socket)
  })
}

function closed(socket: StackSocket): Promise<unknown> {
  return socket.closed ? Promise.resolve() : new Promise((done) => socket.once('close', done))
}

function held(): Record<string, number> {
  const { tcp, deadlines } = core
  const { slabs, timers } = tcp.shared
  return {
    connections: tcp.connectionCount,
    requests: tcp.requestCount,
    timeWait: tcp.timeWaitCount,
    slabs: slabs.held,
    timers: timers.count,
    deadlines: deadlines.count,
  }
}

describe.each(Object.keys(WAYS))('ended by %s', (name) => {
  it(`${ROUNDS * AT_ONCE} connections leave nothing behind`, async () => {
    const before = held()
    for (let round = 0; round < ROUNDS; round++) {
      const { server, port } = await listening()
      server.on('connection', onConnection)
      const pairs = await Promise.all(Array.from({ length: AT_ONCE }, () => open(port)))
      await Promise.all(pairs.map((pair) => end(pair, WAYS[name])))
      if (server.listening) server.close()
    }
    await expect.poll(held, { timeout: 3000 }).toEqual(before)
    expect(sockets.size).toBe(0)
    expect(process.getActiveResourcesInfo().filter((resource) => resource === 'Immediate').length).toBeLessThan(3)
  })
})
