// What happens on a connection, in virtual time: many requests, answers of every kind, bodies both ways.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EventStream, eventStream } from '../../src/http/event-stream.ts'
import type { HttpRequest } from '../../src/http/request.ts'
import { HttpResponse } from '../../src/http/response.ts'
import { HttpError } from '../../src/http/status.ts'
import { Talk } from './talk.ts'

const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
const post = (body: string, fields = '') =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`
const echo = async (request: HttpRequest) => `${request.target} ${await request.text()}`
const slow = (talk: () => Talk) => async (request: HttpRequest) => {
  await new Promise<void>((resolve) => talk().stack.driver.time.after(100, resolve))
  return request.target
}

describe('one connection, many requests', () => {
  test('pipelined ones are answered in order, whatever each takes', async () => {
    const talk: Talk = new Talk((request) =>
      request.target.endsWith('s') ? slow(() => talk)(request) : request.target,
    )
    const client = await talk.exchange(get('/1') + get('/2s') + get('/3') + get('/4s') + get('/5'))
    await talk.later(300)
    expect(client.answers().map(({ body }) => body)).toEqual(['/1', '/2s', '/3', '/4s', '/5'])
  })

  test('a thousand pipelined ones', async () => {
    const talk = new Talk(({ target }) => target)
    const client = await talk.exchange(Array.from({ length: 1000 }, (_, at) => get(`/${at}`)).join(''))
    await talk.later(1000)
    expect(client.answers().map(({ body }) => body)).toEqual(Array.from({ length: 1000 }, (_, at) => `/${at}`))
  })

  test('each octet by itself, and every split in two', async () => {
    const stream =
      get('/1', 'X: y\r\n') +
      post('hello') +
      `POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nT: u\r\n\r\n` +
      get('/2')
    const expected = ['/1 ', '/ hello', '/c abcdefg', '/2 ']
    const talk = new Talk(echo)
    const alone = talk.connect()
    await talk.later(5)
    for (const octet of stream) {
      alone.send(octet)
      await talk.later(0.1)
    }
    await talk.later(100)
    expect(alone.answers().map(({ body }) => body)).toEqual(expected)
    for (let at = 1; at < stream.length; at++) {
      const client = await talk.exchange(stream.slice(0, at), stream.slice(at))
      expect([at, ...client.answers().map(({ body }) => body)]).toEqual([at, ...expected])
    }
  })

  test('any body, in any chunks, in any pieces', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 }),
        async (chunks, sizes) => {
          const talk = new Talk(async (request) => request.bytes())
          const body = chunks.map((one) => `${one.length.toString(16)}\r\n${Buffer.from(one).toString('latin1')}\r\n`)
          const stream = `PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body.join('')}0\r\n\r\n${get('/')}`
          const pieces: string[] = []
          for (let at = 0, turn = 0; at < stream.length; turn++) {
            const size = sizes[turn % sizes.length]
            pieces.push(stream.slice(at, at + size))
            at += size
          }
          const client = await talk.exchange(...pieces)
          expect(client.answers().map((one) => one.body)).toEqual([Buffer.concat(chunks).toString('latin1'), ''])
        },
      ),
      { numRuns: 40 },
    )
  })

  test('of HTTP/1.0 ends after one answer unless it asks for more', async () => {
    const talk = new Talk(() => 'x')
    const one = await talk.exchange('GET / HTTP/1.0\r\n\r\n')
    expect([one.answers()[0].headers.get('connection'), one.hasEnded]).toEqual(['close', true])
    const two = await talk.exchange('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
    expect([two.answers()[0].headers.get('connection'), two.hasEnded]).toEqual(['keep-alive', false])
  })

  test('a client that has finished sending still gets its answers', async () => {
    const talk: Talk = new Talk((request) => slow(() => talk)(request))
    const client = talk.connect()
    await talk.later(5)
    client.send(get('/1') + get('/2'))
    client.endpoint.finish()
    await talk.later(500)
    expect([client.statuses, client.hasEnded, client.closed]).toEqual([[200, 200], true, 'none'])
    expect(talk.server.connectionCount).toBe(0)
  })
})

describe('answers', () => {
  test('HEAD, 204 and 304 have no body, and what follows is read right', async () => {
    const talk = new Talk(({ target }) =>
      target === '/' ? 'hello' : new HttpResponse(target === '/204' ? null : 'x', { status: Number(target.slice(1)) }),
    )
    const client = await talk.exchange(`HEAD / HTTP/1.1\r\nHost: a\r\n\r\n${get('/204')}${get('/304')}${get('/')}`)
    const answers = client.answers([0])
    expect(answers.map(({ status, body }) => [status, body])).toEqual([
      [200, ''],
      [204, ''],
      [304, ''],
      [200, 'hello'],
    ])
    expect(answers.map(({ headers }) => headers.get('content-length'))).toEqual(['5', undefined, undefined, '5'])
  })

  test('texts, octets, JSON, redirects, cookies, and responses of the web', async () => {
    const answers: Record<string, () => HttpResponse | Response | string | Uint8Array<ArrayBuffer>> = {
      '/text': () => 'grüße',
      '/octets': () => new Uint8Array([1, 2, 3]),
      '/json': () => HttpResponse.json({ a: 1 }),
      '/redirect': () => HttpResponse.redirect('/ü', 303),
      '/cookies': () => new HttpResponse(null, { headers: { 'Set-Cookie': ['a=1', 'b=2'] } }),
      '/web': () => new Response('web', { status: 201, headers: { 'X-Y': 'z' } }),
      '/large': () => new HttpResponse('y'.repeat(300_000)),
    }
    const talk = new Talk((request) => answers[request.path]())
    const client = await talk.exchange(
      Object.keys(answers)
        .map((path) => get(path))
        .join(''),
    )
    await talk.later(2000)
    const [text, octets, json, redirect, cookies, web, large] = client.answers()
    expect([Buffer.from(text.body, 'latin1').toString(), text.headers.get('content-type')]).toEqual([
      'grüße',
      'text/plain; charset=utf-8',
    ])
    expect(octets.body).toBe('\x01\x02\x03')
    expect([json.body, json.headers.get('content-type')]).toEqual(['{"a":1}', 'application/json'])
    expect([redirect.status, redirect.headers.get('location')]).toEqual([303, '/%C3%BC'])
    expect(cookies.headers.get('set-cookie')).toBe('b=2')
    expect([web.status, web.body, web.headers.get('x-y')]).toEqual([201, 'web', 'z'])
    expect(large.body.length).toBe(300_000)
  })

  test('a Date once a second', async () => {
    const talk = new Talk(() => 'x')
    const client = await talk.exchange(get('/'))
    expect(client.answers()[0].headers.get('date')).toBe('Wed, 01 Jan 2025 00:00:00 GMT')
    await talk.later(2000)
    client.send(get('/'))
    await talk.later(100)
    expect(client.answers()[1].headers.get('date')).toBe('Wed, 01 Jan 2025 00:00:02 GMT')
  })

  test('what a handler throws is an answer, and what was no answer is told', async () => {
    const errors: unknown[] = []
    const thrown = new Error('secret')
    const talk = new Talk(
      ({ target }) => {
        if (target === '/404') throw new HttpError(404)
        if (target === '/late') return Promise.reject(thrown)
        if (target === '/field') return new HttpResponse('', { headers: { X: 'a\r\nb' } })
        throw thrown
      },
      { onError: (error) => errors.push(error) },
    )
    const client = await talk.exchange(get('/404') + get('/500') + get('/late') + get('/field'))
    expect(client.statuses).toEqual([404, 500, 500, 500])
    expect(client.text).not.toContain('secret')
    expect(errors.slice(0, 2)).toEqual([thrown, thrown])
  })

  test('a stream is chunked for HTTP/1.1, and ends with the connection for 1.0', async () => {
    const talk = new Talk(() => new HttpResponse(new Response('streamed').body))
    const one = await talk.exchange(get('/') + get('/'))
    expect(one.answers().map(({ body }) => body)).toEqual(['streamed', 'streamed'])
    const two = await talk.exchange('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
    expect([two.answers()[0].body, two.hasEnded]).toEqual(['streamed', true])
  })

  test('a stream is held back by a client that does not read, and given up with it', async () => {
    let given = 0
    let isOver = false
    async function* endless() {
      try {
        for (;;) {
          given += 65_536
          yield new Uint8Array(65_536)
        }
      } finally {
        isOver = true
      }
    }
    const talk = new Talk(() => new HttpResponse(endless()))
    const client = talk.connect()
    client.isReading = false
    await talk.later(5)
    client.send(get('/'))
    await talk.later(3000)
    const before = given
    expect(before).toBeLessThan(24_000_000)
    await talk.later(5000)
    expect(given).toBe(before)
    client.endpoint.abort()
    await talk.later(100)
    expect([isOver, talk.server.connectionCount, talk.stack.core.tcp.shared.slabs.held]).toEqual([true, 0, 0])
  })

  test('a body that is shorter than was said ends in a reset', async () => {
    const talk = new Talk(() => new HttpResponse(new Response('abc').body, { headers: { 'Content-Length': '5' } }))
    const client = await talk.exchange(get('/'))
    expect(client.closed).toBe('reset')
  })

  test('events go out as they come, until the client has gone', async () => {
    let events: EventStream | null = null
    let isClosed = false
    const talk = new Talk(() =>
      eventStream((stream) => {
        events = stream
        stream.onClose = () => (isClosed = true)
      }),
    )
    const client = await talk.exchange(get('/'))
    events!.send({ event: 'tick', id: '1', data: 'one\ntwo' })
    await talk.later(10)
    expect(client.text).toContain('event: tick\nid: 1\ndata: one\ndata: two\n\n')
    client.endpoint.finish()
    await talk.later(50)
    expect([isClosed, events!.send('x')]).toEqual([true, false])
    await talk.later(5000)
    expect(talk.server.connectionCount).toBe(0)
  })
})

describe('bodies', () => {
  test('100 Continue is sent when the body is asked for, and only then', async () => {
    const talk = new Talk(async (request) => (request.target === '/no' ? 'unread' : request.text()))
    const fields = 'Expect: 100-continue\r\nContent-Length: 5\r\n'
    const read = await talk.exchange(`POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`, 'hello')
    expect(read.answers().map(({ status, body }) => [status, body])).toEqual([
      [100, ''],
      [200, 'hello'],
    ])
    const unread = await talk.exchange(`POST /no HTTP/1.1\r\nHost: a\r\n${fields}\r\n`)
    expect([unread.statuses, unread.hasEnded]).toEqual([[200], true])
  })

  test('one that nobody reads is skipped where it is short, and ends the connection where it is long', async () => {
    const talk = new Talk(() => 'x')
    const short = await talk.exchange(post('y'.repeat(1000)) + get('/'))
    expect(short.statuses).toEqual([200, 200])
    const long = await talk.exchange('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n')
    expect([long.statuses, long.hasEnded]).toEqual([[200], true])
  })

  test('a sender is held back while nobody reads', async () => {
    const talk: Talk = new Talk(async (request) => {
      await new Promise<void>((resolve) => talk.stack.driver.time.after(5000, resolve))
      return String((await request.bytes()).length)
    })
    const client = await talk.exchange('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16000000\r\n\r\n')
    const octets = new Uint8Array(16_000_000)
    let sent = 0
    const send = () => (sent += client.endpoint.send(octets, sent))
    client.endpoint.onWritable = send
    send()
    await talk.later(3000)
    expect(talk.stack.core.tcp.shared.slabs.held).toBeLessThan(4_000_000)
    await talk.later(10_000)
    expect(client.answers()[0].body).toBe('16000000')
  })

  test('a request of the web has it too', async () => {
    const talk = new Talk(async (request) => {
      const web = request.toWeb()
      return `${web.method} ${web.url} ${web.headers.get('x')} ${await web.text()}`
    })
    const client = await talk.exchange(post('hello', 'X: 1\r\nX: 2\r\n'))
    expect(client.answers()[0].body).toBe('POST http://a/ 1, 2 hello')
  })

  test('what is no JSON is answered with 400', async () => {
    const talk = new Talk(async (request) => HttpResponse.json(await request.json()))
    const client = await talk.exchange(post('{"a":[1]}') + post('{'))
    expect(client.answers().map(({ status, body }) => [status, body])).toEqual([
      [200, '{"a":[1]}'],
      [400, 'The body of the request is not JSON.\n'],
    ])
  })
})
