// Round trip and RTO (RFC 6298), against the RFC's own numbers where it has them, and within its limits for any.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Rtt } from '../../../../src/core/tcp/sender/rtt.ts'

const LIMITS = { initialRto: 1000, minimumRto: 200, maximumRto: 120_000 }

describe('the retransmission timeout', () => {
  it('begins with a second (RFC 6298 §2.1)', () => {
    const rtt = new Rtt(LIMITS)
    expect([rtt.rto, rtt.hasSample, rtt.srtt, rtt.minimum]).toEqual([1000, false, 0, 0])
  })

  it('follows the first sample (RFC 6298 §2.2)', () => {
    const rtt = new Rtt(LIMITS)
    rtt.onSample(400_000, 1, 1, 0)
    expect([rtt.srtt, rtt.rttvar, rtt.rto]).toEqual([400_000, 200_000, 1200])
  })

  it('tells the deviation without the least RTO', () => {
    const rtt = new Rtt(LIMITS)
    rtt.onSample(30_000, 1, 1, 0)
    expect([rtt.deviation, rtt.rttvar, rtt.rto]).toEqual([15_000, 50_000, 230])
  })

  it('weighs samples as RFC 6298 §2.3 has it, once a round trip', () => {
    const rtt = new Rtt(LIMITS)
    rtt.onSample(400_000, 1, 1, 0)
    rtt.onSample(480_000, 2, 2, 0)
    expect(rtt.srtt).toBe(410_000)
    // The deviation is 3/4 * 200 + 1/4 * 80 = 170, then 3/4 * 170 + 1/4 * 70 = 145; RTTVAR goes a quarter of the way there.
    rtt.onSample(480_000, 3, 3, 0)
    expect(rtt.srtt).toBe(418_750)
    expect(rtt.rttvar).toBe(186_250)
  })

  it('is SRTT and the least RTO on a steady path', () => {
    const rtt = new Rtt(LIMITS)
    for (let round = 0; round < 200; round++) rtt.onSample(50_000, round, round, round)
    expect(rtt.rto).toBeCloseTo(250, 0)
    const slow = new Rtt({ ...LIMITS, minimumRto: 1000 })
    for (let round = 0; round < 200; round++) slow.onSample(50_000, round, round, round)
    expect(slow.rto).toBeGreaterThanOrEqual(1000)
  })

  it('keeps its variance where every ACK of a round trip brings a sample', () => {
    const rtt = new Rtt(LIMITS)
    let sequence = 0
    for (let round = 0; round < 20; round++) {
      const end = sequence + 100
      for (let ack = 0; ack < 100; ack++) rtt.onSample(ack === 50 ? 900_000 : 100_000, sequence + ack, end, round)
      sequence = end
    }
    expect(rtt.rto).toBeGreaterThan(700)
  })

  it('does not rise much when the round trip falls', () => {
    const rtt = new Rtt(LIMITS)
    for (let round = 0; round < 50; round++) rtt.onSample(500_000, round, round, round)
    const before = rtt.rto
    for (let round = 50; round < 60; round++) rtt.onSample(10_000, round, round, round)
    expect(rtt.rto).toBeLessThanOrEqual(before)
  })

  it('doubles with each timeout up to its most, until the next sample (MUST-19; RFC 6298 §5.5)', () => {
    const rtt = new Rtt(LIMITS)
    rtt.onSample(400_000, 1, 1, 0)
    const waits = Array.from({ length: 8 }, () => {
      rtt.onTimeout()
      return rtt.rto
    })
    expect(waits).toEqual([2400, 4800, 9600, 19_200, 38_400, 76_800, 120_000, 120_000])
    rtt.onSample(400_000, 2, 2, 0)
    expect(rtt.backoff).toBe(0)
    expect(rtt.rto).toBeLessThanOrEqual(1200)
  })

  it('is three seconds after a SYN that had to be sent again (RFC 6298 §5.7)', () => {
    const rtt = new Rtt(LIMITS)
    rtt.onTimeout()
    expect(rtt.rto).toBe(2000)
    rtt.onHandshakeTimedOut()
    expect(rtt.rto).toBe(3000)
  })

  it('stays within its limits for any samples', () => {
    const sample = fc.oneof(
      fc.double({ min: -1e12, max: 1e12, noNaN: true }),
      fc.integer({ min: 0, max: 1_000_000 }),
      fc.constantFrom(0, -1, 1, 2 ** 31, 3.6e12, Number.POSITIVE_INFINITY),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(sample, fc.nat(3))), (samples) => {
        const rtt = new Rtt(LIMITS)
        let sequence = 0
        for (const [microseconds, moved] of samples) {
          sequence += moved
          rtt.onSample(microseconds, sequence, sequence + 2, 0)
          expect(rtt.rto).toBeGreaterThanOrEqual(200)
          expect(rtt.rto).toBeLessThanOrEqual(120_000)
          expect(rtt.srtt).toBeGreaterThan(0)
          expect(rtt.srtt | 0).toBe(rtt.srtt)
          expect(rtt.rttvar | 0).toBe(rtt.rttvar)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('the least round trip', () => {
  it('is the least sample of the last minutes', () => {
    const rtt = new Rtt(LIMITS)
    rtt.onSample(30_000, 1, 1, 0)
    rtt.onSample(20_000, 2, 2, 1000)
    rtt.onSample(40_000, 3, 3, 2000)
    expect(rtt.minimum).toBe(20_000)
    for (let minute = 1; minute <= 4; minute++) rtt.onSample(50_000, 3 + minute, 3 + minute, minute * 60_000)
    expect(rtt.minimum).toBe(20_000)
    for (let minute = 5; minute <= 8; minute++) rtt.onSample(50_000, 3 + minute, 3 + minute, minute * 60_000)
    expect(rtt.minimum).toBe(50_000)
  })

  it('outlives silence of any length', () => {
    const rtt = new Rtt(LIMITS)
    rtt.onSample(20_000, 1, 1, 0)
    rtt.onSample(50_000, 2, 2, 3 * 86_400_000)
    expect(rtt.minimum).toBe(50_000)
    rtt.onSample(60_000, 3, 3, 40 * 86_400_000)
    expect(rtt.minimum).toBe(60_000)
  })
})
