// SYN cookies: what they remember comes back, within their time and from nobody else.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Address, parseAddress } from '../../../../src/core/ip/address.ts'
import { Cookies, REFUSED } from '../../../../src/core/tcp/opening/cookies.ts'
import { seeded } from '../../../support/seeded.ts'

const at = (text: string) => parseAddress(text) as Address
const local = at('10.0.0.1')
const remote = at('10.0.0.2')
const int32 = () => fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })

describe('a cookie', () => {
  it('remembers the MSS, or the next below it that it knows', () => {
    const cookies = new Cookies(seeded(1))
    const remembered = (mss: number) =>
      cookies.check(0, local, 80, remote, 1024, 7, cookies.make(0, local, 80, remote, 1024, 7, mss))
    expect([40, 88, 535, 536, 1459, 1460, 8959, 65_495].map(remembered)).toEqual([
      88, 88, 256, 536, 1440, 1460, 1460, 8960,
    ])
  })

  it('holds for two minutes, and no longer', () => {
    const moment = fc.double({ min: 0, max: 1e10, noNaN: true })
    const cookies = new Cookies(seeded(1))
    fc.assert(
      fc.property(moment, int32(), fc.double({ min: 0, max: 128_000, noNaN: true }), (now, irs, later) => {
        const cookie = cookies.make(now, local, 80, remote, 1024, irs, 1460)
        expect(cookies.check(now + later, local, 80, remote, 1024, irs, cookie)).toBe(1460)
        expect(cookies.check(now + 192_000 + later, local, 80, remote, 1024, irs, cookie)).toBe(REFUSED)
      }),
    )
  })

  it('is for one tuple, one sequence number and one key', () => {
    const cookies = new Cookies(seeded(1))
    const cookie = cookies.make(1e6, local, 80, remote, 1024, 7, 1460)
    expect(cookies.check(1e6, local, 80, remote, 1024, 7, cookie)).toBe(1460)
    expect(cookies.check(1e6, local, 80, remote, 1025, 7, cookie)).toBe(REFUSED)
    expect(cookies.check(1e6, local, 81, remote, 1024, 7, cookie)).toBe(REFUSED)
    expect(cookies.check(1e6, local, 80, at('10.0.0.3'), 1024, 7, cookie)).toBe(REFUSED)
    expect(cookies.check(1e6, local, 80, remote, 1024, 1_000_000, cookie)).toBe(REFUSED)
    expect(new Cookies(seeded(2)).check(1e6, local, 80, remote, 1024, 7, cookie)).toBe(REFUSED)
  })

  it('is hard to guess', () => {
    const cookies = new Cookies(seeded(1))
    const random = seeded(2)
    let taken = 0
    for (let guess = 0; guess < 300_000; guess++) {
      if (cookies.check(1e9, local, 80, remote, 1024, 7, random.int32()) !== REFUSED) taken++
    }
    // Eight entries in 2^24, and three minutes in 256.
    expect(taken).toBeLessThanOrEqual(1)
  })

  it('is out for as long as it is good', () => {
    const cookies = new Cookies(seeded(1))
    expect(cookies.areOut(5_000)).toBe(false)
    cookies.make(5_000, local, 80, remote, 1024, 7, 1460)
    expect(cookies.areOut(5_000 + 191_999)).toBe(true)
    expect(cookies.areOut(5_000 + 192_000)).toBe(false)
  })

  it('is no cookie from before the stack began', () => {
    const cookies = new Cookies(seeded(1))
    let taken = 0
    for (let minute = 1; minute < 256; minute++) {
      const cookie = cookies.make(-minute * 64_000, local, 80, remote, 1024, 7, 1460)
      if (cookies.check(0, local, 80, remote, 1024, 7, cookie) !== REFUSED) taken++
    }
    expect(taken).toBe(0)
  })
})

describe('options in a timestamp', () => {
  it('come back, and the clock does not run ahead', () => {
    const cookies = new Cookies(seeded(1))
    fc.assert(
      fc.property(int32(), fc.integer({ min: -1, max: 14 }), fc.boolean(), fc.boolean(), (clock, scale, sack, ecn) => {
        const stamp = cookies.encode(clock, scale, sack, ecn)
        const behind = (clock - stamp) | 0
        expect(behind).toBeGreaterThanOrEqual(0)
        expect(behind).toBeLessThan(128)
        cookies.decode(stamp)
        expect(cookies).toMatchObject({ windowScale: scale, sackPermitted: sack, ecn })
      }),
    )
  })
})
