// The HTTP client in virtual time: responses good and bad as RFC 9112 says of each, however they are cut, and what goes out.
import { beforeEach, describe, expect, test } from 'vitest'
import type { HttpClientOptions, RequestInit } from '../../src/http/client.ts'
import { HttpError } from '../../src/http/status.ts'
import { octets, ok, Pair, read, says } from './raw-server.ts'

let pair: Pair

beforeEach(() => {
  pair = new Pair()
})

const BASE = 'http://10.0.0.1/'

function get(init?: RequestInit): Promise<string> {
  return pair.run(async () => read(await pair.http().request(BASE, init)))
}

const chunked = (body: string) => ok('Transfer-Encoding: chunked\r\n', body)

/** What the server says, whether it ends then, and what the client makes of it. */
const GOOD: [string, boolean, string][] = [
  [ok('Content-Length: 2\r\n', 'hi'), false, '200 hi'],
  [ok('content-length:2\r\n', 'hi'), false, '200 hi'],
  [ok('Content-Length: \t2 \r\n', 'hi'), false, '200 hi'],
  [ok('Content-Length: 2\r\nContent-Length: 2\r\n', 'hi'), false, '200 hi'],
  [ok('Content-Length: 2, 2\r\n', 'hi'), false, '200 hi'],
  [ok('Content-Length: 002\r\n', 'hi'), false, '200 hi'],
  [ok('Content-Length: 0\r\n'), false, '200 '],
  [ok('Content-Length: 2\r\n', 'hi, and what nobody asked for'), false, '200 hi'],
  [ok('', 'until the end'), true, '200 until the end'],
  [ok(''), true, '200 '],
  ['HTTP/1.0 200 OK\r\n\r\nold', true, '200 old'],
  ['HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi', true, '200 hi'],
  ['HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi', false, '200 hi'],
  ['HTTP/1.9 200 OK\r\nContent-Length: 2\r\n\r\nhi', false, '200 hi'],
  ['HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi', false, '200 hi'],
  ['HTTP/1.1 299 a \t\xe9 b\r\nContent-Length: 2\r\n\r\nhi', false, '299 hi'],
  ['HTTP/1.1 599 x\r\nContent-Length: 2\r\n\r\nhi', false, '599 hi'],
  ['HTTP/1.1 204 No Content\r\n\r\n', false, '204 '],
  ['HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', false, '204 '],
  ['HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', false, '304 '],
  [ok('X: a\r\n  b\r\n\tc\r\nContent-Length: 2\r\n', 'hi'), false, '200 hi'],
  [ok('Content-Length:\r\n 2\r\n', 'hi'), false, '200 hi'],
  [`HTTP/1.1 100 Continue\r\n\r\n${ok('Content-Length: 2\r\n', 'hi')}`, false, '200 hi'],
  [`HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n`.repeat(3) + ok('Content-Length: 2\r\n', 'hi'), false, '200 hi'],
  [`HTTP/1.1 102 Processing\r\nContent-Length: 9\r\n\r\n${ok('Content-Length: 2\r\n', 'hi')}`, false, '200 hi'],
  [chunked('2\r\nhi\r\n0\r\n\r\n'), false, '200 hi'],
  [chunked('1\r\nh\r\n1;x="y"\r\ni\r\n0\r\n\r\n'), false, '200 hi'],
  [chunked('2\r\nhi\r\n000\r\nX: trailer\r\n\r\n'), false, '200 hi'],
  [chunked('A\r\n0123456789\r\n0\r\n\r\n'), false, '200 0123456789'],
  [chunked('0\r\n\r\n'), false, '200 '],
  [ok('Transfer-Encoding: Chunked\r\n', '2\r\nhi\r\n0\r\n\r\n'), false, '200 hi'],
]

describe('a response is understood', () => {
  test.each(GOOD)('%j', async (text, thenEnds, understood) => {
    pair.raw(says(text, thenEnds))
    expect(await get()).toBe(understood)
  })

  test('octet by octet, each in a packet of its own', async () => {
    for (const [at, [text, thenEnds, understood]] of GOOD.entries()) {
      pair.raw(async (endpoint) => {
        for (const octet of octets(text)) {
          endpoint.send(Uint8Array.of(octet))
          await pair.pause(1)
        }
        if (thenEnds) endpoint.finish()
      }, 1000 + at)
      const seen = await pair.run(async () => read(await pair.http().request(`http://10.0.0.1:${1000 + at}/`)))
      expect(seen).toBe(understood)
    }
  })

  test('to HEAD it has no body, whatever it says of one', async () => {
    pair.raw(says(ok('Content-Length: 1000\r\n')))
    expect(await get({ method: 'HEAD' })).toBe('200 ')
  })

  test('its fields are those that came', async () => {
    pair.raw(says(ok('X: a\r\n\tb\r\nx:  c \r\nSet-Cookie: d=e\r\nContent-Length: 0\r\n')))
    const response = await pair.run(() => pair.http().request(BASE))
    expect(response.headers.get('x')).toBe('a  \tb, c')
    expect([...response.headers].map(([name]) => name)).toEqual(['x', 'x', 'set-cookie', 'content-length'])
    expect([response.statusText, response.minor, response.ok, response.url]).toEqual(['OK', 1, true, BASE])
  })
})

/** What is no response: an error, and the connection's end. */
const BAD: [string, boolean?][] = [
  [''],
  ['', true],
  ['HTTP/1.1 200 OK\r\n', true],
  ['\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/1.1 -20 OK\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/1. 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/11 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['ICY 200 OK\r\n\r\n'],
  ['HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n'],
  ['HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ['HTTP/1.1 100 Continue\r\n\r\n'.repeat(40)],
  ['HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n'],
  ['HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 0\r\n\r\n'],
  [ok(' X: folded\r\nContent-Length: 0\r\n')],
  [ok('X : a\r\nContent-Length: 0\r\n')],
  [ok(': a\r\nContent-Length: 0\r\n')],
  [ok('X\r\nContent-Length: 0\r\n')],
  [ok('X(: a\r\nContent-Length: 0\r\n')],
  [ok('X: a\0\r\nContent-Length: 0\r\n')],
  [ok('Content-Length: 2, 3\r\n', 'hi')],
  [ok('Content-Length: 2\r\nContent-Length: 3\r\n', 'hi')],
  [ok('Content-Length: +2\r\n', 'hi')],
  [ok('Content-Length: -2\r\n', 'hi')],
  [ok('Content-Length: 0x2\r\n', 'hi')],
  [ok('Content-Length: 2 2\r\n', 'hi')],
  [ok('Content-Length: 2,\r\n', 'hi')],
  [ok('Content-Length: \r\n', 'hi')],
  [ok('Content-Length: 9999999999999999\r\n', 'hi')],
  [ok('Content-Length: 3\r\n', 'hi'), true],
  [ok('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', '2\r\nhi\r\n0\r\n\r\n')],
  [ok('Transfer-Encoding: gzip, chunked\r\n', '2\r\nhi\r\n0\r\n\r\n')],
  [ok('Transfer-Encoding: gzip\r\n', 'hi'), true],
  [ok('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n')],
  [ok('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
  [ok('Transfer-Encoding: identity\r\n', 'hi'), true],
  [ok('Transfer-Encoding:\r\n', 'hi'), true],
  ['HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  [chunked('2\nhi\r\n0\r\n\r\n')],
  [chunked('2\r\nhi0\r\n\r\n')],
  [chunked('2\r\nhi\n0\r\n\r\n')],
  [chunked('g\r\nhi\r\n0\r\n\r\n')],
  [chunked('-2\r\nhi\r\n0\r\n\r\n')],
  [chunked('0x2\r\nhi\r\n0\r\n\r\n')],
  [chunked('2 \r\nhi\r\n0\r\n\r\n')],
  [chunked('\r\n0\r\n\r\n')],
  [chunked('fffffffffffff\r\nhi')],
  [chunked(`2;${'x'.repeat(5000)}\r\nhi\r\n0\r\n\r\n`)],
  [chunked('2\r\nhi\r\n0\r\nX\r\n\r\n')],
  [chunked('2\r\nhi\r\n'), true],
  [chunked('2\r\nhi\r\n0\r\n'), true],
  [ok(`X: ${'x'.repeat(70_000)}\r\nContent-Length: 0\r\n`)],
  [ok(`${'X: x\r\n'.repeat(201)}Content-Length: 0\r\n`)],
]

describe('what is no response is an error', () => {
  test.each(BAD)('%j', async (text, thenEnds = false) => {
    const raw = pair.raw(says(text, thenEnds))
    const error = await get().catch((one) => one)
    expect(error).toBeInstanceOf(HttpError)
    expect([502, 504]).toContain(error.status)
    pair.later(10_000)
    expect(raw.endpoints[0].isOver).toBe(true)
    expect(pair.connectionCount).toBe(0)
  })
})

describe('a request', () => {
  const heardFor = async (init?: RequestInit, url = BASE, options?: HttpClientOptions) => {
    const raw = pair.raw(says(ok('Content-Length: 0\r\n')), Number(new URL(url).port) || 80)
    await pair.run(async () => read(await pair.http(options).request(url, init)))
    return raw.heard[0]
  }

  test('names its host and its path', async () => {
    expect(await heardFor({ headers: { X: 'y' } }, 'http://10.0.0.1/a%20b?c=d#e')).toBe(
      'GET /a%20b?c=d HTTP/1.1\r\nHost: 10.0.0.1\r\nX: y\r\n\r\n',
    )
  })

  test('goes by IPv6 too', async () => {
    expect(await heardFor({}, 'http://[fd00::1]')).toBe('GET / HTTP/1.1\r\nHost: [fd00::1]\r\n\r\n')
  })

  test('says the length of its body, and that it has none where it might', async () => {
    expect(await heardFor({ body: 'h\xe9\r\n\r\n' })).toBe(
      'POST / HTTP/1.1\r\nHost: 10.0.0.1\r\nContent-Length: 7\r\n\r\nh\xc3\xa9\r\n\r\n',
    )
    expect(await heardFor({ method: 'PUT' }, 'http://10.0.0.1:81/')).toContain('Content-Length: 0\r\n\r\n')
  })

  test('in pieces is chunked', async () => {
    async function* body() {
      yield 'ab'
      yield ''
      yield octets('cde')
    }
    const heard = await heardFor({ method: 'PUT', body: body(), headers: { 'Content-Length': '7' } })
    expect(heard.slice(heard.indexOf('Transfer'))).toBe(
      'Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n',
    )
    expect(heard).not.toContain('Content-Length')
  })

  test('asks for the end of the connection where it is not to be kept', async () => {
    expect(await heardFor({}, BASE, { keepAlive: false })).toContain('Connection: close\r\n')
  })

  test('of fields with line ends in them is never sent', async () => {
    const bad: RequestInit[] = [
      { headers: { X: 'a\r\nY: b' } },
      { headers: { 'X Y': 'a' } },
      { method: 'GET / HTTP/1.1\r\nX: y' },
    ]
    for (const init of bad) await expect(pair.http().request(BASE, init)).rejects.toThrow(TypeError)
    for (const url of ['https://10.0.0.1/', 'ftp://10.0.0.1/', 'http://a:b@10.0.0.1/', 'http://example.org/'])
      await expect(pair.http().request(url)).rejects.toThrow(TypeError)
  })

  test('of a name asks who knows names', async () => {
    pair.raw(says(ok('Content-Length: 2\r\n', 'hi')))
    const resolve = (name: string) => (name === 'a.test' ? '10.0.0.1' : 'fd00::1')
    const told = await pair.run(async () => read(await pair.http({ resolve }).request('http://a.test/')))
    expect(told).toBe('200 hi')
  })

  test('that is answered before it was sent whole ends its connection', async () => {
    const endless = async function* () {
      for (let sent = 0; sent < 100; sent++) {
        yield 'x'.repeat(100_000)
        await pair.pause(1)
      }
    }
    pair.server.stack.listen({ port: 80 }).onConnection = (endpoint) => {
      endpoint.onReadable = () => {
        endpoint.onReadable = null
        endpoint.send(octets('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno'))
      }
    }
    const one = pair.http()
    const told = await pair.run(async () => read(await one.request(BASE, { body: endless() })))
    expect([told, one.connectionCount]).toEqual(['413 no', 0])
  })
})
