// Attacks by acknowledgments: a peer that lies about what it has, to make a sender burst, stall, shatter its records or forget octets.
import { describe, expect, test } from 'vitest'
import { Reason, State } from '../../src/core/tcp/state.ts'
import { icmpPacket, u32 } from '../support/packets.ts'
import { mss, type Peer, pattern, sackPermitted, TcpBench } from '../support/tcp-bench.ts'

const blocks = (peer: Peer, ...ranges: [number, number][]) => [
  ...[1, 1, 5, 2 + ranges.length * 8],
  ...ranges.flatMap(([start, end]) => [...u32(peer.stackIss + start), ...u32(peer.stackIss + end)]),
]

const sacking = { synOptions: [...mss(1460), ...sackPermitted] }

/** The text that the peer has heard, each octet at its place; fails where one is said in two ways. */
class Text {
  readonly #octets = new Map<number, number>()

  add(heard: { seq: number; data: ArrayLike<number> }[]): void {
    for (const { seq, data } of heard) {
      for (let at = 0; at < data.length; at++) {
        const before = this.#octets.get(seq + at)
        if (before !== undefined) expect(before).toBe(data[at])
        this.#octets.set(seq + at, data[at])
      }
    }
  }

  /** How much of it there is without a gap. */
  get length(): number {
    let end = 1
    while (this.#octets.has(end)) end++
    return end - 1
  }
}

describe('SACK panic (CVE-2019-11477) and low MSS (CVE-2019-11479)', () => {
  test('a peer with an MSS of 8 gets segments of no less than the least, and its SACKs shatter nothing', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open({ synOptions: [...mss(8), ...sackPermitted] })
    bench.write(connection, 60_000)
    const first = peer.heard()
    const full = first.filter(({ data }) => data.length > 0)
    expect(Math.min(...full.slice(0, -1).map(({ data }) => data.length))).toBeGreaterThanOrEqual(36)
    for (let start = 2; start < 300; start += 2) peer.send('.', { ack: 1, options: blocks(peer, [start, start + 1]) })
    const { flight } = connection
    let records = 0
    for (let row = flight.first; row >= 0; row = flight.slab.next[row]) records++
    expect(records).toBeLessThanOrEqual(full.length)
    peer.send('.')
    expect(connection.state).toBe(State.established)
  })

  test('a path that says it carries 68 octets is believed down to 552 only', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    bench.write(connection, 20_000)
    const [{ packet }] = peer.heard()
    const quote = packet.subarray(0, 28)
    const lie = bench.bench
    lie.receive(icmpTooBig(quote, 68))
    // What was one segment of 1,460 octets goes in three.
    const lengths = peer.heard().map(({ data }) => data.length)
    expect(lengths.slice(0, 3)).toEqual([512, 512, 436])
  })
})

function icmpTooBig(quote: ArrayLike<number>, mtu: number) {
  return icmpPacket(3, 4, mtu, quote, { from: '10.0.0.99', to: '10.0.0.2' })
}

describe('lying SACKs', () => {
  test.each<[string, (peer: Peer) => [number, number][]]>([
    ['of what was never sent', ({ expected }) => [[expected + 1000, expected + 5000]]],
    ['of what was acknowledged long ago', () => [[-5000, -100]]],
    ['upside down', () => [[3000, 1000]]],
    ['of nothing', () => [[2000, 2000]]],
    ['of half the sequence space', () => [[1, 0x7fffffff]]],
    ['of everything, and taken back (RFC 2018 §8)', ({ expected }) => [[1461, expected]]],
  ])('%s: every octet still arrives', (_, ranges) => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open(sacking)
    bench.write(connection, 14_600)
    const text = new Text()
    // It lies that it has them: nothing is noted of the first flight.
    peer.heard()
    for (let round = 0; round < 4; round++) peer.send('.', { ack: 1, options: blocks(peer, ...ranges(peer)) })
    for (let round = 0; round < 40 && text.length < 14_600; round++) {
      bench.wait(1000)
      text.add(peer.heard())
      peer.send('.', { ack: text.length + 1 })
    }
    expect(text.length).toBe(14_600)
    expect(connection.unacknowledged).toBe(0)
    expect(connection.state).toBe(State.established)
  })
})

describe('optimistic ACKs and ACK division (Savage and others, 1999)', () => {
  const windowAfter = (acks: (peer: Peer) => void) => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open()
    bench.write(connection, 200_000)
    peer.heard()
    acks(peer)
    return { cwnd: connection.congestion?.cwnd ?? 0, sent: peer.heard(), connection }
  }

  test('an ACK of what was never sent opens no window, and gets an ACK (RFC 9293 §3.10.7.4)', () => {
    const before = windowAfter(() => {}).cwnd
    const { cwnd, sent, connection } = windowAfter((peer) => peer.send('.', { ack: peer.expected + 20_000 }))
    expect(cwnd).toBe(before)
    expect(sent.map(({ data }) => data.length)).toEqual([0])
    expect(connection.state).toBe(State.established)
  })

  test('a segment acknowledged in 1,460 pieces opens the window as one ACK does', () => {
    const once = windowAfter((peer) => peer.send('.', { ack: 1461 })).cwnd
    const divided = windowAfter((peer) => {
      for (let ack = 2; ack <= 1461; ack++) peer.send('.', { ack })
    }).cwnd
    expect(divided).toBeLessThanOrEqual(once)
  })

  test('ten thousand duplicate ACKs are worth no more than the segments that they can stand for', () => {
    const sentAfter = (many: number) => {
      const { sent } = windowAfter((peer) => {
        for (let round = 0; round < many; round++) peer.send('.', { ack: 1 })
      })
      return sent.filter(({ data }) => data.length > 0).length
    }
    expect(sentAfter(10_000)).toBe(sentAfter(100))
    expect(sentAfter(100)).toBeLessThan(40)
  })
})

describe('a window of zero for ever (sockstress), and a reader who takes an octet at a time', () => {
  test('costs a probe now and then, and what the send buffer holds', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept({ window: 0 })
    bench.write(connection, 1_000_000)
    let packets = 0
    for (let minute = 0; minute < 60; minute++) {
      bench.wait(60_000)
      const probes = peer.heard()
      packets += probes.length
      if (probes.length > 0) peer.send('.', { ack: 1, window: 0 })
    }
    expect(packets).toBeLessThan(60)
    expect(bench.tcp.shared.slabs.held).toBeLessThanOrEqual(connection.room + connection.unacknowledged + (2 << 16))
    expect(connection.state).toBe(State.established)
  })

  test('ends by the user timeout where one is set (RFC 9293 §3.9.1)', () => {
    const bench = new TcpBench({ userTimeout: 30_000 })
    const [peer, connection] = bench.accept({ window: 0 })
    bench.write(connection, 1000)
    for (let second = 0; second < 120 && !connection.isOver; second++) {
      bench.wait(1000)
      if (peer.heard().length > 0) peer.send('.', { ack: 1, window: 0 })
    }
    expect(connection.reason).toBe(Reason.timedOut)
  })

  test('a window of one octet does not cut the text into octets (RFC 9293 §3.8.6.2.1)', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.open({ window: 1460 })
    bench.write(connection, 50_000)
    expect(peer.heard().map(({ data }) => data.length)).toEqual([1460])
    for (let round = 0; round < 20; round++) peer.send('.', { ack: 1461, window: 1 })
    bench.wait(100)
    expect(peer.heard().filter(({ data }) => data.length > 0).length).toBeLessThanOrEqual(1)
  })
})

test('octets that the peer acknowledges before they arrive stay out of what is told as delivered', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.open()
  bench.write(connection, pattern(1000))
  peer.heard()
  peer.send('.', { ack: 5000 })
  expect(connection.unacknowledged).toBe(1000)
  peer.send('.', { ack: 1001 })
  expect(connection.unacknowledged).toBe(0)
})
