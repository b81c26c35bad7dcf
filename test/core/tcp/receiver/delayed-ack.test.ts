// Which ACKs are owed (RFC 9293 §3.8.6.3, RFC 5681 §4.2).
import { describe, expect, it } from 'vitest'
import { Cause } from '../../../../src/core/tcp/cause.ts'
import { type AckSettings, DelayedAck } from '../../../../src/core/tcp/receiver/delayed-ack.ts'

const MSS = 1460
const SETTINGS: AckSettings = { delayedAck: 40, quickAcks: 16, secondSegment: 'full' }
/** Without the quick ACKs of the beginning. */
const settled = () => new DelayedAck({ ...SETTINGS, quickAcks: 0 })

describe('delayed ACKs', () => {
  it('wait for a single segment, and not for more than one (MUST-59, SHLD-18)', () => {
    const ack = settled()
    expect([ack.isOwed, ack.due(true)]).toEqual([false, 0])
    ack.onText(MSS, MSS)
    expect([ack.isOwed, ack.due(true)]).toEqual([true, 0])
    ack.onText(MSS, MSS)
    expect([ack.isOwed, ack.due(true)]).toEqual([true, 1])
    ack.onSent()
    expect([ack.isOwed, ack.due(true)]).toEqual([false, 0])
  })

  it('are one for all that a turn brings', () => {
    const ack = settled()
    for (let segment = 0; segment < 64; segment++) ack.onText(MSS, MSS)
    expect(ack.due(true)).toBe(1)
    expect(ack.due(false)).toBe(1)
  })

  it('are due at once for a merged segment', () => {
    const ack = settled()
    ack.onText(2 * MSS, MSS)
    expect(ack.due(true)).toBe(1)
  })

  it('are due for the second segment whatever its size, where segments are counted', () => {
    const ack = new DelayedAck({ ...SETTINGS, quickAcks: 0, secondSegment: 'any' })
    for (let pair = 0; pair < 2; pair++) {
      ack.onText(1, MSS)
      expect(ack.due(true)).toBe(0)
      ack.onText(1, MSS)
      expect(ack.due(true)).toBe(1)
      ack.onSent()
    }
  })

  it('are due when the delay is over, below half a second (MUST-58)', () => {
    const ack = settled()
    expect(ack.delay).toBeLessThan(500)
    ack.onExpired()
    expect([ack.due(true), ack.isOwed]).toEqual([0, false])
    ack.onText(1, MSS)
    ack.onExpired()
    expect(ack.due(true)).toBe(1)
  })

  it('are due at once where one is demanded', () => {
    const ack = settled()
    ack.demand(Cause.finishAck)
    expect([ack.isOwed, ack.due(true)]).toEqual([true, 1])
  })

  it('are quick at the start, until the application answers', () => {
    const ack = new DelayedAck(SETTINGS)
    for (let segment = 0; segment < SETTINGS.quickAcks; segment++) {
      ack.onText(100, MSS)
      expect(ack.due(true)).toBe(1)
      ack.onSent()
    }
    ack.onText(100, MSS)
    expect(ack.due(true)).toBe(0)
    const answering = new DelayedAck(SETTINGS)
    answering.onAnswered()
    answering.onText(100, MSS)
    expect(answering.due(true)).toBe(0)
  })
})

describe('duplicate ACKs', () => {
  it('are counted: all without SACK, three with it', () => {
    const ack = settled()
    for (let segment = 0; segment < 10; segment++) ack.onDisorder(Cause.duplicateAck)
    expect([ack.due(false), ack.due(true)]).toEqual([10, 3])
    ack.onSent()
    ack.onDisorder(Cause.duplicateAck)
    expect([ack.due(false), ack.due(true)]).toEqual([1, 1])
  })

  it('are forgotten when RCV.NXT moves', () => {
    const ack = settled()
    ack.onDisorder(Cause.duplicateAck)
    ack.onDisorder(Cause.duplicateAck)
    ack.onText(100, MSS)
    ack.demand(Cause.finishAck)
    expect(ack.due(false)).toBe(1)
  })
})

it('knows what an acknowledgment alone is for', () => {
  const ack = new DelayedAck({ ...SETTINGS, quickAcks: 1 })
  ack.onText(100, 1000)
  expect(ack.cause).toBe(Cause.quickAck)
  ack.onSent()
  ack.onText(100, 1000)
  ack.onExpired()
  expect(ack.cause).toBe(Cause.delayedAck)
  ack.onSent()
  ack.onText(2000, 1000)
  ack.demand(Cause.windowUpdate)
  expect(ack.cause).toBe(Cause.secondSegment)
  ack.onSent()
  ack.demand(Cause.windowUpdate)
  expect(ack.cause).toBe(Cause.windowUpdate)
})
