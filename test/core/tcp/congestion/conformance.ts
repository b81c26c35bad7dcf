// What every congestion controller must hold, one of a user's own included: bounds for any numbers it may be told,
// and decent behaviour on a path. Run by the test of each controller.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  Acknowledged,
  type CongestionFactory,
  LARGEST_WINDOW,
  UNPACED,
} from '../../../../src/core/tcp/congestion/congestion.ts'
import { INITIAL_WINDOW, MSS, Path, settings } from './path.ts'

const int32 = () => fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const octets = () => fc.oneof(fc.nat(100_000), fc.nat(2 ** 30), fc.constant(0))
const duration = () => fc.oneof(fc.constantFrom(-1, 0, 1), fc.nat(1_000_000), fc.nat(2 ** 31 - 1))
const time = () => fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1000, noNaN: true }), fc.nat(2 ** 33))

/** Everything that a controller may be told, true or a lie. */
const event = () =>
  fc.oneof(
    fc.record({
      kind: fc.constant('acknowledged' as const),
      after: time(),
      octets: fc.tuple(octets(), octets(), octets(), octets(), octets(), octets(), octets()),
      durations: fc.tuple(duration(), duration(), duration(), duration()),
      sequences: fc.tuple(int32(), int32(), int32(), int32()),
      flags: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
    }),
    fc.record({
      kind: fc.constantFrom('sent', 'lost', 'recovery', 'recovered', 'timeout', 'marked', 'undone', 'restart', 'mss'),
      after: time(),
      octets: fc.tuple(octets(), octets(), octets()),
      flag: fc.boolean(),
    }),
  )

export function conform(name: string, make: CongestionFactory): void {
  describe(`${name}, as every controller`, () => {
    const check = (congestion: ReturnType<CongestionFactory>, mss: number) => {
      const { cwnd, ssthresh, pacingRate } = congestion
      for (const number of [cwnd, ssthresh, pacingRate]) expect(number | 0).toBe(number)
      expect(cwnd).toBeGreaterThanOrEqual(mss)
      expect(cwnd).toBeLessThanOrEqual(LARGEST_WINDOW)
      expect(ssthresh).toBeGreaterThanOrEqual(mss)
      expect(pacingRate).toBeGreaterThan(0)
      expect(pacingRate).toBeLessThanOrEqual(UNPACED)
    }

    it('begins with the initial window (RFC 6928)', () => {
      const congestion = make(settings())
      expect(congestion.cwnd).toBe(INITIAL_WINDOW)
      check(congestion, MSS)
    })

    it('stays within its bounds whatever it is told', () => {
      fc.assert(
        fc.property(fc.array(event(), { maxLength: 60 }), duration(), int32(), (events, rtt, seed) => {
          const congestion = make({ ...settings(0, rtt), seed })
          const ack = new Acknowledged()
          let mss = MSS
          let now = 0
          for (const one of events) {
            now += one.after
            if (one.kind === 'acknowledged') {
              ack.clear(now)
              ;[
                ack.acked,
                ack.delivered,
                ack.lost,
                ack.inFlight,
                ack.priorInFlight,
                ack.transmitInFlight,
                ack.lostSince,
              ] = one.octets
              ;[ack.rtt, ack.srtt, ack.minimumRtt, ack.rateInterval] = one.durations
              ;[ack.sndUna, ack.sndNxt, ack.totalDelivered, ack.priorDelivered] = one.sequences
              ;[ack.isWindowLimited, ack.inRecovery, ack.isApplicationLimited] = one.flags
              ack.rateDelivered = one.flags[3] ? -1 : ack.delivered
              congestion.onAcknowledged(ack)
            } else {
              const [first, second, third] = one.octets
              if (one.kind === 'sent') congestion.onSent(first, second, one.flag, now)
              else if (one.kind === 'lost') congestion.onLost(first, second, third, one.flag, now)
              else if (one.kind === 'recovery') congestion.onRecovery(first, now)
              else if (one.kind === 'recovered') congestion.onRecovered(now)
              else if (one.kind === 'timeout') congestion.onTimeout(first, one.flag, now)
              else if (one.kind === 'marked') congestion.onMarked(first, now)
              else if (one.kind === 'undone') congestion.onUndone(now)
              else if (one.kind === 'restart') congestion.onRestart(first, now)
              else congestion.onMss((mss = 88 + (first % 9000)))
            }
            check(congestion, mss)
          }
        }),
        { numRuns: 500 },
      )
    })

    it('fills a path, without losing much more than its queue makes it', () => {
      const path = new Path(make, { rate: 50, delay: 40, queue: 250_000 })
      path.run(10_000)
      expect(path.utilization(10_000)).toBeGreaterThan(0.9)
      expect(path.lost / path.delivered).toBeLessThan(0.02)
      expect(path.timeouts).toBe(0)
    })

    it('fills a path whose ACKs come in batches', () => {
      const path = new Path(make, { rate: 50, delay: 40, queue: 250_000, aggregation: 10 })
      path.run(10_000)
      expect(path.utilization(10_000)).toBeGreaterThan(0.85)
    })

    it('finds a path that has become slower, and one that has become faster', () => {
      const path = new Path(make, { rate: 50, delay: 20, queue: 125_000 })
      path.run(10_000)
      path.rate /= 5
      path.run(10_000)
      expect(path.utilization(10_000)).toBeGreaterThan(0.85)
      path.rate *= 5
      path.run(20_000)
      expect(path.utilization(10_000)).toBeGreaterThan(0.8)
    })

    it('goes on after silence', () => {
      const path = new Path(make, { rate: 50, delay: 20, queue: 125_000 })
      path.run(5000)
      path.wanted = 0
      path.run(5000)
      expect(path.inFlight).toBe(0)
      path.congestion.onRestart(5_000_000, path.now)
      path.wanted = Number.POSITIVE_INFINITY
      path.run(1000)
      expect(path.utilization(4000)).toBeGreaterThan(0.8)
    })

    it('comes back from a timeout', () => {
      const path = new Path(make, { rate: 50, delay: 20, queue: 125_000 })
      path.run(3000)
      path.loss = 1
      path.run(2000)
      expect(path.timeouts).toBeGreaterThan(0)
      path.loss = 0
      path.run(5000)
      expect(path.utilization(5000)).toBeGreaterThan(0.8)
    })

    it('takes a reduction back that was needless', () => {
      const path = new Path(make, { rate: 50, delay: 20, queue: 250_000 })
      path.run(1000)
      const { congestion } = path
      const before = congestion.cwnd
      congestion.onRecovery(path.inFlight, path.now)
      congestion.onUndone(path.now)
      expect(congestion.cwnd).toBe(before)
      congestion.onTimeout(path.inFlight, false, path.now)
      expect(congestion.cwnd).toBe(MSS)
      congestion.onUndone(path.now)
      expect(congestion.cwnd).toBe(before)
    })
  })
}
