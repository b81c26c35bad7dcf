// The asking end of HTTP/2 on an endpoint (RFC 9113): GETs for `/0`, `/1`, … all at once, and the octets that come for each.
// Header blocks that come are passed over: lengths are told by END_STREAM.
import type { Endpoint } from '../runtime/endpoint.ts'
import {
  type Arrived,
  FIRST_WINDOW,
  Flag,
  Frame,
  FrameReader,
  frame,
  indexed,
  literal,
  PREFACE,
  Setting,
  settings,
  windowUpdate,
  wordOf,
} from './http2-frames.ts'

/** What may come unasked: of one resource, and of all; about what browsers say. */
const STREAM_WINDOW = 6_291_456
const CONNECTION_WINDOW = 15_728_640
/** Of the static table (RFC 7541, Appendix A). */
const Index = { authority: 1, get: 2, path: 4, http: 6 } as const

/** §7, §8.1: nothing is wrong. */
const NO_ERROR = 0

export interface Http2Told {
  /** Octets of a resource, by its number; 0 where it has ended. */
  received(number: number, octets: number): void
  failed(sentence: string): void
}

export class Http2Asker {
  readonly #endpoint: Endpoint
  readonly #told: Http2Told
  readonly #count: number
  readonly #reader: FrameReader
  /** Octets that have come since the windows were last opened. */
  #owed = 0
  readonly #owedOf: number[]
  #out: Uint8Array[] = []
  #ended = 0

  constructor(endpoint: Endpoint, count: number, told: Http2Told) {
    this.#endpoint = endpoint
    this.#count = count
    this.#told = told
    this.#owedOf = new Array<number>(count).fill(0)
    this.#reader = new FrameReader((arrived) => this.#take(arrived))
    endpoint.onOpen = () => this.#ask()
    endpoint.onWritable = () => this.#flush()
    endpoint.onReadable = () => {
      endpoint.look((bytes, start, length) => {
        this.#reader.read(bytes.subarray(start, start + length))
        return length
      })
      this.#flush()
      if (endpoint.isAtEnd) endpoint.finish()
    }
    endpoint.onClose = (reason) => {
      if (this.#ended < this.#count) told.failed(reason)
    }
  }

  #ask(): void {
    const { remoteAddress, remotePort } = this.#endpoint
    const host = remoteAddress.isIpv4 ? `${remoteAddress}` : `[${remoteAddress}]`
    this.#out.push(new TextEncoder().encode(PREFACE))
    this.#out.push(
      settings([
        [Setting.push, 0],
        [Setting.initialWindow, STREAM_WINDOW],
      ]),
    )
    this.#out.push(windowUpdate(0, CONNECTION_WINDOW - FIRST_WINDOW))
    for (let number = 0; number < this.#count; number++) {
      const fields = [
        ...[...indexed(Index.get), ...indexed(Index.http)],
        ...[...literal(Index.path, `/${number}`), ...literal(Index.authority, `${host}:${remotePort}`)],
      ]
      this.#out.push(frame(Frame.headers, Flag.endHeaders | Flag.endStream, 2 * number + 1, Uint8Array.from(fields)))
    }
    this.#flush()
  }

  #take(arrived: Arrived): void {
    const { type, flags, stream, payload } = arrived
    if (type === Frame.settings && (flags & Flag.ack) === 0) this.#out.push(frame(Frame.settings, Flag.ack, 0, NONE))
    else if (type === Frame.ping && (flags & Flag.ack) === 0) this.#out.push(frame(Frame.ping, Flag.ack, 0, payload))
    else if (type === Frame.reset && wordOf(arrived) !== NO_ERROR) this.#told.failed('the server gave a response up')
    else if (type === Frame.goAway && wordOf(arrived, 4) !== NO_ERROR) this.#told.failed('the server gave up')
    else if (type === Frame.data || type === Frame.headers) this.#response(arrived, (stream - 1) / 2)
  }

  #response({ type, flags, payload, stream }: Arrived, number: number): void {
    if (!(number in this.#owedOf)) return
    const isLast = (flags & Flag.endStream) !== 0
    if (isLast) this.#ended++
    if (type === Frame.data) {
      const padding = (flags & Flag.padded) === 0 ? 0 : 1 + (payload[0] ?? 0)
      this.#owed += payload.length
      this.#owedOf[number] += payload.length
      this.#told.received(number, Math.max(0, payload.length - padding))
    }
    // §6.9: what was taken is given back, half a window at a time.
    if (this.#owed >= CONNECTION_WINDOW / 2) {
      this.#out.push(windowUpdate(0, this.#owed))
      this.#owed = 0
    }
    if (this.#owedOf[number] >= STREAM_WINDOW / 2 && !isLast) {
      this.#out.push(windowUpdate(stream, this.#owedOf[number]))
      this.#owedOf[number] = 0
    }
    if (this.#ended === this.#count) this.#endpoint.finish()
  }

  #flush(): void {
    while (this.#out.length > 0) {
      const [first] = this.#out
      const taken = this.#endpoint.send(first)
      if (taken < first.length) {
        this.#out[0] = first.subarray(taken)
        return
      }
      this.#out.shift()
    }
  }
}

const NONE = new Uint8Array(0)
