// Sends for which the socket's buffer had no room: they wait for it in order, each with whom to tell, in the async context of its caller.
import { AsyncResource } from 'node:async_hooks'
import type { Octets } from './octets.ts'
import type { ScopedAddress } from './scoped-address.ts'

/** As Node's `SendWrap`: told by `oncomplete` where the answer was not given at once. */
export interface SendRequest {
  list?: readonly NodeJS.ArrayBufferView[]
  address?: string | null
  port?: number | null
  callback?: (error: Error | null, size: number) => void
  oncomplete?: (this: SendRequest, errno: number, size: number) => void
}

interface Waiting {
  readonly octets: Octets
  readonly to: ScopedAddress | null
  readonly port: number
  readonly done: ((errno: number, size: number) => void) | null
}

export class SendRequests {
  readonly #waiting: Waiting[] = []
  octets = 0

  get count(): number {
    return this.#waiting.length
  }

  get first(): Waiting | null {
    return this.#waiting[0] ?? null
  }

  add(request: SendRequest, octets: Octets, to: ScopedAddress | null, port: number): void {
    const { oncomplete } = request
    const done = oncomplete === undefined ? null : AsyncResource.bind(oncomplete.bind(request))
    this.#waiting.push({ octets: octets.copy(), to, port, done })
    this.octets += octets.length
  }

  /** The first one is over. It is told in a tick, so that what it throws keeps nobody else waiting. */
  complete(errno: number): void {
    const request = this.#waiting.shift()
    if (request === undefined) return
    const { length } = request.octets
    this.octets -= length
    if (request.done !== null) process.nextTick(request.done, errno, errno === 0 ? length : 0)
  }

  cancel(errno: number): void {
    while (this.#waiting.length > 0) this.complete(errno)
  }
}
