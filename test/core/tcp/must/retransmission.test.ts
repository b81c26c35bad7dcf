// RFC 9293 §3.8.1 to §3.8.3: retransmission timeouts, congestion control, and when a connection is given up.
import { describe, expect, it } from 'vitest'
import { bbr } from '../../../../src/core/tcp/congestion/bbr.ts'
import { cubic } from '../../../../src/core/tcp/congestion/cubic.ts'
import { Reason, State } from '../../../../src/core/tcp/state.ts'
import { mss, stamps, TcpBench } from '../../../support/tcp-bench.ts'

describe('round trips (RFC 9293 §3.8.1)', () => {
  it("MUST-18: Karn's algorithm: what was sent twice gives no sample, and the backed-off RTO stays until one is had", () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    const before = connection.rtt.srtt
    bench.write(connection, 100)
    bench.wait(450)
    expect(peer.lines().length).toBe(2)
    const { rto } = connection.rtt
    expect(rto).toBeGreaterThanOrEqual(400)
    bench.wait(50)
    peer.send('.')
    expect(connection.rtt.srtt).toBe(before)
    expect(connection.rtt.rto).toBe(rto)
    bench.write(connection, 100)
    peer.heard()
    bench.wait(30)
    peer.send('.')
    expect(connection.rtt.srtt).toBeGreaterThan(before)
    expect(connection.rtt.rto).toBeLessThan(rto)
  })

  it('MUST-18: timestamps tell which transmission was answered, and give one all the same', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept({ synOptions: [...mss(1460), ...stamps(1, 0)], clock: 1 })
    bench.write(connection, 100)
    bench.wait(250)
    peer.heard()
    bench.wait(70)
    const before = connection.rtt.srtt
    peer.send('.')
    // The retransmission left at 200 ms, and was answered 120 ms later.
    expect(connection.rtt.srtt - before).toBeGreaterThan(10_000)
    expect(connection.rtt.srtt).toBeLessThan(125_000)
  })
})

describe('congestion (RFC 9293 §3.8.2)', () => {
  it('MUST-19: each timeout of the same octets doubles the wait', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    bench.write(connection, 100)
    bench.wait(60_000)
    const times = peer.heard().map(({ at }) => at)
    const gaps = times.slice(1).map((at, place) => at - times[place])
    expect(gaps.length).toBeGreaterThan(6)
    for (let place = 1; place < gaps.length; place++) expect(gaps[place] / gaps[place - 1]).toBeCloseTo(2, 1)
  })

  it('MUST-19: no wait is longer than two minutes (RFC 6298 §2.5)', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    bench.write(connection, 100)
    bench.wait(1_000_000)
    const times = peer.heard().map(({ at }) => at)
    const gaps = times.slice(1).map((at, place) => at - times[place])
    expect(gaps.slice(-3)).toEqual([120_000, 120_000, 120_000])
  })

  it('MUST-19: slow start doubles what is in flight in a round trip', () => {
    const bench = new TcpBench({ congestion: 'reno' })
    const [peer, connection] = bench.accept({ synOptions: mss(1000) })
    connection.setBuffers(1_000_000, null)
    bench.write(connection, 500_000)
    const flights: number[] = []
    for (let round = 0; round < 3; round++) {
      // Its growth is paced over the round trip.
      const first = peer.heard().length
      bench.wait(50)
      flights.push(first + peer.heard().length)
      peer.send('.')
    }
    expect(flights).toEqual([10, 20, 40])
  })

  it('MUST-19: after a timeout one segment goes, and cwnd rises slowly beyond half of what was in flight', () => {
    const bench = new TcpBench({ congestion: 'reno' })
    const [peer, connection] = bench.accept({ synOptions: mss(1000) })
    connection.setBuffers(1_000_000, null)
    bench.write(connection, 500_000)
    expect(peer.heard().length).toBe(10)
    bench.wait(300)
    expect(peer.lines()).toEqual(['. 1:1001(1000) ack 1'])
    expect(connection.congestion?.cwnd).toBe(1000)
    expect(connection.congestion?.ssthresh).toBe(5000)
    const windows: number[] = []
    // From here every segment arrives, a round trip after it was sent.
    for (let round = 0, arrived = 1; round < 8; round++) {
      bench.wait(50)
      arrived = round === 0 ? 1001 : Math.max(arrived, peer.expected)
      peer.send('.', { ack: arrived })
      windows.push(connection.congestion?.cwnd ?? 0)
      peer.heard()
    }
    // Slow start to ssthresh, then a segment a round trip.
    const last = windows.slice(-3)
    expect(last[1] - last[0]).toBeLessThanOrEqual(1000)
    expect(last[2] - last[1]).toBeLessThanOrEqual(1000)
    expect(last[2]).toBeGreaterThan(5000)
  })
})

describe('other controllers (RFC 9293 §3.8.2)', () => {
  it.each([
    ['cubic', cubic],
    ['bbr', bbr],
  ])('MAY-18: a connection may have another one: %s', (name, factory) => {
    const bench = new TcpBench()
    bench.tcp.shared.congestion = factory
    const [peer, connection] = bench.accept()
    expect(connection.congestion?.name).toBe(name)
    bench.write(connection, 14_600)
    for (let round = 0; round < 20; round++) {
      bench.wait(20)
      peer.heard()
      peer.send('.')
    }
    expect(peer.expected).toBe(14_601)
    bench.write(connection, 1000)
    peer.heard()
    bench.wait(1_000_000)
    expect(connection.reason).toBe(Reason.timedOut)
  })
})

describe('R1 and R2 (RFC 9293 §3.8.3)', () => {
  it('MUST-20, SHLD-11: a connection that is not answered ends after R2, which is beyond 100 seconds', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    bench.write(connection, 100)
    bench.wait(100_000)
    expect(connection.state).toBe(State.established)
    bench.wait(1_000_000)
    expect(connection.reason).toBe(Reason.timedOut)
    expect(bench.woken).toContain('closed')
    expect(peer.heard().at(-1)?.flags).toBe('R.')
  })

  it('MUST-20, SHLD-9, SHLD-10: after three retransmissions IP is asked for another way, and the user is told', () => {
    const bench = new TcpBench()
    const [peer, connection] = bench.accept()
    bench.write(connection, 100)
    bench.woken.length = 0
    while (peer.heard().length === 0 || connection.timeouts < 2) bench.wait(10)
    expect(bench.woken).not.toContain('trouble')
    const asked: string[] = []
    const { interfaces } = bench.bench.stack
    const route = interfaces.route.bind(interfaces)
    interfaces.route = (destination) => {
      asked.push(destination.toString())
      return route(destination)
    }
    while (connection.timeouts < 3) bench.wait(10)
    expect(asked).toEqual(['10.0.0.1'])
    expect(bench.woken).toContain('trouble')
    expect(connection.trouble).toBe(Reason.timedOut)
    peer.heard()
    peer.send('.')
    expect(connection.trouble).toBe(Reason.none)
  })

  it("MUST-21: R2 is the user's to set for a connection: shorter", () => {
    const bench = new TcpBench()
    const [, connection] = bench.accept()
    connection.userTimeout = 5000
    bench.write(connection, 100)
    bench.wait(4900)
    expect(connection.isOver).toBe(false)
    bench.wait(200)
    expect(connection.reason).toBe(Reason.timedOut)
  })

  it('MUST-21: longer than any count of retransmissions, or without end', () => {
    const bench = new TcpBench({ retries: 3 })
    const [peer, connection] = bench.accept()
    const [, other] = bench.accept({ port: 4001 })
    connection.userTimeout = Number.POSITIVE_INFINITY
    bench.write(connection, 100)
    bench.write(other, 100)
    bench.wait(24 * 3_600_000)
    expect(other.reason).toBe(Reason.timedOut)
    expect(connection.state).toBe(State.established)
    peer.heard()
    bench.wait(121_000)
    expect(peer.heard().length).toBeGreaterThan(0)
  })

  it('MUST-22, MUST-23: a SYN is sent again for three minutes and more, then the user is told', () => {
    const bench = new TcpBench()
    const peer = bench.peer()
    const connection = bench.connect(peer)
    bench.wait(180_000)
    expect(connection.state).toBe(State.synSent)
    expect(bench.woken).toContain('trouble')
    expect(connection.trouble).toBe(Reason.timedOut)
    bench.wait(180_000)
    expect(connection.reason).toBe(Reason.timedOut)
    expect(bench.woken.at(-1)).toBe('closed')
    const times = peer.heard().map(({ at }) => at)
    expect(times).toEqual([0, 1000, 3000, 7000, 15_000, 31_000, 63_000, 127_000])
  })

  it("MUST-22: the user's own R2 counts for SYNs, too", () => {
    const bench = new TcpBench()
    const connection = bench.connect(bench.peer())
    connection.userTimeout = 10_000
    bench.wait(9900)
    expect(connection.state).toBe(State.synSent)
    bench.wait(200)
    expect(connection.reason).toBe(Reason.timedOut)
  })

  it('MUST-22: so does the answer to a SYN, by a limit of its own', () => {
    const bench = new TcpBench()
    bench.listen()
    const peer = bench.peer()
    peer.send('S')
    bench.wait(120_000)
    expect(bench.tcp.requestCount).toBe(0)
    const times = peer.heard().map(({ at }) => at)
    expect(times).toEqual([0, 1000, 3000, 7000, 15_000, 31_000])
  })
})
