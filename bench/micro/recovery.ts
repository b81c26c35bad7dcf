// What an ACK of a recovery costs, by how much is in flight: every second packet is lost, and each ACK SACKs one more of the others.
// Scoreboard, RACK and the flight's records, as arriving/acknowledge calls them; nothing is sent meanwhile.
import { Acknowledged } from '../../src/core/tcp/congestion/congestion.ts'
import { RateSample } from '../../src/core/tcp/sender/delivery-rate.ts'
import { Flight, FlightSlab } from '../../src/core/tcp/sender/flight.ts'
import { Rack } from '../../src/core/tcp/sender/rack.ts'
import { Scoreboard } from '../../src/core/tcp/sender/scoreboard.ts'
import { TcpOptions } from '../../src/core/wire/tcp-options.ts'
import type { Measured, Suite } from './suite.ts'

const MSS = 1448
const ROUND_TRIP = 100
/** Between one packet and the next, in milliseconds. */
const GAP = 0.01

/** A call takes all ACKs of a flight of so many records. */
function acksOf(records: number): Measured {
  const acks = records >> 1
  return {
    prepare: () => {
      const slab = new FlightSlab()
      const options = new TcpOptions()
      const scoreboard = new Scoreboard()
      const sample = new RateSample()
      const acknowledged = new Acknowledged()
      return () => {
        const flight = new Flight(slab)
        const delivery = { delivered: 0, lostOctets: 0, limitedUntil: 0, largestDelivered: 0 }
        const rack = new Rack(0)
        for (let number = 0; number < records; number++) {
          flight.append(number * MSS, (number + 1) * MSS, MSS, 0, number * GAP)
        }
        for (let number = 1; number < records; number += 2) {
          const now = ROUND_TRIP + number * GAP
          options.sackCount = 1
          options.sackStart[0] = number * MSS
          options.sackEnd[0] = (number + 1) * MSS
          sample.begin(rack, 0, false, 0, ROUND_TRIP * 1000, now)
          scoreboard.receive(flight, options, 0, 0, records * MSS, 1 << 16, sample, delivery)
          sample.finish(acknowledged, delivery, now)
          rack.update(ROUND_TRIP * 1000, ROUND_TRIP * 1000, flight.sackedSegments, true)
          for (let row = rack.nextLost(flight, flight.oldest, now); row >= 0; ) {
            const newer = slab.newer[row]
            flight.markLost(row)
            row = rack.nextLost(flight, newer, now)
          }
        }
        flight.clear()
      }
    },
    handles: () => ({ acks }),
  }
}

export const recovery: Suite = Object.fromEntries(
  [10, 100, 1000, 10_000].map((records) => [`ACKs with SACK, ${records} in flight`, acksOf(records)]),
)
