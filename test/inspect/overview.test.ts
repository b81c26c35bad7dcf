// What a live page is told of a stack: its sockets as rows, one connection in full with why each segment was sent, and both within bounds.
import { beforeEach, expect, test } from 'vitest'
import { ConnectionWatch } from '../../src/inspect/connection-watch.ts'
import { connectionKey, overview } from '../../src/inspect/overview.ts'
import { WatchedLink } from '../../src/link/watched.ts'
import { wire } from '../../src/link/wire.ts'
import type { PortableStack } from '../../src/runtime/create-stack.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import { type Network, simulate } from '../../src/simulate/network.ts'

let network: Network
let server: PortableStack
let client: PortableStack
let links: WatchedLink[]

beforeEach(() => {
  network = simulate({ seed: 3 })
  const random = network.random.stream('path')
  const { ends, forward, backward } = wire({
    time: network.clock,
    random: { forward: random.stream('forward'), backward: random.stream('backward') },
  })
  forward.change({ delay: 5 })
  backward.change({ delay: 5 })
  links = ends.map((end) => new WatchedLink(end))
  const stacks = ['server', 'client'].map((name, place) => {
    const addresses = [`10.0.0.${place + 1}/24`, `fd00::${place + 1}/64`]
    const { stack } = network.host(name, { addresses })
    stack.addInterface({ link: links[place], addresses })
    return stack
  })
  server = stacks[0]
  client = stacks[1]
})

const later = (milliseconds: number) => network.advance(network.now() + milliseconds)

/** A connection to port 80, and its accepted end, which answers everything with 3,000 octets. */
function connected(address: string): Endpoint {
  server.listen({ port: 80, name: 'http', address: address.includes(':') ? '::' : '0.0.0.0' }).onConnection = (
    peer,
  ) => {
    peer.onReadable = () => {
      while (peer.read() !== null) peer.send(new Uint8Array(3000))
    }
  }
  const endpoint = client.connect({ address, port: 80 })
  endpoint.onReadable = () => {
    while (endpoint.read() !== null);
  }
  later(50)
  return endpoint
}

const keyOf = ({ localPort }: Endpoint, [local, remote]: readonly [string, string]) =>
  connectionKey(local, 80, remote, localPort)

test('the sockets as rows, by the names of netstat, and the counters', () => {
  const endpoint = connected('10.0.0.1')
  server.openUdp().bind(9)
  endpoint.send(new Uint8Array(10))
  later(100)
  const { rows, states, left, counters } = overview(server)
  expect(states).toEqual({ LISTEN: 1, ESTABLISHED: 1 })
  expect(rows.map(({ state, local, remote, owner }) => [state, local, remote, owner])).toEqual([
    ['LISTEN', '0.0.0.0:80', '*', 'http'],
    ['ESTABLISHED', '10.0.0.1:80', `10.0.0.2:${endpoint.localPort}`, 'http'],
    ['UNCONNECTED', '0.0.0.0:9', '*', null],
  ])
  expect(rows[1]).toMatchObject({
    octetsIn: 10,
    octetsOut: 3000,
    retransmissions: 0,
    key: keyOf(endpoint, ['10.0.0.1', '10.0.0.2']),
  })
  expect(rows[1].rtt).toBeCloseTo(10, 0)
  expect(left).toBe(0)
  expect(counters.packetsIn).toBeGreaterThan(2)
})

test('of many connections so many rows, and how many are left', () => {
  connected('10.0.0.1')
  for (let more = 0; more < 20; more++) client.connect({ address: '10.0.0.1', port: 80 })
  later(100)
  const { rows, left, states } = overview(server, 5)
  expect(states.ESTABLISHED).toBe(21)
  expect(rows.filter(({ state }) => state === 'ESTABLISHED').length).toBe(5)
  expect(left).toBe(16)
})

test.each([
  ['10.0.0.1', '10.0.0.2'],
  ['fd00::1', 'fd00::2'],
] as const)('one connection in full, and no other one (%s)', (local, remote) => {
  const endpoint = connected(local)
  const other = client.connect({ address: local, port: 80 })
  later(50)
  const watch = new ConnectionWatch(server, links.slice(0, 1), keyOf(endpoint, [local, remote]))
  endpoint.send(new Uint8Array(10))
  other.send(new Uint8Array(20))
  later(100)
  const { segments, left, state, sample, roundTrips } = watch.take()
  expect({ left, state }).toEqual({ left: 0, state: 'ESTABLISHED' })
  const brief = segments.map(({ isOut, segment, reason }) => [
    isOut ? 'out' : 'in',
    segment.length,
    reason?.text ?? null,
  ])
  expect(brief.slice(0, 2)).toEqual([
    ['in', 10, null],
    ['out', expect.any(Number), 'new data'],
  ])
  expect(segments.filter(({ isOut }) => isOut).reduce((sum, { segment }) => sum + segment.length, 0)).toBe(3000)
  expect(segments[1].reason?.section).toMatch(/^RFC 9293/)
  expect(sample?.cwnd).toBeGreaterThan(10_000)
  expect(roundTrips.length).toBeGreaterThan(0)
  expect(watch.take()).toMatchObject({ segments: [], roundTrips: [] })
  endpoint.finish()
  later(100)
  expect(watch.take().changes).toMatchObject([{ from: 'ESTABLISHED', to: 'CLOSE-WAIT', cause: 'FIN ACK came' }])
  watch.close()
  endpoint.abort()
  later(100)
  expect(watch.take().segments).toEqual([])
})

test('what nobody fetches is told of in part', () => {
  const endpoint = connected('10.0.0.1')
  const watch = new ConnectionWatch(server, links.slice(0, 1), keyOf(endpoint, ['10.0.0.1', '10.0.0.2']))
  for (let more = 0; more < 600; more++) {
    endpoint.send(new Uint8Array(10))
    later(100)
  }
  const { segments, left } = watch.take()
  expect(segments.length).toBe(1000)
  expect(left).toBeGreaterThan(100)
})
