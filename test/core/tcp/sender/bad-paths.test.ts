// What gets through paths that lose, reorder, or are served by a process that is often late: whole stacks in virtual time.
import { describe, expect, it } from 'vitest'
import { sendOver } from '../../../support/busy-path.ts'

/** Text of a full segment, as a part of its packet. */
const TEXT = 1448 / 1500
const RATE = 100
const most = RATE * TEXT
const path = { delay: 10, rate: RATE }

describe('chance losses of one percent', () => {
  const { rate, counts } = sendOver({ impairment: { ...path, loss: 0.01 }, tcp: { congestion: 'bbr' } }, 4000)

  it('leave BBR nine tenths of the path', () => {
    expect(rate).toBeGreaterThan(0.88 * most)
  })

  it('are never taken for needless recoveries', () => {
    expect(counts.tcpFastRecoveries).toBeGreaterThan(50)
    expect(counts.tcpRecoveriesUndone ?? 0).toBe(0)
  })
})

describe('reordering that reaches further than the least reordering window', () => {
  it.each(['cubic', 'bbr'] as const)('is learnt from the first needless recoveries, under %s', (congestion) => {
    const { rate, counts } = sendOver({ impairment: { ...path, reorder: 0.03 }, tcp: { congestion } }, 3000)
    expect(counts.tcpRecoveriesUndone).toBeGreaterThan(0)
    expect(counts.tcpFastRecoveries).toBeLessThan(10)
    expect(rate).toBeGreaterThan(0.85 * most)
  })
})

describe('a process that stands still for some milliseconds again and again', () => {
  it('paces at its rate on the whole', () => {
    const stalls = { every: 15, last: 6 }
    const { rate } = sendOver({ impairment: path, tcp: { congestion: 'bbr' }, stalls }, 4000)
    expect(rate).toBeGreaterThan(0.88 * most)
  })
})

describe('a send buffer that holds no more than what is in flight', () => {
  const sendBufferMost = 262_144
  const full = (sendBufferMost * 8) / 100 / 1000

  it.each([
    ['spread by pacing', true, {}],
    ['spread by the path', false, { rate: 2 * full, queue: 1000 }],
  ] as const)('is used whole though what leaves is %s', (_, pacing, slow) => {
    const { rate } = sendOver({ impairment: { delay: 50, ...slow }, tcp: { sendBufferMost, pacing } }, 5000)
    expect(rate).toBeGreaterThan(0.8 * full)
  })
})
