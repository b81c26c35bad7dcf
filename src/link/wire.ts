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

/** Who stands in the middle of a wire: each packet that sets out is given to it alone, and is borrowed until it returns. */
export interface Middle {
  /** Offers it to the path `out`, or doesn't; `back` leads to where it came from. */
  carry(batch: PacketBatch, row: number, out: ImpairedPath, back: ImpairedPath): void
}

export interface Wire {
  readonly ends: readonly [Link, Link]
  /** Nobody at first. */
  middle: Middle | null
  /** From the first end to the second. */
  readonly forward: ImpairedPath
  readonly backward: ImpairedPath
}

export function wire(options: WireOptions): Wire {
  const forward = new ImpairedPath(options.random.forward)
  const backward = new ImpairedPath(options.random.backward)
  const joined: Omit<Wire, 'ends'> = { middle: null, forward, backward }
  const ends = [
    new WireEnd(options, joined, forward, backward),
    new WireEnd(options, joined, backward, forward),
  ] as const
  return Object.assign(joined, { ends })
}

class WireEnd implements Link {
  readonly medium = 'ip'
  readonly mtu: number
  readonly headroom: number
  readonly offload: Offload
  readonly #time: Time
  readonly #wire: { readonly middle: Middle | null }
  readonly #out: ImpairedPath
  readonly #in: ImpairedPath

  constructor(options: WireOptions, wire: { readonly middle: Middle | null }, out: ImpairedPath, into: ImpairedPath) {
    this.mtu = options.mtu ?? 1500
    this.headroom = options.headroom ?? 0
    this.offload = options.offload ?? NO_OFFLOAD
    this.#time = options.time
    this.#wire = wire
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
    const { middle } = this.#wire
    for (let row = batch.first; row < batch.end; row++) {
      if (middle === null) this.#out.offer(batch, row)
      else middle.carry(batch, row, this.#out, this.#in)
    }
    batch.shift(batch.count)
    this.#out.arm()
  }
}
