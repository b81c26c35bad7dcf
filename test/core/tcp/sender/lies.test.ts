// A peer that lies to the sender: SACKs of anything, acknowledgments of what was never sent, echoed marks without end, timestamps that make
// round trips of nothing or of hours, while time stands still or jumps. Under each controller windows, rates and timers stay within their limits,
// and as soon as the peer is honest everything arrives. (test/core/tcp/congestion/conformance.ts tells controllers alone such things.)
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LARGEST_WINDOW, UNPACED } from '../../../../src/core/tcp/congestion/congestion.ts'
import type { Connection } from '../../../../src/core/tcp/connection.ts'
import { DEFAULT_SETTINGS } from '../../../../src/core/tcp/settings.ts'
import { Timer } from '../../../../src/core/tcp/timers.ts'
import { u32 } from '../../../support/packets.ts'
import { mss, type Peer, sackPermitted, scale, stamps, TcpBench } from '../../../support/tcp-bench.ts'

/** RFC 6298 §2.4: no round trip is believed to be longer. */
const LONGEST_ROUND_TRIP = 120_000_000

const place = () =>
  fc.oneof(
    fc.constantFrom(0, 1, 1448, 2896, -1, 30_000, 0x7fffffff, -0x80000000),
    fc.integer({ min: -3000, max: 60_000 }),
  )

const lie = fc.record({
  /** From SND.UNA; 100,000 and more counts from SND.NXT. */
  ack: fc.oneof(place(), fc.constantFrom(100_000, 100_001, 99_999, 150_000)),
  sacks: fc.array(fc.tuple(place(), place()), { maxLength: 3 }),
  hasEcho: fc.boolean(),
  /** By how much the echoed timestamp is older than now. */
  age: fc.oneof(fc.constantFrom(0, 1, -1, 3_600_000, 0x7fffffff), fc.integer({ min: -1000, max: 1_000_000 })),
  window: fc.constantFrom(0, 1, 1000, 65_535, 65_535),
  repeats: fc.constantFrom(1, 1, 1, 3, 40),
  wait: fc.constantFrom(0, 0, 0, 1, 20, 300, 5000),
  /** The clock jumps, and nobody has looked at a timer meanwhile. */
  jump: fc.constantFrom(0, 0, 0, 0, 250, 86_400_000),
  write: fc.constantFrom(0, 0, 1, 5000, 40_000),
})
type Lie = typeof lie extends fc.Arbitrary<infer One> ? One : never

function check({ congestion, flight, rtt, prr, tailProbe, shared, timersRow }: Connection, now: number): void {
  if (congestion === null) throw new Error('there is no controller')
  const { cwnd, ssthresh, pacingRate } = congestion
  const figures = [cwnd, ssthresh, pacingRate, rtt.srtt, rtt.rttvar, rtt.minimum, flight.pipe]
  for (const figure of figures) if ((figure | 0) !== figure) throw new Error(`${figures} are not all int32`)
  const isWithin =
    cwnd >= 1 &&
    cwnd <= LARGEST_WINDOW &&
    ssthresh >= 1 &&
    pacingRate > 0 &&
    pacingRate <= UNPACED &&
    rtt.srtt <= LONGEST_ROUND_TRIP &&
    rtt.rto > 0 &&
    rtt.rto <= DEFAULT_SETTINGS.maximumRto &&
    flight.pipe >= 0 &&
    flight.sacked + flight.lost <= flight.octets &&
    (prr === null || (prr.window >= 0 && prr.window <= 2 * LARGEST_WINDOW)) &&
    (tailProbe === null || typeof tailProbe.mayProbe === 'boolean')
  if (!isWithin) throw new Error(`${figures}, RTO ${rtt.rto}`)
  // No timer is set for never, nor for longer than the longest RTO and its probes.
  const limits = [
    [Timer.retransmission, DEFAULT_SETTINGS.maximumRto],
    [Timer.loss, 2 * DEFAULT_SETTINGS.maximumRto],
    [Timer.pacing, 1000],
  ] as const
  for (const [timer, limit] of limits) {
    const at = shared.timers.get(timersRow, timer)
    if (!(at === Number.POSITIVE_INFINITY || at <= now + limit))
      throw new Error(`timer ${timer} for ${at}, and it is ${now}`)
  }
}

function tell(bench: TcpBench, peer: Peer, connection: Connection, one: Lie): void {
  const una = (connection.sndUna - peer.stackIss) | 0
  const nxt = (connection.sndNxt - peer.stackIss) | 0
  const ack = one.ack >= 99_999 && one.ack < 200_000 ? nxt + one.ack - 100_000 : una + one.ack
  const blocks = one.sacks.flatMap(([from, to]) => [
    ...u32((connection.sndUna + from) | 0),
    ...u32((connection.sndUna + to) | 0),
  ])
  const sacks = blocks.length > 0 ? [1, 1, 5, 2 + blocks.length, ...blocks] : []
  const echo = one.hasEcho ? [1, 1, ...stamps((5000 + bench.now) | 0, (peer.echo - one.age) | 0)] : []
  const options = [...echo, ...sacks].length <= 40 ? [...echo, ...sacks] : echo
  for (let time = 0; time < one.repeats; time++) peer.send('.E', { ack, window: one.window, options })
}

/** From now on the peer says what it has. Returns how long everything has taken. */
function beHonest(bench: TcpBench, peer: Peer, connection: Connection): number {
  const begin = bench.now
  for (let round = 0; round < 5000 && connection.sendBuffer !== null; round++) {
    peer.heard()
    const una = (connection.sndUna - peer.stackIss) | 0
    peer.send('.', { ack: Math.max(peer.expected, una), window: 65_535 })
    bench.wait(Math.min(5000, Math.max(1, bench.bench.stack.deadline() - bench.now)))
    check(connection, bench.now)
  }
  return bench.now - begin
}

it.each(['cubic', 'reno', 'bbr'] as const)('%s', (congestion) => {
  fc.assert(
    fc.property(fc.boolean(), fc.array(lie, { minLength: 1, maxLength: 25 }), (hasStamps, lies) => {
      const bench = new TcpBench({ congestion, userTimeout: 0, retries: 100 })
      bench.listen()
      const synOptions = [...mss(1460), ...sackPermitted, ...(hasStamps ? stamps(5000, 0) : []), 1, ...scale(7)]
      const peer = bench.peer({ synOptions, ...(hasStamps ? { clock: 5000 } : {}) })
      peer.send('SEW')
      peer.heard()
      peer.send('.')
      const connection = bench.listener?.accepted.shift() as Connection
      bench.own(connection)
      bench.write(connection, 60_000)
      for (const one of lies) {
        if (one.write > 0) bench.write(connection, one.write)
        peer.heard()
        tell(bench, peer, connection, one)
        check(connection, bench.now)
        if (one.jump > 0) bench.bench.advance(one.jump)
        bench.wait(one.wait)
        check(connection, bench.now)
      }
      bench.write(connection, 100_000)
      // A round trip that was believed to be as long as can be is paced and waited for as such, until it is measured anew.
      const duration = beHonest(bench, peer, connection)
      expect(connection.sendBuffer).toBeNull()
      expect(duration).toBeLessThan(20 * DEFAULT_SETTINGS.maximumRto)
      connection.abort(bench.now)
      bench.flush()
    }),
    { numRuns: Number(process.env.TUNSTACK_LIES_RUNS ?? 20) },
  )
})
