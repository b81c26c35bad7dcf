// The list of what is in flight: its records, their number and their sums, through every way in which they change.
import { beforeEach, describe, expect, it } from 'vitest'
import { Flight, FlightSlab, Sent } from '../../../../src/core/tcp/sender/flight.ts'

let slab: FlightSlab
let flight: Flight

beforeEach(() => {
  slab = new FlightSlab()
  flight = new Flight(slab)
})

/** Each record: start, end, flags. */
function records(): number[][] {
  const found: number[][] = []
  let before = -1
  for (let row = flight.first; row >= 0; row = slab.next[row]) {
    expect(slab.previous[row]).toBe(before)
    found.push([slab.start[row], slab.end[row], slab.flags[row]])
    before = row
  }
  expect(flight.last).toBe(before)
  expect([flight.count, slab.used]).toEqual([found.length, found.length])
  return found
}

/** Starts of what is under way, by the time of sending. */
function byTime(): number[] {
  const found: number[] = []
  for (let row = flight.oldest; row >= 0; row = slab.newer[row]) found.push(slab.start[row])
  return found
}

const sums = () => [flight.octets, flight.sacked, flight.lost, flight.again, flight.pipe, flight.sackedSegments]

describe('a flight', () => {
  it('takes records at its end and lets them go at its beginning', () => {
    flight.append(0, 3000, 1000, 0, 1)
    flight.append(3000, 4000, 1000, 0, 2)
    expect(records()).toEqual([
      [0, 3000, 0],
      [3000, 4000, 0],
    ])
    flight.trimFirst(1000)
    expect([records()[0], sums()]).toEqual([
      [1000, 3000, 0],
      [3000, 0, 0, 0, 3000, 0],
    ])
    flight.removeFirst()
    expect(records()).toEqual([[3000, 4000, 0]])
    flight.removeFirst()
    expect([records(), sums(), byTime()]).toEqual([[], [0, 0, 0, 0, 0, 0], []])
  })

  it('cuts a record in two, which stay neighbours in order and in time', () => {
    const first = flight.append(0, 3000, 1000, Sent.fin, 1)
    flight.append(3000, 4000, 1000, 0, 2)
    flight.split(first, 1000)
    expect(records()).toEqual([
      [0, 1000, 0],
      [1000, 3000, Sent.fin],
      [3000, 4000, 0],
    ])
    expect(byTime()).toEqual([0, 1000, 3000])
    expect(sums()).toEqual([4000, 0, 0, 0, 4000, 0])
  })

  it('knows what is lost, sent again and sacked, and sums it up', () => {
    const [one, two, three] = [0, 1000, 2000].map((start) => flight.append(start, start + 1000, 1000, 0, start))
    flight.markLost(one)
    expect([sums(), byTime()]).toEqual([
      [3000, 0, 1000, 0, 2000, 0],
      [1000, 2000],
    ])
    flight.markAgain(one, 5000)
    expect([slab.flags[one], slab.transmissions[one], slab.sentAt[one]]).toEqual([Sent.again | Sent.twice, 2, 5000])
    expect([sums(), byTime()]).toEqual([
      [3000, 0, 0, 1000, 3000, 0],
      [1000, 2000, 0],
    ])
    flight.markSacked(two)
    flight.markSacked(three)
    expect([sums(), byTime()]).toEqual([[3000, 2000, 0, 1000, 1000, 2], [0]])
    flight.mergeSacked(two)
    expect(records()).toEqual([
      [0, 1000, Sent.again | Sent.twice],
      [1000, 3000, Sent.sacked],
    ])
    expect(sums()).toEqual([3000, 2000, 0, 1000, 1000, 2])
  })

  it('remembers when each record was sent and what was delivered then, however many there are', () => {
    const rows = slab.sentAt.length + 1
    for (let place = 0; place < rows; place++) {
      const row = flight.append(place, place + 1, 1000, 0, place)
      slab.deliveredAt[row] = place + 0.25
      slab.firstSentAt[row] = place + 0.5
    }
    for (let row = flight.first, place = 0; row >= 0; row = slab.next[row], place++) {
      const times = [slab.sentAt[row], slab.deliveredAt[row], slab.firstSentAt[row]]
      expect(times).toEqual([place, place + 0.25, place + 0.5])
    }
  })

  it('puts what was not lost after all back where its time is', () => {
    const [, two] = [0, 1000, 2000].map((start) => flight.append(start, start + 1000, 1000, 0, start))
    flight.markLost(two)
    flight.unmarkLost(two)
    expect([sums(), byTime()]).toEqual([
      [3000, 0, 0, 0, 3000, 0],
      [0, 1000, 2000],
    ])
  })
})
