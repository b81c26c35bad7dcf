// The loopback link: what the stack transmits comes back to it in its next turn, uncopied, since batches exchange their arenas.
// What does not fit into its one batch stays with the stack, so that two sockets of one stack can't starve the rest.
import { LARGEST_PACKET, PacketBatch } from '../core/batch.ts'
import type { Link, Offload, Time } from '../core/environment.ts'

export function loopback(): Link {
  return new Loopback()
}

class Loopback implements Link {
  readonly medium = 'ip'
  readonly mtu = LARGEST_PACKET
  readonly headroom = 0
  /** No wire, nothing that could falsify an octet: partial checksums come back as they went. */
  readonly offload: Offload = { checksum: true, tcp4: false, tcp6: false, udp: false }
  readonly #turning = new PacketBatch()
  #wake: (() => void) | null = null

  open(wake: () => void, _time: Time): void {
    this.#wake = wake
  }

  close(): void {
    this.#wake = null
    this.#turning.clear()
  }

  receive(batch: PacketBatch): void {
    const turning = this.#turning
    if (batch.takeAll(turning)) {
      batch.note.fill(0, batch.first, batch.end)
      return
    }
    while (turning.count > 0) {
      const row = batch.copy(turning, turning.first)
      if (row < 0) break
      batch.note[row] = 0
      turning.shift(1)
    }
    if (turning.count > 0) this.#wake?.()
  }

  transmit(batch: PacketBatch): void {
    if (batch.count === 0) return
    if (this.#wake === null) {
      batch.shift(batch.count)
      return
    }
    if (this.#turning.takeAll(batch)) {
      this.#wake()
      return
    }
    let taken = 0
    for (let row = batch.first; row < batch.end; row++, taken++) {
      if (this.#turning.copy(batch, row) < 0) break
    }
    if (taken > 0) batch.shift(taken)
    this.#wake()
  }
}
