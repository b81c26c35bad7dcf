// One connection of the HTTP client: a request goes out, responses are taken from the octets where they lie, and their body is read
// when somebody asks. One request at a time; what comes unasked ends it. Errors are HttpErrors of 502 and 504: what a gateway would say.
import type { PortableStack } from '../runtime/create-stack.ts'
import type { CloseReason, Endpoint } from '../runtime/endpoint.ts'
import { ClientResponse, type ResponseOwner, type Timings } from './client-response.ts'
import { HeadReader, Heard, type Keeper } from './head-reader.ts'
import { Outlet } from './outlet.ts'
import { ReceivedBody } from './received-body.ts'
import type { RequestBody } from './request-body.ts'
import { ResponseHead } from './response-head.ts'
import { HttpError } from './status.ts'

/** Durations are milliseconds, sizes octets. */
export interface ClientLimits {
  /** From the SYN to the connection. */
  readonly connectTimeout: number
  /** Without anything from the server while something is waited for. */
  readonly silence: number
  /** How long a connection is kept for the next request. */
  readonly idleTimeout: number
  readonly connectionsPerHost: number
  readonly head: number
  readonly fields: number
  readonly body: number
  /** A chunk's line: its size and whatever extensions it has. */
  readonly chunkLine: number
  readonly trailers: number
  /** Responses of 1xx before the one that counts. */
  readonly informational: number
}

export interface Asked {
  readonly method: string
  readonly url: string
  /** The request line and the fields, with their empty line. */
  readonly head: Uint8Array
  readonly body: RequestBody
  /** Told of the responses of 1xx. */
  readonly onInformation: ((status: number) => void) | null
}

type Time = PortableStack['driver']['time']

const Phase = { opening: 0, idle: 1, asking: 2, reading: 3, over: 4 } as const

/** What became of it before anything was answered: nobody knows whether the server has heard it. */
export class Unanswered extends HttpError {}

export class ClientConnection implements Keeper, ResponseOwner {
  readonly endpoint: Endpoint
  /** It may be asked. */
  onFree: (() => void) | null = null
  onOver: (() => void) | null = null
  requests = 0
  kept = new Uint8Array(0)
  readonly #limits: ClientLimits
  readonly #time: Time
  readonly #outlet: Outlet
  readonly #reader: HeadReader
  #phase: number = Phase.opening
  #asked: Asked | null = null
  #timings: Timings
  #resolve: ((response: ClientResponse) => void) | null = null
  #reject: ((error: HttpError) => void) | null = null
  #content: ReceivedBody | null = null
  #lost: HttpError | null = null
  #persists = true
  #isSent = false
  #informational = 0
  #cancel: () => void = () => {}

  constructor(endpoint: Endpoint, limits: ClientLimits, time: Time) {
    this.endpoint = endpoint
    this.#limits = limits
    this.#time = time
    this.#outlet = new Outlet(endpoint)
    this.#reader = new HeadReader(this)
    this.#timings = { began: time.now(), opened: null, answered: 0, ended: null }
    endpoint.setNoDelay(true)
    endpoint.onOpen = () => this.#onOpen()
    endpoint.onReadable = () => this.#onReadable()
    endpoint.onWritable = () => this.#onWritable()
    endpoint.onClose = (reason) => this.#onClose(reason)
    this.#wait(limits.connectTimeout, 'The server did not answer.')
  }

  keep(bytes: Uint8Array, start: number, end: number): number {
    this.kept = bytes.slice(start, end)
    return 0
  }

  /** Fulfilled with the head of the response. */
  ask(asked: Asked): Promise<ClientResponse> {
    if (this.#phase === Phase.over) return Promise.reject(this.#broken('The connection ended'))
    this.#asked = asked
    this.#isSent = false
    this.#informational = 0
    if (this.requests++ > 0) this.#timings = { began: this.#time.now(), opened: null, answered: 0, ended: null }
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      if (this.#phase === Phase.idle) this.#send(asked)
    })
  }

  /** Gives up. */
  abort(error = new HttpError(502, 'It was given up.')): void {
    if (this.#phase !== Phase.over) this.#fail(error)
  }

  /** In order where nothing is under way. */
  close(): void {
    if (this.#phase === Phase.idle) this.#end()
    else this.abort(new HttpError(502, 'The client was closed.'))
  }

  #onOpen(): void {
    this.#timings.opened = this.#time.now()
    this.#phase = Phase.idle
    this.#cancel()
    if (this.#asked !== null) this.#send(this.#asked)
  }

  #send(asked: Asked): void {
    this.#phase = Phase.asking
    this.#listen()
    this.#outlet.copy(asked.head)
    asked.body.sendTo(this.#outlet).then(
      (isWhole) => {
        // RFC 9112 §9.5: who answers before all is sent needs no more of it, but the connection can't go on.
        if (asked !== this.#asked) return
        this.#isSent = isWhole
      },
      () => {
        if (asked === this.#asked) this.#fail(new HttpError(502, 'The body of the request broke off.'))
      },
    )
  }

  #onWritable(): void {
    this.#outlet.flush()
    if (this.#phase === Phase.asking) this.#listen()
  }

  #onReadable(): void {
    if (this.#phase === Phase.asking) this.#readHead()
    if (this.#phase === Phase.reading) this.#feed()
    else if (this.#phase === Phase.idle) this.#end()
  }

  #readHead(): void {
    this.#listen()
    this.endpoint.look(this.#take)
    if (this.#phase === Phase.asking && this.endpoint.isAtEnd) this.#fail(this.#broken('The connection ended'))
  }

  #take = (bytes: Uint8Array<ArrayBuffer>, start: number, length: number): number => {
    if (this.#phase !== Phase.asking) return 0
    const reader = this.#reader
    const heard = reader.take(bytes, start, start + length, this.#limits.head)
    if (heard === Heard.refused)
      this.#fail(new HttpError(502, 'What came is no response of HTTP, or too large a head.'))
    else if (heard === Heard.whole) this.#takeHead(reader.bytes, reader.start, reader.end, reader.start > 0)
    return heard === Heard.refused ? 0 : reader.taken
  }

  #takeHead(bytes: Uint8Array, start: number, end: number, hasEmptyLines: boolean): void {
    try {
      if (hasEmptyLines) throw new HttpError(502, 'The response begins with an empty line.')
      const head = new ResponseHead(bytes, start, end, this.#asked!.method, this.#limits.fields)
      if (head.status < 200) this.#inform(head.status)
      else this.#begin(head)
    } catch (error) {
      this.#fail(error as HttpError)
    }
  }

  /** RFC 9110 §15.2. */
  #inform(status: number): void {
    if (status === 101) throw new HttpError(502, 'The server changes the protocol, and nobody asked for that.')
    if (++this.#informational > this.#limits.informational)
      throw new HttpError(502, 'The server only ever says that it will answer.')
    this.#asked?.onInformation?.(status)
  }

  #begin(head: ResponseHead): void {
    const { endpoint } = this
    const content = new ReceivedBody(endpoint, head.length, this.#limits, () => this.#feed(), 502)
    this.#timings.answered = this.#time.now()
    const response = new ClientResponse(head, content, this, this.#asked!.url, this.#timings)
    this.#phase = Phase.reading
    this.#persists = head.persists
    this.#content = content
    const resolve = this.#resolve
    this.#resolve = null
    this.#reject = null
    this.#cancel()
    resolve?.(response)
  }

  /** Gives whoever waits what is there; what came before the connection broke is still read. */
  #feed(): void {
    const content = this.#content
    if (content === null) return
    content.feed()
    if (this.#phase !== Phase.reading) return
    if (content.error !== null) this.#fail(content.error)
    else if (content.isDone) this.#finish()
    else if (!content.isWaited) this.#cancel()
    else if (this.#lost !== null) this.#fail(this.#lost)
    else this.#listen()
  }

  /** The response is whole. */
  #finish(): void {
    this.#timings.ended = this.#time.now()
    this.#asked = null
    this.#cancel()
    const mayGoOn = this.#persists && this.#isSent && this.endpoint.readable === 0 && !this.endpoint.isAtEnd
    if (!mayGoOn) {
      this.#end()
      return
    }
    this.#content = null
    this.#phase = Phase.idle
    this.#cancel = this.#time.after(this.#limits.idleTimeout, () => this.#end())
    this.onFree?.()
  }

  /** In order. */
  #end(): void {
    if (this.#phase === Phase.over) return
    this.#leave()
    // RFC 9112 §9.2: what came unasked is thrown away.
    if (!this.#isSent && this.requests > 0) this.endpoint.abort()
    this.endpoint.close()
  }

  #fail(error: HttpError): void {
    const { endpoint } = this
    this.#leave()
    endpoint.abort()
    endpoint.close()
    this.#reject?.(error)
    this.#resolve = null
    this.#reject = null
    this.#content?.fail(error)
  }

  #leave(): void {
    this.#phase = Phase.over
    this.#cancel()
    this.#outlet.close()
    this.onOver?.()
  }

  #onClose(reason: CloseReason): void {
    if (this.#phase === Phase.over) return
    const how = SENTENCES[reason] ?? 'The connection ended'
    if (this.#phase !== Phase.reading) {
      this.#fail(this.#broken(how))
      return
    }
    this.#lost = new HttpError(502, `${how} within the response.`)
    this.#feed()
  }

  #broken(how: string): HttpError {
    if (this.#phase === Phase.opening) return new HttpError(502, `${how}.`)
    return new Unanswered(502, `${how} before there was a response.`)
  }

  #listen(): void {
    this.#wait(this.#limits.silence, 'Nothing has come for too long.')
  }

  #wait(milliseconds: number, sentence: string): void {
    this.#cancel()
    this.#cancel = this.#time.after(milliseconds, () => {
      // Whoever makes the body of the request may take its time.
      const isOurTurn = this.#phase === Phase.asking && !this.#isSent && !this.#outlet.isBlocked
      if (isOurTurn) this.#wait(milliseconds, sentence)
      else this.#fail(new HttpError(504, sentence))
    })
  }
}

const SENTENCES: Partial<Record<CloseReason, string>> = {
  refused: 'The connection was refused',
  reset: 'The connection was reset',
  timedOut: 'The server did not answer',
  networkUnreachable: 'No route leads there',
  hostUnreachable: 'The host can not be reached',
}
