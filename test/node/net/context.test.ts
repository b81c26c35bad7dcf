// Each socket has an async context of its own, and a handler that throws keeps no other socket from its data.
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import * as kernel from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createStack, type NodeStack } from '../../../src/node/create-stack.ts'
import { script } from '../../support/tunstack.ts'
import { listening, type NetModule } from './scenarios.ts'

let stack: NodeStack

beforeAll(async () => {
  stack = await createStack()
})

afterAll(() => stack.close())

const store = new AsyncLocalStorage<string>()

/** Which store each handler sees, by its name. */
async function seen(net: NetModule): Promise<Record<string, string | undefined>> {
  const stores: Record<string, string | undefined> = {}
  const note = (name: string) => () => {
    stores[name] = store.getStore()
  }
  const server = net.createServer((socket) => {
    note('connection')()
    socket.on('data', note('server data')).on('end', note('server end')).on('close', note('server close'))
  })
  const port = await store.run('listen', () => listening(server))
  const client = store.run('make', () => new net.Socket())
  for (const event of ['connect', 'ready', 'finish', 'end', 'close', 'timeout']) client.on(event, note(event))
  client.on('connect', () => {
    store.run('write', () => client.write('x', note('written')))
    store.run('timeout', () => client.setTimeout(20))
  })
  client.on('timeout', () => store.run('end', () => client.end()))
  store.run('connect', () => client.connect(port, '127.0.0.1'))
  client.resume()
  await once(client, 'close')
  await new Promise((done) => store.run('server close', () => server.close(done)))
  return stores
}

describe('AsyncLocalStorage', () => {
  it('follows every handler as it does with the kernel', async () => {
    expect(await seen(stack.net as unknown as NetModule)).toEqual(await seen(kernel))
  })

  it('keeps the stores of many sockets apart that are served in one turn', async () => {
    const server = stack.net.createServer((socket) => socket.pipe(socket))
    const port = await listening(server as unknown as kernel.Server)
    const answers = Array.from({ length: 50 }, (_, number) =>
      store.run(`client ${number}`, async () => {
        const socket = stack.net.connect(port, '127.0.0.1')
        const stores = new Set<string | undefined>()
        for (const event of ['connect', 'data', 'end', 'close']) socket.on(event, () => stores.add(store.getStore()))
        await once(socket, 'connect')
        for (let round = 0; round < 5; round++) {
          socket.write('x')
          await once(socket, 'data')
        }
        socket.end()
        await once(socket, 'close')
        return [...stores]
      }),
    )
    const stores = await Promise.all(answers)
    expect(stores).toEqual(stores.map((_, number) => [`client ${number}`]))
    server.close()
  })
})

describe('a handler that throws', () => {
  it('reaches uncaughtException, and keeps no other socket from what is its own', async () => {
    const { code, stdout, stderr } = await script(`
      import { createStack } from 'tunstack'
      const { net } = await createStack()
      const errors = []
      process.on('uncaughtException', (error) => errors.push(error.message))
      let accepted = 0
      const server = net.createServer((socket) => {
        socket.pipe(socket)
        if (accepted++ % 2 === 0) throw new Error('connection')
      })
      await new Promise((done) => server.listen(0, done))
      const texts = []
      await Promise.all(Array.from({ length: 6 }, (_, number) => new Promise((done) => {
        const socket = net.connect(server.address().port)
        let text = ''
        socket.on('connect', () => {
          socket.write('one,')
          setTimeout(() => socket.end('two'), 20)
        })
        socket.on('data', (part) => {
          text += part
          if (number % 2 === 0) throw new Error('data')
        })
        socket.on('close', () => { texts.push(text); done() })
      })))
      server.close()
      const counts = {}
      for (const message of errors) counts[message] = (counts[message] ?? 0) + 1
      console.log(JSON.stringify([texts, counts]))`)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const [texts, counts] = JSON.parse(stdout)
    expect(texts).toEqual(new Array(6).fill('one,two'))
    expect(counts).toEqual({ connection: 3, data: expect.any(Number) })
    expect(counts.data).toBeGreaterThanOrEqual(3)
  })

  it('ends the process where nobody catches it', async () => {
    const { code, stderr } = await script(`
      import { createStack } from 'tunstack'
      const { net } = await createStack()
      const server = net.createServer((socket) => socket.on('data', () => { throw new Error('too much') }))
      server.listen(0, () => net.connect(server.address().port).write('x'))`)
    expect(code).toBe(1)
    expect(stderr).toContain('too much')
  })
})
