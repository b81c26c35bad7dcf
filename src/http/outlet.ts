// Octets on their way to a peer that may be slow: what the endpoint does not take waits here, in order, and whoever produces more
// waits until it is gone.
import type { Endpoint } from '../runtime/endpoint.ts'

export class Outlet {
  readonly #endpoint: Endpoint
  isClosed = false
  /** Null where nothing waits, which is most of the time. */
  #waiting: Uint8Array[] | null = null
  #isLentFull = false
  #resume: ((isOpen: boolean) => void) | null = null

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint
  }

  /** Nothing more should be given for now. */
  get isBlocked(): boolean {
    return this.#waiting !== null || this.#isLentFull
  }

  /** Copies what there is room for, and copies the rest aside. */
  copy(bytes: Uint8Array): void {
    const taken = this.#waiting === null ? this.#endpoint.send(bytes) : 0
    if (taken < bytes.length) this.#wait(bytes.slice(taken))
  }

  /** As `copy`, but the octets do not change before `ready` is fulfilled. */
  put(bytes: Uint8Array): void {
    const taken = this.#waiting === null ? this.#endpoint.send(bytes) : 0
    if (taken < bytes.length) this.#wait(taken === 0 ? bytes : bytes.subarray(taken))
  }

  /** The octets never change. */
  lend(bytes: Uint8Array): void {
    if (isOfBuffer(bytes)) this.give(bytes)
    else this.put(bytes)
  }

  /** As `lend`, for octets that nobody shares with other threads: asking takes as long as all the rest. */
  give(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#waiting !== null || !this.#endpoint.lend(bytes)) this.put(bytes)
    else this.#isLentFull = this.#endpoint.room <= 0
  }

  /** There is room again: true when nothing waits any more. */
  flush(): boolean {
    const waiting = this.#waiting
    while (waiting !== null && waiting.length > 0) {
      const first = waiting[0]
      const taken = this.#endpoint.send(first)
      if (taken < first.length) {
        waiting[0] = first.subarray(taken)
        return false
      }
      waiting.shift()
    }
    this.#waiting = null
    this.#isLentFull = false
    this.#settle(true)
    return true
  }

  /** Fulfilled with true when more may be given, with false when the connection is over. */
  ready(): Promise<boolean> | boolean {
    if (this.isClosed) return false
    if (!this.isBlocked) return true
    return new Promise((resolve) => {
      this.#resume = resolve
    })
  }

  /** The connection is over. */
  close(): void {
    this.isClosed = true
    this.#waiting = null
    this.#settle(false)
  }

  #wait(bytes: Uint8Array): void {
    this.#waiting ??= []
    this.#waiting.push(bytes)
  }

  #settle(isOpen: boolean): void {
    const resume = this.#resume
    this.#resume = null
    resume?.(isOpen)
  }
}

function isOfBuffer(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer
}
