// A pair of links with an impaired path each way between them: what the simulator's hosts are joined by.
// It lives in one time that both ends share, and an end wakes in an event of its own, never inside the other's turn.
import type { PacketBatch } from '../core/batch.ts'
import { type Link, NO_OFFLOAD, type Offload, type Random, type Time } from '../core/environment.ts'
import { ImpairedPath } from './impaired-path.ts'

export interface WireOptions {
  time: Time
  /** One for each direction. */
  random: { forward: Random; backward: Random }
  /** 1500 unless said otherwise. */
  mtu?: number
  headroom?: number
  offload?: Offload
}

export interface Wire {
  readonly ends: readonly [Link, Link]
  /** From the first end to the second. */
  readonly forward: ImpairedPath
  readonly backward: ImpairedPath
}

export function wire(options: WireOptions): Wire {
  const forward = new ImpairedPath(options.random.forward)
  const backward = new ImpairedPath(options.random.backward)
  return {
    ends: [new WireEnd(options, forward, backward), new WireEnd(options, backward, forward)],
    forward,
    backward,
  }
}

class WireEnd implements Link {
  readonly medium = 'ip'
  readonly mtu: number
  readonly headroom: number
  readonly offload: Offload
  readonly #time: Time
  readonly #out: ImpairedPath
  readonly #in: ImpairedPath

  constructor(options: WireOptions, out: ImpairedPath, into: ImpairedPath) {
    this.mtu = options.mtu ?? 1500
    this.headroom = options.headroom ?? 0
    this.offload = options.offload ?? NO_OFFLOAD
    this.#time = options.time
    this.#out = out
    this.#in = into
  }

  open(wake: () => void, _time: Time): void {
    this.#in.open(wake, this.#time)
  }

  close(): void {
    this.#in.close()
  }

  receive(batch: PacketBatch): void {
    const first = batch.end
    this.#in.take(batch)
    // What the sender's stack had to say was for the sender.
    for (let row = first; row < batch.end; row++) batch.note[row] = 0
    this.#in.arm()
  }

  transmit(batch: PacketBatch): void {
    if (batch.count === 0) return
    for (let row = batch.first; row < batch.end; row++) this.#out.offer(batch, row)
    batch.shift(batch.count)
    this.#out.arm()
  }
}
