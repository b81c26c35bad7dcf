// Datagrams that wait to be sent by a socket: it stands in line at the interface by which its oldest one leaves.
// Used by UDP and echo sockets; `emit` writes one datagram into a batch.
import type { Octets, PacketBatch } from '../batch.ts'
import { type Datagram, DatagramQueue } from './datagram-queue.ts'
import type { Interface, Sender } from './interface.ts'

export interface Emitter {
  /** Where the datagram leaves; null where there is no way (any more). */
  interfaceOf(message: Datagram): Interface | null
  /** False where the batch has no room. What can't be sent at all is counted and forgotten. */
  emit(message: Datagram, batch: PacketBatch, now: number): boolean
  /** A datagram has left the queue: there is room, and perhaps nothing more to wait for. */
  onLeft(): void
}

export class SendQueue implements Sender {
  readonly waiting: DatagramQueue
  readonly #emitter: Emitter
  #line: Interface | null = null

  constructor(emitter: Emitter, limit: number) {
    this.#emitter = emitter
    this.waiting = new DatagramQueue(limit)
  }

  /** False where too much waits. */
  push(message: Datagram, from: Octets, offset: number, length: number): boolean {
    if (!this.waiting.push(message, from, offset, length)) return false
    this.#standInLine()
    return true
  }

  transmit(batch: PacketBatch, now: number): boolean {
    const message = this.waiting.peek()
    if (message !== null && !this.#emitter.emit(message, batch, now)) return true
    const line = this.#line
    this.#line = null
    if (message !== null) this.#drop()
    const next = this.waiting.peek()
    if (next !== null && this.#emitter.interfaceOf(next) === line) {
      this.#line = line
      return true
    }
    this.#standInLine()
    return false
  }

  clear(): void {
    this.#line?.senders.remove(this)
    this.#line = null
    this.waiting.clear()
  }

  #drop(): void {
    this.waiting.drop()
    this.#emitter.onLeft()
  }

  #standInLine(): void {
    while (this.#line === null) {
      const message = this.waiting.peek()
      if (message === null) return
      const by = this.#emitter.interfaceOf(message)
      if (by === null) this.#drop()
      else {
        this.#line = by
        by.senders.push(this)
      }
    }
  }
}
