// A link with the batches that go between it and the stack. While long packets come, each comes in a batch of its own, whose arena nothing
// else shares: TCP then keeps the text where it lies, and hands it out from there. Called by the driver, once a turn.
import { type Allocate, LARGEST_PACKET, PacketBatch, zeroes } from '../core/batch.ts'
import type { Link } from '../core/environment.ts'
import type { Interface } from '../core/ip/interface.ts'
import type { Stack } from '../core/stack.ts'

/** Packets from so many octets on are long. */
const LONG = 16_384
/**
 * Batches of one packet that a turn takes, for each long one that it sends. Were it to read no more than it sends, ACKs among them, then whoever
 * sends bulk while we send some would have a queue before us, and a small packet would wait behind it.
 */
const SINGLES_FOR_EACH = 4

export class Port {
  readonly link: Link
  readonly interface: Interface
  readonly outgoing: PacketBatch
  /** Whether a turn may look again before it ends. */
  readonly isPolled: boolean
  /** Full batches in a row; 0 when the last one was not full. */
  fullBatches = 0
  readonly #incoming: PacketBatch
  /** None where no packet is long, where batches are exchanged whole, or where only many packets become a long one. */
  readonly #singles: readonly PacketBatch[]
  /** The first of those, or one that is like them. */
  readonly #lone: PacketBatch
  #isBulk = false
  #isLone = false

  constructor(link: Link, at: Interface, allocate: Allocate | undefined) {
    this.link = link
    this.interface = at
    const options = { largest: largestOf(link), headroom: link.headroom, allocate }
    const comesAlone = !link.mergesInBatch && !at.isLoopback
    this.isPolled = comesAlone && link.busyPoll === true
    this.#incoming = new PacketBatch(options)
    // What the stack fills; who fills the others may be anybody's link.
    const aligned = link.aligned?.(allocate ?? zeroes) ?? allocate
    this.outgoing = new PacketBatch({ ...options, longest: link.burst, allocate: aligned, grows: true })
    const isFit = comesAlone && options.largest >= 2 * LONG
    const singles = isFit ? SINGLES_FOR_EACH * this.outgoing.longest : 0
    this.#singles = Array.from({ length: singles }, () => new PacketBatch({ ...options, capacity: 1 }))
    this.#lone = this.#singles[0] ?? new PacketBatch({ ...options, capacity: 1 })
    for (const batch of [this.#incoming, this.outgoing, this.#lone, ...this.#singles]) batch.interface = at.index
  }

  /** There may be more than one turn takes. */
  get hasMore(): boolean {
    return this.fullBatches > 0
  }

  /** Most of what came last was long. */
  get isBulk(): boolean {
    return this.#isBulk
  }

  /** One short packet was all that came last. */
  get isLone(): boolean {
    return this.#isLone
  }

  /** The one packet that is likely to be all, where that costs less than to look for others first; says whether it came. */
  receiveLone(stack: Stack, now: number): boolean {
    if (!this.#isLone) return false
    const lone = this.#lone
    this.#fill(lone)
    if (lone.count === 0) return false
    this.#isBulk = this.#singles.length > 0 && lone.length[lone.first] >= LONG
    this.#isLone = !this.#isBulk
    stack.receive(lone, now)
    return true
  }

  /** At most one batch, or a few of one long packet each; says whether anything came. */
  receive(stack: Stack, now: number): boolean {
    return this.#isBulk ? this.#receiveSingles(stack, now) : this.#receiveMany(stack, now)
  }

  #receiveMany(stack: Stack, now: number): boolean {
    const incoming = this.#incoming
    this.#fill(incoming)
    const { count, isFull } = incoming
    this.fullBatches = isFull ? this.fullBatches + 1 : 0
    if (count > 0) {
      let octets = 0
      for (let row = incoming.first; row < incoming.end; row++) octets += incoming.length[row]
      this.#isBulk = this.#singles.length > 0 && octets >= count * LONG
      this.#isLone = this.isPolled && count === 1 && !this.#isBulk && !this.#isLone
      stack.receive(incoming, now)
    }
    return count > 0
  }

  #receiveSingles(stack: Stack, now: number): boolean {
    let [count, octets] = [0, 0]
    for (const single of this.#singles) {
      this.#fill(single)
      if (single.count === 0) break
      count++
      octets += single.length[single.first]
      stack.receive(single, now)
    }
    if (count > 0) this.#isBulk = octets >= count * LONG
    this.fullBatches = count === this.#singles.length ? this.fullBatches + 1 : 0
    return count > 0
  }

  #fill(batch: PacketBatch): void {
    batch.clear()
    this.link.receive(batch)
  }
}

/** The longest packet that the link may carry: whole super-segments where it merges and cuts them. */
function largestOf(link: Link): number {
  const { tcp4, tcp6, udp } = link.offload
  return tcp4 || tcp6 || udp ? LARGEST_PACKET : link.mtu
}
