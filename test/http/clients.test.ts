// Clients that a server must bear, in virtual time: slow ones, too many of them, those that vanish; and how the server ends.
import { describe, expect, test } from 'vitest'
import type { LogEntry } from '../../src/http/access-log.ts'
import type { HttpRequest } from '../../src/http/request.ts'
import { HttpResponse } from '../../src/http/response.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import { Talk } from './talk.ts'

const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
const post = (body: string, fields = '') =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`
const echo = async (request: HttpRequest) => `${request.target} ${await request.text()}`
const slow = (talk: () => Talk) => async (request: HttpRequest) => {
  await new Promise<void>((resolve) => talk().stack.driver.time.after(100, resolve))
  return request.target
}

describe('slow clients', () => {
  const limits = { headTimeout: 5000, bodyTimeout: 4000, idleTimeout: 8000, rateSpan: 10_000, leastRate: 100 }

  test('a head that does not end is answered with 408', async () => {
    const talk = new Talk(echo, { limits })
    const client = await talk.exchange('GET / HTTP/1.1\r\n')
    for (let second = 0; second < 8; second++) {
      if (client.closed === null && !client.hasEnded) client.send('X')
      await talk.later(1000)
    }
    expect([client.statuses, client.hasEnded]).toEqual([[408], true])
  })

  test('a connection without a request, and one between requests, end without a word', async () => {
    const talk = new Talk(echo, { limits })
    const silent = await talk.exchange()
    const idle = await talk.exchange(get('/'))
    await talk.later(6000)
    expect([silent.text, silent.hasEnded, idle.hasEnded]).toEqual(['', true, false])
    await talk.later(4000)
    expect([idle.statuses, idle.hasEnded]).toEqual([[200], true])
    await talk.later(5000)
    expect(talk.server.connectionCount).toBe(0)
  })

  test('a body that stops, or comes too slowly, is answered with 408', async () => {
    const talk = new Talk(echo, { limits })
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n'
    const stopped = await talk.exchange(head, 'x')
    await talk.later(6000)
    expect([stopped.statuses, stopped.hasEnded]).toEqual([[408], true])
    const trickling = await talk.exchange(head)
    for (let second = 0; second < 15 && !trickling.hasEnded; second++) {
      trickling.send('x')
      await talk.later(1000)
    }
    expect(trickling.statuses).toEqual([408])
  })

  test('a client that takes its answer too slowly is reset', async () => {
    const talk = new Talk(() => new HttpResponse(new Uint8Array(20_000_000)), { limits })
    const client = talk.connect()
    client.isReading = false
    await talk.later(5)
    client.send(get('/'))
    await talk.later(30_000)
    expect([client.closed, talk.server.connectionCount]).toEqual(['reset', 0])
  })

  test('a thousand of them keep nobody else waiting', async () => {
    const talk = new Talk(echo, { limits: { ...limits, headTimeout: 60_000 } })
    const clients = Array.from({ length: 1000 }, () => talk.connect())
    await talk.later(100)
    for (const client of clients) client.send('G')
    await talk.later(100)
    const quick = await talk.exchange(get('/'))
    expect([quick.statuses, talk.server.connectionCount]).toEqual([[200], 1001])
  })
})

describe('too many', () => {
  test('from one peer: 503 with Retry-After, then resets', async () => {
    const talk = new Talk(echo, { limits: { connectionsPerPeer: 3, refusals: 2, retryAfter: 7 } })
    const clients = Array.from({ length: 7 }, () => talk.connect())
    await talk.later(50)
    expect(clients.map(({ text }) => text.slice(9, 12))).toEqual(['', '', '', '503', '503', '', ''])
    expect(clients.map(({ closed }) => closed)).toEqual([null, null, null, null, null, 'reset', 'reset'])
    expect(clients[3].answers()[0].headers.get('retry-after')).toBe('7')
    for (const client of clients.slice(0, 5)) client.endpoint.finish()
    await talk.later(5000)
    const later = await talk.exchange(get('/'))
    expect(later.statuses).toEqual([200])
    expect(talk.server.counts).toEqual({ accepted: 4, turnedAway: 2, refused: 2, denied: 0 })
  })

  test('in total', async () => {
    const talk = new Talk(echo, { limits: { connections: 2 } })
    const clients = Array.from({ length: 3 }, () => talk.connect())
    await talk.later(50)
    expect(clients.map(({ text }) => text.slice(9, 12))).toEqual(['', '', '503'])
  })

  test('who is not let in gets a reset for a SYN-ACK', async () => {
    const talk = new Talk(echo, { admits: () => false })
    const client = await talk.exchange()
    expect([client.closed, talk.server.counts.denied]).toEqual(['refused', 1])
  })
})

describe('the end', () => {
  test('closing finishes what is in flight and lets idle connections go', async () => {
    const talk: Talk = new Talk((request) => slow(() => talk)(request))
    const idle = await talk.exchange()
    const busy = talk.connect()
    await talk.later(5)
    busy.send(get('/'))
    await talk.later(20)
    let isClosed = false
    talk.server.close().then(() => (isClosed = true))
    await talk.later(20)
    expect([idle.hasEnded, busy.hasEnded, isClosed]).toEqual([true, false, false])
    await talk.later(200)
    expect([busy.statuses, busy.answers()[0].headers.get('connection'), busy.hasEnded]).toEqual([[200], 'close', true])
    const late = talk.connect()
    await talk.later(10)
    expect(late.closed).toBe('refused')
    idle.endpoint.finish()
    busy.endpoint.finish()
    await talk.later(100)
    expect([isClosed, talk.server.connectionCount]).toEqual([true, 0])
  })

  test('what is not done when the time is up is reset', async () => {
    const talk = new Talk(() => new Promise<string>(() => {}))
    const client = await talk.exchange(get('/'))
    talk.server.close(1000)
    await talk.later(1100)
    expect([client.closed, talk.server.connectionCount]).toEqual(['reset', 0])
  })
})

test('clients that vanish at any octet leave nothing behind, and a line in the log', async () => {
  const entries: LogEntry[] = []
  let aborted = 0
  const talk: Talk = new Talk(
    async (request) => {
      request.signal.addEventListener('abort', () => aborted++)
      await new Promise<void>((resolve) => talk.stack.driver.time.after(20, resolve))
      return `${await request.text()}${'z'.repeat(50_000)}`
    },
    { log: (entry) => entries.push(entry), limits: { lingerTimeout: 500, headTimeout: 2000 } },
  )
  const stream = post('hello', 'X: y\r\n') + get('/2')
  const ports = new Set<number>()
  for (let round = 0; round < 1000; round++) {
    const client = talk.connect()
    ports.add(client.endpoint.localPort)
    await talk.later(3)
    client.send(stream.slice(0, (round * 7) % (stream.length + 1)))
    await talk.later(round % 40)
    if (round % 3 === 0) client.endpoint.finish()
    else if (round % 3 === 1) client.endpoint.abort()
    else client.endpoint.close()
  }
  await talk.later(60_000)
  expect([talk.server.connectionCount, talk.stack.core.tcp.connectionCount]).toEqual([0, 0])
  expect(talk.stack.core.tcp.shared.slabs.held).toBe(0)
  expect(aborted).toBeGreaterThan(50)
  expect(new Set(entries.map(({ remotePort }) => remotePort))).toEqual(ports)
})

/** 1,000 clients in waves; each breaks off somewhere in one request, or before it, and one in four is never heard of again. */
async function breakOff(seed: number): Promise<{ talk: Talk; entries: LogEntry[]; opened: Map<number, number> }> {
  const entries: LogEntry[] = []
  const limits = { lingerTimeout: 500, headTimeout: 2000, bodyTimeout: 2000 }
  const talk = new Talk(echo, { log: (entry) => entries.push(entry), limits })
  const { network } = talk
  const random = network.random.stream(`clients ${seed}`)
  // What overtakes what went before it arrives together with it: a handshake's end, text and a reset are one turn's work, as in a busy process.
  talk.link.impair({ forward: { delay: 10 }, backward: { delay: 10, jitter: 10 } })
  const [server, near] = network.hosts
  const stream = Buffer.from(post('x'.repeat(3000)), 'latin1')
  const opened = new Map<number, number>()
  const ways: ((endpoint: Endpoint) => void)[] = [
    (endpoint) => endpoint.abort(),
    (endpoint) => endpoint.close(),
    (endpoint) => endpoint.finish(),
    () => {},
  ]
  for (let begun = 0; begun < 1000; ) {
    const far = network.host(`far ${begun}`)
    const farLink = network.link(server, far, { delay: 10 })
    for (let place = 0; place < 50; place++) {
      const way = random.below(ways.length)
      const localPort = 20_000 + begun++
      const from = way === 3 ? far : near
      network.after(random.fraction() * 40, () => {
        const endpoint = from.stack.connect({ address: '10.0.0.1', port: 80, localPort })
        endpoint.onOpen = () => {
          const length = random.below(4) === 0 ? 0 : random.below(stream.length + 1)
          if (way !== 3) opened.set(localPort, length)
          endpoint.send(stream, 0, length)
          network.after(random.fraction() * 10, () => ways[way](endpoint))
        }
      })
    }
    await talk.later(40 + random.fraction() * 40)
    farLink.partition()
    await talk.later(5000)
  }
  await talk.later(300_000)
  return { talk, entries, opened }
}

test.each([1, 2, 3])('each of 1,000 clients that break off has its line in the log (seed %i)', async (seed) => {
  const { talk, entries, opened } = await breakOff(seed)
  const told = entries.map(({ remotePort }) => remotePort)
  const outcomes = new Map(entries.map(({ remotePort, outcome }) => [remotePort, outcome]))
  const wrong = [...opened].filter(([port, length]) => (outcomes.get(port) === 'silent') !== (length === 0))
  expect(wrong).toEqual([])
  expect([...opened.keys()].filter((port) => !outcomes.has(port))).toEqual([])
  expect([told.length, outcomes.size]).toEqual([talk.server.counts.accepted, talk.server.counts.accepted])
  expect(opened.size).toBeGreaterThan(700)
  expect(talk.server.counts.accepted - opened.size).toBeGreaterThan(100)
  expect([talk.server.connectionCount, talk.stack.core.tcp.connectionCount]).toEqual([0, 0])
  expect(talk.stack.core.tcp.shared.slabs.held).toBe(0)
})

test('the line of a client that goes tells nothing of the answer before', async () => {
  const entries: LogEntry[] = []
  const talk = new Talk(echo, { log: (entry) => entries.push(entry) })
  const client = await talk.exchange(post('hello'), 'GET /2 HT')
  client.endpoint.abort()
  await talk.later(100)
  const lines = entries.map(({ method, status, octets, outcome }) => [method, status, octets, outcome])
  expect(lines).toEqual([
    ['POST', 200, 7, 'done'],
    [null, 0, 0, 'aborted'],
  ])
})

test('who asks nothing has one line when the server gives up waiting, closes, or the client goes', async () => {
  const entries: LogEntry[] = []
  const talk = new Talk(echo, {
    log: (entry) => entries.push(entry),
    limits: { headTimeout: 2000, lingerTimeout: 500 },
  })
  const waiting = await talk.exchange()
  await talk.later(6000)
  const gone = await talk.exchange()
  gone.endpoint.finish()
  const reset = await talk.exchange()
  reset.endpoint.abort()
  await talk.later(100)
  const last = await talk.exchange()
  talk.server.close()
  await talk.later(1000)
  const ports = [waiting, gone, reset, last].map(({ endpoint }) => endpoint.localPort)
  expect(entries.map(({ remotePort }) => remotePort)).toEqual(ports)
  expect(new Set(entries.map(({ outcome }) => outcome))).toEqual(new Set(['silent']))
  expect(entries[2].wall - entries[1].wall).toBeGreaterThan(100)
})
