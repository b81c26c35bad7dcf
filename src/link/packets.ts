// A link out of two callbacks: `send` is given what the stack transmits, `deliver` is told what has arrived.
// So a third-party device, a WebSocket, a worker's port or a test can be a link.
import { LARGEST_PACKET, type PacketBatch } from '../core/batch.ts'
import { type Link, NO_OFFLOAD, type Time } from '../core/environment.ts'
import { PacketQueue } from './packet-queue.ts'

export interface PacketsOptions {
  /**
   * Takes one packet, beginning with its IP header. `false` says that there is no room now, and nothing else does: the
   * packet stays with the stack until `ready` is called. An exception is thrown on from a microtask and the packet counts as failed.
   */
  send(packet: Uint8Array<ArrayBuffer>): unknown
  /** 1500 unless said otherwise. */
  mtu?: number
  medium?: 'ip' | 'ethernet'
  /** Delivered packets that wait for the stack: 1,000 unless said otherwise. What comes beyond is dropped. */
  queue?: number
  /** Hands `send` a view of the stack's own octets, valid until it returns, instead of a copy that may be kept. */
  borrowed?: boolean
}

export interface PacketsCounters {
  transmitted: number
  received: number
  /** Delivered, and dropped because the queue was full. */
  overflow: number
  /** Delivered, and dropped because they were empty or longer than any IP packet. */
  malformed: number
  /** `send` threw. */
  failed: number
  /** Dropped because the link was closed. */
  closed: number
}

export interface PacketsLink extends Link {
  readonly counters: Readonly<PacketsCounters>
  /** A packet has arrived; it is copied. */
  deliver(packet: Uint8Array): void
  /** There is room again, after `send` has said false. */
  ready(): void
}

export function packets(options: PacketsOptions): PacketsLink {
  return new CallbackLink(options)
}

class CallbackLink implements PacketsLink {
  readonly medium: 'ip' | 'ethernet'
  readonly mtu: number
  readonly headroom = 0
  readonly offload = NO_OFFLOAD
  readonly counters: PacketsCounters = {
    transmitted: 0,
    received: 0,
    overflow: 0,
    malformed: 0,
    failed: 0,
    closed: 0,
  }
  readonly #options: PacketsOptions
  readonly #arrived: PacketQueue
  #wake: (() => void) | null = null
  #closed = false

  constructor(options: PacketsOptions) {
    this.#options = options
    this.medium = options.medium ?? 'ip'
    this.mtu = options.mtu ?? 1500
    this.#arrived = new PacketQueue(options.queue ?? 1000, LARGEST_PACKET)
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

  deliver(packet: Uint8Array): void {
    if (this.#closed) this.counters.closed++
    else if (packet.length === 0 || packet.length > LARGEST_PACKET) this.counters.malformed++
    else if (this.#arrived.isFull) this.counters.overflow++
    else {
      this.#arrived.pushOctets(packet)
      this.#wake?.()
    }
  }

  ready(): void {
    this.#wake?.()
  }

  receive(batch: PacketBatch): void {
    const waiting = this.#arrived.count
    this.#arrived.pull(batch)
    this.counters.received += waiting - this.#arrived.count
    if (this.#arrived.count > 0) this.#wake?.()
  }

  transmit(batch: PacketBatch): void {
    let taken = 0
    for (let row = batch.first; row < batch.end; row++, taken++) {
      if (this.#closed) this.counters.closed++
      else if (!this.#send(batch, row)) break
    }
    if (taken > 0) batch.shift(taken)
  }

  #send(batch: PacketBatch, row: number): boolean {
    const start = batch.offset[row]
    const end = start + batch.length[row]
    const packet = this.#options.borrowed ? batch.bytes.subarray(start, end) : batch.bytes.slice(start, end)
    try {
      if (this.#options.send(packet) === false) return false
      this.counters.transmitted++
    } catch (error) {
      this.counters.failed++
      queueMicrotask(() => {
        throw error
      })
    }
    return true
  }
}
