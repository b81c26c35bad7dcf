// Wraps a link so that every packet that crosses it can be looked at, while somebody does: live views and experiments stand on
// this. A packet that arrived is shown at the end of its turn, when the stack's note on it is known. `loses` takes packets away.
import { type Allocate, PacketBatch } from '../core/batch.ts'
import type { Link, Offload, Time } from '../core/environment.ts'

/** Borrowed: the row is valid until the call returns. `at` is on the link's clock. */
export type Watch = (direction: 'in' | 'out', batch: PacketBatch, row: number, at: number) => void

export class WatchedLink implements Link {
  readonly medium: 'ip' | 'ethernet'
  readonly mtu: number
  readonly headroom: number
  readonly offload: Offload
  readonly mergesInBatch: boolean | undefined
  readonly busyPoll: boolean | undefined
  readonly burst: number | undefined
  readonly aligned: ((allocate: Allocate) => Allocate) | undefined
  /** Asked for each packet that is sent: whether it gets lost before it sets out. */
  loses: ((batch: PacketBatch, row: number) => boolean) | null = null
  readonly #link: Link
  readonly #givenTime: Time | null
  #watches: readonly Watch[] = []
  #time: Time | null = null
  #received: PacketBatch | null = null
  #first = 0
  #end = 0
  #receivedAt = 0
  #kept: PacketBatch | null = null

  /** `time` is what packets are shown with, where it isn't the time that the link is opened with. */
  constructor(link: Link, time: Time | null = null) {
    this.#link = link
    this.#givenTime = time
    this.medium = link.medium
    this.mtu = link.mtu
    this.headroom = link.headroom
    this.offload = link.offload
    this.mergesInBatch = link.mergesInBatch
    this.busyPoll = link.busyPoll
    this.burst = link.burst
    this.aligned = link.aligned?.bind(link)
  }

  /** The returned function ends it. */
  watch(watch: Watch): () => void {
    this.#watches = [...this.#watches, watch]
    return () => {
      this.flush()
      this.#watches = this.#watches.filter((other) => other !== watch)
    }
  }

  open(wake: () => void, time: Time): void {
    this.begin(this.#givenTime ?? time)
    this.#link.open(wake, time)
  }

  /** By `time` packets are shown. */
  protected begin(time: Time): void {
    this.#time = time
  }

  close(): void {
    this.flush()
    this.#link.close()
  }

  receive(batch: PacketBatch): void {
    this.flush()
    const first = batch.end
    this.#link.receive(batch)
    if (batch.end === first || this.#watches.length === 0) return
    this.#received = batch
    this.#first = first
    this.#end = batch.end
    this.#receivedAt = this.#now()
  }

  transmit(batch: PacketBatch): void {
    this.flush()
    const { first, end } = batch
    if (this.loses === null) this.#link.transmit(batch)
    else this.#transmitKept(batch, this.loses)
    if (this.#watches.length === 0) return
    // An emptied batch begins anew; its octets and columns still stand.
    const taken = batch.count === 0 ? end : batch.first
    this.#show('out', batch, first, taken, this.#now())
  }

  /** What is left goes on in a batch of its own, so that the rows of the given one stay as they are. */
  #transmitKept(batch: PacketBatch, loses: (batch: PacketBatch, row: number) => boolean): void {
    this.#kept ??= new PacketBatch({ largest: batch.largest, headroom: batch.headroom })
    for (let row = batch.first; row < batch.end; row++) if (!loses(batch, row)) this.#kept.copy(batch, row)
    batch.shift(batch.count)
    this.#link.transmit(this.#kept)
  }

  /** Whether packets have arrived that nobody has been shown. */
  protected get isHolding(): boolean {
    return this.#received !== null
  }

  /** Shows what has arrived, with what the stack has noted on it so far. */
  protected flush(): void {
    const batch = this.#received
    if (batch === null) return
    this.#received = null
    // Whoever had a slice of it may have transferred it by now.
    if (batch.bytes.length === 0) return
    this.#show('in', batch, this.#first, this.#end, this.#receivedAt)
  }

  #show(direction: 'in' | 'out', batch: PacketBatch, first: number, end: number, at: number): void {
    for (let row = first; row < end; row++) for (const watch of this.#watches) watch(direction, batch, row, at)
  }

  #now(): number {
    return this.#time?.now() ?? 0
  }
}
