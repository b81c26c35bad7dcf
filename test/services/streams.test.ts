// The small services over TCP (RFC 862, 863, 864, 867), in virtual time between two hosts.
import { beforeEach, describe, expect, test } from 'vitest'
import type { PortableStack } from '../../src/runtime/create-stack.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import { chargenPattern } from '../../src/services/chargen.ts'
import { type Services, startServices } from '../../src/services/start.ts'
import { simulate } from '../../src/simulate/network.ts'
import { pattern } from '../support/tcp-bench.ts'

let network: ReturnType<typeof simulate>
let link: ReturnType<typeof network.link>
let server: PortableStack
let client: PortableStack
let services: Services
let serverAddress: string

const MOST_CLIENTS = 4
const MEGABYTE = 1 << 20

beforeEach(() => {
  network = simulate({ seed: 6 })
  const [one, other] = [
    network.host('server', ['10.0.0.1', 'fd00::1']),
    network.host('client', ['10.0.0.2', 'fd00::2']),
  ]
  // Without a rate, a service that never ends would send all day in a second.
  link = network.link(one, other, { delay: 1, rate: 400, queue: 10_000 })
  server = one.stack
  client = other.stack
  serverAddress = '10.0.0.1'
  services = startServices(server, { mostClients: MOST_CLIENTS })
})

const later = (milliseconds: number) => network.advance(network.now() + milliseconds)
const text = (octets: Uint8Array) => new TextDecoder().decode(octets)

/** A client that sends all it is given and then finishes, if it shall, and reads while it may. */
class Client {
  readonly endpoint: Endpoint
  readonly #chunks: Uint8Array[] = []
  isReading = true
  hasEnded = false
  closed: string | null = null
  sent = 0

  constructor(port: number, data: Uint8Array = new Uint8Array(0), finishes = true) {
    this.endpoint = client.connect({ address: serverAddress, port })
    const send = () => {
      this.sent += this.endpoint.send(data, this.sent)
      if (finishes && this.sent === data.length) this.endpoint.finish()
    }
    this.endpoint.onOpen = send
    this.endpoint.onWritable = send
    this.endpoint.onReadable = () => this.read()
    this.endpoint.onClose = (reason) => {
      this.closed = reason
    }
  }

  read(): void {
    if (!this.isReading) return
    for (let octets = this.endpoint.read(); octets !== null; octets = this.endpoint.read()) {
      this.#chunks.push(octets.slice())
    }
    if (this.endpoint.isAtEnd) this.hasEnded = true
  }

  get received(): Uint8Array {
    return Buffer.concat(this.#chunks)
  }
}

/** What the server's buffers hold. */
const held = () => server.core.tcp.shared.slabs.held

describe.each(['10.0.0.1', 'fd00::1'])('by %s', (address) => {
  beforeEach(() => {
    serverAddress = address
  })

  test('echo gives back what it got, then ends', () => {
    const data = pattern(3 * MEGABYTE)
    const asking = new Client(7, data)
    later(5_000)
    expect(Buffer.compare(asking.received, data)).toBe(0)
    expect([asking.hasEnded, asking.closed]).toEqual([true, 'none'])
    expect(services.clients).toBe(0)
    expect(server.core.tcp.connectionCount).toBe(0)
    expect(held()).toBe(0)
  })

  test('echo of nothing is nothing', () => {
    const asking = new Client(7)
    later(100)
    expect([asking.received.length, asking.hasEnded, asking.closed]).toEqual([0, true, 'none'])
  })

  test('discard counts, says nothing, and ends after the client', () => {
    const asking = new Client(9, pattern(MEGABYTE))
    later(2_000)
    expect([asking.received.length, asking.hasEnded]).toEqual([0, true])
    expect(services.discarded).toEqual({ datagrams: 0, connections: 1, octets: MEGABYTE })
  })

  test('daytime tells the date and ends', () => {
    const asking = new Client(13)
    later(100)
    expect(text(asking.received)).toMatch(/^\w+day, \w+ \d+, \d{4} \d\d:\d\d:\d\d-UTC\r\n$/)
    expect(asking.closed).toBe('none')
  })

  test('chargen gives its lines until the client has finished', () => {
    const asking = new Client(19, new Uint8Array(0), false)
    later(200)
    const lines = Buffer.from(chargenPattern())
    const { received } = asking
    expect(received.length).toBeGreaterThan(MEGABYTE)
    for (let at = 0; at < received.length; at += lines.length) {
      const part = received.subarray(at, at + lines.length)
      expect(Buffer.compare(part, lines.subarray(0, part.length))).toBe(0)
    }
    asking.endpoint.finish()
    later(1_000)
    expect([asking.hasEnded, services.clients]).toEqual([true, 0])
  })
})

describe('a client that does not read', () => {
  test.each([
    [7, pattern(32 * MEGABYTE)],
    [19, new Uint8Array(0)],
  ])('holds the service at port %i back, and gets all of it later', (port, data) => {
    const asking = new Client(port, data, port === 7)
    asking.isReading = false
    later(10_000)
    const { sent } = asking
    const before = held()
    expect(before).toBeLessThan(16 * MEGABYTE)
    later(10_000)
    expect([asking.sent, held()]).toEqual([sent, before])
    asking.isReading = true
    asking.read()
    later(port === 7 ? 5_000 : 500)
    if (port === 7) expect(Buffer.compare(asking.received, data)).toBe(0)
    else expect(asking.received.length).toBeGreaterThan(before)
  })

  test('and goes, takes nothing with it', () => {
    const asking = new Client(7, pattern(32 * MEGABYTE))
    asking.isReading = false
    later(1_000)
    asking.endpoint.abort()
    later(100)
    expect([services.clients, server.core.tcp.connectionCount, held()]).toEqual([0, 0, 0])
  })
})

describe('more clients than there may be', () => {
  test('wait for their turn', () => {
    const first = Array.from({ length: MOST_CLIENTS }, () => new Client(7, pattern(10), false))
    const second = Array.from({ length: MOST_CLIENTS }, () => new Client(7, pattern(20)))
    later(500)
    expect(first.map(({ received }) => received.length)).toEqual(first.map(() => 10))
    expect(second.map(({ received }) => received.length)).toEqual(second.map(() => 0))
    expect(services.clients).toBe(MOST_CLIENTS)
    first[0].endpoint.finish()
    later(500)
    expect(second.every(({ received, hasEnded }) => received.length === 20 && hasEnded)).toBe(true)
    expect(services.clients).toBe(MOST_CLIENTS - 1)
  })

  test('daytime waits ten seconds for a client that stays', () => {
    for (let count = 0; count < MOST_CLIENTS; count++) new Client(13, pattern(10), false)
    const last = new Client(13)
    later(5_000)
    expect(last.received.length).toBe(0)
    later(6_000)
    expect(last.received.length).toBeGreaterThan(20)
  })

  test('one that is silent is asked whether it is there', () => {
    const asking = new Client(7, pattern(10), false)
    later(1_000)
    link.impair({ loss: 1 })
    asking.endpoint.abort()
    later(60_000 + 10 * 75_000)
    expect(services.clients).toBe(0)
  })
})

test('closing resets clients and frees the ports', () => {
  const asking = new Client(7, pattern(10), false)
  later(100)
  services.close()
  later(100)
  expect(asking.closed).toBe('reset')
  expect(server.core.tcp.connectionCount).toBe(0)
  startServices(server).close()
})
