// The statuses that the server gives by itself and that ask something of the client: 411, 415, 426 and 429 (RFC 9110 §15.5, RFC 6585).
import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../src/core/ip/address.ts'
import { RequestRate } from '../../src/http/request-rate.ts'
import { HttpError } from '../../src/http/status.ts'
import { Talk } from './talk.ts'

const CHUNKED = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n'

describe('411', () => {
  test.each(['POST', 'PUT', 'PATCH'])('to %s of HTTP/1.0 without a length, and the end', async (method) => {
    const client = await new Talk((request) => request.text()).exchange(`${method} / HTTP/1.0\r\n\r\nhi`)
    const [{ status, body, headers }] = client.answers()
    expect([status, body, headers.get('connection')]).toEqual([
      411,
      'The request must say how long its body is.\n',
      'close',
    ])
    expect(client.hasEnded).toBe(true)
  })

  test('not where there is none, nor for HTTP/1.1, whose body is empty then', async () => {
    const talk = new Talk((request) => request.text())
    const requests = [
      'GET / HTTP/1.0\r\n\r\n',
      'POST / HTTP/1.0\r\nContent-Length: 0\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\n\r\n',
    ]
    for (const request of requests) expect((await talk.exchange(request)).statuses).toEqual([200])
  })

  test('to chunks where a length is needed', async () => {
    const talk = new Talk((request) => request.text(), { needsLength: true })
    const client = await talk.exchange(CHUNKED)
    expect([client.statuses, client.hasEnded]).toEqual([[411], true])
    const other = await talk.exchange('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi')
    expect(other.statuses).toEqual([200])
  })
})

describe('415', () => {
  const post = (fields: string, body: string) =>
    `POST / HTTP/1.1\r\nHost: a\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`

  const json = new Talk(async (request) => JSON.stringify(await request.json()))
  test.each([
    ['', 200],
    ['Content-Type: application/json\r\n', 200],
    ['Content-Type: Application/JSON ; charset=UTF-8\r\n', 200],
    ['Content-Type: application/problem+json\r\n', 200],
    ['Content-Encoding: Identity\r\n', 200],
    ['Content-Type: text/plain\r\n', 415],
    ['Content-Type: application/x-www-form-urlencoded\r\n', 415],
    ['Content-Type: application/jsonp\r\n', 415],
    ['Content-Type: \r\n', 415],
    ['Content-Encoding: gzip\r\n', 415],
    ['Content-Encoding: gzip, identity\r\n', 415],
  ])('%j as JSON: %i', async (fields, status) => {
    expect((await json.exchange(post(fields, '{"a":1}'))).statuses).toEqual([status])
  })

  test('names what would be understood, and the connection goes on', async () => {
    const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
    const client = await json.exchange(
      post('Content-Encoding: br\r\n', '{}') + post('Content-Type: a/b\r\n', '{}') + get,
    )
    const answers = client.answers()
    expect(answers.map(({ status }) => status)).toEqual([415, 415, 400])
    expect([answers[0].headers.get('accept-encoding'), answers[1].headers.get('accept')]).toEqual([
      'identity',
      'application/json',
    ])
  })

  test('text is read by its charset, and octets by nobody', async () => {
    const text = new Talk(async (request) => encodeURIComponent(await request.text()))
    const charset = (name: string) => post(`Content-Type: text/plain; charset=${name}\r\n`, '\xe9')
    expect((await text.exchange(charset('"iso-8859-1"'))).answers()[0].body).toBe('%C3%A9')
    expect((await text.exchange(charset('klingon'))).statuses).toEqual([415])
    const octets = new Talk(async (request) => String((await request.bytes()).length))
    expect((await octets.exchange(post('Content-Encoding: gzip\r\n', '123'))).answers()[0].body).toBe('3')
  })
})

describe('426', () => {
  test('to HTTP/1.0 where that is not enough, with what is', async () => {
    const talk = new Talk(() => 'hi', { needsHttp11: true })
    const client = await talk.exchange('GET / HTTP/1.0\r\n\r\n')
    expect(client.text).toContain('Connection: upgrade\r\n')
    expect(client.text).toContain('Upgrade: HTTP/1.1\r\n')
    expect([client.statuses, client.hasEnded]).toEqual([[426], true])
    expect((await talk.exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).statuses).toEqual([200])
  })

  test('of a handler says so as well', async () => {
    const talk = new Talk(() => {
      throw new HttpError(426, undefined, { Upgrade: 'websocket' })
    })
    const [{ status, headers }] = (await talk.exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).answers()
    expect([status, headers.get('upgrade'), headers.get('connection')]).toEqual([426, 'websocket', 'upgrade'])
  })

  test('not to the beginning of HTTP/2, which is another major version', async () => {
    const client = await new Talk(() => 'hi').exchange('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    expect([client.statuses, client.hasEnded]).toEqual([[505], true])
  })
})

describe('429', () => {
  const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

  test('to who asks more often than allowed, with when to come again, on the same connection', async () => {
    const talk = new Talk(() => 'hi', { limits: { requestsPerSecond: 0.5, requestBurst: 2 } })
    const client = await talk.exchange(GET.repeat(3))
    const answers = client.answers()
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429])
    expect(answers[2].headers.get('retry-after')).toBe('2')
    expect(client.hasEnded).toBe(false)
    await talk.later(2_000)
    client.send(GET.repeat(2))
    await talk.later(100)
    expect(client.statuses.slice(3)).toEqual([200, 429])
  })

  test('counts by address, over connections, and forgets who is quiet', () => {
    const [one, other] = [parseAddress('10.0.0.2'), parseAddress('10.0.0.3')]
    const [six, sameNetwork, elsewhere] = ['fd00::1', 'fd00::2', 'fd00:0:0:1::1'].map(parseAddress)
    const rate = new RequestRate(10, 5)
    for (let count = 0; count < 5; count++) expect(rate.early(one!, 0)).toBe(0)
    expect(rate.early(one!, 0)).toBeCloseTo(100)
    expect(rate.early(one!, 99)).toBeCloseTo(1)
    expect(rate.early(one!, 100)).toBe(0)
    expect(rate.early(other!, 100)).toBe(0)
    for (let count = 0; count < 5; count++) rate.early(six!, 100)
    expect([rate.early(sameNetwork!, 100) > 0, rate.early(elsewhere!, 100)]).toEqual([true, 0])
    expect(rate.size).toBe(4)
    rate.sweep(1_000)
    expect(rate.size).toBe(0)
  })

  test('gives a steady asker every one of its requests', () => {
    const rate = new RequestRate(333, 1)
    for (let count = 0; count < 10_000; count++)
      expect(rate.early(parseAddress('10.0.0.2')!, (count * 1000) / 333)).toBe(0)
  })

  test('remembers a bounded number of peers', () => {
    const rate = new RequestRate(1, 1)
    for (let count = 0; count < 70_000; count++)
      rate.early(parseAddress(`10.${count >> 16}.${(count >> 8) & 255}.${count & 255}`)!, 0)
    expect(rate.size).toBe(65_536)
  })
})
