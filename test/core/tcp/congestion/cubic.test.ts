// CUBIC: the window over time is that of RFC 9438's formulas; HyStart++ (RFC 9406) leaves slow start by delay.
import { describe, expect, it } from 'vitest'
import { Acknowledged, NO_THRESHOLD } from '../../../../src/core/tcp/congestion/congestion.ts'
import { type Cubic, cubic } from '../../../../src/core/tcp/congestion/cubic.ts'
import { Growth, HyStart } from '../../../../src/core/tcp/congestion/hystart.ts'
import { conform } from './conformance.ts'
import { INITIAL_WINDOW, MSS, Path, settings } from './path.ts'

conform('cubic', cubic)

function acked(octets: number, more: Partial<Acknowledged> = {}): Acknowledged {
  return Object.assign(new Acknowledged(), { acked: octets, delivered: octets }, more)
}

/** A controller in congestion avoidance that has lost something at `window`, and goes on for so many milliseconds at 100 ms a round trip. */
function reduced(window: number, milliseconds: number, limited = false): Cubic {
  const congestion = cubic(settings())
  congestion.cwnd = window
  congestion.onRecovery(window, 0)
  congestion.onRecovered(0)
  go(congestion, 0, milliseconds, limited)
  return congestion
}

function go(congestion: Cubic, from: number, to: number, limited = false, srtt = 100_000): void {
  for (let now = from; now <= to; now += 10) {
    const octets = Math.floor((congestion.cwnd * 10_000) / srtt)
    congestion.onAcknowledged(acked(octets, { now, srtt, isWindowLimited: !limited }))
  }
}

/** W_cubic in octets, after a loss at `window`: RFC 9438 §4.2. */
function formula(window: number, milliseconds: number): number {
  const most = window / MSS
  const k = Math.cbrt((most * 0.3) / 0.4)
  return (0.4 * (milliseconds / 1000 - k) ** 3 + most) * MSS
}

describe('the window (RFC 9438 §4.2)', () => {
  const window = 1000 * MSS

  it('is seven tenths after a loss', () => {
    const congestion = cubic(settings())
    congestion.onRecovery(INITIAL_WINDOW, 0)
    expect([congestion.cwnd, congestion.ssthresh]).toEqual([7 * MSS, 7 * MSS])
  })

  it.each([1000, 3000, 6000, 9000, 12_000, 15_000])(
    'is the cubic function %i ms after a loss, within 2 percent',
    (time) => {
      const { cwnd } = reduced(window, time)
      // It is on its way to what the function says a round trip later.
      expect(cwnd).toBeGreaterThan(formula(window, time) * 0.98)
      expect(cwnd).toBeLessThan(formula(window, time + 100) * 1.02)
    },
  )

  it('stands still in its epoch while the application is the limit (§5.8)', () => {
    const congestion = reduced(window, 2000)
    const before = congestion.cwnd
    go(congestion, 2010, 20_000, true)
    expect(congestion.cwnd).toBe(before)
    go(congestion, 20_010, 21_000)
    expect(congestion.cwnd).toBeLessThan(formula(window, 3200) * 1.02)
    expect(congestion.cwnd).toBeGreaterThan(formula(window, 2800) * 0.98)
  })

  it('goes on after that where it was, to the octet', () => {
    const steady = reduced(window, 2000)
    go(steady, 2010, 4000)
    for (const pause of [1, 2, 4999]) {
      const paused = reduced(window, 2000)
      for (const now of [2000 + pause])
        paused.onAcknowledged(acked(MSS, { now, srtt: 100_000, isWindowLimited: false }))
      go(paused, 2010 + pause, 4000 + pause)
      expect(paused.cwnd, `${pause} ms`).toBe(steady.cwnd)
    }
  })

  it('takes for a segment its share of what a round trip may add, and no more', () => {
    const congestion = reduced(window, 2000)
    const before = congestion.cwnd
    const missing = formula(window, 5000) - before
    congestion.onAcknowledged(acked(MSS, { now: 2001, srtt: 3_000_000 }))
    expect(congestion.cwnd - before).toBeLessThan((2 * missing * MSS) / before + MSS)
  })

  it('stands still in silence, too', () => {
    const congestion = reduced(window, 2000)
    congestion.onSent(MSS, 0, false, 60_000)
    go(congestion, 60_010, 61_000)
    expect(congestion.cwnd).toBeLessThan(formula(window, 3200) * 1.02)
  })

  it("is never less than Reno's (§4.3)", () => {
    const congestion = cubic(settings())
    congestion.cwnd = 10 * MSS
    congestion.onRecovery(10 * MSS, 0)
    congestion.onRecovered(0)
    // Two hundred round trips of a millisecond: α = 9/17 until it is back at ten segments, 1 from there.
    for (let now = 1; now <= 200; now++) congestion.onAcknowledged(acked(congestion.cwnd, { now, srtt: 1000 }))
    const reno = 10 + 200 - 3 * (17 / 9)
    expect(congestion.cwnd / MSS).toBeGreaterThan(reno * 0.9)
    expect(congestion.cwnd / MSS).toBeLessThan(reno * 1.1)
  })

  it('gives way faster where it lost before it was back (§4.7)', () => {
    const congestion = reduced(window, 500)
    const lost = congestion.cwnd
    congestion.onRecovery(lost, 500)
    congestion.onRecovered(500)
    go(congestion, 500, 500 + 1000 * Math.cbrt((lost * 0.15) / MSS / 0.4))
    // The plateau is at 0.85 of what it lost at.
    expect(congestion.cwnd / lost).toBeGreaterThan(0.83)
    expect(congestion.cwnd / lost).toBeLessThan(0.87)
  })

  it('has its plateau where congestion avoidance begins after a timeout (§4.8)', () => {
    const congestion = cubic(settings())
    congestion.cwnd = window
    congestion.onTimeout(window, false, 0)
    expect([congestion.cwnd, congestion.ssthresh]).toEqual([MSS, 700 * MSS])
    while (congestion.inSlowStart) congestion.onAcknowledged(acked(congestion.cwnd, { now: 10, srtt: 100_000 }))
    go(congestion, 10, 2010)
    expect(congestion.cwnd / MSS).toBeLessThan(700 + 0.4 * 2.1 ** 3 + 20)
  })

  it('goes on where it was when a loss was none (§4.9)', () => {
    const congestion = reduced(window, 5000)
    const before = congestion.cwnd
    congestion.onRecovery(before, 5000)
    congestion.onUndone(5010)
    expect(congestion.cwnd).toBe(before)
    go(congestion, 5010, 9000)
    expect(congestion.cwnd).toBeGreaterThan(formula(window, 9000) * 0.97)
    expect(congestion.cwnd).toBeLessThan(formula(window, 9100) * 1.03)
  })

  it('has its plateau halfway to where it was after marks, too, when it gives way (§4.7, RFC 8511)', () => {
    const congestion = cubic(settings())
    congestion.cwnd = 1000 * MSS
    congestion.onMarked(1000 * MSS, 0)
    congestion.cwnd = 900 * MSS
    congestion.onMarked(900 * MSS, 100)
    // W_max is 900 (1 + 0.85) / 2, and it begins at 765.
    const k = 1000 * Math.cbrt((832.5 - 765) / 0.4)
    go(congestion, 100, 100 + k / 2)
    // Seven eighths of the way in half of the time.
    const expected = 832.5 - (832.5 - 765) / 8
    expect(congestion.cwnd / MSS).toBeGreaterThan(expected * 0.99)
    expect(congestion.cwnd / MSS).toBeLessThan(expected * 1.01)
  })

  it("forgets a needless loss's place among Reno's windows, too (§4.9)", () => {
    const congestion = cubic(settings())
    congestion.cwnd = 100 * MSS
    congestion.onRecovery(100 * MSS, 0)
    congestion.onRecovered(0)
    // In the friendly region below cwnd_prior, W_est grows by 9/17.
    congestion.cwnd = 80 * MSS
    congestion.onRecovery(80 * MSS, 0)
    congestion.onUndone(0)
    const before = congestion.cwnd
    for (let round = 1; round <= 17; round++) {
      congestion.onAcknowledged(acked(congestion.cwnd, { now: round, srtt: 1000 }))
    }
    expect((congestion.cwnd - before) / MSS).toBeLessThan(10)
  })

  it('grows by 9/17 of a segment a round trip below cwnd_prior, where Reno would be quicker (§4.3)', () => {
    const congestion = cubic(settings())
    congestion.cwnd = 1000 * MSS
    congestion.onRecovery(1000 * MSS, 0)
    congestion.onRecovered(0)
    const before = congestion.cwnd
    for (let round = 1; round <= 51; round++) {
      congestion.onAcknowledged(acked(congestion.cwnd, { now: round, srtt: 1000 }))
    }
    expect(congestion.cwnd - before).toBeGreaterThan(25 * MSS)
    expect(congestion.cwnd - before).toBeLessThan(27.5 * MSS)
  })

  it('is reduced less by a mark (RFC 8511)', () => {
    const congestion = cubic(settings())
    congestion.onMarked(INITIAL_WINDOW, 0)
    expect(congestion.cwnd).toBe(Math.floor(8.5 * MSS))
  })
})

describe('HyStart++ (RFC 9406)', () => {
  /** A round of slow start whose least round trip is so many microseconds. */
  function round(hystart: HyStart, number: number, rtt: number, samples = 10): number {
    let growth: number = Growth.full
    for (let sample = 0; sample < samples; sample++) {
      growth = hystart.onAcknowledged(
        acked(MSS, { rtt: rtt + sample, sndUna: number * 1000 + sample, sndNxt: (number + 1) * 1000 }),
      )
    }
    return growth
  }

  it('goes on while the round trip stays', () => {
    const hystart = new HyStart()
    for (let number = 1; number < 20; number++) expect(round(hystart, number, 50_000)).toBe(Growth.full)
  })

  it('grows by a quarter from an eighth more delay on, and ends five rounds later', () => {
    const hystart = new HyStart()
    round(hystart, 1, 80_000)
    expect(round(hystart, 2, 89_000)).toBe(Growth.full)
    expect(round(hystart, 3, 101_000)).toBe(Growth.conservative)
    expect(HyStart.share(4000)).toBe(1000)
    for (let number = 4; number < 8; number++) expect(round(hystart, number, 110_000)).toBe(Growth.conservative)
    expect(round(hystart, 8, 110_000)).toBe(Growth.over)
  })

  it('needs four milliseconds on a short path, sixteen are enough on a long one', () => {
    const short = new HyStart()
    round(short, 1, 1000)
    expect(round(short, 2, 4900)).toBe(Growth.full)
    expect(round(short, 3, 9000)).toBe(Growth.conservative)
    const long = new HyStart()
    round(long, 1, 400_000)
    expect(round(long, 2, 416_001)).toBe(Growth.conservative)
  })

  it('takes it back when it was jitter', () => {
    const hystart = new HyStart()
    round(hystart, 1, 50_000)
    expect(round(hystart, 2, 70_000)).toBe(Growth.conservative)
    expect(round(hystart, 3, 50_000)).toBe(Growth.full)
  })

  it('judges by eight samples at least', () => {
    const hystart = new HyStart()
    round(hystart, 1, 50_000)
    expect(round(hystart, 2, 90_000, 7)).toBe(Growth.full)
  })

  it('ends slow start on a path with a deep queue before it runs over', () => {
    const path = new Path(cubic, { rate: 100, delay: 50, queue: 5_000_000 })
    path.run(3000)
    expect(path.lost).toBe(0)
    expect(path.congestion.ssthresh).toBeLessThan(NO_THRESHOLD)
    expect(path.congestion.cwnd).toBeLessThan(5_000_000)
    expect(path.utilization(1000)).toBeGreaterThan(0.99)
  })
})
