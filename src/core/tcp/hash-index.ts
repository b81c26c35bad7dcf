// An index from int32 hashes to rows of some table: open addressing with linear probing in one Int32Array of pairs.
// Rows are non-negative numbers; different rows may have the same hash, and their owner compares the rest.
// Used by demux, closing/time-wait and opening/listen. Nothing is allocated but when it grows or shrinks.

export class HashIndex {
  /** Rows in it. */
  get count(): number {
    throw new Error('not yet')
  }

  /** Octets of heap. */
  get octets(): number {
    throw new Error('not yet')
  }

  add(hash: number, row: number): void {
    throw new Error('not yet')
  }

  /** The pair must be in it. */
  remove(hash: number, row: number): void {
    throw new Error('not yet')
  }

  /**
   * Where the first row with this hash stands, -1 where there is none:
   * `for (let place = index.first(hash); place >= 0; place = index.next(place, hash)) … index.row(place)`.
   */
  first(hash: number): number {
    throw new Error('not yet')
  }

  next(place: number, hash: number): number {
    throw new Error('not yet')
  }

  row(place: number): number {
    throw new Error('not yet')
  }
}
