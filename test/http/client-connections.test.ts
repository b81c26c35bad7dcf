// The HTTP client's connections in virtual time: kept, limited, replaced, timed out; redirects; and our own server at the other end,
// over a path that loses packets.
import { beforeEach, describe, expect, test } from 'vitest'
import type { RequestInit } from '../../src/http/client.ts'
import { HttpResponse } from '../../src/http/response.ts'
import { createHttpServer, type Handler } from '../../src/http/server.ts'
import { octets, ok, Pair, read, says } from './raw-server.ts'

let pair: Pair

beforeEach(() => {
  pair = new Pair()
})

const BASE = 'http://10.0.0.1/'

const get = () => pair.run(async () => read(await pair.http().request(BASE)))

describe('a connection', () => {
  const serve = (handler: Handler) => createHttpServer(handler).listen(pair.server.stack)

  test('is kept for the next request, and let go when it has waited too long', async () => {
    serve((request) => `${request.number} ${request.path}`)
    const one = pair.http()
    const told = await pair.run(async () => {
      const all: string[] = []
      for (const path of ['a', 'b', 'c']) all.push(await read(await one.request(`${BASE}${path}`)))
      return all
    })
    expect(told).toEqual(['200 0 /a', '200 1 /b', '200 2 /c'])
    expect(one.connectionCount).toBe(1)
    pair.later(5_000)
    expect([one.connectionCount, pair.connectionCount]).toEqual([0, 0])
  })

  test('is one of a limited number to a host: others wait', async () => {
    const server = serve(async (request) => {
      await pair.pause(10)
      return request.path
    })
    const one = pair.http({ limits: { connectionsPerHost: 3 } })
    const told = await pair.run(() =>
      Promise.all(Array.from({ length: 20 }, async (_, at) => read(await one.request(`${BASE}${at}`)))),
    )
    expect(told).toEqual(Array.from({ length: 20 }, (_, at) => `200 /${at}`))
    expect(server.counts.accepted).toBe(3)
  })

  test('that the server closed meanwhile is replaced, for what may be asked twice', async () => {
    const raw = pair.raw((endpoint, _, connection) => {
      if (connection === 0 && raw.heard[0].split('HTTP/1.1').length > 2) endpoint.abort()
      else endpoint.send(octets(ok('Content-Length: 1\r\n', String(connection))))
    })
    const one = pair.http()
    const told = await pair.run(async () => [await read(await one.request(BASE)), await read(await one.request(BASE))])
    expect(told).toEqual(['200 0', '200 1'])
    const post = pair.raw((endpoint, heard) => {
      if (heard.includes('POST')) endpoint.abort()
      else endpoint.send(octets(ok('Content-Length: 0\r\n')))
    }, 81)
    const url = 'http://10.0.0.1:81/'
    const failed = pair.run(async () => {
      await read(await one.request(url))
      await one.request(url, { method: 'POST' })
    })
    await expect(failed).rejects.toThrow('The connection was reset before there was a response.')
    expect(post.endpoints.length).toBe(1)
  })

  test('that says something unasked is not used again', async () => {
    const raw = pair.raw((endpoint) => {
      endpoint.send(octets(ok('Content-Length: 1\r\n', 'a')))
      pair.server.stack.driver.time.after(50, () => endpoint.send(octets('HTTP/1.1 200 OK\r\n\r\n')))
    })
    const one = pair.http()
    await pair.run(async () => {
      await read(await one.request(BASE))
      await pair.pause(100)
      expect(one.connectionCount).toBe(0)
      await read(await one.request(BASE))
    })
    expect(raw.endpoints.length).toBe(2)
  })

  test('that nobody answers, that is refused, that falls silent: an error each', async () => {
    await expect(get()).rejects.toThrow('The connection was refused.')
    pair.link.impair({ loss: 1 })
    await expect(get()).rejects.toMatchObject({
      status: 504,
      message: expect.stringContaining('The server did not answer.'),
    })
    pair.link.impair({ loss: 0 })
    pair.raw(says(ok('Content-Length: 10\r\n', 'half')))
    const began = pair.network.now()
    await expect(get()).rejects.toMatchObject({
      status: 504,
      message: expect.stringContaining('Nothing has come for too long.'),
    })
    expect(pair.network.now() - began).toBeLessThan(61_000)
    expect(pair.connectionCount).toBe(0)
  })

  test('waits for a body that takes its time, and no longer for a server that does not read', async () => {
    const slow = async function* () {
      yield 'a'
      await pair.pause(200_000)
      yield 'b'
    }
    const limits = { bodyTimeout: 1_000_000, leastRate: 0 }
    createHttpServer((request) => request.text(), { limits }).listen(pair.server.stack, { port: 81 })
    const ask = (body: RequestInit['body'], url: string) =>
      pair.run(async () => read(await pair.http().request(url, { body })))
    expect(await ask(slow(), 'http://10.0.0.1:81/')).toBe('200 ab')
    pair.server.stack.listen({ port: 82 }).onConnection = () => {}
    await expect(ask('x'.repeat(30_000_000), 'http://10.0.0.1:82/')).rejects.toMatchObject({ status: 504 })
  })

  test('is given up with the body that nobody wants', async () => {
    serve(() => new HttpResponse(new Uint8Array(1_000_000)))
    const one = pair.http()
    await pair.run(async () => {
      const response = await one.request(BASE)
      for await (const _ of response.pieces()) break
    })
    pair.later(100)
    expect([one.connectionCount, pair.connectionCount]).toEqual([0, 0])
  })

  test('holds back a server whose answer nobody reads', async () => {
    serve(() => new HttpResponse(new Uint8Array(50_000_000)))
    const response = await pair.run(() => pair.http().request(BASE))
    pair.later(5_000)
    expect(response.endpoint.info().octetsReceived).toBeLessThan(10_000_000)
    expect((await pair.run(() => response.bytes())).length).toBe(50_000_000)
  })

  test('ends with its client', async () => {
    serve(() => new Promise<string>(() => {}))
    const one = pair.http()
    const pending = pair.run(() => one.request(BASE))
    pair.client.stack.driver.time.after(50, () => one.close())
    await expect(pending).rejects.toThrow('The client was closed.')
    await expect(one.request(BASE)).rejects.toThrow('The client was closed.')
  })
})

describe('redirects', () => {
  const follow = (path: string, init: RequestInit = {}) => {
    const moved = (status: 301 | 302 | 303 | 307 | 308, to: string) => HttpResponse.redirect(to, status)
    createHttpServer(async (request) => {
      const { path, method, headers } = request
      if (path.startsWith('/to/')) return moved(Number(path.slice(4)) as 301, '../end')
      if (path === '/loop') return moved(302, '/loop')
      if (path === '/away') return moved(302, 'http://[fd00::1]/end')
      if (path === '/secure') return moved(302, 'https://10.0.0.1/')
      return `${method} ${headers.get('authorization')} ${await request.text()}`
    }).listen(pair.server.stack)
    return pair.run(async () => read(await pair.http().request(`http://10.0.0.1${path}`, { redirects: 5, ...init })))
  }

  test.each([
    [301, 'POST', 'GET null '],
    [302, 'POST', 'GET null '],
    [303, 'POST', 'GET null '],
    [303, 'PUT', 'GET null '],
    [301, 'PUT', 'PUT null hi'],
    [307, 'POST', 'POST null hi'],
    [308, 'POST', 'POST null hi'],
  ])('%i of %s', async (status, method, told) => {
    expect(await follow(`/to/${status}`, { method, body: 'hi' })).toBe(`200 ${told}`)
  })

  test('are followed where that is wished, and so often', async () => {
    expect(await follow('/to/302', { redirects: 0 })).toMatch(/^302 /)
    await expect(pair.run(() => pair.http().request('http://10.0.0.1/loop', { redirects: 3 }))).rejects.toThrow(
      'more than 3 redirects',
    )
  })

  test('take no credentials elsewhere, and lead to http alone', async () => {
    const headers = { Authorization: 'x' }
    expect(await follow('/to/302', { headers })).toBe('200 GET x ')
    const away = () => pair.http().request('http://10.0.0.1/away', { headers, redirects: 5 })
    expect(await pair.run(async () => read(await away()))).toBe('200 GET null ')
    const secure = pair.run(() => pair.http().request('http://10.0.0.1/secure', { redirects: 5 }))
    await expect(secure).rejects.toThrow('no address of http')
  })
})

test('both ends our own, on a path that loses and reorders', async () => {
  pair.link.impair({ loss: 0.02, reorder: 0.02, delay: 5 })
  const body = Uint8Array.from({ length: 3_000_000 }, (_, at) => (at * 31) ^ (at >>> 8))
  createHttpServer((request) => new HttpResponse(request.pieces())).listen(pair.server.stack)
  async function* pieces() {
    for (let at = 0; at < body.length; at += 70_001) yield body.subarray(at, at + 70_001)
  }
  const one = pair.http()
  const [whole, chunked] = await pair.run(() =>
    Promise.all([body, pieces()].map(async (given) => (await one.request(BASE, { body: given })).bytes())),
  )
  expect(Buffer.compare(whole, body)).toBe(0)
  expect(Buffer.compare(chunked, body)).toBe(0)
})
