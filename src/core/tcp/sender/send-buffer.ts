// What the application wrote and the peer has not acknowledged: a chain of slabs that begins at SND.UNA.
// Small writes are copied in; large ones may be lent and are then read where they lie. An empty one holds no memory.
// Filled by the connection's user calls, read by tcp/emit, released by arriving/acknowledge.
import { copyOctets, type Octets } from '../../batch.ts'
import { LARGE_SLAB, type Slab, type SlabPool, SMALL_SLAB } from '../slabs.ts'

/** Up to so many octets a loop is quicker than a `subarray`. */
const BY_LOOP = 64

export class SendBuffer {
  /** SO_SNDBUF: what `write` fills it up to. The connection tunes it. */
  limit: number
  /** What a segment carries: slabs hold whole ones, so that most are copied in one piece, and from the same places as before. */
  segment = 1
  readonly #slabs: SlabPool
  #first: Slab | null = null
  #last: Slab | null = null
  /** The slab that was read last: what is sent next is mostly there, or in the next. */
  #reading: Slab | null = null
  /** Positions of SND.UNA and of the first octet that is not written yet. */
  #unaAt = 0
  #endAt = 0
  #held = 0

  constructor(slabs: SlabPool, limit: number) {
    this.#slabs = slabs
    this.limit = limit
  }

  /** Octets in it, sent or not. */
  get length(): number {
    return (this.#endAt - this.#unaAt) | 0
  }

  /** Octets that `write` would take now. */
  get room(): number {
    return Math.max(0, this.limit - this.length)
  }

  /** Octets of memory, whether filled or not; lent ones do not count. */
  get held(): number {
    return this.#held
  }

  /** Copies in as many of the octets `start` to `end - 1` as there is room for; returns how many. */
  write(bytes: Uint8Array, start: number, end: number): number {
    const taken = Math.min(end - start, this.room)
    let done = 0
    while (done < taken) {
      const slab = this.#slabToFill(taken - done)
      const at = slab.offsetOf(this.#endAt)
      const part = Math.min(taken - done, slab.end - at)
      copyIn(slab.bytes, at, bytes, start + done, part)
      this.#endAt = (this.#endAt + part) | 0
      done += part
    }
    return taken
  }

  /** Takes all octets without a copy, whatever the room: the caller does not change them until they are released. */
  lend(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length === 0) return
    // What the last slab has left is not a part of the stream any more.
    if (this.#last !== null) this.#last.end = this.#last.offsetOf(this.#endAt)
    this.#append(this.#slabs.adopt(bytes))
    this.#endAt = (this.#endAt + bytes.length) | 0
  }

  /** Copies `length` octets that begin `distance` after SND.UNA. All of them must be in it. */
  read(distance: number, to: Octets, at: number, length: number): void {
    if (distance < 0 || distance + length > this.length) throw new RangeError('octets that are not in the send buffer')
    let position = (this.#unaAt + distance) | 0
    let done = 0
    for (let slab = this.#slabAt(position); slab !== null && done < length; slab = slab.next) {
      const part = Math.min(length - done, (slab.endPosition - position) | 0)
      copyOctets(to, at + done, slab, slab.offsetOf(position), part)
      this.#reading = slab
      done += part
      position = (position + part) | 0
    }
  }

  /** SND.UNA moved: the first `length` octets are acknowledged. */
  release(length: number): void {
    this.#unaAt = (this.#unaAt + Math.min(length, this.length)) | 0
    if (this.#unaAt === this.#endAt) while (this.#first !== null) this.#shift(this.#first)
    else while (this.#first !== null && ((this.#first.endPosition - this.#unaAt) | 0) <= 0) this.#shift(this.#first)
  }

  /** Lets everything go. */
  clear(): void {
    this.release(this.length)
  }

  #slabAt(position: number): Slab | null {
    let slab = this.#reading
    if (slab === null || ((position - slab.position) | 0) < 0) slab = this.#first
    while (slab !== null && ((position - slab.endPosition) | 0) >= 0) slab = slab.next
    return slab
  }

  #slabToFill(expected: number): Slab {
    const last = this.#last
    if (last !== null && ((last.endPosition - this.#endAt) | 0) > 0) return last
    const added = this.#slabs.take(last === null && expected <= SMALL_SLAB ? expected : LARGE_SLAB, true)
    const room = added.end - added.start
    if (room > this.segment) added.end -= room % this.segment
    this.#append(added)
    return added
  }

  #append(slab: Slab): void {
    slab.position = this.#endAt
    if (this.#last === null) this.#first = slab
    else this.#last.next = slab
    this.#last = slab
    this.#held += slab.counted
  }

  #shift(slab: Slab): void {
    this.#first = slab.next
    if (this.#last === slab) this.#last = null
    if (this.#reading === slab) this.#reading = null
    this.#held -= slab.counted
    this.#slabs.give(slab)
  }
}

function copyIn(target: Uint8Array, at: number, from: Uint8Array, start: number, length: number): void {
  if (length === from.length) target.set(from, at)
  else if (length > BY_LOOP) target.set(from.subarray(start, start + length), at)
  else for (let octet = 0; octet < length; octet++) target[at + octet] = from[start + octet]
}
