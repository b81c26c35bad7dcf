// What few look at: channels of diagnostics, who `this` is, writes to what is closed behind a socket's back, and a close that throws.
import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { memory } from '../../../src/link/memory.ts'
import { createStack, type NodeStack } from '../../../src/node/create-stack.ts'

const stacks: NodeStack[] = []

afterEach(() => {
  for (const stack of stacks.splice(0)) stack.close()
})

async function newStack(): Promise<NodeStack> {
  const stack = await createStack()
  stacks.push(stack)
  return stack
}

describe('diagnostics_channel', () => {
  const heard: [name: string, message: Record<string, unknown>][] = []
  const names = ['asyncStart', 'asyncEnd', 'error'].map((name) => `tracing:net.server.listen:${name}`)
  const listeners = [...names, 'net.client.socket', 'net.server.socket'].map((name) => {
    const listener = (message: unknown) => heard.push([name, message as Record<string, unknown>])
    return { name, listener }
  })

  afterEach(() => {
    for (const { name, listener } of listeners) diagnostics.unsubscribe(name, listener)
    heard.length = 0
  })

  it('hears of listening, of what goes wrong with it, and of sockets of either kind', async () => {
    for (const { name, listener } of listeners) diagnostics.subscribe(name, listener)
    const { net } = await newStack()
    const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const second = net.createServer().listen(port, '127.0.0.1')
    const [error] = await once(second, 'error')
    const socket = net.connect(port, '127.0.0.1').resume()
    await once(socket, 'close')
    expect(heard.map(([name]) => name.replace('tracing:net.server.listen:', ''))).toEqual([
      'asyncStart',
      'asyncEnd',
      'asyncStart',
      'error',
      'net.client.socket',
      'net.server.socket',
    ])
    expect(heard[0][1]).toEqual({ server, options: { port: 0, host: '127.0.0.1' } })
    expect(heard[1][1]).toEqual({ server })
    expect(heard[3][1]).toEqual({ server: second, error })
    expect(heard[4][1]).toEqual({ socket })
    server.close()
  })
})

it('calls an `onread` callback with the socket as `this`, which may pause it', async () => {
  const { net } = await newStack()
  const server = net.createServer((socket) => socket.end('a'.repeat(100))).listen(0)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const lengths: number[] = []
  const callback = function (this: unknown, length: number) {
    const self = this as { pause(): void; resume(): void }
    lengths.push(length)
    self.pause()
    setImmediate(() => self.resume())
    return true
  }
  const socket = net.connect({ port, onread: { buffer: Buffer.alloc(40), callback } })
  await once(socket, 'end')
  expect(lengths).toEqual([40, 40, 20])
  server.close()
})

it('fails a write where the handle is closed already', async () => {
  const { net } = await newStack()
  const server = net.createServer((socket) => socket.resume()).listen(0)
  await once(server, 'listening')
  const socket = net.connect((server.address() as { port: number }).port)
  await once(socket, 'connect')
  socket._handle?.close()
  socket.write('too late')
  const [error] = await once(socket, 'error')
  expect(error).toMatchObject({ code: 'EBADF', message: 'write EBADF', syscall: 'write' })
  server.close()
})

it('says that a stack is closed to whoever opens something on it', async () => {
  const stack = await createStack()
  const socket = stack.dgram.createSocket('udp4')
  stack.close()
  const [refused] = await once(stack.net.connect(80, '127.0.0.1'), 'error')
  expect(refused.code).toBe('ENETDOWN')
  const [mute] = await once(stack.net.createServer().listen(0), 'error')
  expect(mute.code).toBe('ENETDOWN')
  expect(() => stack.connect({ address: '127.0.0.1', port: 80 })).toThrow('the stack is closed')
  const late = stack.dgram.createSocket('udp4')
  for (const one of [socket, late]) expect((await once(one.bind(0), 'error'))[0].code).toBe('EBADF')
})

it('shows where it would have connected from, as Node does', async () => {
  const stack = await createStack()
  for (const [address, local] of [
    ['10.9.9.9', '0.0.0.0:0'],
    ['fd00:9::9', ':::0'],
  ]) {
    const [error] = await once(stack.net.connect(80, address), 'error')
    expect(error.message).toBe(`connect ENETUNREACH ${address}:80 - Local (${local})`)
  }
  stack.close()
})

it('closes everything of a stack where some of it throws', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const stack = await newStack()
  const { net, core } = stack
  const [left] = memory()
  const close = left.close.bind(left)
  let closedLinks = 0
  left.close = () => {
    closedLinks++
    close()
    throw new Error('this link does not close')
  }
  stack.addInterface({ link: left, addresses: ['10.0.0.1/24'] })
  const server = net.createServer().listen(0)
  await once(server, 'listening')
  const sockets = [1, 2].map(() => net.connect((server.address() as { port: number }).port))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  for (const socket of sockets) {
    socket._destroy = () => {
      throw new Error('this socket does not close')
    }
    socket.on('error', () => {})
  }
  server.close = () => {
    throw new Error('this server does not close')
  }
  const letGo = stack.hold()
  expect(() => stack.close()).toThrow('does not close')
  expect(closedLinks).toBe(1)
  expect(core.tcp.connectionCount).toBe(0)
  expect(timers()).toBeLessThanOrEqual(before)
  letGo()
  stack.close()
})
