// Datagrams that wait, with where they come from and go to: a ring of octets and a row of numbers each. Bounded by octets.
// Used for what a UDP or echo socket has received and for what it has still to send. `Datagram`s are borrowed.
import { copyOctets, type Octets } from '../batch.ts'
import { Address } from './address.ts'

/** One datagram in the queue: valid until the next call of the queue. */
export class Datagram implements Octets {
  bytes = new Uint8Array(0)
  view = new DataView(this.bytes.buffer)
  offset = 0
  length = 0
  readonly source = new Address()
  sourcePort = 0
  readonly destination = new Address()
  destinationPort = 0
  trafficClass = 0
  hopLimit = 0
  /** The interface it came by, or is to leave by; -1 where the route decides. */
  interface = -1
}

/** What a datagram costs beside its octets, as the limit counts. */
const COST = 64
const COLUMNS = 16
const START_OCTETS = 2048
const START_ROWS = 8

export class DatagramQueue {
  limit: number
  /** Made when first asked for: many queues never hold anything. */
  #datagram: Datagram | null = null
  #arena: Octets | null = null
  #rows = new Int32Array(0)
  #firstRow = 0
  #count = 0
  /** Where the oldest octet stands in the arena, and where the next one goes. */
  #head = 0
  #tail = 0
  /** The newest octets stand before the oldest. */
  #isWrapped = false
  #octets = 0

  constructor(limit: number) {
    this.limit = limit
  }

  get count(): number {
    return this.#count
  }

  /** Where the octets are; null where there is no room yet, or none any more. */
  get arena(): Octets | null {
    return this.#arena
  }

  /** Octets of data that wait. */
  get octets(): number {
    return this.#octets
  }

  /** Copies a datagram in; false where the limit is reached. `datagram` gives the addresses, not the octets. */
  push(datagram: Datagram, from: Octets, offset: number, length: number): boolean {
    if (this.#octets + this.#count * COST + length + COST > this.limit && this.#count > 0) return false
    const at = this.#place(length)
    copyOctets(this.#arena as Octets, at, from, offset, length)
    this.#tail = at + length
    this.#octets += length
    if ((this.#count + 1) * COLUMNS > this.#rows.length) this.#growRows()
    const rows = this.#rows
    const row = ((this.#firstRow + this.#count++) * COLUMNS) % rows.length
    const { source, destination } = datagram
    rows[row] = at
    rows[row + 1] = length
    rows[row + 2] = source.word0
    rows[row + 3] = source.word1
    rows[row + 4] = source.word2
    rows[row + 5] = source.word3
    rows[row + 6] = datagram.sourcePort
    rows[row + 7] = destination.word0
    rows[row + 8] = destination.word1
    rows[row + 9] = destination.word2
    rows[row + 10] = destination.word3
    rows[row + 11] = datagram.destinationPort
    rows[row + 12] = datagram.trafficClass
    rows[row + 13] = datagram.hopLimit
    rows[row + 14] = datagram.interface
    return true
  }

  /** The oldest datagram, which stays; null where there is none. */
  peek(): Datagram | null {
    if (this.#count === 0) return null
    const rows = this.#rows
    const row = (this.#firstRow * COLUMNS) % rows.length
    const datagram = (this.#datagram ??= new Datagram())
    const arena = this.#arena as Octets
    datagram.bytes = arena.bytes
    datagram.view = arena.view
    datagram.offset = rows[row]
    datagram.length = rows[row + 1]
    datagram.source.set(rows[row + 2], rows[row + 3], rows[row + 4], rows[row + 5])
    datagram.sourcePort = rows[row + 6]
    datagram.destination.set(rows[row + 7], rows[row + 8], rows[row + 9], rows[row + 10])
    datagram.destinationPort = rows[row + 11]
    datagram.trafficClass = rows[row + 12]
    datagram.hopLimit = rows[row + 13]
    datagram.interface = rows[row + 14]
    return datagram
  }

  /** The oldest datagram, taken out: its octets stand until the next `push`. */
  shift(): Datagram | null {
    const datagram = this.peek()
    if (datagram !== null) this.drop()
    return datagram
  }

  /** Forgets the oldest datagram. */
  drop(): void {
    const rows = this.#rows
    this.#octets -= rows[((this.#firstRow * COLUMNS) % rows.length) + 1]
    this.#firstRow = (this.#firstRow + 1) % (rows.length / COLUMNS)
    if (--this.#count === 0) {
      this.#head = 0
      this.#tail = 0
      this.#isWrapped = false
      return
    }
    const next = rows[(this.#firstRow * COLUMNS) % rows.length]
    if (next < this.#head) this.#isWrapped = false
    this.#head = next
  }

  clear(): void {
    this.#count = 0
    this.#octets = 0
    this.#head = 0
    this.#tail = 0
    this.#isWrapped = false
    this.#arena = null
    this.#rows = new Int32Array(0)
    this.#firstRow = 0
  }

  /** Room for `length` octets in one piece: after the newest datagram, or at the arena's beginning, or in a larger arena. */
  #place(length: number): number {
    const arena = this.#arena
    if (arena === null) return this.#pack(length)
    if (this.#isWrapped) return this.#tail + length <= this.#head ? this.#tail : this.#pack(length)
    if (this.#tail + length <= arena.bytes.length) return this.#tail
    if (length > this.#head) return this.#pack(length)
    this.#isWrapped = true
    return 0
  }

  /** A new arena, at least half of it free, with what waits at its beginning. */
  #pack(length: number): number {
    let size = Math.max(START_OCTETS, this.#arena?.bytes.length ?? 0)
    while (size < (this.#octets + length) * 2) size *= 2
    const bytes = new Uint8Array(size)
    const larger = { bytes, view: new DataView(bytes.buffer) }
    let at = 0
    for (let place = 0; place < this.#count; place++) {
      const row = ((this.#firstRow + place) * COLUMNS) % this.#rows.length
      copyOctets(larger, at, this.#arena as Octets, this.#rows[row], this.#rows[row + 1])
      this.#rows[row] = at
      at += this.#rows[row + 1]
    }
    this.#arena = larger
    this.#head = 0
    this.#isWrapped = false
    return at
  }

  #growRows(): void {
    const rows = new Int32Array(Math.max(START_ROWS * COLUMNS, this.#rows.length * 2))
    for (let place = 0; place < this.#count; place++) {
      const row = ((this.#firstRow + place) * COLUMNS) % this.#rows.length
      rows.set(this.#rows.subarray(row, row + COLUMNS), place * COLUMNS)
    }
    this.#rows = rows
    this.#firstRow = 0
  }
}
