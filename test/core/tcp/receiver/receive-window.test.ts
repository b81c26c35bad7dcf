// The receive window: its edge never goes back, moves in worthwhile steps, and the buffer grows with what the application takes.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReceiveWindow, scaleFor } from '../../../../src/core/tcp/receiver/receive-window.ts'

const MSS = 1460

function opened(limit: number, most = limit, scale = 0, rcvNxt = 1000): ReceiveWindow {
  const window = new ReceiveWindow(limit, most)
  window.start(rcvNxt)
  window.scale = scale
  return window
}

describe('the window scale (RFC 7323 §2.3)', () => {
  it('is the least that says the largest window', () => {
    expect([65_535, 65_536, 131_071, 6_291_456, 2 ** 30].map(scaleFor)).toEqual([0, 1, 1, 7, 14])
    expect(scaleFor(0xffffffff)).toBe(14)
  })
})

describe('the window field', () => {
  it('is not scaled in a SYN, and at most 65,535 there', () => {
    const window = opened(1_000_000, 1_000_000, 7)
    expect(window.size(1000)).toBe(65_535)
    expect(window.offer(1000, 0, MSS, true)).toBe(65_535)
    expect(window.offer(1000, 0, MSS, false)).toBe(1_000_000 >> 7)
    expect(window.size(1000)).toBe((1_000_000 >> 7) << 7)
  })

  it('shrinks as text waits unread, and its edge stays (SHLD-14)', () => {
    const window = opened(10_000)
    expect(window.offer(1000, 0, MSS, false)).toBe(10_000)
    expect(window.offer(4000, 3000, MSS, false)).toBe(7000)
    expect(window.offer(11_000, 10_000, MSS, false)).toBe(0)
  })

  it('opens by a segment or half the buffer at least (MUST-39)', () => {
    const window = opened(10_000)
    window.offer(1000, 0, MSS, false)
    expect(window.offer(11_000, 10_000 - 1459, MSS, false)).toBe(0)
    expect(window.needsUpdate(11_000, 10_000 - 1459, MSS)).toBe(false)
    expect(window.needsUpdate(11_000, 10_000 - 1460, MSS)).toBe(true)
    expect(window.offer(11_000, 10_000 - 1460, MSS, false)).toBe(1460)
    const small = opened(2000)
    small.offer(1000, 0, MSS, false)
    expect(small.offer(3000, 1001, MSS, false)).toBe(0)
    expect(small.offer(3000, 1000, MSS, false)).toBe(1000)
  })

  it('is told anew when it has doubled, not at every read', () => {
    const window = opened(100_000)
    window.offer(1000, 0, MSS, false)
    window.offer(41_000, 40_000, MSS, false)
    expect(window.needsUpdate(41_000, 20_000, MSS)).toBe(false)
    window.offer(81_000, 80_000, MSS, false)
    expect(window.needsUpdate(81_000, 70_000, MSS)).toBe(false)
    expect(window.needsUpdate(81_000, 60_000, MSS)).toBe(true)
  })

  it('is not told anew where the field can say no more: to the peer that would be a duplicate ACK', () => {
    const window = opened(150_000)
    window.offer(1000, 0, MSS, false)
    expect(window.offer(11_000, 10_000, MSS, false)).toBe(65_535)
    expect(window.needsUpdate(11_000, 0, MSS)).toBe(false)
  })

  it('never withdraws an edge, and never offers more than the buffer and a little', () => {
    const step = fc.record({ arrived: fc.nat(4000), read: fc.nat(6000) })
    const scale = fc.integer({ min: 0, max: 10 })
    const first = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
    fc.assert(
      fc.property(
        scale,
        first,
        fc.integer({ min: 4096, max: 2 ** 20 }),
        fc.array(step),
        (scale, first, limit, steps) => {
          const window = opened(limit, limit, scale, first)
          let rcvNxt = first
          let readable = 0
          let edge = first
          for (const { arrived, read } of steps) {
            const taken = Math.min(arrived, window.size(rcvNxt))
            rcvNxt = (rcvNxt + taken) | 0
            readable = Math.max(0, readable + taken - read)
            const offered = window.offer(rcvNxt, readable, MSS, false) << scale
            const next = (rcvNxt + offered) | 0
            const isFull = readable + window.size(rcvNxt) >= limit + (limit >>> 2)
            if (!isFull) expect((next - edge) | 0).toBeGreaterThanOrEqual(0)
            else expect((next - edge) | 0).toBeGreaterThan(-(1 << scale))
            if (((next - edge) | 0) > 0) edge = next
            expect(window.size(rcvNxt)).toBe((edge - rcvNxt) | 0)
            expect(readable + window.size(rcvNxt)).toBeLessThanOrEqual(limit + (limit >>> 2) + (1 << scale))
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('does not creep on for ever where one octet after another comes and nobody reads', () => {
    const window = opened(10_000, 10_000, 7)
    let rcvNxt = 1000
    let readable = 0
    window.offer(rcvNxt, readable, MSS, false)
    for (let octet = 0; octet < 20_000 && window.size(rcvNxt) > 0; octet++) {
      rcvNxt++
      readable++
      if (window.offer(rcvNxt, readable, MSS, false) === 0) break
    }
    expect(readable).toBeLessThanOrEqual(12_500 + 128)
  })
})

describe('tuning', () => {
  it('gives a rising sender room to double, up to the most', () => {
    const window = opened(131_072, 6_291_456, 7)
    window.onRoundTrip(20_000)
    let now = 1000
    let rate = 30_000
    for (let round = 0; round < 12; round++) {
      for (let part = 0; part < 4; part++) {
        now += 5.1
        window.onTaken(rate / 4, MSS, now, true)
      }
      expect(window.limit).toBeGreaterThanOrEqual(Math.min(2 * (rate / 2), 6_291_456))
      rate = Math.min(rate * 2, window.limit)
    }
    expect(window.limit).toBe(6_291_456)
  })

  it('leaves the buffer alone where the application takes little, is slow, or memory is short', () => {
    const little = opened(131_072, 6_291_456, 7)
    const slow = opened(131_072, 6_291_456, 7)
    const short = opened(131_072, 6_291_456, 7)
    for (const window of [little, slow, short]) window.onRoundTrip(20_000)
    for (let round = 1; round < 100; round++) {
      little.onTaken(20_000, MSS, round * 21, true)
      slow.onTaken(100_000, MSS, round * 2100, true)
      short.onTaken(100_000, MSS, round * 21, false)
    }
    expect([little.limit, slow.limit, short.limit]).toEqual([131_072, 131_072, 131_072])
  })

  it('never goes below what it was, nor above the most, for any numbers', () => {
    const step = fc.record({ octets: fc.nat(2 ** 30), after: fc.double({ min: 0, max: 1e9, noNaN: true }) })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), fc.array(step), (roundTrip, steps) => {
        const window = opened(10_000, 1_000_000)
        window.onRoundTrip(roundTrip)
        let now = 0
        let limit = window.limit
        for (const { octets, after } of steps) {
          now += after
          window.onTaken(octets, MSS, now, true)
          expect(window.limit).toBeGreaterThanOrEqual(limit)
          expect(window.limit).toBeLessThanOrEqual(1_000_000)
          expect(Number.isInteger(window.limit)).toBe(true)
          limit = window.limit
        }
      }),
    )
  })

  it('measures the round trip by a window of text where there is nothing better', () => {
    const window = opened(65_535)
    let now = 1_000_000
    for (let segment = 0; segment < 400; segment++) {
      now += 1
      const rcvNxt = (1000 + segment * MSS) | 0
      window.onText(rcvNxt, now)
      window.offer(rcvNxt, 0, MSS, false)
    }
    // 45 segments of a millisecond each.
    expect(window.roundTrip).toBeGreaterThan(43_000)
    expect(window.roundTrip).toBeLessThan(48_000)
    window.onRoundTrip(5000)
    window.onText(window.edge, now + 1)
    expect(window.roundTrip).toBe(5000)
    for (let sample = 0; sample < 100; sample++) window.onRoundTrip(9000)
    expect(window.roundTrip).toBeGreaterThan(8900)
  })

  it('grows where the handshake was much quicker than text is', () => {
    const window = opened(131_072, 6_291_456)
    window.onRoundTrip(10)
    // Two super-segments are all that the window lets the sender have under way, and each takes 20 µs.
    let now = 1_000
    for (let packet = 0; packet < 1000; packet++) {
      now += 0.02
      window.onTaken(65_160, MSS, now, true)
    }
    expect(window.limit).toBeGreaterThan(4_000_000)
  })
})
