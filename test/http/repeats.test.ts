// The same request again, and the same answer again: what the server remembers of the last ones must never show.
import { describe, expect, test } from 'vitest'
import type { LogEntry } from '../../src/http/access-log.ts'
import type { HttpRequest } from '../../src/http/request.ts'
import { HttpResponse } from '../../src/http/response.ts'
import { type Client, Talk } from './talk.ts'

const get = (path = '/', fields = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
const post = (body: string) => `POST /${body} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const bodies = (client: Client) => client.answers().map(({ body }) => body)

describe('the same head again', () => {
  const heads = [
    get('/1'),
    get('/1'),
    get('/1', 'X: y\r\n'),
    get('/1'),
    get('/2'),
    get('/2'),
    get('/22'),
    get('/2'),
    `\r\n${get('/2')}`,
    get('/2'),
    'HEAD /2 HTTP/1.1\r\nHost: a\r\n\r\n',
    get('/2'),
    'OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n',
    'OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n',
    get('/2'),
  ]
  const tell = ({ method, target, host, headers, number }: HttpRequest) =>
    `${number} ${method} ${target} ${host} ${headers.get('x')}`
  const told = heads.map((head, number) => {
    const isServerWide = head.startsWith('OPTIONS')
    const [method, target] = head.trim().split(' ')
    if (method === 'HEAD') return ''
    return `${number} ${method} ${isServerWide ? '*' : target} ${isServerWide ? 'b' : 'a'} ${head.includes('X:') ? 'y' : 'null'}`
  })

  test('is understood as the first was, alone and among others, by itself and in pieces', async () => {
    const talk = new Talk(tell)
    const one = await talk.exchange(...heads)
    const pipelined = await talk.exchange(heads.join(''))
    const halves = await talk.exchange(...heads.flatMap((head) => [head.slice(0, 9), head.slice(9)]))
    for (const client of [one, pipelined, halves]) expect(client.answers([10]).map(({ body }) => body)).toEqual(told)
  })

  test('gives each request an object of its own, which stays as it is', async () => {
    const seen: HttpRequest[] = []
    const talk = new Talk((request) => {
      seen.push(request)
      return 'ok'
    })
    await talk.exchange(get('/1', 'X: 1\r\n'), get('/1', 'X: 1\r\n'), get('/other', 'X: other\r\n'))
    expect(seen.map(({ target, headers }) => `${target} ${headers.get('x')}`)).toEqual(['/1 1', '/1 1', '/other other'])
    expect(seen[0]).not.toBe(seen[1])
    expect(seen[0].headers).not.toBe(seen[1].headers)
  })

  test('has a body of its own', async () => {
    const talk = new Talk((request) => request.text())
    const client = await talk.exchange(post('ab'), post('ab'), post('cd'), post('cd') + post('cd'))
    expect(bodies(client)).toEqual(['ab', 'ab', 'cd', 'cd', 'cd'])
  })

  test('is refused again where it was refused, also after a good one', async () => {
    const talk = new Talk(() => 'ok', { needsLength: true })
    const bad = 'GET / HTTP/1.1\r\n\r\n'
    const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
    const statuses: number[][] = []
    for (const pieces of [[get()], [bad], [bad], [get(), get(), bad], [chunked], [chunked], [get(), chunked], [get()]])
      statuses.push((await talk.exchange(...pieces)).statuses)
    expect(statuses).toEqual([[200], [400], [400], [200, 200, 400], [411], [411], [200, 411], [200]])
  })
})

describe('the same answer again', () => {
  const said = (client: Client, heads: readonly number[] = []) =>
    client.answers(heads).map(({ status, headers, body }) => {
      const { date, ...others } = Object.fromEntries(headers)
      return { status, date, others, body }
    })

  test('has the date of its second, the headers and the end that are right for its request', async () => {
    const response = new HttpResponse('hello')
    const talk = new Talk(() => response)
    const ask = async (request: string, count: number) => {
      const client = await talk.exchange(...new Array<string>(count).fill(request))
      return said(client, request.startsWith('HEAD') ? [0, 1, 2, 3, 4] : [])
    }
    const plain = { 'content-type': 'text/plain; charset=utf-8', 'content-length': '5' }
    const dates = new Set<string>()
    for (let round = 0; round < 3; round++) {
      for (const { date, ...rest } of await ask(get(), 5)) {
        expect(rest).toEqual({ status: 200, others: plain, body: 'hello' })
        dates.add(date)
      }
      for (const { others, body } of await ask('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n', 5))
        expect([others, body]).toEqual([plain, ''])
      for (const { others } of await ask('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', 5))
        expect(others).toEqual({ ...plain, connection: 'keep-alive' })
      expect((await ask(get('/', 'Connection: close\r\n'), 1))[0].others).toEqual({ ...plain, connection: 'close' })
      await talk.later(1000)
    }
    expect(dates.size).toBeGreaterThanOrEqual(3)
  })

  test('is another once its headers are others, or it is another response', async () => {
    const one = new HttpResponse('one')
    const other = new HttpResponse(new Uint8Array([50]), { status: 404 })
    let count = 0
    const talk = new Talk(({ path }) => {
      if (path === '/set') one.headers.set('X-Count', String(++count))
      return path === '/other' ? other : path === '/text' ? 'text' : one
    })
    const paths = ['/', '/', '/', '/', '/set', '/', '/', '/', '/other', '/other', '/other', '/other', '/', '/set', '/']
    const both = [...paths, '/text', '/text', '/text', '/text', '/other', '/text']
    const client = await talk.exchange(...both.map((path) => get(path)))
    const found = client
      .answers()
      .map(({ status, headers, body }) => `${status} ${headers.get('x-count') ?? 0} ${body}`)
    let sets = 0
    const wanted = both.map((path) => {
      if (path === '/set') sets++
      return path === '/other' ? '404 0 2' : path === '/text' ? '200 0 text' : `200 ${sets} one`
    })
    expect(found).toEqual(wanted)
    // Pipelined, several leave together.
    count = 0
    one.headers.delete('X-Count')
    const together = await talk.exchange(both.map((path) => get(path)).join(''))
    expect(bodies(together)).toEqual(bodies(client))
  })

  test('counts its octets, not its characters', async () => {
    const entries: LogEntry[] = []
    const talk = new Talk(() => 'é', { log: (entry) => entries.push(entry) })
    const client = await talk.exchange(get(), get(), get(), get(), get())
    expect(bodies(client)).toEqual(new Array(5).fill('Ã©'))
    expect(entries.map(({ octets }) => octets)).toEqual([2, 2, 2, 2, 2])
  })

  test('reaches a slow reader whole, who is held back meanwhile', async () => {
    const response = new HttpResponse('x'.repeat(10_000))
    let asked = 0
    const talk = new Talk(() => {
      asked++
      return response
    })
    const client = talk.connect()
    await talk.later(5)
    client.isReading = false
    const count = 200
    for (let sent = 0; sent < count; sent++) {
      client.send(get())
      await talk.later(1)
    }
    await talk.later(1000)
    expect(asked).toBeLessThan(count)
    client.isReading = true
    client.read()
    await talk.later(5000)
    expect(asked).toBe(count)
    expect(bodies(client)).toEqual(new Array(count).fill(response.body))
  })

  test('is sent again where it was lost', async () => {
    const talk = new Talk(() => 'y'.repeat(3000))
    talk.link.impair({ loss: 0.2 })
    const client = talk.connect()
    await talk.later(5000)
    for (let sent = 0; sent < 10; sent++) {
      client.send(get())
      await talk.later(10_000)
    }
    expect(bodies(client)).toEqual(new Array(10).fill('y'.repeat(3000)))
  })
})
