// Packets that wait between a link's two sides: a bounded chain of batches, first in, first out.
// A packet is copied in and copied out again; no object is made for it.
import { PacketBatch } from '../core/batch.ts'

/** Emptied batches that are kept for the next burst. */
const SPARE_BATCHES = 4

export class PacketQueue {
  /** The most packets that it holds. */
  readonly limit: number
  /** The longest packet that it takes. */
  readonly largest: number
  #count = 0
  readonly #chain: PacketBatch[] = []
  readonly #spare: PacketBatch[] = []

  constructor(limit: number, largest: number) {
    this.limit = limit
    this.largest = largest
  }

  get count(): number {
    return this.#count
  }

  get isFull(): boolean {
    return this.#count >= this.limit
  }

  /** Copies a packet in, without the sender's note; the caller has looked at `isFull` and `largest`. */
  push(from: PacketBatch, row: number): void {
    const last = this.#last(from.length[row])
    const added = last.copy(from, row)
    last.note[added] = 0
    this.#count++
  }

  pushOctets(packet: Uint8Array): void {
    const last = this.#last(packet.length)
    last.bytes.set(packet, last.reserve(packet.length))
    last.commit(packet.length)
    this.#count++
  }

  /** Moves into the batch what fits there. */
  pull(batch: PacketBatch): void {
    while (this.#count > 0) {
      const first = this.#chain[0]
      while (first.count > 0) {
        if (batch.copy(first, first.first) < 0) return
        first.shift(1)
        this.#count--
      }
      if (this.#chain.length > 1) this.#release()
    }
  }

  clear(): void {
    this.#chain.length = 0
    this.#spare.length = 0
    this.#count = 0
  }

  #last(length: number): PacketBatch {
    const last = this.#chain[this.#chain.length - 1]
    if (last?.fits(length)) return last
    const fresh = this.#spare.pop() ?? new PacketBatch({ largest: this.largest })
    this.#chain.push(fresh)
    return fresh
  }

  #release(): void {
    const emptied = this.#chain.shift()!
    if (this.#spare.length < SPARE_BATCHES) this.#spare.push(emptied)
  }
}
