// What was needless is seen: by timestamps (RFC 3522), by D-SACKs (RFC 3708), by F-RTO (RFC 5682). What was not, is not.
import { beforeEach, describe, expect, it } from 'vitest'
import { Undo, Verdict } from '../../../../src/core/tcp/sender/undo.ts'

let undo: Undo
beforeEach(() => {
  undo = new Undo()
})

interface Ack {
  ack?: number
  advanced?: boolean
  original?: boolean
  duplicate?: boolean
  echo?: number
  maySendNew?: boolean
}

function onAck({
  ack = 1000,
  advanced = true,
  original = false,
  duplicate = !advanced,
  echo,
  maySendNew = true,
}: Ack): number {
  return undo.onAck(ack, advanced, original, duplicate, echo !== undefined, echo ?? 0, maySendNew)
}

describe('by the timestamp', () => {
  it('an ACK that answers something sent before the retransmission', () => {
    undo.begin(1000, 9000, false, false)
    undo.onRetransmitted(1, true, 500)
    undo.onRetransmitted(1, true, 510)
    expect(onAck({ ack: 2000, advanced: false, echo: 400 })).toBe(Verdict.none)
    expect(onAck({ ack: 2000, echo: 500 })).toBe(Verdict.none)
    expect(onAck({ ack: 2000, echo: 499 })).toBe(Verdict.needless)
    expect(undo.isPending).toBe(false)
    expect(onAck({ ack: 3000, echo: 499 })).toBe(Verdict.none)
  })

  it('not where it answers what a recovery before this one has sent again', () => {
    undo.begin(1000, 9000, false, false)
    undo.onRetransmitted(2, true, 500)
    undo.clear()
    undo.begin(9000, 20_000, false, false, 1)
    undo.onRetransmitted(1, true, 510)
    expect(onAck({ ack: 10_000, echo: 505 })).toBe(Verdict.none)
    expect(onAck({ ack: 11_000, echo: 499 })).toBe(Verdict.needless)
  })

  it('not where a probe is still on its way, whose stamp nobody knows', () => {
    undo.begin(1000, 9000, false, false, 1)
    undo.onRetransmitted(1, true, 510)
    expect(onAck({ ack: 2000, echo: 505 })).toBe(Verdict.none)
  })

  it('nothing before anything was sent again', () => {
    undo.begin(1000, 9000, false, false)
    expect(onAck({ ack: 2000, echo: 0 })).toBe(Verdict.none)
  })
})

describe('by D-SACKs', () => {
  it('one for each segment that was sent again', () => {
    undo.begin(1000, 9000, false, false)
    undo.onRetransmitted(3, false, 0)
    undo.onDuplicate(1000, 2)
    expect(onAck({ ack: 2000 })).toBe(Verdict.none)
    undo.onDuplicate(3000, 1)
    expect(onAck({ ack: 2000 })).toBe(Verdict.needless)
  })

  it('none of something else', () => {
    undo.begin(1000, 9000, false, false)
    undo.onRetransmitted(1, false, 0)
    undo.onDuplicate(999, 1)
    undo.onDuplicate(9000, 1)
    expect(onAck({ ack: 2000 })).toBe(Verdict.none)
  })

  it('also of a recovery that a timeout came into', () => {
    undo.begin(1000, 9000, false, false)
    undo.onRetransmitted(1, false, 0)
    undo.begin(1000, 9000, true, false)
    undo.onRetransmitted(1, false, 0)
    undo.onDuplicate(1000, 1)
    expect(onAck({ ack: 2000 })).toBe(Verdict.none)
    undo.onDuplicate(1000, 1)
    expect(onAck({ ack: 2000 })).toBe(Verdict.needless)
  })
})

describe('by F-RTO', () => {
  beforeEach(() => {
    undo.begin(1000, 9000, true, true)
    undo.onRetransmitted(1, false, 0)
  })

  it('two ACKs that advance (§2.1, step 3b)', () => {
    expect(onAck({ ack: 2000 })).toBe(Verdict.sendNew)
    expect(onAck({ ack: 3000, original: true })).toBe(Verdict.needless)
  })

  it('a SACK of what was sent once only (§3.1)', () => {
    expect(onAck({ ack: 1000, advanced: false, original: true })).toBe(Verdict.needless)
  })

  it('not where the second ACK is a duplicate (step 3a)', () => {
    expect(onAck({ ack: 2000 })).toBe(Verdict.sendNew)
    expect(onAck({ ack: 2000, advanced: false })).toBe(Verdict.none)
    expect(onAck({ ack: 3000, original: true })).toBe(Verdict.none)
  })

  it('not where the first ACK covers everything (step 2a)', () => {
    expect(onAck({ ack: 9000, original: true })).toBe(Verdict.none)
    expect(onAck({ ack: 9500, original: true })).toBe(Verdict.none)
  })

  it('not where nothing new can be sent (step 2b)', () => {
    expect(onAck({ ack: 2000, maySendNew: false })).toBe(Verdict.none)
    expect(onAck({ ack: 3000, original: true })).toBe(Verdict.none)
  })

  it('not within another recovery (step 1)', () => {
    undo.clear()
    undo.begin(1000, 9000, true, false)
    expect(onAck({ ack: 2000, original: true })).toBe(Verdict.none)
  })
})
