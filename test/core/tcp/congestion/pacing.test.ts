// Pacing: what leaves in a time is what the rate says, whatever the timer's grain.
import { describe, expect, it } from 'vitest'
import { UNPACED } from '../../../../src/core/tcp/congestion/congestion.ts'
import {
  avoidanceRate,
  LATE_CREDIT,
  nextEmission,
  quantum,
  windowRate,
} from '../../../../src/core/tcp/congestion/pacing.ts'

const MSS = 1460

describe('pacing', () => {
  it('lets windows leave in a round trip', () => {
    expect(windowRate(14_600, 100_000, 2)).toBe(292_000)
    expect(windowRate(14_600, 0, 2)).toBe(UNPACED)
    expect(windowRate(2 ** 30, 1, 2)).toBe(UNPACED)
    expect(windowRate(1, 2 ** 31 - 1, 1)).toBe(1)
  })

  it('leaves a window of congestion avoidance room to grow, and short round trips alone', () => {
    expect(avoidanceRate(14_600, 100_000)).toBe(175_200)
    expect(avoidanceRate(14_600, 4000)).toBe(4_380_000)
    expect(avoidanceRate(14_600, 3999)).toBe(UNPACED)
  })

  it('lets a millisecond leave at once, in whole segments, and one at least', () => {
    expect(quantum(12_500_000, MSS)).toBe(8 * MSS)
    expect(quantum(1000, MSS)).toBe(MSS)
    expect(quantum(UNPACED, MSS)).toBe(UNPACED)
  })

  it.each([
    [100_000, 1],
    [1_250_000, 1],
    [12_500_000, 1],
    [12_500_000, 1.8],
    [125_000_000, 1.3],
  ])('sends %i octets a second with a timer that comes every %f ms', (rate, grain) => {
    let planned = 0
    let sent = 0
    for (let now = 0; now < 2000; now += grain) {
      while (planned <= now) {
        const octets = quantum(rate, MSS)
        planned = nextEmission(planned, now, octets, rate)
        sent += octets
      }
    }
    expect(sent / 2).toBeGreaterThan(rate * 0.97)
    expect(sent / 2).toBeLessThan(rate * 1.03)
  })

  it.each([4, 8, 15])('keeps the rate with a timer that comes %i ms late', (late) => {
    const rate = 12_500_000
    let planned = 0
    let sent = 0
    for (let now = 0; now < 3000; now += 1 + late) {
      while (planned <= now) {
        const octets = quantum(rate, MSS)
        planned = nextEmission(planned, now, octets, rate, LATE_CREDIT)
        sent += octets
      }
    }
    expect(sent / 3).toBeGreaterThan(rate * 0.97)
    expect(sent / 3).toBeLessThan(rate * 1.03)
  })

  it('makes up for little after silence', () => {
    expect(nextEmission(0, 1000, 1000, 1_000_000)).toBe(999)
    expect(nextEmission(0, 1000, 1000, UNPACED)).toBe(1000)
    expect(nextEmission(1005, 1000, 1000, 1_000_000)).toBe(1006)
  })

  it('puts nothing off for longer than a second, since the rate may rise meanwhile', () => {
    expect(nextEmission(0, 1000, 60_000, 1)).toBe(2000)
    expect(nextEmission(1900, 1000, 60_000, 100)).toBe(2000)
  })
})
