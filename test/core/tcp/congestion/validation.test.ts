// Congestion window validation (RFC 7661): what becomes of a window that nobody uses, in NewReno and in CUBIC.
import { describe, expect, it } from 'vitest'
import { Acknowledged, type CongestionSettings } from '../../../../src/core/tcp/congestion/congestion.ts'
import { cubic } from '../../../../src/core/tcp/congestion/cubic.ts'
import { type Reno, reno } from '../../../../src/core/tcp/congestion/reno.ts'
import { KEPT_UNUSED, Validation } from '../../../../src/core/tcp/congestion/validation.ts'
import { INITIAL_WINDOW, MSS, settings } from './path.ts'

const ROUND_TRIP = 100

/** A sender that is told of ACKs, a round trip at a time. */
class Sender {
  now = 0
  readonly congestion: Reno
  #sndUna = 0

  constructor(make: (settings: CongestionSettings) => Reno, window: number, threshold = window) {
    this.congestion = make(settings())
    // Out of slow start.
    this.congestion.onRecovery(threshold, 0)
    this.congestion.onRecovered(0)
    this.congestion.cwnd = window
  }

  /** So many round trips in which `segments` of the window are used, each acknowledged by itself. */
  use(segments: number, rounds = 1): this {
    for (let round = 0; round < rounds; round++) {
      const isWindowLimited = segments * MSS >= this.congestion.cwnd
      const end = this.#sndUna + segments * MSS
      for (let segment = 0; segment < segments; segment++) {
        this.#sndUna += MSS
        const sndUna = this.#sndUna | 0
        const more = { now: this.now, srtt: ROUND_TRIP * 1000, isWindowLimited, sndUna, sndNxt: end | 0 }
        this.congestion.onAcknowledged(Object.assign(new Acknowledged(), { acked: MSS, delivered: MSS }, more))
      }
      this.now += ROUND_TRIP
    }
    return this
  }

  silence(milliseconds: number): this {
    this.now += milliseconds
    this.congestion.onRestart(Math.min(milliseconds * 1000, 0x7fffffff), this.now)
    return this
  }

  get segments(): number {
    return this.congestion.cwnd / MSS
  }
}

describe('pipeACK (§4.2)', () => {
  const ack = (now: number, acked: number, sndUna: number, sndNxt: number, isWindowLimited = false) =>
    Object.assign(new Acknowledged(), { now, acked, sndUna, sndNxt, isWindowLimited, srtt: 100_000 })

  it('is undefined until a round trip has been measured, and after congestion', () => {
    const validation = new Validation()
    expect(validation.used(0)).toBe(-1)
    validation.onAcknowledged(ack(0, 1000, 1000, 5000), 100_000)
    expect([validation.used(0), validation.isUnused]).toEqual([-1, false])
    validation.onAcknowledged(ack(100, 4000, 5000, 5000), 100_000)
    expect([validation.used(100), validation.isUnused]).toEqual([5000, true])
    validation.clear()
    expect([validation.used(100), validation.isUnused]).toEqual([-1, false])
  })

  it('is the largest sample of a second, or of three round trips, and no older one', () => {
    const validation = new Validation()
    validation.onAcknowledged(ack(0, 5000, 5000, 5000), 6000)
    for (let now = 100; now <= 1000; now += 100) {
      validation.onAcknowledged(ack(now, 10, 5000 + now / 10, 5000 + now / 10), 6000)
      expect(validation.used(now)).toBe(now < 1000 ? 5000 : 10)
    }
    expect(validation.used(3000)).toBe(0)
  })

  it('keeps a sample for the half of the period after its own, to the millisecond', () => {
    const validation = new Validation()
    // Three round trips of 334 ms, halved: 501 ms.
    const slow = Object.assign(ack(1, 5000, 5000, 5000), { srtt: 334_000 })
    validation.onAcknowledged(slow, 6000)
    expect([501, 1002].map((now) => validation.used(now))).toEqual([5000, 5000])
    validation.onAcknowledged(Object.assign(ack(2000, 4000, 9000, 9000), { srtt: 334_000 }), 6000)
    expect([2500, 3001, 3503].map((now) => validation.used(now))).toEqual([4000, 4000, 0])
  })

  it('counts to the millisecond when a loss comes', () => {
    const sender = new Sender(reno, 40 * MSS)
    sender.now = 1
    sender.use(10)
    // A second, less one millisecond, after the sample.
    sender.congestion.onRecovery(5 * MSS, 1000)
    expect(sender.congestion.ssthresh).toBe(5 * MSS)
    const later = new Sender(reno, 40 * MSS)
    later.now = 1
    later.use(10)
    later.congestion.onRecovery(5 * MSS, 1001)
    expect(later.congestion.ssthresh).toBe(2.5 * MSS)
  })

  it('does not end the validated phase where more than half of the window is used (§4.3)', () => {
    const validation = new Validation()
    validation.onAcknowledged(ack(0, 5000, 5000, 5000), 10_000)
    expect(validation.isUnused).toBe(false)
    validation.onAcknowledged(ack(2000, 4999, 9999, 9999), 10_000)
    expect(validation.isUnused).toBe(true)
    validation.onAcknowledged(ack(2100, 5001, 15_000, 15_000), 10_000)
    expect(validation.isUnused).toBe(false)
  })
})

describe.each([
  ['reno', reno, 0.5],
  ['cubic', cubic, 0.7],
] as const)('%s', (_name, make, beta) => {
  it('keeps an unused window for five minutes, neither larger nor smaller (§4.4)', () => {
    const sender = new Sender(make, 100 * MSS)
    sender.use(10, 2900)
    expect([sender.segments, sender.congestion.isUnused]).toEqual([100, true])
  })

  it('halves it after each five minutes, to the initial window at least, and ssthresh remembers (§4.4.3)', () => {
    const sender = new Sender(make, 100 * MSS)
    sender.use(10, 3100)
    expect([sender.segments, sender.congestion.ssthresh]).toEqual([50, 75 * MSS])
    sender.use(10, 3000)
    expect([sender.segments, sender.congestion.ssthresh]).toEqual([25, 75 * MSS])
    sender.use(5, 12_000)
    expect(sender.congestion.cwnd).toBe(INITIAL_WINDOW)
  })

  it('does the same in silence: kept for less than five minutes, halved for each', () => {
    expect(new Sender(make, 100 * MSS).silence(KEPT_UNUSED - 1).segments).toBe(100)
    const sender = new Sender(make, 100 * MSS).silence(KEPT_UNUSED * 2 + 1)
    expect([sender.segments, sender.congestion.ssthresh]).toEqual([25, 75 * MSS])
    expect(new Sender(make, 100 * MSS).silence(2_147_483).segments).toBe(INITIAL_WINDOW / MSS)
    // Asked again before anything is sent: it is one silence.
    const twice = new Sender(make, 100 * MSS).silence(KEPT_UNUSED + 1).silence(1)
    expect(twice.segments).toBe(50)
  })

  it('makes no window larger that was below the initial one', () => {
    expect(new Sender(make, 3 * MSS).silence(KEPT_UNUSED * 3).segments).toBe(3)
  })

  it('lets an unused window leave over a round trip, and not at once (§4.4.2)', () => {
    const sender = new Sender(make, 100 * MSS).use(100, 1)
    expect(sender.congestion.pacingRate).toBe(sender.congestion.cwnd * 12)
    sender.silence(2000)
    expect(sender.congestion.pacingRate).toBe(sender.congestion.cwnd * 10)
    sender.use(Math.ceil(sender.segments), 2)
    expect([sender.congestion.pacingRate, sender.congestion.isUnused]).toEqual([sender.congestion.cwnd * 12, false])
  })

  it('answers congestion by what was used, less what was lost (§4.4.1)', () => {
    const sender = new Sender(make, 100 * MSS).use(20, 30)
    const { congestion } = sender
    congestion.onLost(MSS, 4 * MSS, MSS, false, sender.now)
    congestion.onRecovery(4 * MSS, sender.now)
    // pipeACK is more than what is in flight just now.
    expect(congestion.cwnd).toBe(Math.round(20 * MSS * beta))
    congestion.onLost(MSS, 4 * MSS, 2 * MSS, false, sender.now)
    congestion.onRecovered(sender.now)
    expect(congestion.cwnd).toBe(Math.round(18 * MSS * beta))
    expect([congestion.ssthresh, congestion.isUnused]).toEqual([congestion.cwnd, false])
  })

  it('answers a burst out of an unused window by what was in flight', () => {
    const sender = new Sender(make, 100 * MSS).silence(5000)
    const { congestion } = sender
    congestion.onRecovery(100 * MSS, sender.now)
    for (let lost = 0; lost < 98; lost++) congestion.onLost(MSS, 100 * MSS, lost * MSS, false, sender.now)
    congestion.onRecovered(sender.now)
    expect(congestion.cwnd).toBe(Math.max(MSS, Math.round(2 * MSS * beta)))
    expect(congestion.ssthresh).toBe(2 * MSS)
  })

  it('answers a mark and a timeout in the phase, which is over then', () => {
    const marked = new Sender(make, 100 * MSS).use(20, 30).congestion
    marked.onMarked(4 * MSS, 3000)
    expect(marked.cwnd).toBe(Math.round(20 * MSS * (make === cubic ? 0.85 : 0.8)))
    expect(marked.isUnused).toBe(false)
    const late = new Sender(make, 100 * MSS).use(20, 30).congestion
    late.onTimeout(4 * MSS, false, 3000)
    expect([late.cwnd, late.isUnused]).toEqual([MSS, false])
  })

  it('is in the validated phase while its window is full, slow start included', () => {
    const sender = new Sender(make, 10 * MSS)
    sender.congestion.ssthresh = 0x7fffffff
    for (let round = 0; round < 10; round++) {
      sender.use(Math.ceil(sender.segments))
      expect(sender.congestion.isUnused).toBe(false)
    }
  })
})

it.each([reno, cubic])('asks nothing of a window that anybody may begin with: %o', (make) => {
  const initial = settings().initialWindow / MSS
  const young = new Sender(make, settings().initialWindow).use(2, 30)
  expect([young.congestion.isUnused, young.silence(10 * KEPT_UNUSED).segments]).toEqual([false, initial])
  const grown = new Sender(make, settings().initialWindow + MSS).use(2, 30)
  expect(grown.congestion.isUnused).toBe(true)
})
