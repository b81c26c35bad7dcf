// Octets on their way to a peer that may be slow: what the endpoint does not take waits here, in order, and whoever produces more
// waits until it is gone.
import type { Endpoint } from '../runtime/endpoint.ts'

export class Outlet {
  readonly #endpoint: Endpoint
  isClosed = false
  #waiting: Uint8Array[] = []
  #isLentFull = false
  #resume: ((isOpen: boolean) => void) | null = null

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint
  }

  /** Nothing more should be given for now. */
  get isBlocked(): boolean {
    return this.#waiting.length > 0 || this.#isLentFull
  }

  /** Copies what there is room for, and copies the rest aside. */
  copy(bytes: Uint8Array): void {
    const taken = this.#waiting.length > 0 ? 0 : this.#endpoint.send(bytes)
    if (taken < bytes.length) this.#waiting.push(bytes.slice(taken))
  }

  /** As `copy`, but the octets do not change before `ready` is fulfilled. */
  put(bytes: Uint8Array): void {
    const taken = this.#waiting.length > 0 ? 0 : this.#endpoint.send(bytes)
    if (taken < bytes.length) this.#waiting.push(taken === 0 ? bytes : bytes.subarray(taken))
  }

  /** The octets never change. */
  lend(bytes: Uint8Array): void {
    if (isOfBuffer(bytes)) this.give(bytes)
    else this.put(bytes)
  }

  /** As `lend`, for octets that nobody shares with other threads: asking takes as long as all the rest. */
  give(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#waiting.length > 0 || !this.#endpoint.lend(bytes)) this.put(bytes)
    else this.#isLentFull = this.#endpoint.room <= 0
  }

  /** There is room again: true when nothing waits any more. */
  flush(): boolean {
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0]
      const taken = this.#endpoint.send(first)
      if (taken < first.length) {
        this.#waiting[0] = first.subarray(taken)
        return false
      }
      this.#waiting.shift()
    }
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
    this.#waiting = []
    this.#settle(false)
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
