// What an ACK's delivery-rate sample says of the record that was sent last (draft-cheng-iccrg-delivery-rate-estimation §3).
import { beforeEach, describe, expect, it } from 'vitest'
import { Acknowledged } from '../../../../src/core/tcp/congestion/congestion.ts'
import { type Delivery, RateSample, stamp } from '../../../../src/core/tcp/sender/delivery-rate.ts'
import { Flight, FlightSlab, Sent } from '../../../../src/core/tcp/sender/flight.ts'
import { Instant, Timers } from '../../../../src/core/tcp/timers.ts'

let flight: Flight
let timers: Timers
let row: number
let delivery: Delivery
const sample = new RateSample()

beforeEach(() => {
  flight = new Flight(new FlightSlab())
  timers = new Timers()
  row = timers.add()
  delivery = { delivered: 0, lostOctets: 0, limitedUntil: 0, largestDelivered: 0 }
})

/** Sends at `now`, in a flight that began at `firstSent`, when something had last been delivered at `delivered`. */
function send(start: number, length: number, now: number, firstSent: number, delivered: number): number {
  timers.set(row, Instant.firstSent, firstSent)
  timers.set(row, Instant.delivered, delivered)
  const record = flight.append(start, start + length, 1000, 0, now)
  stamp(flight, record, delivery, timers, row)
  return record
}

function acknowledge(records: readonly number[], now: number, minimumRtt = 0): Acknowledged {
  const ack = new Acknowledged()
  ack.clear(now)
  ack.totalDelivered = delivery.delivered
  ack.minimumRtt = minimumRtt
  sample.begin(null, 0, false, 0, minimumRtt, now)
  for (const record of records) sample.take(flight, record, flight.length(record), delivery)
  sample.finish(ack, delivery, now)
  return ack
}

describe('a sample', () => {
  it('is of the record sent last, with what was in flight as it left, itself included', () => {
    const first = send(0, 3000, 0, 0, 0)
    const second = send(3000, 2000, 10, 0, 0)
    const ack = acknowledge([first, second], 110)
    expect(ack).toMatchObject({ transmitInFlight: 5000, delivered: 5000, rateDelivered: 5000, rtt: 100_000 })
    expect(delivery.largestDelivered).toBe(1000)
  })

  it('is over the longer of sending and acknowledging (§3.3)', () => {
    const slowlySent = send(0, 1000, 90, 20, 60)
    expect(acknowledge([slowlySent], 100).rateInterval).toBe(70_000)
    const slowlyAcknowledged = send(1000, 1000, 110, 105, 100)
    expect(acknowledge([slowlyAcknowledged], 190).rateInterval).toBe(90_000)
  })

  it('is none where the interval is shorter than the least round trip', () => {
    const record = send(0, 1000, 0, 0, 0)
    expect(acknowledge([record], 50, 60_000).rateDelivered).toBe(-1)
  })

  it('tells what was lost since the record left, and that the application had no more', () => {
    delivery.lostOctets = 500
    delivery.limitedUntil = 4000
    const record = send(0, 1000, 0, 0, 0)
    delivery.lostOctets = 2500
    expect(acknowledge([record], 10)).toMatchObject({ lostSince: 2000, isApplicationLimited: true })
    delivery.limitedUntil = 0
    expect(acknowledge([send(1000, 1000, 20, 20, 10)], 30).isApplicationLimited).toBe(false)
  })

  it('has no round trip where the record was sent twice (Karn)', () => {
    const record = send(0, 1000, 0, 0, 0)
    flight.markLost(record)
    flight.markAgain(record, 30)
    expect(flight.has(record, Sent.twice)).toBe(true)
    expect(acknowledge([record], 100).rtt).toBe(-1)
  })
})

describe('what an ACK took', () => {
  it.each([
    ['ends beyond where the recovery ends', 500, false],
    ['ends before it', 1500, true],
    ['ends at it', 1000, true],
  ])('is from before the loss where it %s', (_, recover, isOriginal) => {
    const record = send(0, 1000, 0, 0, 0)
    sample.begin(null, recover, false, 0, 0, 10)
    sample.take(flight, record, 1000, delivery)
    expect([sample.hasOriginal, sample.hasAgain]).toEqual([isOriginal, false])
  })
})
