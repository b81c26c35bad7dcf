// Sockets in numbers, opened, used and closed in each way: afterwards nothing is left, of sockets, ports, buffers, timers or holds.
import { once } from 'node:events'
import { afterAll, describe, expect, it } from 'vitest'
import { type Address, parseAddress } from '../../../src/core/ip/address.ts'
import { createStack } from '../../../src/node/create-stack.ts'
import type { DgramSocket } from '../../../src/node/dgram/socket.ts'

/** LEAK_ROUNDS=200 opens 10,000 in each way. */
const ROUNDS = Number(process.env.LEAK_ROUNDS ?? 6)
const AT_ONCE = 50

const stack = await createStack({ icmpErrors: { perSecond: 1e6, burst: 1e6 } })
const { dgram, core } = stack
const server = dgram.createSocket('udp4', (message, { address, port }) => server.send(message, port, address))
server.bind(0, '127.0.0.1')
await once(server, 'listening')
server.setRecvBufferSize(1_000_000)
const { port } = server.address()
const GROUP = parseAddress('239.1.2.3') as Address

afterAll(() => stack.close())

async function echoed(socket: DgramSocket): Promise<void> {
  const answer = once(socket, 'message')
  socket.send('x', port, '127.0.0.1')
  await answer
}

/** Each uses its socket, and is over when it has closed it. */
const WAYS: Record<string, (socket: DgramSocket, control: AbortController) => void | Promise<void>> = {
  'close, after an echo': async (socket) => {
    await echoed(socket)
    socket.close()
  },
  'close, without anything': (socket) => void socket.close(),
  'close, while it is bound': (socket) => void socket.bind(0).close(),
  'close, with datagrams to send': async (socket) => {
    socket.bind(0)
    await once(socket, 'listening')
    socket.send(Buffer.alloc(3000), port, '127.0.0.1', () => socket.close())
  },
  'close, with datagrams to read': async (socket) => {
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const own = socket.address().port
    for (let count = 0; count < 3; count++) socket.send('x', own, '127.0.0.1')
    socket.on('message', () => socket.listenerCount('close') > 0 && socket.removeAllListeners('message').close())
  },
  'an abort signal': async (socket, control) => {
    await echoed(socket)
    control.abort()
  },
  asyncDispose: async (socket) => {
    await echoed(socket)
    await socket[Symbol.asyncDispose]()
  },
  'close, connected': async (socket) => {
    socket.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    const answer = once(socket, 'message')
    socket.send('x')
    await answer
    socket.close()
  },
  'close, refused': async (socket) => {
    socket.connect(1, '127.0.0.1')
    await once(socket, 'connect')
    socket.send('x')
    await once(socket, 'error')
    socket.close()
  },
  'close, as a member': async (socket) => {
    socket.addMembership('239.1.2.3')
    socket.addSourceSpecificMembership('127.0.0.1', '232.1.2.3')
    socket.setMulticastTTL(2)
    socket.close()
  },
}

function held(): Record<string, number> {
  return {
    sockets: core.udp.sockets.size,
    deadlines: core.deadlines.count,
    ready: core.ready.count,
    senders: core.loopback.senders.count,
    member: Number(core.loopback.isMember(GROUP)),
    resources: process.getActiveResourcesInfo().filter((resource) => resource === 'Immediate').length,
  }
}

describe.each(Object.keys(WAYS))('%s', (name) => {
  it(`${ROUNDS * AT_ONCE} sockets leave nothing behind`, async () => {
    const before = held()
    for (let round = 0; round < ROUNDS; round++) {
      const all = Array.from({ length: AT_ONCE }, async () => {
        const control = new AbortController()
        const socket = dgram.createSocket({ type: 'udp4', signal: control.signal })
        const isClosed = new Promise((done) => socket.once('close', done))
        await WAYS[name](socket, control)
        await isClosed
      })
      await Promise.all(all)
    }
    await expect.poll(held, { timeout: 10_000 }).toEqual(before)
  })
})
