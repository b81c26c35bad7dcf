// Requests good and bad, a table: what RFC 9110 and 9112 say of each, and that a bad one ends its connection with a plain sentence.
import { describe, expect, test } from 'vitest'
import type { HttpRequest } from '../../src/http/request.ts'
import { Talk } from './talk.ts'

/** Says what it has understood. */
async function tell(request: HttpRequest): Promise<string> {
  const { method, target, host } = request
  return `${method} ${target} ${host} ${await request.text()}`
}

const h = 'Host: a\r\n'
const post = (fields: string, body = '') => `POST / HTTP/1.1\r\n${h}${fields}\r\n${body}`
const get = (fields: string) => `GET / HTTP/1.1\r\n${h}${fields}\r\n`
const line = (text: string) => `${text}\r\n${h}\r\n`
const chunked = (body: string, fields = '') => post(`Transfer-Encoding: chunked\r\n${fields}`, body)

/** A request, and what the handler understood of it. */
const GOOD: [string, string][] = [
  [line('GET / HTTP/1.1'), 'GET / a '],
  [line('HEAD / HTTP/1.1'), ''],
  [line('OPTIONS * HTTP/1.1'), 'OPTIONS * a '],
  [line('OPTIONS /x HTTP/1.1'), 'OPTIONS /x a '],
  [line('DELETE /x?y=1 HTTP/1.1'), 'DELETE /x?y=1 a '],
  [line('PATCH /a/b/../c HTTP/1.1'), 'PATCH /a/b/../c a '],
  [line('M-SEARCH / HTTP/1.1'), 'M-SEARCH / a '],
  [line("!#$%&'*+-.^_`|~ / HTTP/1.1"), "!#$%&'*+-.^_`|~ / a "],
  [line('get / HTTP/1.1'), 'get / a '],
  [line('GET /%20%zz HTTP/1.1'), 'GET /%20%zz a '],
  [line('GET //double HTTP/1.1'), 'GET //double a '],
  [line('GET /? HTTP/1.1'), 'GET /? a '],
  [line("GET /a:b;c=d,e@f!$&'()*+ HTTP/1.1"), "GET /a:b;c=d,e@f!$&'()*+ a "],
  [line('GET /"<>\\^`{|} HTTP/1.1'), 'GET /"<>\\^`{|} a '],
  [line('GET / HTTP/1.2'), 'GET / a '],
  [line('GET / HTTP/1.9'), 'GET / a '],
  [line('GET http://b/ HTTP/1.1'), 'GET / b '],
  [line('GET http://b HTTP/1.1'), 'GET / b '],
  [line('GET http://b?q HTTP/1.1'), 'GET /?q b '],
  [line('GET http://b:8080/x?y HTTP/1.1'), 'GET /x?y b:8080 '],
  [line('GET HTTP://b/x HTTP/1.1'), 'GET /x b '],
  [line('GET http://[fd00::1]:80/x HTTP/1.1'), 'GET /x [fd00::1]:80 '],
  [line('OPTIONS http://b HTTP/1.1'), 'OPTIONS * b '],
  [`\r\n${line('GET / HTTP/1.1')}`, 'GET / a '],
  [`\r\n\r\n${line('GET / HTTP/1.1')}`, 'GET / a '],
  ['GET / HTTP/1.1\r\nhost: x\r\n\r\n', 'GET / x '],
  ['GET / HTTP/1.1\r\nHOST:x\r\n\r\n', 'GET / x '],
  ['GET / HTTP/1.1\r\nHost: \t x \t \r\n\r\n', 'GET / x '],
  ['GET / HTTP/1.1\r\nHost:\r\n\r\n', 'GET / 10.0.0.1 '],
  ['GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n', 'GET / [::1] '],
  ['GET / HTTP/1.1\r\nHost: [::ffff:1.2.3.4]:8\r\n\r\n', 'GET / [::ffff:1.2.3.4]:8 '],
  ['GET / HTTP/1.1\r\nHost: a.b-c_d~e:80\r\n\r\n', 'GET / a.b-c_d~e:80 '],
  ['GET / HTTP/1.1\r\nHost: a:\r\n\r\n', 'GET / a: '],
  ['GET / HTTP/1.0\r\n\r\n', 'GET / 10.0.0.1 '],
  ['GET / HTTP/1.0\r\nHost: a\r\n\r\n', 'GET / a '],
  ['POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi', 'POST / 10.0.0.1 hi'],
  ['GET http://b/ HTTP/1.0\r\n\r\n', 'GET / b '],
  ['GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n', 'GET / 10.0.0.1 '],
  [get('X:\r\n'), 'GET / a '],
  [get('X: \r\n'), 'GET / a '],
  [get('X: a b\tc\r\n'), 'GET / a '],
  [get('X: \x80\xff\xe4\r\n'), 'GET / a '],
  [get("!#$%&'*+-.^_`|~: 1\r\n"), 'GET / a '],
  [get('X: "quoted: , ; = "\r\n'), 'GET / a '],
  [get('X: 1\r\nX: 2\r\nx: 3\r\n'), 'GET / a '],
  [get('Connection: keep-alive\r\n'), 'GET / a '],
  [get('Connection: , close ,x\r\n'), 'GET / a '],
  [get('Connection:\r\n'), 'GET / a '],
  [get('Upgrade: websocket\r\nConnection: upgrade\r\n'), 'GET / a '],
  [get('Content-Length: 0\r\n'), 'GET / a '],
  [get('Content-Length: 00\r\n'), 'GET / a '],
  [get(`X: ${'v'.repeat(8000)}\r\n`), 'GET / a '],
  [get('Content-Length1: 5\r\n'), 'GET / a '],
  [get('Transfer-Encodin: chunked\r\n'), 'GET / a '],
  [`GET /${'x'.repeat(8000)} HTTP/1.1\r\n${h}\r\n`, `GET /${'x'.repeat(8000)} a `],
  [get(Array.from({ length: 99 }, (_, at) => `X-${at}: ${at}\r\n`).join('')), 'GET / a '],
  [post(''), 'POST / a '],
  [post('Content-Length: 5\r\n', 'hello'), 'POST / a hello'],
  [post('content-length:5\r\n', 'hello'), 'POST / a hello'],
  [post('Content-Length: \t5\t \r\n', 'hello'), 'POST / a hello'],
  [post('Content-Length: 000005\r\n', 'hello'), 'POST / a hello'],
  [post('Content-Length: 5\r\nExpect: 100-continue\r\n', 'hello'), 'POST / a hello'],
  [`PUT /x HTTP/1.1\r\n${h}Content-Length: 2\r\n\r\n\r\n`, 'PUT /x a \r\n'],
  [`GET /x HTTP/1.1\r\n${h}Content-Length: 2\r\n\r\nhi`, 'GET /x a hi'],
  [chunked('0\r\n\r\n'), 'POST / a '],
  [chunked('5\r\nhello\r\n0\r\n\r\n'), 'POST / a hello'],
  [chunked('1\r\nh\r\n4\r\nello\r\n0\r\n\r\n'), 'POST / a hello'],
  [chunked('A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n'), 'POST / a 01234567890123456789'],
  [chunked('0005\r\nhello\r\n000\r\n\r\n'), 'POST / a hello'],
  [chunked('5;a\r\nhello\r\n0\r\n\r\n'), 'POST / a hello'],
  [chunked('5;a=b;c="d e"\r\nhello\r\n0;x=y\r\n\r\n'), 'POST / a hello'],
  [chunked('5; a = b ;\tc\r\nhello\r\n0\r\n\r\n'), 'POST / a hello'],
  [chunked('5;a="\\"; \\\\";b=""\r\nhello\r\n0\r\n\r\n'), 'POST / a hello'],
  [chunked('5\r\nhello\r\n0\r\nX: y\r\n\r\n'), 'POST / a hello'],
  [chunked('5\r\nhello\r\n0\r\nX: y\r\nZ:\r\n\r\n'), 'POST / a hello'],
  [chunked('2\r\n\r\n\r\n0\r\n\r\n'), 'POST / a \r\n'],
  [post('Transfer-Encoding: CHUNKED\r\n', '0\r\n\r\n'), 'POST / a '],
  [post('transfer-encoding:chunked\r\n', '1\r\nx\r\n0\r\n\r\n'), 'POST / a x'],
  [post('Transfer-Encoding:\tchunked \r\n', '1\r\nx\r\n0\r\n\r\n'), 'POST / a x'],
  [chunked('5\r\nhello\r\n0\r\n\r\n', 'Expect: 100-continue\r\n'), 'POST / a hello'],
]

/** A request, the status that it deserves, and some words of the sentence. */
const BAD: [string, number, RegExp?][] = [
  ['\n', 400],
  [' GET / HTTP/1.1\r\n\r\n', 400],
  ['\x16\x03\x01\x02\x00\x01', 400],
  ['\0', 400],
  [line('GET'), 400],
  [line('GET /'), 400, /version|target/],
  [line('GET  / HTTP/1.1'), 400],
  [line('GET /  HTTP/1.1'), 400],
  [line('GET / HTTP/1.1 '), 400],
  [line('GET\t/ HTTP/1.1'), 400],
  [line('GET /a b HTTP/1.1'), 400],
  [line('GET /\x7f HTTP/1.1'), 400],
  [line('GET /\xe4 HTTP/1.1'), 400],
  [line('GET /\0 HTTP/1.1'), 400],
  [line('GET /#top HTTP/1.1'), 400, /fragment/],
  [line('GET x HTTP/1.1'), 400],
  [line('GET * HTTP/1.1'), 400, /OPTIONS/],
  [line('GET ** HTTP/1.1'), 400],
  [line('GET a:80 HTTP/1.1'), 400],
  [line('GET https://a/ HTTP/1.1'), 400],
  [line('GET ftp://a/ HTTP/1.1'), 400],
  [line('GET http:/// HTTP/1.1'), 400],
  [line('GET http:// HTTP/1.1'), 400],
  [line('GET http://user@a/ HTTP/1.1'), 400],
  [line('GET http://user:secret@a/ HTTP/1.1'), 400],
  [line('GET http://a:b/ HTTP/1.1'), 400],
  [line('GET http://[::1/ HTTP/1.1'), 400],
  [line('GET http://a\\b/ HTTP/1.1'), 400],
  [line('CONNECT a:443 HTTP/1.1'), 501],
  [line('GET / HTTP/2.0'), 505],
  [line('GET / HTTP/0.9'), 505],
  [line('GET / HTTP/9.9'), 505],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  [line('GET / http/1.1'), 400],
  [line('GET / HTTP/1'), 400],
  [line('GET / HTTP/1.'), 400],
  [line('GET / HTTP/1.10'), 400],
  [line('GET / HTTP/11.1'), 400],
  [line('GET / HTTP/1,1'), 400],
  [line('GET / HTTPS/1.1'), 400],
  [line('GET / HTTP /1.1'), 400],
  [line('GET / ICE/1.0'), 400],
  [line('G@T / HTTP/1.1'), 400],
  [line('GET: / HTTP/1.1'), 400],
  [line(`${'M'.repeat(40)} / HTTP/1.1`), 501],
  ['GET / HTTP/1.1\r\n\r\n', 400, /host/],
  ['GET / HTTP/1.1\r\nX: y\r\n\r\n', 400, /host/],
  ['GET http://b/ HTTP/1.1\r\n\r\n', 400, /host/],
  [get('Host: a\r\n'), 400, /twice/],
  [get('Host: b\r\n'), 400, /twice/],
  ['GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: user@a\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: a:b\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: [::1\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: []\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: a?b\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: a#b\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: \xe4\r\n\r\n', 400],
  ['GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n', 400],
  // Lines that end otherwise.
  ['GET / HTTP/1.1\nHost: a\n\n', 400],
  ['GET / HTTP/1.1\r\nHost: a\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: a\r\n\n', 400],
  ['GET / HTTP/1.1\r\nHost: a\r\r\n\r\n', 400],
  ['GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n', 400],
  ['GET / HTTP/1.1\rHost: a\r\n\r\n', 400],
  ['GET /\rHTTP/1.1\r\nHost: a\r\n\r\n', 400],
  // Fields.
  [get('X : y\r\n'), 400, /space/],
  [get('X\t: y\r\n'), 400, /space/],
  [get('X y: z\r\n'), 400],
  [get(' X: y\r\n'), 400, /folded/],
  [get('X: y\r\n folded\r\n'), 400, /folded/],
  [get('X: y\r\n\tfolded\r\n'), 400, /folded/],
  ['GET / HTTP/1.1\r\n Host: a\r\n\r\n', 400],
  [get(': y\r\n'), 400],
  [get('X\r\n'), 400],
  [get('X y\r\n'), 400],
  [get('X(: y\r\n'), 400],
  [get('X\xe4: y\r\n'), 400],
  [get('X: a\0b\r\n'), 400],
  [get('X: a\x01b\r\n'), 400],
  [get('X: a\x7fb\r\n'), 400],
  [get('X: a\x0bb\r\n'), 400],
  [get('X\0: y\r\n'), 400],
  [get(Array.from({ length: 101 }, (_, at) => `X-${at}: ${at}\r\n`).join('')), 431],
  [get(`X: ${'v'.repeat(17_000)}\r\n`), 431],
  [`GET /${'x'.repeat(8200)} HTTP/1.1\r\n${h}\r\n`, 414],
  [`GET /${'x'.repeat(17_000)}`, 414],
  [get('Expect: 200-ok\r\n'), 417],
  [get('Expect: 100-continue, x\r\n'), 417],
  // Lengths.
  [post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'), 400, /twice/],
  [post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'), 400],
  [post('Content-Length: 5, 5\r\n', 'hello'), 400],
  [post('Content-Length: 5,6\r\n', 'hello'), 400],
  [post('Content-Length: +5\r\n', 'hello'), 400],
  [post('Content-Length: -5\r\n', 'hello'), 400],
  [post('Content-Length: 5.0\r\n', 'hello'), 400],
  [post('Content-Length: 0x5\r\n', 'hello'), 400],
  [post('Content-Length: 5 5\r\n', 'hello'), 400],
  [post('Content-Length: five\r\n', 'hello'), 400],
  [post('Content-Length:\r\n', 'hello'), 400],
  [post('Content-Length: "5"\r\n', 'hello'), 400],
  [post('Content-Length : 5\r\n', 'hello'), 400],
  [post('Content-Length: 99999999999999999999\r\n'), 413],
  [post('Content-Length: 1048577\r\n'), 413],
  [post('Content-Length\0: 5\r\n'), 400],
  // Extensions of chunks that are none.
  [chunked('5;\r\nhello\r\n0\r\n\r\n'), 400, /extensions/],
  [chunked('5;;a\r\nhello\r\n0\r\n\r\n'), 400, /extensions/],
  [chunked('5;a=\r\nhello\r\n0\r\n\r\n'), 400, /extensions/],
  [chunked('5;=a\r\nhello\r\n0\r\n\r\n'), 400, /extensions/],
  [chunked('5;a b\r\nhello\r\n0\r\n\r\n'), 400, /extensions/],
  [chunked('5;a \r\nhello\r\n0\r\n\r\n'), 400, /extensions/],
  [chunked('5;a="b\r\nhello\r\n0\r\n\r\n'), 400, /extensions/],
  [chunked('5;a="b"c\r\nhello\r\n0\r\n\r\n'), 400, /extensions/],
  [chunked('5;a="\\\r\nhello\r\n0\r\n\r\n'), 400, /extensions/],
  [chunked('5;a=b c\r\nhello\r\n0\r\n\r\n'), 400, /extensions/],
  [chunked('5;a\nhello\r\n0\r\n\r\n'), 400, /extensions/],
  // Codings.
  [post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400, /both/],
  [post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'), 400, /both/],
  [post('Transfer-Encoding: chunked\r\nContent-Length: 0\r\n', '0\r\n\r\n'), 400],
  [post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400],
  [post('Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400],
  [post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'), 400],
  [post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'), 400],
  [post('Transfer-Encoding: gzip\r\n'), 400],
  [post('Transfer-Encoding: identity\r\n'), 400],
  [post('Transfer-Encoding:\r\n'), 400],
  [post('Transfer-Encoding: ,chunked\r\n', '0\r\n\r\n'), 400],
  [post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'), 400],
  [post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'), 400],
  [post('Transfer-Encoding: chunked;q=1\r\n', '0\r\n\r\n'), 400],
  [post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'), 400],
  [post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'), 400],
  [post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'), 400],
  [post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 501],
  ['POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  // Chunks.
  [chunked('\r\n'), 400],
  [chunked('x\r\n'), 400],
  [chunked('-1\r\n'), 400],
  [chunked('+1\r\nx\r\n0\r\n\r\n'), 400],
  [chunked('0x1\r\nx\r\n0\r\n\r\n'), 400],
  [chunked(' 1\r\nx\r\n0\r\n\r\n'), 400],
  [chunked('1 \r\nx\r\n0\r\n\r\n'), 400],
  [chunked('1 ;a\r\nx\r\n0\r\n\r\n'), 400],
  [chunked('1\nx\r\n0\r\n\r\n'), 400],
  [chunked('1\rx\r\n0\r\n\r\n'), 400],
  [chunked('1\r\nxy\r\n0\r\n\r\n'), 400],
  [chunked('1\r\nx\n0\r\n\r\n'), 400],
  [chunked('1\r\nx0\r\n\r\n'), 400],
  [chunked('1;a\0b\r\nx\r\n0\r\n\r\n'), 400],
  [chunked('1;a\nb\r\nx\r\n0\r\n\r\n'), 400],
  [chunked('fffffffffffffffff\r\nx'), 400],
  [chunked('10000000000000000001\r\nx'), 400],
  [chunked(`1;${'e'.repeat(300)}\r\nx\r\n0\r\n\r\n`), 400, /extensions/],
  [chunked(`${`1;${'e'.repeat(200)}\r\nx\r\n`.repeat(90)}0\r\n\r\n`), 400, /extensions/],
  [chunked('100001\r\n'), 413],
  [chunked('0\r\nX : y\r\n\r\n'), 400, /trailer/],
  [chunked('0\r\n X: y\r\n\r\n'), 400],
  [chunked('0\r\nX: y\n\r\n'), 400],
  [chunked('0\r\nX\r\n\r\n'), 400],
  [chunked(`0\r\nX: ${'y'.repeat(5000)}\r\n\r\n`), 400, /trailer/],
]

const named = (text: string) => JSON.stringify(text.length > 90 ? `${text.slice(0, 90)}…` : text)

test('there are enough of them', () => {
  expect(GOOD.length + BAD.length).toBeGreaterThanOrEqual(150)
})

describe('a good request is understood', () => {
  test.each(GOOD.map(([request, expected]) => [named(request), request, expected]))(
    '%s',
    async (_, request, expected) => {
      const talk = new Talk(tell)
      const client = await talk.exchange(request)
      const isHead = request.startsWith('HEAD')
      const answers = client.answers(isHead ? [0] : [])
      expect(answers.map(({ status, body }) => [status, body])).toEqual([[200, expected]])
    },
  )
})

describe('a bad request is refused in one sentence, and nothing after it is read', () => {
  test.each(BAD.map(([request, status, words]) => [status, named(request), request, words] as const))(
    '%i %s',
    async (status, _, request, words) => {
      const talk = new Talk(tell, { limits: { body: 1_048_576 } })
      const client = await talk.exchange(request, line('GET /after HTTP/1.1'))
      expect(client.statuses).toEqual([status])
      const [{ body, headers }] = client.answers()
      expect(body).toMatch(/^[A-Z](?:[^.]|\.\d)*\.\n$/)
      if (words !== undefined) expect(body).toMatch(words)
      expect([headers.get('connection'), client.hasEnded]).toEqual(['close', true])
      await talk.later(3000)
      client.endpoint.finish()
      await talk.later(3000)
      expect([talk.server.connectionCount, talk.stack.core.tcp.connectionCount]).toEqual([0, 0])
    },
  )
})
