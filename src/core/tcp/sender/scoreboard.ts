// What the peer says it has beyond SND.UNA (RFC 2018, RFC 2883), marked on the records of the flight. A lying SACK can't do more than fail to be believed: blocks outside of what was sent are passed over.
// A part: told numbers, knows no connection. One a stack; its results are borrowed until the next call.

import type { TcpOptions } from '../../wire/tcp-options.ts'
import { Cause } from '../cause.ts'
import { atMost, distance, lessThan } from '../sequence.ts'
import type { Delivery, RateSample } from './delivery-rate.ts'
import { type Flight, Sent } from './flight.ts'

const NONE = -1

export class Scoreboard {
  /** Octets that the last segment's blocks told of for the first time. */
  newlySacked = 0
  /** RFC 2883: the first block told of octets that the peer had twice; from where to where. */
  hasDuplicate = false
  duplicateStart = 0
  duplicateEnd = 0

  /** Takes the blocks of a segment whose acknowledgment has been taken already. `highest` is SND.NXT. */
  receive(
    flight: Flight,
    options: TcpOptions,
    sndUna: number,
    ack: number,
    highest: number,
    mostRows: number,
    sample: RateSample,
    delivery: Delivery,
  ): void {
    this.newlySacked = 0
    this.hasDuplicate = false
    for (let block = 0; block < options.sackCount; block++) {
      const start = options.sackStart[block]
      const end = options.sackEnd[block]
      if (!lessThan(start, end) || lessThan(highest, end)) continue
      if (block === 0 && this.#isDuplicate(options, ack)) {
        this.hasDuplicate = true
        this.duplicateStart = start
        this.duplicateEnd = end
        if (atMost(end, sndUna)) continue
      }
      if (lessThan(start, sndUna)) continue
      this.#mark(flight, start, end, mostRows, sample, delivery)
    }
  }

  /** RFC 2883 §4: below the cumulative acknowledgment, or inside the second block. */
  #isDuplicate(options: TcpOptions, ack: number): boolean {
    if (lessThan(options.sackStart[0], ack)) return true
    return (
      options.sackCount > 1 &&
      atMost(options.sackStart[1], options.sackStart[0]) &&
      atMost(options.sackEnd[0], options.sackEnd[1])
    )
  }

  #mark(flight: Flight, start: number, end: number, mostRows: number, sample: RateSample, delivery: Delivery): void {
    const { slab } = flight
    let row = find(flight, start)
    while (row !== NONE && lessThan(slab.start[row], end)) {
      const next = slab.next[row]
      if ((slab.flags[row] & Sent.sacked) === 0) {
        const marked = whole(flight, row, start, end, mostRows)
        if (marked !== NONE) {
          this.newlySacked += flight.length(marked)
          sample.take(flight, marked, flight.length(marked), delivery)
          flight.markSacked(marked)
          flight.mergeSacked(slab.previous[marked])
        }
      } else flight.mergeSacked(slab.previous[row])
      row = next
    }
  }
}

/** The record in which a sequence number lies, or the first after it; looked for from where it is nearest: an end, or the last SACK's place. */
function find(flight: Flight, number: number): number {
  const { slab, cursor } = flight
  if (flight.first === NONE) return NONE
  const before = distance(slab.start[flight.first], number)
  const after = distance(number, slab.end[flight.last])
  if (before < 0) return flight.first
  if (after <= 0) return NONE
  let row = before <= after ? flight.first : flight.last
  if (cursor !== NONE && Math.abs(distance(slab.start[cursor], number)) < Math.min(before, after)) row = cursor
  while (row !== NONE && atMost(slab.end[row], number)) row = slab.next[row]
  while (row !== flight.first && lessThan(number, slab.start[row])) row = slab.previous[row]
  flight.cursor = row
  return row
}

/** The part of a record that lies whole within the block, cut out at the MSS's boundaries; -1 where there is none. */
function whole(flight: Flight, row: number, start: number, end: number, mostRows: number): number {
  const { slab } = flight
  let marked = row
  if (lessThan(slab.start[row], start)) {
    const mss = slab.mss[row]
    const skipped = Math.ceil(distance(slab.start[row], start) / mss) * mss
    if (skipped >= flight.length(row) || flight.count >= mostRows) return NONE
    if (lessThan(end, slab.end[row]) && distance(start, end) < mss) return NONE
    marked = flight.split(row, (slab.start[row] + skipped) | 0)
  }
  const limit = flight.boundary(marked, end)
  if (limit === slab.start[marked]) return NONE
  if (limit !== slab.end[marked]) {
    if (flight.count >= mostRows) return NONE
    flight.split(marked, limit)
  }
  return marked
}

/** RFC 2018 §8: after a timeout nothing that was sacked is believed where the oldest octets are among it: the peer has thrown it away. */
export function forget(flight: Flight): void {
  const { slab } = flight
  for (let row = flight.first; row !== NONE; row = slab.next[row]) {
    if ((slab.flags[row] & Sent.sacked) !== 0) flight.markLost(row, Cause.timeout)
  }
}
