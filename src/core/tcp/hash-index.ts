// An index from int32 hashes to rows of some table: open addressing with linear probing in one Int32Array of pairs.
// Rows are non-negative numbers; different rows may have the same hash, and their owner compares the rest.
// Used by demux, closing/time-wait and opening/listen. Nothing is allocated but when it grows or shrinks.

const LEAST_PAIRS = 16

export class HashIndex {
  /** Hash and row plus one; a row of 0 is an empty place. */
  #pairs = new Int32Array(LEAST_PAIRS * 2)
  #mask = LEAST_PAIRS - 1
  #count = 0

  /** Rows in it. */
  get count(): number {
    return this.#count
  }

  /** Octets of heap. */
  get octets(): number {
    return this.#pairs.byteLength
  }

  add(hash: number, row: number): void {
    // Five eighths full: a search that finds nothing looks at four places.
    if ((this.#count + 1) * 8 > (this.#mask + 1) * 5) this.#resize((this.#mask + 1) * 2)
    this.#put(hash, row + 1)
    this.#count++
  }

  /** The pair must be in it. */
  remove(hash: number, row: number): void {
    const pairs = this.#pairs
    const mask = this.#mask
    let hole = hash & mask
    while (pairs[hole * 2 + 1] !== row + 1 || pairs[hole * 2] !== hash) hole = (hole + 1) & mask
    // Those after it move up where that brings them nearer to their home, so that no search meets a hole too soon.
    for (let place = (hole + 1) & mask; pairs[place * 2 + 1] !== 0; place = (place + 1) & mask) {
      const home = pairs[place * 2] & mask
      if (((place - home) & mask) < ((place - hole) & mask)) continue
      pairs[hole * 2] = pairs[place * 2]
      pairs[hole * 2 + 1] = pairs[place * 2 + 1]
      hole = place
    }
    pairs[hole * 2] = 0
    pairs[hole * 2 + 1] = 0
    this.#count--
    if (this.#count * 8 < mask && mask >= LEAST_PAIRS) this.#resize((mask + 1) / 2)
  }

  /**
   * Where the first row with this hash stands, -1 where there is none:
   * `for (let place = index.first(hash); place >= 0; place = index.next(place, hash)) … index.row(place)`.
   */
  first(hash: number): number {
    return this.#search(hash & this.#mask, hash)
  }

  next(place: number, hash: number): number {
    return this.#search((place + 1) & this.#mask, hash)
  }

  row(place: number): number {
    return this.#pairs[place * 2 + 1] - 1
  }

  #search(from: number, hash: number): number {
    const pairs = this.#pairs
    for (let place = from; pairs[place * 2 + 1] !== 0; place = (place + 1) & this.#mask) {
      if (pairs[place * 2] === hash) return place
    }
    return -1
  }

  #put(hash: number, filled: number): void {
    let place = hash & this.#mask
    while (this.#pairs[place * 2 + 1] !== 0) place = (place + 1) & this.#mask
    this.#pairs[place * 2] = hash
    this.#pairs[place * 2 + 1] = filled
  }

  #resize(size: number): void {
    const before = this.#pairs
    this.#pairs = new Int32Array(size * 2)
    this.#mask = size - 1
    for (let at = 0; at < before.length; at += 2) if (before[at + 1] !== 0) this.#put(before[at], before[at + 1])
  }
}
