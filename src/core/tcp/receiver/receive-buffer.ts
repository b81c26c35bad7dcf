// What has arrived and waits for the application: octets at their place in a chain of slabs, those out of order too, which
// become readable when the gap before them closes (`advance`). An empty one holds no memory.
// Filled by arriving/text, read by the connection's user calls. What `front` shows is borrowed until `consume`.
import type { Octets } from '../../batch.ts'
import type { SlabPool } from '../slabs.ts'

/** Shorter hand-overs are copied out, so that one small slice that is kept does not hold a slab. */
export const COPY_BELOW = 4096

export class ReceiveBuffer {
  constructor(slabs: SlabPool) {}

  /** Octets in order that nobody has read yet. */
  get readable(): number {
    throw new Error('not yet')
  }

  /** Octets of memory, whether filled or not. */
  get held(): number {
    throw new Error('not yet')
  }

  /** Puts octets that lie `distance` beyond the last readable one. The caller has made sure that they are within the window. */
  write(distance: number, from: Octets, at: number, length: number): void {
    throw new Error('not yet')
  }

  /** The next `length` octets, all written, are in order. */
  advance(length: number): void {
    throw new Error('not yet')
  }

  /** Hands over up to `most` octets, which need not be all: a slice of a slab, or a copy of a few; null where there is nothing. */
  read(most: number): Uint8Array<ArrayBuffer> | null {
    throw new Error('not yet')
  }

  /** Copies out up to `length` octets; returns how many. */
  readInto(target: Uint8Array, at: number, length: number): number {
    throw new Error('not yet')
  }

  /** The first readable octets that lie together: their slab (null where nothing is readable), place and number. Borrowed until `consume`. */
  get front(): Octets | null {
    throw new Error('not yet')
  }

  get frontOffset(): number {
    throw new Error('not yet')
  }

  get frontLength(): number {
    throw new Error('not yet')
  }

  /** The application has done with the first `length` readable octets. */
  consume(length: number): void {
    throw new Error('not yet')
  }

  /** Lets everything go. */
  clear(): void {
    throw new Error('not yet')
  }
}
