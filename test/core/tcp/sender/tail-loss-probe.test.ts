// Tail loss probes (RFC 8985 §7).
import { describe, expect, it } from 'vitest'
import { probeDelay, TailLossProbe } from '../../../../src/core/tcp/sender/tail-loss-probe.ts'

describe('a tail loss probe', () => {
  it('comes after two round trips, later for a single segment, and never after the RTO (§7.2)', () => {
    expect(probeDelay(50_000, 5, 1_000_000)).toBe(102_000)
    expect(probeDelay(50_000, 1, 1_000_000)).toBe(300_000)
    expect(probeDelay(50_000, 1, 250_000)).toBe(250_000)
    expect(probeDelay(0, 5, 3_000_000)).toBe(1_000_000)
    expect(probeDelay(50_000, 5, -10)).toBe(0)
  })

  it('is one at a time, with a round trip measured in between (§7.3)', () => {
    const probe = new TailLossProbe()
    expect(probe.mayProbe).toBe(true)
    probe.onProbe(5000, false)
    expect(probe.mayProbe).toBe(false)
    expect(probe.onAck(5000, false, false)).toBe(false)
    expect([probe.isUnderWay, probe.mayProbe]).toEqual([false, false])
    probe.onSample()
    expect(probe.mayProbe).toBe(true)
  })

  it('that repaired a loss is told to the controller (§7.4.2)', () => {
    const probe = new TailLossProbe()
    probe.onProbe(5000, true)
    expect(probe.onAck(4999, false, false)).toBe(false)
    expect(probe.onAck(5000, false, false)).toBe(false)
    expect(probe.isUnderWay).toBe(true)
    expect(probe.onAck(6000, false, false)).toBe(true)
    expect(probe.onAck(7000, false, false)).toBe(false)
  })

  it('that was needless, is not: a D-SACK says so, or a duplicate ACK', () => {
    for (const [hasDuplicate, isDuplicateAck] of [
      [true, false],
      [false, true],
    ]) {
      const probe = new TailLossProbe()
      probe.onProbe(5000, true)
      expect(probe.onAck(5000, hasDuplicate, isDuplicateAck)).toBe(false)
      expect(probe.isUnderWay).toBe(false)
      expect(probe.onAck(6000, false, false)).toBe(false)
    }
  })

  it('is forgotten when a recovery begins (§7.1)', () => {
    const probe = new TailLossProbe()
    probe.onProbe(5000, true)
    probe.clear()
    expect(probe.onAck(6000, false, false)).toBe(false)
  })
})
