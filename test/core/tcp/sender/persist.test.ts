// Zero-window probes (RFC 9293 §3.8.6.1) and keep-alive (§3.8.4).
import { describe, expect, it } from 'vitest'
import { Decision, KeepAlive } from '../../../../src/core/tcp/sender/keep-alive.ts'
import { Persist } from '../../../../src/core/tcp/sender/persist.ts'
import { tcpInfo } from '../../../../src/core/tcp/tcp-info.ts'
import { TcpBench } from '../../../support/tcp-bench.ts'

describe('zero-window probes', () => {
  it('come an RTO after the window closed, then ever more slowly (MUST-36, SHLD-29, SHLD-30)', () => {
    const persist = new Persist()
    const waits: number[] = []
    for (let probe = 0; probe < 12; probe++) {
      waits.push(persist.delay(300, 200, 120_000))
      persist.onProbe()
      persist.onAnswer()
    }
    expect(waits.slice(0, 4)).toEqual([300, 600, 1200, 2400])
    expect(waits[11]).toBe(120_000)
    for (let probe = 0; probe < 1000; probe++) persist.onProbe()
    expect(persist.delay(300, 200, 120_000)).toBe(120_000)
    expect(persist.delay(0, 0, 120_000)).toBe(0)
  })

  it('count those that nobody answers, so that an answer keeps the connection (MUST-37)', () => {
    const persist = new Persist()
    for (let probe = 0; probe < 10; probe++) persist.onProbe()
    expect(persist.unanswered).toBe(10)
    persist.onAnswer()
    expect(persist.unanswered).toBe(0)
  })
})

describe('keep-alive', () => {
  it('probes after a time of silence, and gives up after several probes (MUST-26, MUST-27, MUST-29)', () => {
    const keepAlive = new KeepAlive(7_200_000, 75_000, 3)
    expect(keepAlive.nextAfter).toBe(7_200_000)
    expect(keepAlive.decide(7_199_999)).toBe(Decision.wait)
    for (let probe = 0; probe < 3; probe++) {
      expect(keepAlive.decide(keepAlive.nextAfter - 1)).toBe(Decision.wait)
      expect(keepAlive.decide(keepAlive.nextAfter)).toBe(Decision.probe)
      keepAlive.onProbe()
    }
    expect(keepAlive.nextAfter).toBe(7_200_000 + 3 * 75_000)
    expect(keepAlive.decide(keepAlive.nextAfter)).toBe(Decision.giveUp)
  })

  it('begins anew when anything is heard', () => {
    const keepAlive = new KeepAlive(1000, 100, 2)
    keepAlive.onProbe()
    keepAlive.onProbe()
    keepAlive.onHeard()
    expect([keepAlive.nextAfter, keepAlive.decide(1000)]).toEqual([1000, Decision.probe])
  })
})

describe('a window that opens again', () => {
  it('ends the probing: what is lost then is sent again until it arrives', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    peer.send('.', { window: 0 })
    bench.write(connection, 100)
    bench.wait(2000)
    expect(tcpInfo(connection, bench.now).probes).toBeGreaterThan(1)
    peer.heard()
    peer.send('.', { ack: 1 })
    expect(tcpInfo(connection, bench.now).probes).toBe(0)
    bench.wait(20_000)
    expect(peer.heard().filter(({ seq }) => seq === 1).length).toBeGreaterThan(3)
  })

  it('has them begin anew when it closes again', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    for (let round = 0; round < 2; round++) {
      peer.send('.', { window: 0 })
      bench.write(connection, 100)
      bench.wait(250)
      expect(tcpInfo(connection, bench.now).probes).toBe(1)
      bench.wait(2000)
      peer.send('.', { ack: 1 + 100 * round })
      peer.heard()
      peer.send('.')
    }
  })
})
