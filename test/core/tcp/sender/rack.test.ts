// RACK (RFC 8985 §6): what is lost, when, and what reordering does to it.
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { Flight, FlightSlab, Sent } from '../../../../src/core/tcp/sender/flight.ts'
import { Rack } from '../../../../src/core/tcp/sender/rack.ts'

const RTT = 100
const MINIMUM = RTT * 1000

let slab: FlightSlab
let flight: Flight
let rack: Rack

beforeEach(() => {
  slab = new FlightSlab()
  flight = new Flight(slab)
  rack = new Rack(0)
})

/** Sends records of 1,000 octets, numbered from 0, at these times. */
function send(...times: number[]): number[] {
  return times.map((time) => {
    const start = flight.last < 0 ? 0 : slab.end[flight.last]
    return flight.append(start, start + 1000, 1000, 0, time)
  })
}

/** The record arrived at its peer, whose SACK comes at `now`. */
function sack(row: number, now: number, echo = false): void {
  rack.begin()
  rack.onDelivered(slab.sentAt[row], slab.end[row], flight.has(row, Sent.twice), echo, MINIMUM, now)
  flight.markSacked(row)
}

function lost(now: number, isRecovering = false): number[] {
  const found: number[] = []
  rack.update(MINIMUM, MINIMUM, Math.floor(flight.sacked / 1000), isRecovering)
  for (let row = rack.nextLost(flight, flight.oldest, now); row >= 0; ) {
    const newer = slab.newer[row]
    flight.markLost(row)
    found.push(row)
    row = rack.nextLost(flight, newer, now)
  }
  return found
}

describe('a record is lost', () => {
  it('a quarter of the least round trip after a later one has arrived', () => {
    const [first, second] = send(0, 1, 2)
    sack(second, 101)
    expect(lost(101)).toEqual([])
    expect(rack.wait).toBe(24_000)
    expect(lost(124.9)).toEqual([])
    expect(lost(125)).toEqual([first])
    expect(rack.wait).toBe(0)
  })

  it('at once where three have been sacked, or a recovery goes on, and nothing was ever reordered', () => {
    const [first, second, third, fourth] = send(0, 0, 0, 0, 0)
    sack(second, RTT)
    sack(third, RTT)
    expect(lost(RTT)).toEqual([])
    expect(lost(RTT, true)).toEqual([first])
    flight.unmarkLost(first)
    sack(fourth, RTT)
    expect(lost(RTT)).toEqual([first])
  })

  it('by its number where several left at one time', () => {
    const [first, second, third] = send(5, 5, 5)
    sack(second, 5 + RTT)
    expect(lost(200)).toEqual([first])
    expect(flight.has(third, Sent.lost)).toBe(false)
  })

  it('again, where its retransmission was overtaken by a later one', () => {
    const [first, second, third] = send(0, 0, 0)
    sack(third, RTT)
    expect(lost(RTT, true)).toEqual([first, second])
    flight.markAgain(first, RTT)
    flight.markAgain(second, RTT + 1)
    sack(second, 2 * RTT + 1)
    expect(lost(2 * RTT + 1, true)).toEqual([first])
  })

  it('never because of something that was sent earlier', () => {
    const [first] = send(0, 10, 20)
    sack(first, RTT)
    expect(lost(100_000)).toEqual([])
    expect(rack.wait).toBe(0)
  })

  it('not, as long as nothing has arrived', () => {
    send(0, 10)
    expect(lost(100_000)).toEqual([])
  })
})

describe('a retransmission that may be needless', () => {
  it('tells nothing where it would have come back sooner than the least round trip, or the timestamp says so', () => {
    for (const [now, echo] of [
      [RTT + 50, false],
      [3 * RTT, true],
    ] as const) {
      flight.clear()
      rack = new Rack(0)
      const [first, second] = send(0, 10)
      flight.markLost(first)
      flight.markAgain(first, RTT)
      sack(first, now, echo)
      expect(lost(100_000)).toEqual([])
      expect(flight.has(second, Sent.lost)).toBe(false)
    }
  })
})

describe('reordering', () => {
  it('is seen where a record that was sent once arrives below what had arrived before', () => {
    const [first, second, third] = send(0, 0, 0)
    sack(third, RTT)
    expect(rack.hasReordering).toBe(false)
    sack(second, RTT + 1)
    expect(rack.hasReordering).toBe(true)
    // From now on not even three sacked make one lost at once.
    expect(lost(RTT + 1, true)).toEqual([])
    expect(lost(RTT + 26, true)).toEqual([first])
  })

  it('is not seen where one ACK tells of several, in any order', () => {
    const [, second, third] = send(0, 0, 0)
    rack.begin()
    for (const row of [third, second]) rack.onDelivered(0, slab.end[row], false, false, MINIMUM, RTT)
    expect(rack.hasReordering).toBe(false)
  })

  it('is not seen where a retransmission arrives', () => {
    const [first, , third] = send(0, 0, 0)
    sack(third, RTT)
    flight.markLost(first)
    flight.markAgain(first, RTT)
    sack(first, 3 * RTT)
    expect(rack.hasReordering).toBe(false)
  })

  it('widens the window by a quarter for each round trip with a D-SACK, up to SRTT, for sixteen recoveries', () => {
    const window = () => {
      rack.update(MINIMUM, MINIMUM, 0, false)
      return rack.reorderingWindow
    }
    expect(window()).toBe(25_000)
    rack.onDuplicate(1000, 2000)
    rack.onDuplicate(1500, 2500)
    expect(window()).toBe(50_000)
    rack.onDuplicate(2000, 3000)
    expect(window()).toBe(75_000)
    for (let round = 0; round < 300; round++) rack.onDuplicate(3000 + round * 1000, 4000 + round * 1000)
    expect(window()).toBe(MINIMUM)
    for (let recovery = 0; recovery < 15; recovery++) rack.onRecovered()
    expect(window()).toBe(MINIMUM)
    rack.onRecovered()
    expect(window()).toBe(25_000)
  })
})

describe('at a timeout', () => {
  it('the oldest is lost, and of the others those that have had their time (§6.3)', () => {
    const [first, second, third] = send(0, 950, 990)
    expect([first, second, third].map((row) => rack.isLostAtTimeout(flight, row, 1000))).toEqual([true, true, true])
    const [earlier] = send(991)
    rack.onDelivered(0, slab.end[earlier], false, false, MINIMUM, RTT)
    expect([first, second, third].map((row) => rack.isLostAtTimeout(flight, row, 1060))).toEqual([true, true, false])
  })
})

/** RACK.xmit_ts, RACK.end_seq and RACK.rtt, in milliseconds. */
interface Best {
  sentAt: number
  end: number
  rtt: number
}

it('marks the same as a plain reading of the RFC, wherever the clock and the numbers wrap', () => {
  const event = fc.record({
    kind: fc.constantFrom('send', 'sack', 'again', 'detect'),
    which: fc.nat(30),
    after: fc.nat(60),
  })
  const start = fc.constantFrom(0, 2147483, 4294967, 1e9)
  const sequence = fc.constantFrom(0, 2 ** 31 - 5000, -5000)
  fc.assert(
    fc.property(start, sequence, fc.array(event, { maxLength: 80 }), (begin, first, events) => {
      slab = new FlightSlab()
      flight = new Flight(slab)
      rack = new Rack(first)
      let now = begin
      let next = first
      let best: Best | null = null
      for (const { kind, which, after } of events) {
        now += after
        const rows: number[] = []
        for (let row = flight.first; row >= 0; row = slab.next[row]) rows.push(row)
        const row = rows[which % Math.max(1, rows.length)]
        if (kind === 'send') {
          flight.append(next, (next + 1000) | 0, 1000, 0, now)
          next = (next + 1000) | 0
        } else if (row !== undefined && kind === 'sack' && !flight.has(row, Sent.sacked)) {
          const rtt = Math.max(0.001, now - slab.sentAt[row])
          const isTwice = flight.has(row, Sent.twice)
          rack.begin()
          rack.onDelivered(slab.sentAt[row], slab.end[row], isTwice, false, 20_000, now)
          if (!isTwice || rtt >= 20) {
            const isLater: boolean =
              best === null ||
              slab.sentAt[row] > best.sentAt ||
              (slab.sentAt[row] === best.sentAt && ((slab.end[row] - best.end) | 0) > 0)
            best = isLater ? { sentAt: slab.sentAt[row], end: slab.end[row], rtt } : { ...(best as Best), rtt }
          }
          flight.markSacked(row)
        } else if (row !== undefined && kind === 'again' && flight.has(row, Sent.lost)) {
          flight.markAgain(row, now)
        } else if (kind === 'detect') {
          rack.update(20_000, 20_000, 0, false)
          const expected = rows.filter((one) => {
            if (flight.has(one, Sent.sacked | Sent.lost) || best === null) return false
            const sentAt = slab.sentAt[one]
            const isBefore = best.sentAt > sentAt || (best.sentAt === sentAt && ((best.end - slab.end[one]) | 0) > 0)
            return isBefore && sentAt + best.rtt + 5 - now <= 1e-6
          })
          const marked: number[] = []
          for (let one = rack.nextLost(flight, flight.oldest, now); one >= 0; ) {
            const newer = slab.newer[one]
            marked.push(one)
            flight.markLost(one)
            one = rack.nextLost(flight, newer, now)
          }
          expect(marked.sort()).toEqual(expected.sort())
        }
      }
    }),
    { numRuns: 500 },
  )
})
