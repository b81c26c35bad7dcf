// Static files over HTTP, on real files and in virtual time: types, index files, listings, ranges, conditions, and what is refused.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Files } from '../../src/node/files.ts'
import { nodeSettler } from '../../src/node/simulate.ts'
import { Talk } from '../http/talk.ts'

let root = ''
let talk: Talk
const LARGE = 1_000_000
const large = Buffer.alloc(LARGE)

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'tunstack-files-'))
  const folder = join(root, 'public')
  mkdirSync(join(folder, 'sub'), { recursive: true })
  mkdirSync(join(folder, 'site'))
  writeFileSync(join(folder, 'small.txt'), '0123456789')
  writeFileSync(join(folder, 'empty.css'), '')
  writeFileSync(join(folder, 'a b&<c>.html'), 'odd')
  for (let at = 0; at < LARGE; at++) large[at] = at * 7
  writeFileSync(join(folder, 'large.bin'), large)
  writeFileSync(join(folder, '.hidden'), 'secret')
  writeFileSync(join(folder, 'site', 'index.html'), 'the index')
  writeFileSync(join(root, 'outside.txt'), 'secret')
  symlinkSync(join(root, 'outside.txt'), join(folder, 'link.txt'))
  symlinkSync('small.txt', join(folder, 'inside.txt'))
  const files = await Files.open(folder, { listing: true })
  talk = new Talk((request) => files.handle(request, talk.stack.driver.time.wall()), {}, nodeSettler)
})

afterAll(() => rmSync(root, { recursive: true }))

const ask = async (path: string, fields = '', method = 'GET') => {
  const client = await talk.exchange(`${method} ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`)
  await talk.later(2000)
  const [answer] = client.answers(method === 'HEAD' ? [0] : [])
  client.endpoint.finish()
  return answer
}

describe('what is there', () => {
  test.each([
    ['/small.txt', 'text/plain; charset=utf-8', '0123456789'],
    ['/small.txt?query', 'text/plain; charset=utf-8', '0123456789'],
    ['//small.txt', 'text/plain; charset=utf-8', '0123456789'],
    ['/inside.txt', 'text/plain; charset=utf-8', '0123456789'],
    ['/empty.css', 'text/css; charset=utf-8', ''],
    ['/site/', 'text/html; charset=utf-8', 'the index'],
    ['/a%20b%26%3Cc%3E.html', 'text/html; charset=utf-8', 'odd'],
  ])('%s', async (path, type, body) => {
    for (let again = 0; again < 2; again++) {
      const answer = await ask(path)
      expect([answer.status, answer.headers.get('content-type'), answer.body]).toEqual([200, type, body])
    }
  })

  test('a large file comes whole', async () => {
    const answer = await ask('/large.bin')
    expect(Buffer.compare(Buffer.from(answer.body, 'latin1'), large)).toBe(0)
  })

  test('a folder is shown, without what is hidden, and its name leads to nobody else', async () => {
    const { body } = await ask('/')
    expect(body).toContain('href="./a%20b%26%3Cc%3E.html">a b&amp;&lt;c&gt;.html<')
    expect(body).not.toContain('hidden')
    const redirect = await ask('//sub')
    expect([redirect.status, redirect.headers.get('location')]).toEqual([308, '/sub/'])
  })

  test('HEAD says the same, without the body', async () => {
    for (const path of ['/small.txt', '/large.bin']) {
      const answer = await ask(path, '', 'HEAD')
      expect([answer.status, answer.headers.get('content-length')]).toEqual([
        200,
        path === '/small.txt' ? '10' : `${LARGE}`,
      ])
    }
  })
})

describe('ranges and conditions', () => {
  test.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-30', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=0-99', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=10-', 416, 'The range that was asked for lies beyond the end.\n', 'bytes */10'],
    ['bytes=-0', 416, 'The range that was asked for lies beyond the end.\n', 'bytes */10'],
    ['bytes=4-2', 200, '0123456789', undefined],
    ['bytes=0-1,3-4', 200, '0123456789', undefined],
    ['lines=0-1', 200, '0123456789', undefined],
  ])('%s', async (range, status, body, contentRange) => {
    const answer = await ask('/small.txt', `Range: ${range}\r\n`)
    expect([answer.status, answer.body, answer.headers.get('content-range')]).toEqual([status, body, contentRange])
  })

  test('of a large file', async () => {
    const answer = await ask('/large.bin', 'Range: bytes=500000-699999\r\n')
    expect(answer.status).toBe(206)
    expect(Buffer.compare(Buffer.from(answer.body, 'latin1'), large.subarray(500_000, 700_000))).toBe(0)
  })

  test('what the client has already is not sent again', async () => {
    const { headers } = await ask('/small.txt')
    const [etag, modified] = [headers.get('etag'), headers.get('last-modified')]
    const later = 'Fri, 01 Jan 2100 00:00:00 GMT'
    const earlier = 'Sat, 01 Jan 2000 00:00:00 GMT'
    const cases: [string, number][] = [
      [`If-None-Match: ${etag}\r\n`, 304],
      [`If-None-Match: "x", W/${etag}\r\n`, 304],
      ['If-None-Match: *\r\n', 304],
      ['If-None-Match: "x"\r\n', 200],
      [`If-None-Match: "x"\r\nIf-Modified-Since: ${later}\r\n`, 200],
      [`If-Modified-Since: ${modified}\r\n`, 304],
      [`If-Modified-Since: ${earlier}\r\n`, 200],
      ['If-Modified-Since: yesterday\r\n', 200],
      [`If-Match: ${etag}\r\n`, 200],
      ['If-Match: "x"\r\n', 412],
      [`If-Match: W/${etag}\r\n`, 412],
      [`If-Unmodified-Since: ${earlier}\r\n`, 412],
      [`If-Unmodified-Since: ${later}\r\n`, 200],
      [`Range: bytes=0-1\r\nIf-Range: ${etag}\r\n`, 206],
      ['Range: bytes=0-1\r\nIf-Range: "x"\r\n', 200],
      [`Range: bytes=0-1\r\nIf-Range: W/${etag}\r\n`, 200],
      [`Range: bytes=0-1\r\nIf-Range: ${modified}\r\n`, 206],
      [`Range: bytes=0-1\r\nIf-Range: ${later}\r\n`, 200],
    ]
    for (const [fields, status] of cases)
      expect([fields, (await ask('/small.txt', fields)).status]).toEqual([fields, status])
  })
})

describe('what is refused', () => {
  test.each([
    ['/.hidden', 403],
    ['/%2ehidden', 403],
    ['/../outside.txt', 403],
    ['/sub/../../outside.txt', 403],
    ['/%2e%2e/outside.txt', 403],
    ['/..%2foutside.txt', 403],
    ['/..%5coutside.txt', 403],
    ['/link.txt', 403],
    ['/none', 404],
    ['/small.txt/', 404],
    ['/small.txt/x', 404],
    ['/%00', 400],
    ['/%zz', 400],
    ['/%ff', 400],
  ])('%s', async (path, status) => {
    const answer = await ask(path)
    expect(answer.status).toBe(status)
    expect(answer.body).not.toContain('secret')
  })

  test('methods that change something', async () => {
    const answer = await ask('/small.txt', '', 'DELETE')
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })
})
