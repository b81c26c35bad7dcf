// ECN (RFC 3168 §6.1): a mark is echoed until it is answered, and answered once a window.
import { beforeEach, describe, expect, it } from 'vitest'
import { Codepoint, Ecn } from '../../../../src/core/tcp/sender/ecn.ts'

let ecn: Ecn
beforeEach(() => {
  ecn = new Ecn()
})

describe('the receiver', () => {
  it('echoes a mark until CWR comes (§6.1.3)', () => {
    expect(ecn.onArrived(Codepoint.capable0, false)).toBe(false)
    expect(ecn.isEchoing).toBe(false)
    expect(ecn.onArrived(Codepoint.congested, false)).toBe(true)
    expect(ecn.onArrived(Codepoint.capable0, false)).toBe(false)
    expect(ecn.isEchoing).toBe(true)
    ecn.onArrived(Codepoint.capable0, true)
    expect(ecn.isEchoing).toBe(false)
  })

  it('goes on where CWR comes with another mark', () => {
    ecn.onArrived(Codepoint.congested, false)
    ecn.onArrived(Codepoint.congested, true)
    expect(ecn.isEchoing).toBe(true)
  })
})

describe('the sender', () => {
  it('answers once a window, whatever the number of echoes, and says CWR once (§6.1.2)', () => {
    expect(ecn.onEcho(1000, 9000)).toBe(true)
    expect([ecn.onSent(), ecn.onSent()]).toEqual([true, false])
    for (let sndUna = 1000; sndUna <= 9000; sndUna += 1000) expect(ecn.onEcho(sndUna, 20_000)).toBe(false)
    expect(ecn.onSent()).toBe(false)
    // The segment that says CWR begins at 9000: what acknowledges it is the first that may tell of another mark.
    expect(ecn.onEcho(9001, 20_000)).toBe(true)
  })

  it('does not answer marks of a window that it has reduced for a loss', () => {
    ecn.onReduced(9000)
    expect([ecn.onEcho(5000, 9500), ecn.onSent()]).toEqual([false, true])
    expect(ecn.onEcho(9001, 9500)).toBe(true)
  })

  it('answers a mark that comes two gigabytes after the last', () => {
    expect(ecn.onEcho(0, 9000)).toBe(true)
    for (let sndUna = 0; sndUna < 2 ** 31 + 20_000; sndUna += 2 ** 29) ecn.onAcknowledged(sndUna | 0)
    expect(ecn.onEcho((2 ** 31 + 10_000) | 0, (2 ** 31 + 20_000) | 0)).toBe(true)
  })

  it('marks new text alone (§6.1.4 to §6.1.6)', () => {
    expect([ecn.codepoint(true), ecn.codepoint(false)]).toEqual([Codepoint.capable0, Codepoint.notCapable])
  })
})
