// What the application wrote and the peer has not acknowledged: a chain of slabs that begins at SND.UNA.
// Small writes are copied in; large ones may be lent and are then read where they lie. An empty one holds no memory.
// Filled by the connection's user calls, read by tcp/emit, released by arriving/acknowledge.
import type { Octets } from '../../batch.ts'
import type { SlabPool } from '../slabs.ts'

export class SendBuffer {
  /** SO_SNDBUF: what `write` fills it up to. The connection tunes it. */
  limit: number

  constructor(slabs: SlabPool, limit: number) {
    this.limit = limit
  }

  /** Octets in it, sent or not. */
  get length(): number {
    throw new Error('not yet')
  }

  /** Octets that `write` would take now. */
  get room(): number {
    throw new Error('not yet')
  }

  /** Octets of memory, whether filled or not; lent ones do not count. */
  get held(): number {
    throw new Error('not yet')
  }

  /** Copies in as many of the octets `start` to `end - 1` as there is room for; returns how many. */
  write(bytes: Uint8Array, start: number, end: number): number {
    throw new Error('not yet')
  }

  /** Takes all octets without a copy, whatever the room: the caller does not change them until they are released. */
  lend(bytes: Uint8Array<ArrayBuffer>): void {
    throw new Error('not yet')
  }

  /** Copies `length` octets that begin `distance` after SND.UNA. All of them must be in it. */
  read(distance: number, to: Octets, at: number, length: number): void {
    throw new Error('not yet')
  }

  /** SND.UNA moved: the first `length` octets are acknowledged. */
  release(length: number): void {
    throw new Error('not yet')
  }

  /** Lets everything go. */
  clear(): void {
    throw new Error('not yet')
  }
}
