// What `tunstack serve` answers, in virtual time: the start page, what the server tells of itself, who is let in, and the log.
import { expect, test } from 'vitest'
import { parseAddress } from '../../src/core/ip/address.ts'
import { type LogEntry, logLine } from '../../src/http/access-log.ts'
import { parseCookies, setCookie } from '../../src/http/cookies.ts'
import { httpDate, parseHttpDate } from '../../src/http/date.ts'
import { peerFilter } from '../../src/http/peer-filter.ts'
import { type SiteOptions, site } from '../../src/http/site.ts'
import { Talk } from './talk.ts'

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`

function serving(files: SiteOptions['files'] = null): Talk {
  let handler: ReturnType<typeof site> | null = null
  const talk: Talk = new Talk((request) => {
    handler ??= site({ stack: talk.stack, server: () => talk.server, files, metrics: () => 'figures' })
    return handler(request)
  })
  return talk
}

test('the start page tells of the connection that asks for it, on 20 kB at most and without scripts', async () => {
  const talk = serving()
  const client = await talk.exchange(get('/'), get('/_tunstack/start?<script>'))
  const [first, second] = client.answers()
  expect(Number(first.headers.get('content-length'))).toBeLessThan(20_000)
  expect(first.body).toContain(`seq ${client.endpoint.connection.iss >>> 0}`)
  expect(first.body).toContain(`10.0.0.2:${client.endpoint.localPort}`)
  expect(first.body).toContain('the first request')
  expect(second.body).toContain('request 2 of your connection')
  expect(second.body).not.toContain('<script')
})

test('the server tells who is connected, what was counted, and counts octets', async () => {
  const talk = serving()
  const post = 'POST /_tunstack/count HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello'
  const client = await talk.exchange(
    get('/_tunstack/connections') + get('/metrics') + post + get('/none') + post.replace('POST', 'HEAD'),
  )
  const [connections, metrics, count, none, wrong] = client.answers([4])
  expect(JSON.parse(connections.body)).toMatchObject([{ remoteAddress: '10.0.0.2', state: 'handling', requests: 1 }])
  expect(metrics.body).toBe('figures')
  expect([count.body, none.status, wrong.status]).toEqual(['{"octets":5}', 404, 405])
})

test('events go on until the client has gone', async () => {
  const talk = serving()
  const client = await talk.exchange(get('/_tunstack/events'))
  await talk.later(3000)
  expect(client.text.match(/^data: \{/gm)?.length).toBe(4)
  client.endpoint.abort()
  await talk.later(3000)
  expect(talk.server.connectionCount).toBe(0)
})

test('with files the start page moves aside', async () => {
  const talk = serving(({ path }) => `file ${path}`)
  const client = await talk.exchange(get('/') + get('/_tunstack/start') + get('/x'))
  const bodies = client.answers().map(({ body }) => body.slice(0, 9))
  expect(bodies).toEqual(['file /', '<!doctype', 'file /x'])
})

test('networks that are let in, and those that are not', () => {
  const may = (address: string, allow: string[] | null, deny: string[]) =>
    peerFilter(allow, deny)(parseAddress(address)!)
  expect(may('10.1.2.3', null, [])).toBe(true)
  expect(may('10.1.2.3', ['10.0.0.0/8'], [])).toBe(true)
  expect(may('11.1.2.3', ['10.0.0.0/8', 'fd00::/8'], [])).toBe(false)
  expect(may('fd00::1', ['10.0.0.0/8', 'fd00::/8'], [])).toBe(true)
  expect(may('10.1.2.3', ['10.0.0.0/8'], ['10.1.2.3'])).toBe(false)
  expect(may('10.1.2.3', null, ['::/0'])).toBe(true)
  expect(may('10.1.2.3', ['0.0.0.0/0'], [])).toBe(true)
  expect(() => peerFilter(['10.0.0.0/33'], [])).toThrow('network')
})

test('lines of the log, in which no client can write another line', () => {
  const entry: LogEntry = {
    remoteAddress: '10.0.0.2',
    remotePort: 5,
    wall: Date.UTC(2000, 9, 10, 13, 55, 36),
    method: 'GET',
    target: '/a"b\\',
    minor: 1,
    status: 200,
    octets: 2326,
    referer: null,
    userAgent: 'x\r\ny\xe4',
    milliseconds: 1.23456,
    outcome: 'done',
  }
  const common = '10.0.0.2 - - [10/Oct/2000:13:55:36 +0000] "GET /a\\x22b\\x5c HTTP/1.1" 200 2326'
  expect(logLine(entry, 'common')).toBe(common)
  expect(logLine(entry, 'combined')).toBe(`${common} "-" "x\\x0d\\x0ay\\xe4"`)
  expect(JSON.parse(logLine(entry, 'json'))).toMatchObject({ time: '2000-10-10T13:55:36.000Z', milliseconds: 1.235 })
  expect(logLine({ ...entry, method: null, target: null, status: 0, octets: 0 }, 'common')).toContain('] "-" - -')
})

test('dates in their three forms', () => {
  const now = Date.UTC(2025, 0, 1)
  const at = Date.UTC(1994, 10, 6, 8, 49, 37)
  expect(httpDate(at)).toBe('Sun, 06 Nov 1994 08:49:37 GMT')
  for (const text of ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])
    expect(parseHttpDate(text, now)).toBe(at)
  for (const text of ['', 'now', 'Sun, 31 Feb 1994 08:49:37 GMT', 'Sun, 06 Nov 1994 25:49:37 GMT', '1994-11-06'])
    expect(parseHttpDate(text, now)).toBeNull()
})

test('cookies there and back', () => {
  const line = setCookie('a', 'b; c="ü"', { path: '/', maxAge: 60, httpOnly: true, secure: true, sameSite: 'lax' })
  expect(line).toBe('a=b%3B%20c=%22%C3%BC%22; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax')
  const cookies = parseCookies(`${line.slice(0, line.indexOf(';'))}; a=again; x="quoted"; bare; =none; bad=%zz`)
  expect([...cookies]).toEqual([
    ['a', 'b; c="ü"'],
    ['x', 'quoted'],
    ['bad', '%zz'],
  ])
  expect(() => setCookie('a b', '')).toThrow(TypeError)
  expect(() => setCookie('a', '', { path: '/;x' })).toThrow(TypeError)
})
