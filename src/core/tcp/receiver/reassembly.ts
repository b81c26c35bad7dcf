// Which octets beyond RCV.NXT have arrived (RFC 9293 §3.10.7.4, seventh), and the SACK blocks that tell of them (RFC 2018 §4, RFC 2883).
// The octets themselves lie at their place in the receive buffer. Ranges are made when the first gap opens and let go when the last closes.
// Told by arriving/text, asked by tcp/emit.

/** What `insert` says of a segment. */
export const Inserted = {
  /** Some of it is new. */
  added: 0,
  /** All of it was here already. */
  duplicate: 1,
  /** A new range would be one too many: it must be dropped, and is not acknowledged. */
  refused: 2,
} as const

/** Makes and keeps the ranges of all connections. One a stack. */
export class ReassemblyPool {
  /** Ranges that one connection may have. */
  constructor(most: number) {}
}

export class Reassembly {
  constructor(pool: ReassemblyPool) {}

  /** No gap is open. */
  get isEmpty(): boolean {
    throw new Error('not yet')
  }

  /** Octets beyond a gap. */
  get octets(): number {
    throw new Error('not yet')
  }

  /** Ranges beyond a gap. */
  get count(): number {
    throw new Error('not yet')
  }

  /** Octets `start` to `end - 1`, beyond RCV.NXT and within the window, arrived: a value of `Inserted`. Notes what came twice. */
  insert(start: number, end: number): number {
    throw new Error('not yet')
  }

  /** Everything before `rcvNxt` is in order now: returns how far the text goes on without a gap. */
  advance(rcvNxt: number): number {
    throw new Error('not yet')
  }

  /** RFC 2883 §4: these octets came twice, the next acknowledgment says so. For text below RCV.NXT; `insert` sees the rest itself. */
  noteDuplicate(start: number, end: number): void {
    throw new Error('not yet')
  }

  /** Whether a segment with an acknowledgment has blocks to carry. */
  get hasBlocks(): boolean {
    throw new Error('not yet')
  }

  /** Fills in up to `room` blocks, a duplicate first, then the newest first; returns how many. A duplicate is told once: `onSent`. */
  blocks(room: number, starts: Int32Array, ends: Int32Array): number {
    throw new Error('not yet')
  }

  /** An acknowledgment with `blocks` went out. */
  onSent(): void {
    throw new Error('not yet')
  }

  clear(): void {
    throw new Error('not yet')
  }
}
