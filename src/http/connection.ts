// One connection of the server: heads are taken from the octets where they lie, handlers asked, answers written in order.
// While one request is being handled nothing is read but its body, so that a client that sends without reading is held back.
// Its phases are an order: what is later than `head` reads no requests.
import type { Endpoint } from '../runtime/endpoint.ts'
import type { LogEntry } from './access-log.ts'
import type { ConnectionHost } from './connection-host.ts'
import { HeadReader, Heard } from './head-reader.ts'
import { utf8 } from './octets.ts'
import { Outlet } from './outlet.ts'
import { Pace } from './pace.ts'
import { CHUNKED, ReceivedBody } from './received-body.ts'
import { Reply } from './reply.ts'
import { HttpRequest } from './request.ts'
import type { RequestHead } from './request-head.ts'
import { type Answer, answerTo, discard, HttpResponse } from './response.ts'
import { HttpError } from './status.ts'

export const Phase = { idle: 0, head: 1, handling: 2, streaming: 3, draining: 4, lingering: 5, over: 6 } as const

/** RFC 9110 §15.5.22: said together with a 426. */
const UPGRADE = { Upgrade: 'HTTP/1.1' }
const CONTINUE = utf8('HTTP/1.1 100 Continue\r\n\r\n')

export class HttpConnection {
  readonly endpoint: Endpoint
  readonly since: number
  phase: number = Phase.idle
  /** On the stack's clock. */
  phaseSince: number
  requests = 0
  readonly #host: ConnectionHost<HttpConnection>
  readonly #reader: HeadReader
  readonly #outlet: Outlet
  readonly #reply: Reply
  #pace: Pace | null = null
  #request: HttpRequest | null = null
  #content: ReceivedBody | null = null
  #expectsContinue = false
  #isLooking = false

  constructor(endpoint: Endpoint, host: ConnectionHost<HttpConnection>) {
    this.endpoint = endpoint
    this.#host = host
    this.#reader = new HeadReader(host)
    this.#outlet = new Outlet(endpoint)
    this.#reply = new Reply(host.writer, this.#outlet)
    this.since = host.moment
    this.phaseSince = this.since
    endpoint.onReadable = () => this.#onReadable()
    endpoint.onWritable = () => this.#onWritable()
    endpoint.onClose = () => this.#onClose()
  }

  /** What it is asking for now; null between requests. */
  get request(): HttpRequest | null {
    return this.#request
  }

  /** Told that it is one too many. */
  turnAway(seconds: number): void {
    this.#refuse(503, undefined, { 'Retry-After': String(seconds) })
    this.#reply.flush()
    this.#finish()
  }

  /** No further requests: what is in flight is finished. */
  shutDown(): void {
    this.#reply.closes = true
    if (this.phase === Phase.idle) this.#linger()
  }

  /** Gives up at once. */
  abort(): void {
    if (this.phase === Phase.over) return
    this.endpoint.abort()
    this.#onClose()
  }

  #onReadable(): void {
    this.#host.readClock()
    if (this.phase <= Phase.head) this.#readRequests()
    else if (this.phase === Phase.handling || this.phase === Phase.streaming) {
      this.#content?.feed()
      if (this.endpoint.isAtEnd) this.#reply.end()
    } else if (this.phase === Phase.draining) this.#drain()
    else if (this.phase === Phase.lingering) this.#discard()
  }

  #onWritable(): void {
    this.#host.readClock()
    if (this.#outlet.flush() && this.phase !== Phase.streaming) this.#goOn()
  }

  #goOn(): void {
    if (this.phase === Phase.draining) this.#drain()
    else if (this.phase === Phase.lingering) this.#finish()
    else if (this.phase <= Phase.head) this.#readRequests()
  }

  #readRequests(): void {
    if (this.#outlet.isBlocked) return
    this.#isLooking = true
    this.endpoint.look(this.#take)
    this.#isLooking = false
    this.#reply.flush()
    if (this.phase === Phase.handling) {
      if (this.#content?.isWaited) this.#onBodyAsked()
    } else if (this.phase === Phase.draining) this.#drain()
    else if (this.phase === Phase.lingering) this.#finish()
    else if (this.phase <= Phase.head && this.endpoint.isAtEnd && !this.#outlet.isBlocked) this.#linger()
  }

  /** Octets taken of those that lie there. */
  #take = (bytes: Uint8Array<ArrayBuffer>, start: number, length: number, view: DataView): number => {
    const { head } = this.#host
    const end = start + length
    let at = start
    while (at < end && this.phase <= Phase.head && !this.#outlet.isBlocked) {
      // Most clients say the same again and again.
      if (this.phase === Phase.idle && head.standsAt(view, at, end)) {
        at += head.length
        this.#takeRequest(head)
      } else at += this.#readHead(bytes, at, end)
    }
    return at - start
  }

  /** How many octets that took. */
  #readHead(bytes: Uint8Array, at: number, end: number): number {
    const { head, limits } = this.#host
    const reader = this.#reader
    if (this.phase === Phase.idle) this.#enter(Phase.head)
    const heard = reader.take(bytes, at, end, limits.head)
    if (heard === Heard.refused) this.#refuse(reader.status)
    else if (heard === Heard.whole) {
      if (head.parse(reader.bytes, reader.start, reader.end, limits)) this.#takeRequest(head)
      else this.#refuseHead(head)
    }
    return reader.taken
  }

  #refuseHead({ refusal: { status, sentence } }: RequestHead): void {
    this.#refuse(status, sentence === '' ? undefined : sentence, status === 426 ? UPGRADE : undefined)
  }

  #takeRequest(head: RequestHead): void {
    const { limits, isClosing } = this.#host
    if (!this.#host.welcomes(head)) {
      this.#refuseHead(head)
      return
    }
    this.#reply.closes ||= !head.persists || isClosing || this.requests + 1 >= limits.requestsPerConnection
    this.#expectsContinue = head.expectsContinue && head.hasBody
    this.#content = head.hasBody ? this.#bodyOf(head) : null
    const request = new HttpRequest(head, this.endpoint, this.#content, this.requests, this.#host.moment)
    this.#request = request
    this.requests++
    this.#enter(Phase.handling)
    const early = this.#host.early(this.endpoint.remoteAddress)
    if (early === 0) this.#ask(request)
    else this.#answer(HttpResponse.error(429, undefined, { 'Retry-After': String(Math.ceil(early / 1000)) }))
  }

  #ask(request: HttpRequest): void {
    try {
      const answer = this.#host.handler(request)
      if (isPromise(answer)) {
        answer.then(
          (value) => this.#answerLater(request, value),
          (error) => this.#answerLater(request, this.#answerTo(error)),
        )
      } else this.#answer(answer)
    } catch (error) {
      this.#answer(this.#answerTo(error))
    }
  }

  #answerTo(error: unknown): HttpResponse {
    return answerTo(error, (one) => this.#host.failed(one))
  }

  #bodyOf(head: RequestHead): ReceivedBody {
    const length = head.isChunked ? CHUNKED : head.contentLength
    return new ReceivedBody(this.endpoint, length, this.#host.limits, () => this.#onBodyAsked())
  }

  #onBodyAsked(): void {
    const content = this.#content
    if (content === null || this.#isLooking) return
    if (this.phase > Phase.streaming) content.fail(new HttpError(400, OVER))
    else {
      this.#continue()
      content.feed()
    }
  }

  /** RFC 9110 §10.1.1: unless the body is coming already. */
  #continue(): void {
    if (!this.#expectsContinue || this.phase !== Phase.handling) return
    this.#expectsContinue = false
    if (this.endpoint.readable === 0) this.#outlet.copy(CONTINUE)
  }

  /** Outside of `look`: what is written leaves at once, and the next request is looked for. */
  #answerLater(request: HttpRequest, answer: Answer): void {
    if (this.#request !== request || this.phase !== Phase.handling) {
      discard(answer)
      return
    }
    this.#host.readClock()
    this.#answer(answer)
    this.#reply.flush()
    this.#goOn()
  }

  #refuse(status: number, sentence?: string, headers?: Record<string, string>): void {
    this.#reply.closes = true
    this.#answer(HttpResponse.error(status, sentence, headers))
  }

  #answer(answer: Answer): void {
    try {
      this.#respond(this.#host.writer.responseTo(answer))
    } catch (error) {
      this.#host.failed(error)
      this.#respond(HttpResponse.error(500))
    }
  }

  #respond(response: HttpResponse): void {
    const content = this.#content
    const reply = this.#reply
    if (content !== null) {
      // RFC 9110 §10.1.1: whether a body comes that was not asked for nobody knows.
      if (content.error !== null || this.#expectsContinue || content.left > this.#host.limits.unwanted)
        reply.closes = true
    }
    if (reply.begin(response, this.#request, this.#host.wall)) {
      this.#endAnswer()
      return
    }
    this.#enter(Phase.streaming)
    reply.stream().then(
      () => this.#endStream(),
      (error) => this.#breakStream(error),
    )
  }

  #endStream(): void {
    if (this.phase !== Phase.streaming) return
    this.#host.readClock()
    this.#endAnswer()
    this.#goOn()
  }

  /** The client can be told only by a reset that this was not all. */
  #breakStream(error: unknown): void {
    if (this.phase !== Phase.streaming) return
    this.#host.failed(error)
    this.abort()
  }

  /** The answer is written, but for what waits in the outlet. */
  #endAnswer(): void {
    this.#tell('done')
    this.#request = null
    this.#reply.status = 0
    this.#reply.octets = 0
    const content = this.#content
    if (this.#reply.closes) this.#enter(Phase.lingering)
    else if (content !== null && !content.isDone) this.#enter(Phase.draining)
    else {
      this.#content = null
      this.#enter(Phase.idle)
    }
  }

  /** Octets of a body that nobody wanted go by, so that the next request can be read. */
  #drain(): void {
    const content = this.#content
    content?.discard()
    if (content !== null && (content.error !== null || content.received > this.#host.limits.unwanted)) this.#linger()
    else if (content?.isDone) {
      this.#content = null
      this.#enter(Phase.idle)
      this.#readRequests()
    } else if (this.endpoint.isAtEnd) this.#linger()
  }

  #linger(): void {
    this.#tellUnanswered()
    this.#enter(Phase.lingering)
    this.#finish()
  }

  /** RFC 9112 §9.6: our end first; what comes is read until the client has seen it, or a reset would take the answer with it. */
  #finish(): void {
    if (this.#outlet.isBlocked || this.phase !== Phase.lingering) return
    this.#content?.fail(new HttpError(400, OVER))
    this.endpoint.finish()
    this.#discard()
  }

  #discard(): void {
    this.endpoint.look((_, __, length) => length)
  }

  #onClose(): void {
    if (this.phase === Phase.over) return
    this.#host.readClock()
    this.#tellUnanswered()
    this.phase = Phase.over
    const request = this.#request
    this.#request = null
    this.#outlet.close()
    this.#content?.fail(new HttpError(400, 'The client has gone.'))
    request?.abort()
    this.#reply.end()
    this.#reader.forget()
    this.#host.left(this)
    this.endpoint.close()
  }

  #enter(phase: number): void {
    this.phase = phase
    this.phaseSince = this.#host.moment
    this.#pace = null
  }

  /** Looks whether it has waited too long for its client. */
  sweep(now: number): void {
    const { limits } = this.#host
    const waited = now - this.phaseSince
    if (this.#outlet.isBlocked) this.#watch(now, this.endpoint.connection.sndUna)
    else if (this.phase === Phase.idle) {
      if (waited > (this.requests === 0 ? limits.headTimeout : limits.idleTimeout)) this.#linger()
    } else if (this.phase === Phase.head) {
      if (waited > limits.headTimeout) this.#timeOut()
    } else if (this.phase === Phase.lingering) {
      if (waited > limits.lingerTimeout) this.#onClose()
    } else if (this.phase === Phase.draining) {
      if (waited > limits.bodyTimeout) this.#linger()
    } else if (this.#content?.isWaited) this.#watch(now, this.#content.received)
    else this.#pace = null
  }

  #timeOut(): void {
    this.#refuse(408)
    this.#reply.flush()
    this.#finish()
  }

  #watch(now: number, octets: number): void {
    this.#pace ??= new Pace(now, octets)
    if (!this.#pace.isTooSlow(now, octets, this.#host.limits)) return
    if (this.#outlet.isBlocked) this.abort()
    else {
      this.#reply.closes = true
      this.#content?.fail(new HttpError(408))
    }
  }

  /** What was begun comes to nothing, or nothing was begun: no connection goes without a line. */
  #tellUnanswered(): void {
    if (this.phase > Phase.idle && this.phase < Phase.draining) this.#tell('aborted')
    else if (this.phase === Phase.idle && this.requests === 0) this.#tell('silent')
  }

  #tell(outcome: LogEntry['outcome']): void {
    const { log, wall, moment } = this.#host
    if (log === null) return
    const request = this.#request
    log({
      remoteAddress: this.endpoint.remoteAddress.toString(),
      remotePort: this.endpoint.remotePort,
      wall,
      method: request?.method ?? null,
      target: request?.target ?? null,
      minor: request?.minor ?? 1,
      status: this.#reply.status,
      octets: this.#reply.octets,
      referer: request?.headers.get('referer') ?? null,
      userAgent: request?.headers.get('user-agent') ?? null,
      milliseconds: moment - (request?.at ?? this.phaseSince),
      outcome,
    })
  }
}

const OVER = 'The request is over.'

function isPromise(answer: Answer | Promise<Answer>): answer is Promise<Answer> {
  return typeof (answer as { then?: unknown }).then === 'function'
}
