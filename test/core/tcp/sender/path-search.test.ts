// How long packets may be where a path swallows longer ones: the part alone (RFC 4821, RFC 8899).
import { describe, expect, it } from 'vitest'
import { isSuspicious, nextBase, PathSearch, UNCAPPED } from '../../../../src/core/tcp/sender/path-search.ts'

const LIMIT = 1500
const MINUTE = 60_000

/** A search on a path that takes so much; returns the lengths that it probed with. */
function search(path: PathSearch, takes: number, until: number, from = 0): number[] {
  const probes: number[] = []
  for (let now = from; now < until; now += 100) {
    const length = path.probeLength(LIMIT, now)
    if (length === 0) continue
    probes.push(length)
    path.onProbe(1, 1 + length, length)
    if (length <= takes) path.onLongArrived(length, LIMIT, now)
    else path.onProbeLost(now)
  }
  return probes
}

function fallen(base = 1280): PathSearch {
  const path = new PathSearch()
  path.fallBack(base, true, 0, 0)
  path.onArrived()
  return path
}

describe('how far to fall back', () => {
  it('goes to what every IPv6 path takes, and on IPv4 to what every host takes', () => {
    expect([9000, 1500, 1281].map((length) => nextBase(length, true))).toEqual([1280, 1280, 1280])
    expect([1280, 577].map((length) => nextBase(length, true))).toEqual([576, 576])
    expect(nextBase(576, true)).toBe(0)
    expect(nextBase(1281, false)).toBe(1280)
    expect(nextBase(1280, false)).toBe(0)
  })

  it('is asked at the second timeout, or at the first of what was lost twice and never arrived', () => {
    expect(isSuspicious(1280, 2, true, true)).toBe(true)
    expect(isSuspicious(1280, 2, false, false)).toBe(true)
    expect(isSuspicious(1280, 1, false, true)).toBe(true)
    expect(isSuspicious(1280, 1, true, true)).toBe(false)
    expect(isSuspicious(1280, 1, false, false)).toBe(false)
    expect([1, 2, 3].map((timeouts) => isSuspicious(576, timeouts, false, true))).toEqual([false, false, true])
  })
})

describe('the search', () => {
  it('has nothing to take back where it never fell back', () => {
    expect([new PathSearch().onArrived(), new PathSearch().probeLength(LIMIT, 0)]).toEqual([false, 0])
  })

  it('tries again after a while where something else was lost with the probe', () => {
    const path = fallen()
    path.onProbe(1, 1 + LIMIT, LIMIT)
    expect(path.probeLength(LIMIT, MINUTE)).toBe(0)
    path.onInconclusive(0)
    expect(path.isProbe(1, 1 + LIMIT)).toBe(false)
    expect([path.probeLength(LIMIT, 0), path.probeLength(LIMIT, MINUTE)]).toEqual([0, LIMIT])
  })

  it('waits until short packets arrive', () => {
    const path = new PathSearch()
    path.fallBack(1280, true, 0, 0)
    expect(path.probeLength(LIMIT, 0)).toBe(0)
    path.onArrived()
    expect(path.probeLength(LIMIT, 0)).toBe(LIMIT)
  })

  it('begins with what was in use, and is over when that arrives', () => {
    const path = fallen()
    expect(search(path, 1500, MINUTE)).toEqual([1500])
    expect(path.cap).toBe(UNCAPPED)
  })

  it('halves what is between, tries a length three times, and rests for ten minutes', () => {
    const path = fallen()
    const probes = search(path, 1400, 5 * MINUTE)
    expect(probes.slice(0, 6)).toEqual([1500, 1500, 1500, 1390, 1445, 1445])
    expect(path.cap).toBeLessThanOrEqual(1400)
    expect(path.cap).toBeGreaterThan(1400 - 16)
    expect(probes.length).toBeLessThan(20)
    expect(search(path, 1500, 9 * MINUTE, 5 * MINUTE)).toEqual([])
    expect(search(path, 1500, 12 * MINUTE, 9 * MINUTE)).toEqual([1500])
    expect(path.cap).toBe(UNCAPPED)
  })

  it('learns nothing from a probe that was lost among others', () => {
    const path = fallen()
    for (let now = 0; now < MINUTE; now += 2000) {
      expect(path.probeLength(LIMIT, now)).toBe(LIMIT)
      path.onProbe(1, 1501, LIMIT)
      expect(path.probeLength(LIMIT, now)).toBe(0)
      path.onInconclusive(now)
    }
  })

  it('has one probe under way, and knows it by its place', () => {
    const path = fallen()
    expect(path.isProbe(1, 1501)).toBe(false)
    path.onProbe(1, 1501, LIMIT)
    expect(path.isProbe(1, 1501)).toBe(true)
    expect(path.isProbe(1, 1229)).toBe(false)
    path.onProbeLost(0)
    expect(path.isProbe(1, 1501)).toBe(false)
  })

  it('waits longer each time that the path is suspected again', () => {
    const path = fallen()
    const delays: number[] = []
    for (let fall = 0; fall < 12; fall++) {
      const from = fall * 1000 * MINUTE
      path.onLongArrived(LIMIT, LIMIT, from)
      path.fallBack(1280, true, 0, from)
      path.onArrived()
      let delay = 0
      while (path.probeLength(LIMIT, from + delay) === 0) delay += 1000
      delays.push(delay / 1000)
    }
    expect(delays.slice(0, 4)).toEqual([10, 20, 40, 80])
    expect(delays[11]).toBe(600)
  })

  it('counts the steps of one fall as one', () => {
    const path = new PathSearch()
    path.fallBack(1280, false, 0, 0)
    path.fallBack(576, true, 0, 1000)
    expect(path.cap).toBe(576)
    // The first step knew that nothing long had ever arrived.
    expect(path.onArrived()).toBe(true)
    expect(path.onArrived()).toBe(false)
    expect(path.probeLength(LIMIT, 1000)).toBe(LIMIT)
  })

  it('goes on after its clock has wrapped', () => {
    const path = new PathSearch()
    const now = 2 ** 31 - 300
    path.fallBack(1280, true, 0, now)
    path.onArrived()
    expect(search(path, 1290, now + 5 * MINUTE, now).length).toBeGreaterThan(6)
  })
})
