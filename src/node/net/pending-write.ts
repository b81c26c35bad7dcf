// A write that may have to wait for room in the send buffer: what is left of its chunks, and who is told when nothing is.
import type { Endpoint } from '../../runtime/endpoint.ts'
import type { ErrorCode } from '../errors.ts'

export type WriteDone = (code: ErrorCode | null) => void

export class PendingWrite {
  readonly done: WriteDone
  /** Octets that are not in the send buffer yet. */
  rest = 0
  readonly #chunks: readonly Uint8Array[]
  #chunk = 0
  #octet = 0

  constructor(chunks: readonly Uint8Array[], done: WriteDone) {
    this.#chunks = chunks
    this.done = done
    for (const { length } of chunks) this.rest += length
  }

  /** Says whether everything was taken. */
  sendTo(endpoint: Endpoint): boolean {
    while (this.#chunk < this.#chunks.length) {
      const chunk = this.#chunks[this.#chunk]
      const taken = endpoint.send(chunk, this.#octet, chunk.length)
      this.rest -= taken
      this.#octet += taken
      if (this.#octet < chunk.length) return false
      this.#chunk++
      this.#octet = 0
    }
    return true
  }
}
