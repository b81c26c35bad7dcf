// The answering end of HTTP/2 on an endpoint (RFC 9113): each request is answered with so many octets, by its number, a frame of each
// open one in turn, as far as both windows and the endpoint have room. Header blocks that come are passed over.
import type { PortableStack } from '../runtime/create-stack.ts'
import type { Endpoint } from '../runtime/endpoint.ts'
import {
  type Arrived,
  FIRST_WINDOW,
  Flag,
  Frame,
  FrameReader,
  frame,
  indexed,
  LONGEST_FRAME,
  literal,
  PREFACE,
  Setting,
  settingOf,
  settings,
  wordOf,
} from './http2-frames.ts'

export interface Http2Answers {
  /** Octets of the body of a request, by its number. */
  sizeOf(number: number): number
  opened(endpoint: Endpoint): void
}

/** Of the static table (RFC 7541, Appendix A). */
const Index = { ok: 8, contentLength: 28 } as const

export function serveHttp2(stack: PortableStack, port: number, answers: Http2Answers): void {
  stack.listen({ port }).onConnection = (endpoint) => {
    answers.opened(endpoint)
    new Http2Connection(endpoint, answers)
  }
}

interface Answer {
  readonly stream: number
  left: number
  window: number
}

class Http2Connection {
  readonly #endpoint: Endpoint
  readonly #answers: Http2Answers
  readonly #reader: FrameReader
  #preface = PREFACE.length
  /** Frames that go first, and the one that is half written. */
  #urgent: Uint8Array[] = [settings([])]
  /** Whose turn it is stands first. */
  #open: Answer[] = []
  #window = FIRST_WINDOW
  #initialWindow = FIRST_WINDOW

  constructor(endpoint: Endpoint, answers: Http2Answers) {
    this.#endpoint = endpoint
    this.#answers = answers
    this.#reader = new FrameReader((arrived) => this.#take(arrived))
    endpoint.onWritable = () => this.#write()
    endpoint.onReadable = () => {
      endpoint.look((bytes, start, length) => {
        const skipped = Math.min(length, this.#preface)
        this.#preface -= skipped
        this.#reader.read(bytes.subarray(start + skipped, start + length))
        return length
      })
      this.#write()
      if (endpoint.isAtEnd) endpoint.finish()
    }
    this.#write()
  }

  #take(arrived: Arrived): void {
    const { type, flags, stream, payload } = arrived
    switch (type) {
      case Frame.headers:
        this.#answer(stream)
        break
      case Frame.settings:
        if ((flags & Flag.ack) === 0) this.#settle(arrived)
        break
      case Frame.ping:
        if ((flags & Flag.ack) === 0) this.#urgent.push(frame(Frame.ping, Flag.ack, 0, payload))
        break
      case Frame.windowUpdate:
        if (stream === 0) this.#window += wordOf(arrived)
        else for (const answer of this.#open) if (answer.stream === stream) answer.window += wordOf(arrived)
        break
      case Frame.reset:
        this.#open = this.#open.filter((answer) => answer.stream !== stream)
    }
  }

  /** §6.9.2: a new initial window moves those of the streams that are open, too. */
  #settle(arrived: Arrived): void {
    const initial = settingOf(arrived, Setting.initialWindow)
    if (initial !== null) {
      for (const answer of this.#open) answer.window += initial - this.#initialWindow
      this.#initialWindow = initial
    }
    this.#urgent.push(frame(Frame.settings, Flag.ack, 0, new Uint8Array(0)))
  }

  #answer(stream: number): void {
    const size = this.#answers.sizeOf((stream - 1) / 2)
    const fields = Uint8Array.from([...indexed(Index.ok), ...literal(Index.contentLength, `${size}`)])
    const flags = Flag.endHeaders | (size === 0 ? Flag.endStream : 0)
    this.#urgent.push(frame(Frame.headers, flags, stream, fields))
    if (size > 0) this.#open.push({ stream, left: size, window: this.#initialWindow })
  }

  #write(): void {
    const endpoint = this.#endpoint
    for (;;) {
      const next = this.#urgent.shift() ?? this.#nextData()
      if (next === null) return
      const taken = endpoint.send(next)
      if (taken === next.length) continue
      this.#urgent.unshift(next.subarray(taken))
      return
    }
  }

  /** A frame of the one whose turn it is, whose turn comes again when the others had theirs. */
  #nextData(): Uint8Array | null {
    const place = this.#window > 0 ? this.#open.findIndex(({ window }) => window > 0) : -1
    if (place < 0) return null
    const [answer] = this.#open.splice(place, 1)
    const length = Math.min(answer.left, answer.window, this.#window, LONGEST_FRAME)
    answer.left -= length
    answer.window -= length
    this.#window -= length
    if (answer.left > 0) this.#open.push(answer)
    return frame(Frame.data, answer.left === 0 ? Flag.endStream : 0, answer.stream, new Uint8Array(length))
  }
}
