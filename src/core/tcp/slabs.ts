// Where the octets of all connections lie: slabs of 64 kB, and of 4 kB for those that hold little. One pool a stack.
// A slab stands in one buffer's chain at a time; what was handed to an application as a slice is never written again, and
// the rest of such a slab serves whoever comes next. Counts what is held, so that the stack can keep a limit.
import { type Allocate, type Arena, type Octets, Parts, zeroes } from '../batch.ts'

export const LARGE_SLAB = 65_536
export const SMALL_SLAB = 4096

/** Slabs kept for whoever comes next: 4 MB of each size, and a few rests. */
const SPARE_LARGE = 64
const SPARE_SMALL = 1024
const SPARE_RESTS = 16

export class Slab implements Octets {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The octets from `start` to `end - 1` of `bytes` are its chain's to use. */
  start = 0
  end: number
  /** The number (modulo 2^32) in the stream of the octet at `start`. */
  position = 0
  /** Octets before this one may be held as slices by an application. */
  handedOut = 0
  /** What it counts for in `SlabPool.held`; 0 for one that was lent to us. */
  counted = 0
  /** Where it is text in the arena of the batch that brought it. */
  arena: Arena | null = null
  next: Slab | null = null
  #view: DataView<ArrayBuffer> | null = null
  #parts: Parts | null = null

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes
    this.end = bytes.length
  }

  /** Of the same octets, with the same views of them. */
  again(): Slab {
    const slab = new Slab(this.bytes)
    slab.#view = this.view
    slab.#parts = this.#parts ??= new Parts(this.bytes)
    return slab
  }

  get view(): DataView<ArrayBuffer> {
    return (this.#view ??= viewOf(this.bytes))
  }

  get hasParts(): boolean {
    return this.#parts !== null
  }

  /** Worth keeping where the slab comes back from the pool, and is cut in the same places again. */
  get parts(): Parts | null {
    if (this.#parts === null && this.counted === this.bytes.length) this.#parts = new Parts(this.bytes)
    return this.#parts
  }

  /** The number in the stream of the first octet after it. */
  get endPosition(): number {
    return (this.position + this.end - this.start) | 0
  }

  /** Where the octet with that number lies in `bytes`. */
  offsetOf(position: number): number {
    return this.start + ((position - this.position) | 0)
  }
}

/** Asking octets for their buffer takes as long as a call into the engine: it is asked once. */
function viewOf({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>): DataView<ArrayBuffer> {
  return new DataView(buffer, byteOffset, byteLength)
}

export class SlabPool {
  readonly allocate: Allocate
  readonly #large: Slab[] = []
  /** Those that were sent from, which know their parts: whoever hands out slices would use them up, and takes them last. */
  readonly #sent: Slab[] = []
  readonly #small: Slab[] = []
  /** Slabs of which an application holds a part, and with room for at least a small slab. */
  readonly #rests: Slab[] = []
  #held = 0
  /** The one that was lent last: many lend the same octets again and again. */
  #lent: Slab | null = null

  constructor(allocate: Allocate = zeroes) {
    this.allocate = allocate
  }

  /** Octets in all chains: what counts against the stack's memory limits. */
  get held(): number {
    return this.#held
  }

  /** Octets kept for whoever comes next. */
  get spare(): number {
    return (this.#large.length + this.#sent.length + this.#rests.length) * LARGE_SLAB + this.#small.length * SMALL_SLAB
  }

  /** A slab with room for at least 4 kB: a small one where `expected` octets fit in it, a larger one otherwise. */
  take(expected: number, isForSending = false): Slab {
    const slab =
      expected <= SMALL_SLAB
        ? (this.#small.pop() ?? new Slab(this.allocate(SMALL_SLAB)))
        : ((isForSending ? this.#sent.pop() : this.#rests.pop()) ??
          this.#large.pop() ??
          this.#sent.pop() ??
          new Slab(this.allocate(LARGE_SLAB)))
    // An application may have transferred the octets of which it had a slice.
    if (slab.bytes.length === 0) return this.take(expected, isForSending)
    slab.start = slab.handedOut
    slab.end = slab.bytes.length
    slab.counted = slab.end - slab.start
    this.#held += slab.counted
    return slab
  }

  /** Octets from outside join a chain as they are. */
  adopt(bytes: Uint8Array<ArrayBuffer>): Slab {
    const slab = this.#lent?.bytes === bytes ? this.#lent.again() : new Slab(bytes)
    slab.handedOut = slab.end
    // What is larger is not kept from being collected for this.
    this.#lent = slab.end <= LARGE_SLAB ? slab : null
    return slab
  }

  /** What has arrived joins a chain where it lies. */
  keep(arena: Arena, at: number, length: number): Slab {
    const slab = new Slab(arena.bytes)
    slab.arena = arena
    slab.start = at
    slab.end = at + length
    slab.counted = arena.bytes.length
    arena.isKept = true
    this.#held += slab.counted
    return slab
  }

  /** The chain needs it no more. */
  give(slab: Slab): void {
    this.#held -= slab.counted
    slab.counted = 0
    slab.next = null
    if (slab.arena !== null) {
      // Looked at, or copied out: the batch that brought it may use its memory again.
      if (slab.handedOut === 0) slab.arena.isKept = false
      return
    }
    const length = slab.bytes.length
    if (slab.handedOut > 0) {
      if (length - slab.handedOut >= SMALL_SLAB && this.#rests.length < SPARE_RESTS) this.#rests.push(slab)
    } else if (length === LARGE_SLAB) {
      if (this.#large.length + this.#sent.length < SPARE_LARGE) (slab.hasParts ? this.#sent : this.#large).push(slab)
    } else if (this.#small.length < SPARE_SMALL) this.#small.push(slab)
  }
}
