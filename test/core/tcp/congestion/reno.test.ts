// NewReno: the formulas of RFC 5681 and 6582.
import { describe, expect, it } from 'vitest'
import { Acknowledged, NO_THRESHOLD, UNPACED } from '../../../../src/core/tcp/congestion/congestion.ts'
import { reno } from '../../../../src/core/tcp/congestion/reno.ts'
import { conform } from './conformance.ts'
import { INITIAL_WINDOW, MSS, Path, settings } from './path.ts'

conform('reno', reno)

function acked(octets: number, more: Partial<Acknowledged> = {}): Acknowledged {
  return Object.assign(new Acknowledged(), { acked: octets, delivered: octets }, more)
}

describe('slow start (RFC 5681 §3.1)', () => {
  it('grows by every octet acknowledged, however many ACKs tell of them', () => {
    const whole = reno(settings())
    const parts = reno(settings())
    whole.onAcknowledged(acked(INITIAL_WINDOW))
    for (let part = 0; part < 100; part++) parts.onAcknowledged(acked(INITIAL_WINDOW / 100))
    expect([whole.cwnd, parts.cwnd]).toEqual([2 * INITIAL_WINDOW, 2 * INITIAL_WINDOW])
  })

  it('is paced at twice its window in a round trip, and then no more', () => {
    const congestion = reno(settings())
    congestion.onAcknowledged(acked(MSS, { srtt: 100_000 }))
    expect(congestion.pacingRate).toBe((INITIAL_WINDOW + MSS) * 2 * 10)
    congestion.onRecovery(INITIAL_WINDOW, 0)
    expect(congestion.pacingRate).toBe(UNPACED)
  })

  it('is paced by the round trip as it is now, also while its window is not used', () => {
    const congestion = reno(settings())
    congestion.onAcknowledged(acked(MSS, { srtt: 100_000 }))
    const { cwnd } = congestion
    congestion.onAcknowledged(acked(MSS, { srtt: 1000, isWindowLimited: false }))
    expect([congestion.cwnd, congestion.pacingRate]).toEqual([cwnd, cwnd * 2 * 1000])
  })

  it('does not grow a window that is not used', () => {
    const congestion = reno(settings())
    congestion.onAcknowledged(acked(INITIAL_WINDOW, { isWindowLimited: false }))
    expect(congestion.cwnd).toBe(INITIAL_WINDOW)
  })

  it('ends at ssthresh, and the octets left over count for congestion avoidance', () => {
    const congestion = reno(settings())
    congestion.onRecovery(100 * MSS, 0)
    congestion.onTimeout(4 * MSS, false, 0)
    expect([congestion.cwnd, congestion.ssthresh]).toEqual([MSS, 2 * MSS])
    congestion.onAcknowledged(acked(3 * MSS))
    expect(congestion.cwnd).toBe(3 * MSS)
  })
})

describe('congestion avoidance (RFC 5681 §3.1)', () => {
  it('grows by one segment in a round trip', () => {
    const congestion = reno(settings())
    congestion.onRecovery(10 * MSS, 0)
    congestion.onRecovered(0)
    expect(congestion.cwnd).toBe(5 * MSS)
    for (let segment = 0; segment < 5; segment++) congestion.onAcknowledged(acked(MSS))
    expect(congestion.cwnd).toBe(6 * MSS)
    congestion.onAcknowledged(acked(6 * MSS))
    expect(congestion.cwnd).toBe(7 * MSS)
  })

  it('is a saw between half the path and the whole of it', () => {
    const path = new Path(reno, { rate: 10, delay: 50, queue: 62_500 })
    path.run(20_000)
    const from = path.points.length
    path.run(40_000)
    const windows = path.points.slice(from).map(({ cwnd }) => cwnd)
    // The path and its queue hold 125,000 octets.
    expect(Math.max(...windows)).toBeGreaterThan(110_000)
    expect(Math.max(...windows)).toBeLessThan(140_000)
    expect(Math.min(...windows)).toBeGreaterThan(55_000)
    expect(Math.min(...windows)).toBeLessThan(75_000)
  })
})

describe('reductions', () => {
  it('are to half of what is in flight, and to two segments at least (RFC 5681 §3.1)', () => {
    const congestion = reno(settings())
    congestion.onRecovery(8 * MSS, 0)
    expect([congestion.cwnd, congestion.ssthresh]).toEqual([4 * MSS, 4 * MSS])
    congestion.onRecovery(MSS, 0)
    expect(congestion.ssthresh).toBe(2 * MSS)
  })

  it('are to one segment after a timeout, and ssthresh goes down once for it', () => {
    const congestion = reno(settings())
    congestion.onTimeout(10 * MSS, false, 0)
    congestion.onTimeout(MSS, true, 0)
    expect([congestion.cwnd, congestion.ssthresh]).toEqual([MSS, 5 * MSS])
  })

  it('are gentler for a mark (RFC 8511)', () => {
    const congestion = reno(settings())
    congestion.onMarked(10 * MSS, 0)
    expect(congestion.cwnd).toBe(8 * MSS)
  })

  it('are to one segment at last where marks do not end, and ssthresh stays at two (RFC 3168 §6.1.2)', () => {
    const congestion = reno(settings())
    for (let mark = 0; mark < 100; mark++) congestion.onMarked(congestion.cwnd, mark)
    expect([congestion.cwnd, congestion.ssthresh]).toEqual([MSS, 2 * MSS])
  })

  it('do not grow the window while a recovery goes on', () => {
    const congestion = reno(settings())
    congestion.onRecovery(10 * MSS, 0)
    congestion.onAcknowledged(acked(100 * MSS, { inRecovery: true }))
    expect(congestion.cwnd).toBe(5 * MSS)
  })

  it('may be taken back, ssthresh too', () => {
    const congestion = reno(settings())
    congestion.onTimeout(10 * MSS, false, 0)
    congestion.onUndone(0)
    expect([congestion.cwnd, congestion.ssthresh]).toEqual([INITIAL_WINDOW, NO_THRESHOLD])
    congestion.onRecovery(10 * MSS, 0)
    congestion.onUndone(0)
    congestion.onUndone(0)
    expect(congestion.cwnd).toBe(INITIAL_WINDOW)
  })
})
