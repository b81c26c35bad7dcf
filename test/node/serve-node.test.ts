// Handlers of node:http on a stack by `serveNode`: a plain function, Express, Fastify, asked by our own client over the loopback.
import express from 'express'
import fastify from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHttpClient, type HttpClient, type RequestInit } from '../../src/http/client.ts'
import { createStack, type NodeStack } from '../../src/node/create-stack.ts'
import { type Routed, serveNode } from '../../src/node/serve-node.ts'

let stack: NodeStack
let client: HttpClient

beforeEach(async () => {
  stack = await createStack()
  client = createHttpClient(stack)
})

afterEach(() => {
  client.close()
  stack.close()
})

async function ask(url: string, init?: RequestInit): Promise<string> {
  const response = await client.request(url, init)
  return `${response.status} ${await response.text()}`
}

describe('serveNode', () => {
  it.each(['127.0.0.1', '[::1]'])('runs a function of request and response, at %s', async (host) => {
    const server = await serveNode(
      stack,
      async (request, response) => {
        let octets = 0
        for await (const piece of request) octets += piece.length
        response.end(`${request.method} ${request.url} ${octets} ${request.socket.remoteAddress}`)
      },
      { port: 8080 },
    )
    const address = host.replace(/[[\]]/g, '')
    expect(await ask(`http://${host}:8080/a?b`)).toBe(
      `200 GET /a?b 0 ${address === '::1' ? '::1' : '::ffff:127.0.0.1'}`,
    )
    const body = async function* () {
      for (let count = 0; count < 20; count++) yield 'x'.repeat(50_000)
    }
    expect(await ask(`http://${host}:8080/`, { body: body() })).toContain('POST / 1000000')
    expect(server.address()).toMatchObject({ port: 8080 })
    client.close()
    await new Promise((resolve) => server.close(resolve))
  })

  it('runs Express', async () => {
    const app = express().use(express.json({ limit: '1mb' }))
    app.post('/sum/:name', (request, response) => {
      response.json({ [request.params.name]: request.body.reduce((sum: number, one: number) => sum + one, 0) })
    })
    await serveNode(stack, app)
    const headers = { 'Content-Type': 'application/json' }
    expect(await ask('http://127.0.0.1/sum/x', { body: '[1,2,3]', headers })).toBe('200 {"x":6}')
    expect(await ask('http://127.0.0.1/sum/x', { body: '[', headers })).toMatch(/^400 /)
    expect(await ask('http://127.0.0.1/none')).toMatch(/^404 .*Cannot GET/s)
  })

  it('runs Fastify, once its plugins are loaded', async () => {
    const app = fastify()
    await app.register(async (scope) => {
      scope.get('/hello/:name', async (request) => ({ hello: (request.params as { name: string }).name }))
    })
    app.get('/stream', (_, reply) => void reply.send(new Blob(['x'.repeat(300_000)]).stream()))
    await serveNode(stack, app as unknown as Routed)
    expect(await ask('http://127.0.0.1/hello/you')).toBe('200 {"hello":"you"}')
    expect((await ask('http://127.0.0.1/stream')).length).toBe(300_004)
  })

  it('takes what is taken as an error, and a filter', async () => {
    const refuse = () => 'refuse' as const
    await serveNode(stack, (_, response) => void response.end(), { filter: refuse })
    await expect(serveNode(stack, (_, response) => void response.end())).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await expect(ask('http://127.0.0.1/')).rejects.toThrow('refused')
  })
})
