// A capture that goes to somebody who reads it at his own pace: the blocks of one iteration of the event loop in one write, and packets that
// are left out, and counted, while too much waits for the reader.

import type { Writable } from 'node:stream'
import { setImmediate } from 'node:timers'
import { faceOf, statisticsBlock } from '../link/pcapng.ts'

/** Octets that may wait for the reader. */
const MOST_WAITING = 16 << 20

export class CaptureOutlet {
  readonly #out: Writable
  readonly #most: number
  /** By interface: packets left out since the last one that was not, and in all. */
  readonly #left = new Map<number, number>()
  readonly #total = new Map<number, number>()
  #isCorked = false

  constructor(out: Writable, most = MOST_WAITING) {
    this.#out = out
    this.#most = most
  }

  /** What `stack.capture` is given. */
  readonly write = (block: Uint8Array<ArrayBuffer>): void => {
    if (this.#out.destroyed) return
    const face = faceOf(block)
    if (face >= 0 && this.#out.writableLength > this.#most) {
      this.#left.set(face, (this.#left.get(face) ?? 0) + 1)
      return
    }
    if (this.#left.size > 0) this.#tellOfLeft()
    this.#gather()
    this.#out.write(block)
  }

  #tellOfLeft(): void {
    const now = BigInt(Date.now()) * 1_000_000n
    for (const [face, count] of this.#left) {
      const total = (this.#total.get(face) ?? 0) + count
      this.#total.set(face, total)
      this.#out.write(statisticsBlock(face, now, total))
    }
    this.#left.clear()
  }

  #gather(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    this.#out.cork()
    setImmediate(() => {
      this.#isCorked = false
      this.#out.uncork()
    })
  }
}
