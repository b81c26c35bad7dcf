// A batch of real segments that is received again and again: each time the numbers of its headers move on, and their checksums
// with them (RFC 1624), so that to its receiver every round is new.
import { PacketBatch } from '../../src/core/batch.ts'
import type { Interface } from '../../src/core/ip/interface.ts'
import { replaced } from '../../src/core/wire/checksum.ts'
import * as ipv4 from '../../src/core/wire/ipv4.ts'
import * as tcp from '../../src/core/wire/tcp.ts'

const IP_CHECKSUM_AT = 10
const IP_SOURCE_AT = 12
const SEQUENCE_AT = 4
const ACKNOWLEDGMENT_AT = 8

export class Template {
  readonly batch: PacketBatch

  /** Copies rows of a batch, in the order named (as they come, if none is), for an interface to receive. */
  constructor(from: PacketBatch, to: Interface, rows: readonly number[] = [...Array(from.count).keys()]) {
    this.batch = new PacketBatch({ largest: from.largest, capacity: rows.length })
    this.batch.interface = to.index
    for (const row of rows) this.batch.copy(from, from.first + row)
  }

  /** The sequence number of each segment, so many octets further. */
  advanceSequence(octets: number): void {
    for (let row = 0; row < this.batch.count; row++) this.#add(row, SEQUENCE_AT, octets)
  }

  advanceAcknowledgment(octets: number): void {
    for (let row = 0; row < this.batch.count; row++) this.#add(row, ACKNOWLEDGMENT_AT, octets)
  }

  acknowledge(row: number, number: number): void {
    this.#add(row, ACKNOWLEDGMENT_AT, (number - this.batch.view.getInt32(this.#header(row) + ACKNOWLEDGMENT_AT)) | 0)
  }

  /** Who sent it. */
  setSource(row: number, address: number, port: number): void {
    const { view, offset } = this.batch
    const header = this.#header(row)
    const source = offset[row] + IP_SOURCE_AT
    for (let half = source; half < source + 4; half += 2) {
      const before = view.getUint16(half)
      const after = half === source ? address >>> 16 : address & 0xffff
      view.setUint16(half, after)
      this.#correct(offset[row] + IP_CHECKSUM_AT, before, after)
      this.#correct(header + tcp.CHECKSUM_AT, before, after)
    }
    this.#correct(header + tcp.CHECKSUM_AT, view.getUint16(header), port)
    view.setUint16(header, port)
  }

  #header(row: number): number {
    return this.batch.offset[row] + ipv4.MINIMUM_LENGTH
  }

  #add(row: number, field: number, amount: number): void {
    const { view } = this.batch
    const header = this.#header(row)
    const high = view.getUint16(header + field)
    const low = view.getUint16(header + field + 2)
    view.setInt32(header + field, (view.getInt32(header + field) + amount) | 0)
    this.#correct(header + tcp.CHECKSUM_AT, high, view.getUint16(header + field))
    this.#correct(header + tcp.CHECKSUM_AT, low, view.getUint16(header + field + 2))
  }

  #correct(at: number, before: number, after: number): void {
    const { view } = this.batch
    view.setUint16(at, replaced(view.getUint16(at), before, after))
  }
}
