// undici, ws, Fastify and Express on a stack: what the examples do not show. Addresses under each, TLS, HTTP/2, failures.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import express from 'express'
import fastify from 'fastify'
import { Agent, fetch, request } from 'undici'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createStack, type NodeStack } from '../../../src/node/create-stack.ts'
import { makeCertificate } from '../../support/certificate.ts'
import { answerOf, closed, listening, textOf } from '../../support/web.ts'

const made = makeCertificate()
const pem = made ?? { key: '', cert: '' }
const { cert: ca } = pem

let stack: NodeStack
beforeEach(async () => {
  stack = await createStack({ hosts: { 'api.test': '127.0.0.1' } })
})
afterEach(() => stack.close())

describe('undici', () => {
  it('keeps its connections, and reaches addresses of IPv6', async () => {
    const server = stack.http.createServer(({ socket }, response) => response.end(socket.remoteAddress))
    const ports = new Set<number>()
    server.on('connection', ({ remotePort }) => ports.add(remotePort as number))
    const port = await listening(server, '::1')
    const dispatcher = new Agent({ connect: stack.connector(), connections: 1 })
    for (let count = 0; count < 3; count++) {
      const { body } = await request(`http://[::1]:${port}/`, { dispatcher })
      expect(await body.text()).toBe('::1')
    }
    expect(ports.size).toBe(1)
    await dispatcher.close()
    await closed(server)
  })

  it('says why there is no connection', async () => {
    const dispatcher = new Agent({ connect: stack.connector() })
    const impatient = new Agent({ connect: stack.connector({ timeout: 30 }) })
    const failure = (origin: string, by = dispatcher) => request(origin, { dispatcher: by }).catch((error) => error)
    expect(await failure('http://127.0.0.1:9')).toMatchObject({ code: 'ECONNREFUSED', port: 9 })
    expect(await failure('http://nowhere.test')).toMatchObject({ code: 'ENOTFOUND' })
    const server = stack.net.createServer().filter(() => 'drop')
    const port = await listening(server as never)
    const late = await failure(`http://127.0.0.1:${port}`, impatient)
    expect(late).toMatchObject({ name: 'ConnectTimeoutError', code: 'UND_ERR_CONNECT_TIMEOUT' })
    await dispatcher.destroy()
    await impatient.destroy()
    server.close()
  })

  it.skipIf(made === null)('speaks HTTP/2 where that is offered, and trusts whom it is told to (openssl)', async () => {
    const server = stack.http2.createSecureServer({ ...pem, allowHTTP1: true }, ({ httpVersion, socket }, response) => {
      response.end(`${httpVersion} ${socket.remoteAddress}`)
    })
    const port = await listening(server)
    for (const [allowH2, version] of [
      [true, '2.0'],
      [false, '1.1'],
    ] as const) {
      const dispatcher = new Agent({ connect: stack.connector({ ca, allowH2 }), allowH2 })
      const answer = await fetch(`https://localhost:${port}/`, { dispatcher })
      expect(await answer.text()).toBe(`${version} 127.0.0.1`)
      await dispatcher.destroy()
    }
    const distrusting = new Agent({ connect: stack.connector() })
    const error = await request(`https://localhost:${port}/`, { dispatcher: distrusting }).catch((one) => one)
    expect(error.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT')
    await distrusting.destroy()
    await closed(server)
  })
})

describe('ws', () => {
  it.skipIf(made === null).each(['ws', 'wss'] as const)('knows its clients by %s (openssl)', async (scheme) => {
    const server = scheme === 'ws' ? stack.http.createServer() : stack.https.createServer(pem)
    const sockets = new WebSocketServer({ server })
    sockets.on('connection', (socket, { socket: { remoteAddress } }: IncomingMessage) => {
      socket.on('message', (octets: Buffer) => socket.send(`${remoteAddress} ${octets.length}`))
    })
    const port = await listening(server)
    const agent = scheme === 'ws' ? new stack.http.Agent() : new stack.https.Agent({ ca })
    const client = new WebSocket(`${scheme}://localhost:${port}/`, { agent })
    await once(client, 'open')
    client.send(Buffer.alloc(300_000))
    expect(String((await once(client, 'message'))[0])).toBe('127.0.0.1 300000')
    client.close(1000, 'done')
    expect((await once(client, 'close')).map(String)).toEqual(['1000', 'done'])
    await closed(server)
  })
})

describe('frameworks', () => {
  it('Express sees addresses, takes bodies, and answers errors', async () => {
    const app = express()
    app.use(express.text())
    app.post('/', (incoming, response) => void response.send(`${incoming.ip} ${incoming.body.length}`))
    app.get('/fails', () => {
      throw new Error('on purpose')
    })
    app.use(
      ((_error, _incoming, response, _next) => void response.status(500).send('sorry')) as express.ErrorRequestHandler,
    )
    const server = stack.http.createServer(app)
    const port = await listening(server)
    const post = stack.http.request({ port, method: 'POST', headers: { 'content-type': 'text/plain' } })
    post.end('x'.repeat(90_000))
    expect((await answerOf(post)).text).toBe('127.0.0.1 90000')
    expect(await answerOf(stack.http.get({ port, path: '/fails' }))).toMatchObject({ status: 500, text: 'sorry' })
    await closed(server)
  })

  it.skipIf(made === null)('Fastify sees addresses by HTTP, HTTPS and HTTP/2 (openssl)', async () => {
    const seen = async (app: { close(): PromiseLike<unknown> }, ask: () => Promise<string>) => {
      const text = await ask()
      await app.close()
      return text
    }
    const plain = fastify({ serverFactory: (handler) => stack.http.createServer(handler) })
    plain.get('/', ({ ip }, reply) => reply.send(ip))
    await plain.listen({ port: 80, host: '127.0.0.1' })
    expect(await seen(plain, async () => (await answerOf(stack.http.get('http://api.test/'))).text)).toBe('127.0.0.1')

    const secure = fastify({ https: pem, serverFactory: (handler) => stack.https.createServer(pem, handler) })
    secure.get('/', ({ ip }, reply) => reply.send(ip))
    await secure.listen({ port: 443, host: '127.0.0.1' })
    const get = () => answerOf(stack.https.get('https://localhost/', { ca, agent: false }))
    expect(await seen(secure, async () => (await get()).text)).toBe('127.0.0.1')

    const second = fastify({
      http2: true,
      https: pem,
      serverFactory: (handler) => stack.http2.createSecureServer(pem, handler as never),
    })
    second.get('/', ({ ip }, reply) => reply.send(ip))
    await second.listen({ port: 444, host: '127.0.0.1' })
    const session = stack.http2.connect('https://localhost:444', { ca })
    expect(await textOf(session.request({ ':path': '/' }).setEncoding('utf8'))).toBe('127.0.0.1')
    session.close()
    await second.close()
  })
})
