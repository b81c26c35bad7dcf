// Datagram sockets over links: groups, link-local addresses, what ICMP says, contexts, lists of blocked addresses, typed programs.
import { AsyncLocalStorage } from 'node:async_hooks'
import type * as kernel from 'node:dgram'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { BlockList } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memory } from '../../../src/link/memory.ts'
import { createStack, type NodeStack } from '../../../src/node/create-stack.ts'
import type { DgramSocket } from '../../../src/node/dgram/socket.ts'
import type { RemoteInfo } from '../../../src/node/dgram/udp-handle.ts'

let one: NodeStack
let two: NodeStack

beforeEach(async () => {
  one = await createStack()
  two = await createStack()
  const [left, right] = memory()
  one.addInterface({ link: left, name: 'left', addresses: ['10.0.0.1/24', 'fd00::1/64', 'fe80::1/64'] })
  two.addInterface({ link: right, name: 'right', addresses: ['10.0.0.2/24', 'fd00::2/64', 'fe80::2/64'] })
})

afterEach(() => {
  one.close()
  two.close()
})

async function bound(socket: DgramSocket, ...args: unknown[]): Promise<number> {
  socket.bind(...args)
  await once(socket, 'listening')
  return socket.address().port
}

async function heard(socket: DgramSocket): Promise<[string, RemoteInfo]> {
  const [message, from] = (await once(socket, 'message')) as [Buffer, RemoteInfo]
  return [String(message), from]
}

/** Whether a datagram came before the one that says 'last', which is sent now. */
async function texts(socket: DgramSocket): Promise<string[]> {
  const all: string[] = []
  for (;;) {
    const [text] = await heard(socket)
    if (text === 'last') return all
    all.push(text)
  }
}

describe('groups', () => {
  it.each([
    ['udp4', '239.1.1.1', '10.0.0.1'],
    ['udp6', 'ff15::1', 'fd00::1'],
  ] as const)('of %s are heard by their members', async (type, group, from) => {
    const member = two.dgram.createSocket(type)
    const port = await bound(member)
    member.addMembership(group)
    const sender = one.dgram.createSocket(type)
    const message = heard(member)
    sender.send('to all', port, group)
    expect(await message).toMatchObject(['to all', { address: from, size: 6 }])
    const rest = texts(member)
    member.dropMembership(group)
    sender.send('to nobody', port, group)
    sender.send('last', port, type === 'udp4' ? '10.0.0.2' : 'fd00::2')
    expect(await rest).toEqual([])
  })

  it('are heard on the same host too, unless that is turned off', async () => {
    const socket = one.dgram.createSocket('udp4')
    const port = await bound(socket)
    socket.addMembership('239.1.1.1')
    const rest = texts(socket)
    socket.send('looped', port, '239.1.1.1')
    await once(socket, 'message')
    socket.setMulticastLoopback(false)
    socket.send('not looped', port, '239.1.1.1')
    socket.send('last', port, '127.0.0.1')
    expect(await rest).toEqual(['looped'])
  })

  it('with a time-to-live of 0 stay on the host', async () => {
    const [near, far] = [one.dgram.createSocket('udp4'), two.dgram.createSocket('udp4')]
    const port = await bound(near)
    await bound(far, port)
    for (const member of [near, far]) member.addMembership('239.1.1.1')
    const rest = texts(far)
    near.setMulticastTTL(0)
    const message = heard(near)
    near.send('near', port, '239.1.1.1')
    expect((await message)[0]).toBe('near')
    near.send('last', port, '10.0.0.2')
    expect(await rest).toEqual([])
  })

  it('from one source are heard from nobody else', async () => {
    const member = two.dgram.createSocket('udp4')
    const port = await bound(member)
    member.addSourceSpecificMembership('10.0.0.9', '232.1.1.1')
    const sender = one.dgram.createSocket('udp4')
    const rest = texts(member)
    const first = once(member, 'message')
    sender.send('stranger', port, '232.1.1.1')
    sender.send('x', port, '10.0.0.2')
    await first
    member.addSourceSpecificMembership('10.0.0.1', '232.1.1.1')
    sender.send('wanted', port, '232.1.1.1')
    sender.send('last', port, '10.0.0.2')
    expect(await rest).toEqual(['x', 'wanted'])
  })

  it('are not for a socket that is bound to one address: as Linux', async () => {
    const member = two.dgram.createSocket('udp4')
    const port = await bound(member, 0, '10.0.0.2')
    member.addMembership('239.1.1.1')
    const sender = one.dgram.createSocket('udp4')
    const rest = texts(member)
    sender.send('to all', port, '239.1.1.1')
    sender.send('last', port, '10.0.0.2')
    expect(await rest).toEqual([])
  })
})

it('a broadcast is heard by all, once it is permitted', async () => {
  const listener = two.dgram.createSocket('udp4')
  const port = await bound(listener)
  const sender = one.dgram.createSocket('udp4')
  const refused = new Promise<Error | null>((done) => sender.send('x', port, '10.0.0.255', done))
  expect(await refused).toMatchObject({ code: 'EACCES', syscall: 'send', address: '10.0.0.255' })
  sender.setBroadcast(true)
  const message = heard(listener)
  sender.send('to all', port, '10.0.0.255')
  expect(await message).toMatchObject(['to all', { address: '10.0.0.1' }])
})

it('link-local addresses are told with their interface, and reached by it', async () => {
  const server = two.dgram.createSocket('udp6')
  const port = await bound(server, 0, 'fe80::2%right')
  expect(server.address().address).toBe('fe80::2%right')
  const client = one.dgram.createSocket('udp6')
  const message = heard(server)
  client.send('hello', port, 'fe80::2%left')
  const [, from] = await message
  expect(from.address).toBe('fe80::1%right')
  const answer = heard(client)
  server.send('back', from.port, from.address)
  expect(await answer).toMatchObject(['back', { address: 'fe80::2%left' }])
})

it('what ICMP says of a connected socket’s datagrams is its error, once each', async () => {
  const socket = one.dgram.createSocket('udp6')
  socket.connect(9, 'fd00::2')
  await once(socket, 'connect')
  expect(socket.address().address).toBe('fd00::1')
  for (let count = 0; count < 2; count++) {
    socket.send('x')
    const [error] = await once(socket, 'error')
    expect(error).toMatchObject({ code: 'ECONNREFUSED', syscall: 'recvmsg', message: 'recvmsg ECONNREFUSED' })
  }
})

it('sets the time-to-live of what it sends', async () => {
  const endpoint = two.openUdp()
  endpoint.bind(7)
  const hops: number[] = []
  const arrived = new Promise<void>((done) => {
    endpoint.onReadable = () => {
      for (let datagram = endpoint.receive(); datagram !== null; datagram = endpoint.receive())
        hops.push(datagram.hopLimit)
      if (hops.length === 2) done()
    }
  })
  const socket = one.dgram.createSocket('udp4')
  await bound(socket)
  await new Promise((done) => socket.send('x', 7, '10.0.0.2', done))
  await new Promise((done) => setImmediate(done))
  socket.setTTL(9)
  socket.send('x', 7, '10.0.0.2')
  await arrived
  expect(hops).toEqual([64, 9])
  endpoint.close()
})

it('lists of blocked addresses hold both ways', async () => {
  const blocked = new BlockList()
  blocked.addAddress('10.0.0.1')
  const deaf = two.dgram.createSocket({ type: 'udp4', receiveBlockList: blocked })
  const port = await bound(deaf)
  const sender = one.dgram.createSocket('udp4')
  deaf.on('message', () => expect.unreachable())
  await new Promise((done) => sender.send('x', port, '10.0.0.2', done))
  const mute = two.dgram.createSocket({ type: 'udp4', sendBlockList: blocked })
  const told = await new Promise((done) => mute.send('x', 9, '10.0.0.1', done))
  expect(told).toMatchObject({ code: 'ERR_IP_BLOCKED' })
  mute.connect(9, '10.0.0.1')
  expect((await once(mute, 'error'))[0]).toMatchObject({ code: 'ERR_IP_BLOCKED' })
  expect(() => two.dgram.createSocket({ type: 'udp4', sendBlockList: [] as never })).toThrow(/net.BlockList/)
})

it('sockets that ask for it share a port and its flows', async () => {
  const sockets = [0, 1].map(() => two.dgram.createSocket({ type: 'udp4', reusePort: true }))
  const port = await bound(sockets[0])
  await bound(sockets[1], port)
  const counts = [0, 0]
  const all = new Promise<void>((done) => {
    sockets.forEach((socket, at) => {
      socket.on('message', () => {
        counts[at]++
        if (counts[0] + counts[1] === 60) done()
      })
    })
  })
  for (let count = 0; count < 60; count++) one.dgram.createSocket('udp4').send('x', port, '10.0.0.2')
  await all
  expect(Math.min(...counts)).toBeGreaterThan(5)
})

it('handlers see the stores they would see with the kernel', async () => {
  const store = new AsyncLocalStorage<string>()
  const stores = new Set<string>()
  const server = store.run('server', () =>
    two.dgram.createSocket('udp4', () => stores.add(`message ${store.getStore()}`)),
  )
  const port = await bound(server)
  const client = store.run('client', () => one.dgram.createSocket('udp4'))
  const both = Promise.all([once(server, 'message'), once(client, 'close')])
  store.run('sending', () => {
    client.send('x', port, '10.0.0.2', () => {
      stores.add(`sent ${store.getStore()}`)
      store.run('closing', () => client.close(() => stores.add(`closed ${store.getStore()}`)))
    })
  })
  await both
  expect([...stores].sort()).toEqual(['closed closing', 'message server', 'sent sending'])
})

it('a handler that throws keeps neither its own nor other sockets from what comes', async () => {
  const errors: unknown[] = []
  const before = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => errors.push(error))
  try {
    const [bad, good] = [two.dgram.createSocket('udp4'), two.dgram.createSocket('udp4')]
    const ports = [await bound(bad), await bound(good)]
    let count = 0
    const done = new Promise<void>((resolve) => {
      const arrived = () => ++count === 6 && resolve()
      bad.on('message', () => {
        arrived()
        throw new Error('bad')
      })
      good.on('message', arrived)
    })
    const sender = one.dgram.createSocket('udp4')
    await bound(sender)
    for (let round = 0; round < 3; round++) for (const port of ports) sender.send('x', port, '10.0.0.2')
    await done
    await expect.poll(() => errors.length).toBe(3)
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of before) process.on('uncaughtException', listener)
  }
})

it('a new socket is told on the channel that Node’s are told on', () => {
  const told: unknown[] = []
  const listener = (message: unknown) => told.push((message as { socket: unknown }).socket)
  subscribe('udp.socket', listener)
  const socket = one.dgram.createSocket('udp4')
  unsubscribe('udp.socket', listener)
  expect(told).toEqual([socket])
})

it('programs that are typed for Node’s sockets take a stack’s', async () => {
  const program = (dgram: typeof kernel): kernel.Socket => {
    const socket: kernel.Socket = dgram.createSocket({ type: 'udp4', reuseAddr: true }, (_message, from) => {
      const info: kernel.RemoteInfo = from
      socket.send('typed', info.port, info.address)
    })
    return socket.bind(0)
  }
  const socket = program(one.dgram)
  await once(socket, 'listening')
  const client = one.dgram.createSocket('udp4')
  client.send('x', socket.address().port)
  expect((await heard(client))[0]).toBe('typed')
})
