// node:http on a stack: servers and agents, what they share with net's, and that nothing leaves by the kernel.
import { once } from 'node:events'
import http from 'node:http'
import { inherits } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStack, type NodeStack } from '../../../src/node/create-stack.ts'
import type { StackSocket } from '../../../src/node/net/socket.ts'
import { answerOf, closed, listening, textOf } from '../../support/web.ts'

let stack: NodeStack
beforeEach(async () => {
  stack = await createStack({ hosts: { 'web.test': '127.0.0.1' } })
})
afterEach(() => stack.close())

const whoAsks: http.RequestListener = (request, response) => {
  const { remoteAddress, remotePort, localAddress, localPort } = request.socket
  response.end(JSON.stringify([request.url, remoteAddress, localAddress, localPort, typeof remotePort]))
}

describe('http.Server on a stack', () => {
  it('serves with the addresses of both sides', async () => {
    const server = stack.http.createServer(whoAsks)
    const port = await listening(server)
    expect(server.listening).toBe(true)
    const { status, text } = await answerOf(stack.http.get(`http://web.test:${port}/a?b`))
    expect(status).toBe(200)
    expect(JSON.parse(text)).toEqual(['/a?b', '127.0.0.1', '127.0.0.1', port, 'number'])
    await closed(server)
    expect(server.listening).toBe(false)
    expect(server.address()).toBe(null)
  })

  it("is one of Node's, and may be called, extended and inherited from as those", async () => {
    const { Server } = stack.http
    class Extended extends Server {}
    function Inherited(this: http.Server): void {
      Reflect.apply(Server, this, [whoAsks])
    }
    inherits(Inherited, Server)
    const made = [Reflect.apply(Server, undefined, [whoAsks]), new Extended(whoAsks), Reflect.construct(Inherited, [])]
    for (const server of made) {
      expect(server).toBeInstanceOf(http.Server)
      expect(server).toBeInstanceOf(Server)
      const port = await listening(server)
      expect((await answerOf(stack.http.get({ port, path: '/' }))).status).toBe(200)
      await closed(server)
    }
    expect(made[1]).toBeInstanceOf(Extended)
  })

  it('says that its port is taken', async () => {
    const port = await listening(stack.http.createServer())
    const second = stack.http.createServer().listen(port, '127.0.0.1')
    const [error] = await once(second, 'error')
    expect(error).toMatchObject({ code: 'EADDRINUSE', syscall: 'listen', address: '127.0.0.1', port })
  })

  it('listens on no pipe', () => {
    expect(() => stack.http.createServer().listen('/tmp/pipe')).toThrow(/pipe/i)
  })

  it('asks its filter before it accepts', async () => {
    const server = stack.http.createServer(whoAsks)
    const asked: string[] = []
    server.filter(async ({ remoteAddress }) => {
      asked.push(remoteAddress)
      return asked.length > 1 ? 'accept' : 'refuse'
    })
    const port = await listening(server)
    const [error] = await once(stack.http.get({ port, host: '127.0.0.1' }), 'error')
    expect(error).toMatchObject({ code: 'ECONNREFUSED', port })
    expect((await answerOf(stack.http.get({ port, host: '127.0.0.1' }))).status).toBe(200)
    expect(asked).toEqual(['127.0.0.1', '127.0.0.1'])
  })

  it('counts and drops connections', async () => {
    const server = stack.http.createServer(whoAsks)
    server.maxConnections = 1
    const port = await listening(server)
    const first = stack.net.connect(port, '127.0.0.1')
    await once(server, 'connection')
    expect(await new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))).toBe(1)
    const second = stack.net.connect(port, '127.0.0.1')
    const [dropped] = await once(server, 'drop')
    expect(dropped).toMatchObject({ localPort: port, remoteAddress: '127.0.0.1' })
    first.destroy()
    second.destroy()
  })

  it('pipelines, and takes and gives bodies of any length', async () => {
    const server = stack.http.createServer((request, response) => request.pipe(response))
    const port = await listening(server)
    const socket = stack.net.connect(port, '127.0.0.1')
    socket.end('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none'.repeat(50))
    expect((await textOf(socket)).match(/one/g)).toHaveLength(50)
    const large = Buffer.alloc(3_000_000, 'abcdefghij')
    const request = stack.http.request({ port, method: 'POST' })
    request.end(large)
    expect((await answerOf(request)).text === large.toString()).toBe(true)
  })

  it('hands over upgraded connections', async () => {
    const server = stack.http.createServer()
    server.on('upgrade', (_request, socket, head) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n')
      socket.write(head)
      socket.pipe(socket)
    })
    const port = await listening(server)
    const request = stack.http.request({ port, headers: { connection: 'upgrade', upgrade: 'echo' } }).end()
    const [, socket] = (await once(request, 'upgrade')) as [unknown, StackSocket]
    socket.end('hello')
    expect(await textOf(socket)).toBe('hello')
  })

  it('times out requests that do not come', async () => {
    const server = stack.http.createServer({ headersTimeout: 30, connectionsCheckingInterval: 10 })
    const port = await listening(server)
    const socket = stack.net.connect(port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\n')
    expect(await textOf(socket)).toMatch(/^HTTP\/1\.1 408 /)
  })

  it('lets idle connections go when it is closed, and the others when they are done', async () => {
    let answer = () => {}
    const server = stack.http.createServer((request, response) => {
      if (request.url === '/slow') answer = () => response.end('slow')
      else response.end('quick')
    })
    const port = await listening(server)
    const agent = new stack.http.Agent({ keepAlive: true })
    await answerOf(stack.http.get({ port, agent }))
    const slow = answerOf(stack.http.get({ port, agent: false, path: '/slow' }))
    await once(server, 'request')
    const over = once(server, 'close')
    server.close()
    answer()
    expect((await slow).text).toBe('slow')
    await over
  })

  it('is closed with its stack, and its clients learn it', async () => {
    const server = stack.http.createServer(() => stack.close())
    const port = await listening(server)
    const over = once(server, 'close')
    const [error] = await once(stack.http.get({ port }), 'error')
    expect(error.code).toBe('ECONNRESET')
    await over
  })
})

describe('http clients on a stack', () => {
  it('never ask the kernel: neither its ports nor its names', async () => {
    const kernel = http.createServer()
    const port = await listening(kernel)
    for (const ask of [
      () => stack.http.get(`http://127.0.0.1:${port}/`),
      () => stack.http.get(new URL(`http://127.0.0.1:${port}/`), { agent: false }),
      () => new stack.http.ClientRequest({ port, host: '127.0.0.1' }).end(),
      () => http.get({ port, host: '127.0.0.1', agent: new stack.http.Agent() }),
    ]) {
      const [error] = await once(ask(), 'error')
      expect(error).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect', address: '127.0.0.1', port })
    }
    const [unknown] = await once(stack.http.get('http://example.org/'), 'error')
    expect(unknown).toMatchObject({ code: 'ENOTFOUND', hostname: 'example.org' })
    await closed(kernel)
  })

  it('keep connections and use them again', async () => {
    const server = stack.http.createServer((_request, response) => response.end('x'))
    const port = await listening(server)
    const agent = new stack.http.Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number>()
    server.on('connection', ({ remotePort }) => ports.add(remotePort as number))
    let last = stack.http.get({ port, agent })
    await answerOf(last)
    for (let count = 0; count < 5; count++) await answerOf((last = stack.http.get({ port, agent })))
    expect(last.reusedSocket).toBe(true)
    expect(ports.size).toBe(1)
    agent.destroy()
  })

  it('abort by a signal, and tell of quiet', async () => {
    const server = stack.http.createServer()
    const port = await listening(server)
    const abort = new AbortController()
    const request = stack.http.get({ port, signal: abort.signal })
    const failed = once(request, 'error')
    await once(server, 'request')
    abort.abort()
    expect((await failed)[0].name).toBe('AbortError')
    const slow = stack.http.get({ port, timeout: 20 })
    await once(slow, 'timeout')
    slow.destroy()
    await once(slow, 'error')
  })

  it("have Node's other exports", () => {
    expect(stack.http.METHODS).toBe(http.METHODS)
    expect(stack.http.IncomingMessage).toBe(http.IncomingMessage)
    expect(Object.keys(stack.http).sort()).toEqual(Object.keys(http).sort())
    expect(new stack.http.Agent()).toBeInstanceOf(http.Agent)
    expect(stack.http).toBe(stack.http)
  })
})
