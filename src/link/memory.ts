// A pair of links: what one end transmits the other receives. No device, no privilege, no time passes on the way.
// Each direction is a bounded queue that drops its tail. Impairments and captures are wrapped around an end.
import { LARGEST_PACKET, type PacketBatch } from '../core/batch.ts'
import { type Link, NO_OFFLOAD, type Offload, type Time } from '../core/environment.ts'
import { PacketQueue } from './packet-queue.ts'

export interface MemoryOptions {
  /** 1500 unless said otherwise. */
  mtu?: number
  headroom?: number
  /** Packets that wait at each end: 1,000 unless said otherwise. */
  queue?: number
  /** What both ends do for their stacks. Super-segments and partial checksums are handed over as they are. */
  offload?: Offload
}

export interface MemoryCounters {
  /** Packets taken from the stack and queued at the other end. */
  transmitted: number
  received: number
  /** Dropped because the other end's queue was full. */
  overflow: number
  /** Dropped because they were longer than the MTU. */
  oversized: number
  /** Dropped because an end was closed. */
  closed: number
}

export interface MemoryLink extends Link {
  readonly counters: Readonly<MemoryCounters>
}

export function memory(options: MemoryOptions = {}): [MemoryLink, MemoryLink] {
  const one = new MemoryEnd(options)
  const other = new MemoryEnd(options)
  one.peer = other
  other.peer = one
  return [one, other]
}

class MemoryEnd implements MemoryLink {
  readonly medium = 'ip'
  readonly mtu: number
  readonly headroom: number
  readonly offload: Offload
  readonly counters: MemoryCounters = { transmitted: 0, received: 0, overflow: 0, oversized: 0, closed: 0 }
  peer: MemoryEnd | null = null
  #wake: (() => void) | null = null
  #closed = false
  readonly #arrived: PacketQueue

  constructor(options: MemoryOptions) {
    this.mtu = options.mtu ?? 1500
    this.headroom = options.headroom ?? 0
    this.offload = options.offload ?? NO_OFFLOAD
    const { tcp4, tcp6, udp } = this.offload
    this.#arrived = new PacketQueue(options.queue ?? 1000, tcp4 || tcp6 || udp ? LARGEST_PACKET : this.mtu)
  }

  open(wake: () => void, _time: Time): void {
    this.#wake = wake
    if (this.#arrived.count > 0) wake()
  }

  close(): void {
    this.#closed = true
    this.#wake = null
    this.#arrived.clear()
  }

  receive(batch: PacketBatch): void {
    const waiting = this.#arrived.count
    this.#arrived.pull(batch)
    this.counters.received += waiting - this.#arrived.count
    if (this.#arrived.count > 0) this.#wake?.()
  }

  transmit(batch: PacketBatch): void {
    if (batch.count === 0) return
    const peer = this.peer!
    const before = this.counters.transmitted
    for (let row = batch.first; row < batch.end; row++) this.#pass(batch, row, peer)
    batch.shift(batch.count)
    if (this.counters.transmitted !== before) peer.#wake?.()
  }

  #pass(batch: PacketBatch, row: number, peer: MemoryEnd): void {
    const longest = batch.segmentSize[row] > 0 ? peer.#arrived.largest : this.mtu
    if (this.#closed || peer.#closed) this.counters.closed++
    else if (batch.length[row] > longest) this.counters.oversized++
    else if (peer.#arrived.isFull) this.counters.overflow++
    else {
      peer.#arrived.push(batch, row)
      this.counters.transmitted++
    }
  }
}
