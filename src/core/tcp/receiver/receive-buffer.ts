// What has arrived and waits for the application: octets at their place in a chain of slabs, those out of order too, which
// become readable when the gap before them closes (`advance`). An empty one holds no memory.
// Filled by arriving/text, read by the connection's user calls. What `front` shows is borrowed until `consume`.
import { type Arena, copyOctets, type Octets } from '../../batch.ts'
import { LARGE_SLAB, type Slab, type SlabPool, SMALL_SLAB } from '../slabs.ts'

/** Shorter hand-overs are copied out, so that one small slice that is kept does not hold a slab. */
export const COPY_BELOW = 4096
/** Text from so many octets on is read where it lies, if it may be: less would hold too much memory for what it is. */
export const KEEP_FROM = 16_384
/** Up to so many octets a loop is quicker than a `subarray`. */
const BY_LOOP = 64

export class ReceiveBuffer {
  readonly #slabs: SlabPool
  /** The chain, in order of position; there may be gaps in it where nothing has arrived. */
  #first: Slab | null = null
  /** The slab that was written last: where most searches end. */
  #latest: Slab | null = null
  /** Positions of the next octet to read, of the first that is not in order, and of the first beyond everything written. */
  #readAt = 0
  #nextAt = 0
  #topAt = 0
  #held = 0

  constructor(slabs: SlabPool) {
    this.#slabs = slabs
  }

  /** Octets in order that nobody has read yet. */
  get readable(): number {
    return (this.#nextAt - this.#readAt) | 0
  }

  /** Octets of memory, whether filled or not. */
  get held(): number {
    return this.#held
  }

  /** Puts octets that lie `distance` beyond the last readable one. The caller has made sure that they are within the window. */
  write(distance: number, from: Octets, at: number, length: number): void {
    let position = (this.#nextAt + distance) | 0
    const end = (position + length) | 0
    let source = at
    while (position !== end) {
      const slab = this.#slabAt(position, distance === 0 ? length : LARGE_SLAB)
      const part = Math.min((end - position) | 0, (slab.endPosition - position) | 0)
      copyOctets(slab, slab.offsetOf(position), from, source, part)
      position = (position + part) | 0
      source += part
    }
    if (((end - this.#topAt) | 0) > 0) this.#topAt = end
  }

  /** Takes the next octets in order as they lie; false where that can't be, since there is no arena to keep, or something has come out of order. */
  keep(arena: Arena | null, at: number, length: number): boolean {
    if (arena === null || this.#topAt !== this.#nextAt) return false
    const kept = this.#slabs.keep(arena, at, length)
    kept.position = this.#nextAt
    let last = this.#latest ?? this.#first
    if (last === null) this.#first = kept
    else {
      while (last.next !== null) last = last.next
      last.end = last.offsetOf(kept.position)
      last.next = kept
    }
    this.#held += kept.counted
    this.#latest = kept
    this.#topAt = kept.endPosition
    return true
  }

  /** The next `length` octets, all written, are in order. */
  advance(length: number): void {
    this.#nextAt = (this.#nextAt + length) | 0
  }

  /** The slab in which a position lies, which is added to the chain where it isn't there yet. */
  #slabAt(position: number, expected: number): Slab {
    let slab = this.#latest
    if (slab === null || ((position - slab.position) | 0) < 0) slab = this.#first
    let before: Slab | null = null
    while (slab !== null && ((position - slab.position) | 0) >= 0) {
      if (((position - slab.endPosition) | 0) < 0) {
        this.#latest = slab
        return slab
      }
      before = slab
      slab = slab.next
    }
    return this.#insert(position, before, slab, expected)
  }

  /** Slabs stand at multiples of 64 kB from the one before, so that segments that come backwards do not get one each. */
  #insert(position: number, before: Slab | null, after: Slab | null, expected: number): Slab {
    const added = this.#slabs.take(this.#first === null && expected <= SMALL_SLAB ? expected : LARGE_SLAB)
    const ground = before === null ? this.#nextAt : before.endPosition
    const distance = (position - ground) | 0
    const room = added.end - added.start
    // A rest of a slab is smaller, and may stand right at the position.
    added.position = room === LARGE_SLAB ? (position - (distance % LARGE_SLAB)) | 0 : position
    if (after !== null) {
      added.end = Math.min(added.end, added.start + ((after.position - added.position) | 0))
    }
    added.next = after
    if (before === null) this.#first = added
    else before.next = added
    this.#held += added.counted
    this.#latest = added
    return added
  }

  /** Hands over up to `most` octets, which need not be all: a slice of a slab, or a copy of a few; null where there is nothing. */
  read(most: number): Uint8Array<ArrayBuffer> | null {
    const slab = this.#first
    const length = Math.min(most, this.frontLength)
    if (slab === null || length <= 0) return null
    const offset = slab.offsetOf(this.#readAt)
    let octets: Uint8Array<ArrayBuffer>
    if (length < COPY_BELOW) {
      octets = this.#slabs.allocate(length)
      copyOut(octets, 0, slab, offset, length)
    } else {
      octets = slab.bytes.subarray(offset, offset + length)
      slab.handedOut = offset + length
    }
    this.consume(length)
    return octets
  }

  /** Copies out up to `length` octets; returns how many. */
  readInto(target: Uint8Array, at: number, length: number): number {
    let done = 0
    while (done < length) {
      const slab = this.#first
      const part = Math.min(length - done, this.frontLength)
      if (slab === null || part === 0) break
      copyOut(target, at + done, slab, slab.offsetOf(this.#readAt), part)
      this.consume(part)
      done += part
    }
    return done
  }

  /** The first readable octets that lie together: their slab (null where nothing is readable), place and number. Borrowed until `consume`. */
  get front(): Octets | null {
    return this.readable === 0 ? null : this.#first
  }

  get frontOffset(): number {
    return this.#first === null ? 0 : this.#first.offsetOf(this.#readAt)
  }

  get frontLength(): number {
    if (this.#first === null) return 0
    return Math.min(this.readable, (this.#first.endPosition - this.#readAt) | 0)
  }

  /** The application has done with the first `length` readable octets. */
  consume(length: number): void {
    this.#readAt = (this.#readAt + Math.min(length, this.readable)) | 0
    if (this.#readAt === this.#topAt) this.#release()
    else while (this.#first !== null && ((this.#first.endPosition - this.#readAt) | 0) <= 0) this.#shift(this.#first)
  }

  /** Lets everything go; what comes next begins at RCV.NXT. */
  clear(): void {
    this.#readAt = this.#nextAt
    this.#topAt = this.#nextAt
    this.#release()
  }

  #release(): void {
    while (this.#first !== null) this.#shift(this.#first)
  }

  #shift(slab: Slab): void {
    this.#first = slab.next
    if (this.#latest === slab) this.#latest = null
    this.#held -= slab.counted
    this.#slabs.give(slab)
  }
}

/** Spare ones: as many as one batch of packets brings text for. */
const SPARE = 64

/**
 * Those of a stack. Most are empty again in the turn that brought their text, and serve the next connections: what is made anew for each
 * must be told of to the collector, since what is old points to it.
 */
export class ReceiveBuffers {
  readonly #slabs: SlabPool
  readonly #spare: ReceiveBuffer[] = []

  constructor(slabs: SlabPool) {
    this.#slabs = slabs
  }

  take(): ReceiveBuffer {
    return this.#spare.pop() ?? new ReceiveBuffer(this.#slabs)
  }

  /** Nobody holds it any more. */
  give(buffer: ReceiveBuffer): void {
    buffer.clear()
    if (this.#spare.length < SPARE) this.#spare.push(buffer)
  }
}

function copyOut(target: Uint8Array, at: number, from: Octets, start: number, length: number): void {
  if (length > BY_LOOP) target.set(from.bytes.subarray(start, start + length), at)
  else for (let octet = 0; octet < length; octet++) target[at + octet] = from.bytes[start + octet]
}
