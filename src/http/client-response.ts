// A response as the client's user sees it, with the names of the web's `Response`. Its body is read when it is asked for, and the
// server is held back until then; whoever wants none of it says `cancel`.
import type { Endpoint } from '../runtime/endpoint.ts'
import type { ReceivedHeaders } from './headers.ts'
import type { ReceivedBody } from './received-body.ts'
import type { ResponseHead } from './response-head.ts'

/** On the stack's clock, in milliseconds. */
export interface Timings {
  /** The SYN, or the request where the connection was there already. */
  began: number
  /** The handshake was done; null where the connection was there already. */
  opened: number | null
  /** The head of the response was whole. */
  answered: number
  /** So was its body; null before that. */
  ended: number | null
}

/** The connection that a response comes by. */
export interface ResponseOwner {
  readonly endpoint: Endpoint
  readonly requests: number
  abort(): void
}

export class ClientResponse {
  readonly url: string
  readonly status: number
  /** The phrase that the server gave with the status. */
  readonly statusText: string
  /** HTTP/1.x. */
  readonly minor: number
  readonly headers: ReceivedHeaders
  readonly timings: Readonly<Timings>
  /** How many came before it on its connection. */
  readonly number: number
  readonly #content: ReceivedBody
  readonly #owner: ResponseOwner

  /** @internal */
  constructor(head: ResponseHead, content: ReceivedBody, owner: ResponseOwner, url: string, timings: Timings) {
    this.url = url
    this.status = head.status
    this.statusText = head.phrase
    this.minor = head.minor
    this.headers = head.headers
    this.timings = timings
    this.number = owner.requests - 1
    this.#content = content
    this.#owner = owner
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300
  }

  /** The connection that it came by: addresses, and TCP's own figures. */
  get endpoint(): Endpoint {
    return this.#owner.endpoint
  }

  /** Octets of the body so far. */
  get received(): number {
    return this.#content.received
  }

  get bodyUsed(): boolean {
    return this.#content.wasAsked
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#content.stream()
  }

  /** Piece after piece. Who stops in the middle gives the response up. */
  async *pieces(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    try {
      yield* this.#content.pieces()
    } finally {
      this.cancel()
    }
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#content.bytes()
  }

  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes())
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text())
  }

  /** Nobody will read the rest: the connection goes with it. */
  cancel(): void {
    if (!this.#content.isDone) this.#owner.abort()
  }
}
