// HyStart++ alone (RFC 9406 §4.2, §4.3): when slow start becomes conservative, when it goes on after all, and when it is over.
import { beforeEach, describe, expect, it } from 'vitest'
import { Acknowledged } from '../../../../src/core/tcp/congestion/congestion.ts'
import { Growth, HyStart } from '../../../../src/core/tcp/congestion/hystart.ts'

const SEGMENT = 1000
let hystart: HyStart
let sndUna: number

beforeEach(() => {
  hystart = new HyStart()
  sndUna = 0
})

/** A round of so many ACKs, one a segment, each with its round trip in milliseconds; -1 for none measured. What comes of each. */
function round(...rtts: readonly number[]): number[] {
  const sndNxt = sndUna + rtts.length * SEGMENT
  return rtts.map((rtt) => {
    const ack = Object.assign(new Acknowledged(), { sndUna, sndNxt, rtt: rtt < 0 ? -1 : rtt * 1000 })
    sndUna += SEGMENT
    return hystart.onAcknowledged(ack)
  })
}

const times = (count: number, value: number) => new Array<number>(count).fill(value)
const { full, conservative, over } = Growth

describe('slow start', () => {
  it('stays what it is while the round trip grows by less than an eighth', () => {
    for (const rtt of [100, 112, 125, 139]) expect(round(...times(20, rtt))).toEqual(times(20, full))
  })

  it('becomes conservative at the eighth sample of a round that is an eighth slower', () => {
    round(...times(8, 80))
    expect(round(-1, ...times(10, 90))).toEqual([...times(8, full), ...times(3, conservative)])
  })

  it('wants four milliseconds more at least, and is content with sixteen', () => {
    round(...times(8, 10))
    expect(round(...times(8, 13))).toEqual(times(8, full))
    expect(round(...times(8, 17))[7]).toBe(conservative)
    hystart = new HyStart()
    round(...times(8, 1000))
    expect(round(...times(8, 1015))).toEqual(times(8, full))
    expect(round(...times(8, 1031))[7]).toBe(conservative)
  })

  it('goes on after what was jitter, and may become conservative again', () => {
    round(...times(8, 100))
    expect(round(...times(8, 130))[7]).toBe(conservative)
    expect(round(...times(7, 129), 129)).toEqual([...times(7, conservative), full])
    expect(round(...times(8, 129))).toEqual(times(8, full))
    expect(round(...times(8, 200))[7]).toBe(conservative)
  })

  it('is over after five rounds of conservative growth, of which the first began in its middle', () => {
    round(...times(8, 100))
    expect(round(...times(8, 130))[7]).toBe(conservative)
    for (let rounds = 2; rounds <= 5; rounds++) expect(round(...times(8, 130))).toEqual(times(8, conservative))
    expect(round(...times(8, 130))).toEqual(times(8, over))
  })

  it('grows by a quarter of what is acknowledged while it is conservative', () => {
    expect([1000, 1001, 1].map(HyStart.share)).toEqual([250, 251, 1])
  })
})
