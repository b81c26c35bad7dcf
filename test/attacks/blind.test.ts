// Attacks by somebody off the path, who knows or guesses the 4-tuple and not the sequence numbers (RFC 5961), and what a stack
// gives away about those (CVE-2016-5696).
import { describe, expect, test } from 'vitest'
import { State } from '../../src/core/tcp/state.ts'
import { pattern, TcpBench } from '../support/tcp-bench.ts'

describe('a blind RST (RFC 5961 §3)', () => {
  test('is believed at RCV.NXT alone; elsewhere in the window it gets one challenge ACK', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    for (let seq = peer.next + 1; seq < peer.next + 60_000; seq += 997) peer.send('R', { seq })
    expect(connection.state).toBe(State.established)
    expect(peer.lines()).toEqual(['. 1:1(0) ack 1'])
    peer.send('R', { seq: peer.next })
    expect(connection.isOver).toBe(true)
  })

  test('outside of the window is not answered at all', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    for (const seq of [-1, -70_000, 0x7fffffff, 200_000]) peer.send('R', { seq })
    expect(peer.heard()).toEqual([])
    expect(connection.state).toBe(State.established)
  })
})

test('a blind SYN (RFC 5961 §4) gets a challenge ACK, wherever it lies, and ends nothing', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept()
  for (const seq of [0, peer.next, peer.next + 100, -5000, 1 << 30]) {
    peer.send('S', { seq })
    bench.wait(1000)
    expect(peer.lines()).toEqual(['. 1:1(0) ack 1'])
  }
  expect(connection.state).toBe(State.established)
})

describe('blind data (RFC 5961 §5)', () => {
  test.each([
    ['acknowledges what was never sent', 1000],
    ['acknowledges what no window ever reached back to', -70_000],
  ])('that %s is not taken', (_, ack) => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    peer.send('P.', { seq: peer.next, ack: peer.expected + ack, data: pattern(100) })
    expect(connection.readable).toBe(0)
    expect(peer.lines()).toEqual(['. 1:1(0) ack 1'])
  })

  test('without an ACK bit is dropped', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    peer.send('', { seq: peer.next, data: pattern(100) })
    expect(connection.readable).toBe(0)
  })
})

describe('challenge ACKs as a side channel (CVE-2016-5696)', () => {
  test('how many one connection gets says nothing of another', () => {
    const bench = new TcpBench()
    const [attacker] = bench.accept({ from: '10.0.0.66' })
    const [victim] = bench.accept({ from: '10.0.0.1' })
    for (let round = 0; round < 5000; round++) attacker.send('S', { seq: attacker.next })
    expect(attacker.heard().length).toBe(1)
    victim.send('S', { seq: victim.next })
    expect(victim.lines()).toEqual(['. 1:1(0) ack 1'])
  })
})

describe('ACK storms', () => {
  test('a connection whose peer is out of step says so now and then, however often it is told', () => {
    const bench = new TcpBench()
    const [peer] = bench.accept()
    let answers = 0
    for (let round = 0; round < 1000; round++) {
      peer.send('.', { seq: peer.next - 5, ack: peer.expected + 5 })
      bench.wait(1)
      answers += peer.heard().length
    }
    expect(answers).toBeLessThanOrEqual(6)
  })

  test('two stacks that somebody has brought out of step do not answer each other without end', () => {
    const [one, other] = [new TcpBench(), new TcpBench()]
    const [toOne] = one.accept()
    const [toOther] = other.accept()
    // Each believes that the other has sent octets that it never did.
    let packets = 0
    toOne.send('.', { seq: toOne.next - 9, ack: toOne.expected + 9 })
    for (let round = 0; round < 1000; round++) {
      const answers = toOne.heard()
      packets += answers.length
      for (let answer = 0; answer < answers.length; answer++)
        toOther.send('.', { seq: toOther.next - 9, ack: toOther.expected + 9 })
      const back = toOther.heard()
      packets += back.length
      for (let answer = 0; answer < back.length; answer++)
        toOne.send('.', { seq: toOne.next - 9, ack: toOne.expected + 9 })
      one.wait(1)
      other.wait(1)
    }
    expect(packets).toBeLessThanOrEqual(8)
  })
})

describe('TIME-WAIT assassination (RFC 1337)', () => {
  const inTimeWait = () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    connection.finish(bench.now)
    peer.heard()
    peer.send('F.')
    peer.heard()
    expect(bench.tcp.timeWaitCount).toBe(1)
    return { bench, peer }
  }

  test('a RST does not end it', () => {
    const { bench, peer } = inTimeWait()
    peer.send('R', { seq: peer.next })
    peer.send('R.', { seq: peer.next })
    expect(bench.tcp.timeWaitCount).toBe(1)
  })

  test('an old duplicate gets the ACK of the end, and the RST that it provokes does no harm', () => {
    const { bench, peer } = inTimeWait()
    peer.send('P.', { seq: 1, ack: 1, data: pattern(10) })
    expect(peer.lines()).toEqual(['. 2:2(0) ack 2'])
    peer.send('R', { seq: peer.next })
    expect(bench.tcp.timeWaitCount).toBe(1)
  })
})

test('old duplicates by their timestamp are dropped (PAWS, RFC 7323 §5)', () => {
  const bench = new TcpBench()
  const options = [2, 4, 5, 180, 8, 10, 0, 0, 200, 0, 0, 0, 0, 0]
  const [peer, connection] = bench.accept({ synOptions: options, clock: 51_200 })
  const old = [1, 1, 8, 10, 0, 0, 100, 0, ...[0, 0, 0, 0]]
  peer.send('P.', { seq: peer.next, data: pattern(10), options: old })
  expect(connection.readable).toBe(0)
  expect(bench.bench.drops('tcpPaws')).toBe(1)
})
