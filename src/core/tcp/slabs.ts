// Where the octets of all connections lie: slabs of 64 kB, and of 4 kB for those that hold little. One pool a stack.
// A slab stands in one buffer's chain at a time; what was handed to an application as a slice is never written again, and
// the rest of such a slab serves whoever comes next. Counts what is held, so that the stack can keep a limit.
import type { Octets } from '../batch.ts'

export const LARGE_SLAB = 65_536
export const SMALL_SLAB = 4096

/** Makes octets; those of Node's pool-less allocator need not be zeroed first. */
export type Allocate = (length: number) => Uint8Array<ArrayBuffer>

export class Slab implements Octets {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly view: DataView<ArrayBuffer>
  /** The octets from `start` to `end - 1` of `bytes` are its chain's to use. */
  start = 0
  end: number
  /** The number (modulo 2^32) in the stream of the octet at `start`. */
  position = 0
  /** An application holds slices of it, or lent it. */
  isShared = false
  next: Slab | null = null

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.end = bytes.byteLength
  }
}

export class SlabPool {
  constructor(allocate: Allocate = (length) => new Uint8Array(length)) {}

  /** Octets in all chains: what counts against the stack's memory limits. */
  get held(): number {
    throw new Error('not yet')
  }

  /** Octets kept for whoever comes next. */
  get spare(): number {
    throw new Error('not yet')
  }

  /** A slab with room for at least one octet: a small one where `expected` octets fit in it, a large one otherwise. */
  take(expected: number): Slab {
    throw new Error('not yet')
  }

  /** Octets from outside join a chain as they are. */
  adopt(bytes: Uint8Array<ArrayBuffer>): Slab {
    throw new Error('not yet')
  }

  /** The chain needs it no more; of a shared one the octets from `used` on were never handed out. */
  give(slab: Slab, used: number): void {
    throw new Error('not yet')
  }
}
