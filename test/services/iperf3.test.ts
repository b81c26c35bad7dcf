// iperf3's server in virtual time, octet by octet: what the real client can't be made to do, and what it counts of datagrams that were
// lost and came out of order. The real client is in test/linux/http.test.ts.
import { beforeEach, expect, test } from 'vitest'
import type { PortableStack } from '../../src/runtime/create-stack.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import { Iperf3Server } from '../../src/services/iperf3.ts'
import { simulate } from '../../src/simulate/network.ts'

const SERVER = { address: '10.0.0.1', port: 5201 }

let network: ReturnType<typeof simulate>
let server: PortableStack
let client: PortableStack

beforeEach(() => {
  network = simulate({ seed: 3 })
  const hosts = [network.host('server', ['10.0.0.1']), network.host('client', ['10.0.0.2'])]
  network.link(hosts[0], hosts[1], { delay: 1 })
  server = hosts[0].stack
  client = hosts[1].stack
  new Iperf3Server(server)
})

const later = (milliseconds: number) => network.advance(network.now() + milliseconds)

function open(cookie: string): Endpoint {
  const endpoint = client.connect(SERVER)
  later(5)
  endpoint.send(new TextEncoder().encode(`${cookie.padEnd(36)}\0`))
  later(5)
  return endpoint
}

const octets = (endpoint: Endpoint) => [...(endpoint.read() ?? [])]

function sendJson(endpoint: Endpoint, value: unknown): void {
  const text = new TextEncoder().encode(JSON.stringify(value))
  const bytes = new Uint8Array(4 + text.length)
  new DataView(bytes.buffer).setUint32(0, text.length)
  bytes.set(text, 4)
  endpoint.send(bytes)
  later(5)
}

test('counts what was lost, what came late, and jitter', () => {
  const control = open('one')
  expect(octets(control)).toEqual([9])
  sendJson(control, { udp: true, parallel: 1, len: 100, bandwidth: 1e6 })
  expect(octets(control)).toEqual([10])
  const udp = client.openUdp()
  udp.bind(4000)
  const send = (...given: number[]) => udp.send(Uint8Array.from(given), SERVER.address, SERVER.port)
  send(0x39, 0x38, 0x37, 0x36)
  send(0x39, 0x38, 0x37, 0x36)
  later(5)
  const answers: number[][] = []
  for (let one = udp.receive(); one !== null; one = udp.receive())
    answers.push([...one.bytes.subarray(one.offset, one.offset + one.length)])
  expect(answers).toEqual([
    [0x36, 0x37, 0x38, 0x39],
    [0x36, 0x37, 0x38, 0x39],
  ])
  expect(octets(control)).toEqual([1, 2])
  for (const number of [1, 2, 4, 3, 7]) {
    const datagram = new Uint8Array(100)
    new DataView(datagram.buffer).setUint32(8, number)
    udp.send(datagram, SERVER.address, SERVER.port)
    later(8)
  }
  control.send(Uint8Array.of(4))
  later(5)
  expect(octets(control)).toEqual([13])
  sendJson(control, { streams: [] })
  const told = Uint8Array.from(octets(control))
  expect(told.at(-1)).toBe(14)
  const { streams, sender_has_retransmits } = JSON.parse(new TextDecoder().decode(told.subarray(4, -1)))
  expect(sender_has_retransmits).toBe(-1)
  expect(streams).toMatchObject([{ id: 1, bytes: 500, packets: 7, errors: 2, retransmits: -1 }])
  // Each comes 8 ms later by our clock, and no later by theirs: 8 ms × (1 - (15/16)^4).
  expect(streams[0].jitter).toBeCloseTo(0.008 * (1 - (15 / 16) ** 4), 6)
  control.send(Uint8Array.of(16))
  later(5)
  control.close()
  later(100)
  expect(server.core.tcp.connectionCount).toBe(0)
})

test.each([{ parallel: 0 }, { parallel: 1000 }, { udp: true, len: 8 }, { udp: true, len: 70_000 }, { udp: true }])(
  'refuses %j, and is there for the next',
  (parameters) => {
    const control = open('one')
    expect(octets(control)).toEqual([9])
    sendJson(control, parameters)
    expect(octets(control)).toEqual([0xfe, 0, 0, 0, 15, 0, 0, 0, 0])
    expect(octets(open('two'))).toEqual([9])
  },
)

test('says so to others while a test runs, and gives up one that is silent', () => {
  const control = open('one')
  expect(octets(open('two'))).toEqual([0xff])
  expect(octets(control)).toEqual([9])
  later(31_000)
  expect(control.isAtEnd || control.isOver).toBe(true)
  expect(octets(open('two'))).toEqual([9])
})

test('says that its port is taken where it is', () => {
  server.openUdp({ ipv6: true }).bind(5201)
  const control = open('one')
  sendJson(control, { udp: true, len: 100 })
  expect(octets(control).slice(0, 6)).toEqual([9, 0xfe, 0, 0, 0, 114])
})
