// What a stranger must not be able to guess or count: initial sequence numbers (the NUMBER:JACK kind), ports, identifications,
// timestamps (RFC 6528, RFC 6056, RFC 6864, RFC 7739, RFC 7323 §5.4).
import { describe, expect, test } from 'vitest'
import { type Address, parseAddress } from '../../src/core/ip/address.ts'
import { readIp } from '../support/packets.ts'
import { type Peer, TcpBench } from '../support/tcp-bench.ts'

/** The first numbers that a stack chooses for connections to one peer after another. */
function opened(count: number, differently: (at: number) => { from?: string; port?: number }) {
  const bench = new TcpBench()
  const peers: Peer[] = []
  for (let at = 0; at < count; at++) {
    const peer = bench.peer({ ...differently(at), synOptions: [2, 4, 5, 180, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0] })
    bench.connect(peer)
    peers.push(peer)
  }
  return peers.map((peer) => {
    const [heard] = peer.heard()
    return { iss: peer.stackIss >>> 0, port: peer.stackPort, stamp: (heard.stamps?.[0] ?? 0) >>> 0, ip: heard.ip }
  })
}

/** As nmap's -O looks at them: how often the difference of neighbours is one that was there before, and how far apart they lie. */
function spread(numbers: readonly number[]) {
  const differences = numbers.slice(1).map((number, at) => (number - numbers[at]) >>> 0)
  return {
    distinct: new Set(differences).size / differences.length,
    large: differences.filter((one) => one > 1e6).length / differences.length,
  }
}

describe('initial sequence numbers', () => {
  test.each<[string, (at: number) => { from?: string; port?: number }]>([
    ['to one port after another of one peer', (at) => ({ port: 1000 + at })],
    ['to one peer after another', (at) => ({ from: `10.0.0.${10 + (at % 200)}`, port: 2000 + at })],
  ])('%s tell nothing of the next', (_, differently) => {
    const { distinct, large } = spread(opened(500, differently).map(({ iss }) => iss))
    expect(distinct).toBe(1)
    expect(large).toBeGreaterThan(0.98)
  })

  test('have each of their 32 bits set as often as not', () => {
    const numbers = opened(2000, (at) => ({ port: 1000 + at })).map(({ iss }) => iss)
    for (let bit = 0; bit < 32; bit++) {
      const share = numbers.filter((number) => (number >>> bit) & 1).length / numbers.length
      expect(share, `bit ${bit}`).toBeGreaterThan(0.44)
      expect(share, `bit ${bit}`).toBeLessThan(0.56)
    }
  })

  test('of one tuple go up with time, so that an old segment lies outside (RFC 6528 §3)', () => {
    const bench = new TcpBench()
    const numbers: number[] = []
    for (let round = 0; round < 5; round++) {
      const peer = bench.peer({ port: 9 })
      const connection = bench.connect(peer, { localPort: 50_000 })
      peer.heard()
      numbers.push(peer.stackIss)
      connection.abort(bench.now)
      bench.forget()
      bench.wait(1000)
    }
    // Four microseconds a step: 250,000 a second.
    for (let at = 1; at < numbers.length; at++) expect((numbers[at] - numbers[at - 1]) | 0).toBe(250_000)
  })
})

test('ports of a stack’s own are in no order, and differ from stack to stack (RFC 6056)', () => {
  const ports = opened(200, (at) => ({ port: 1000 + at })).map(({ port }) => port)
  const { distinct } = spread(ports)
  expect(distinct).toBeGreaterThan(0.9)
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(32_768)
})

test('timestamps of two peers say nothing of each other or of how long the stack has run', () => {
  const stamps = opened(200, (at) => ({ from: `10.0.0.${10 + at}` })).map(({ stamp }) => stamp)
  expect(spread(stamps)).toMatchObject({ distinct: 1 })
})

describe('identifications', () => {
  test('are 0 where nothing may be cut (RFC 6864)', () => {
    expect(
      opened(20, (at) => ({ port: 1000 + at })).every(({ ip }) => ip.identification === 0 && ip.dontFragment),
    ).toBe(true)
  })

  test('of datagrams that may be are counted for each destination by itself, from a start of its own: no idle scan', () => {
    const { bench } = new TcpBench()
    const socket = bench.stack.udp.open(false)
    socket.bind(parseAddress('0.0.0.0') as Address, 4000)
    const identificationTo = (to: string) => {
      const bytes = new Uint8Array(3000)
      socket.send({ bytes, view: new DataView(bytes.buffer) }, 0, bytes.length, parseAddress(to), 9)
      return readIp(bench.sent()[0]).identification
    }
    const before = identificationTo('10.0.0.1')
    for (let at = 10; at < 60; at++) identificationTo(`10.0.0.${at}`)
    expect(identificationTo('10.0.0.1') - before).toBe(1)
  })
})
