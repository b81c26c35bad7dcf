// A server for iperf3 over TCP, forward and reverse, with several streams: `iperf3 -c`. One test at a time, as iperf3's own server.
// The protocol is iperf3's: a control connection carries states of one octet and JSON with its length; each connection begins
// with the test's cookie.
import type { PortableStack } from '../runtime/create-stack.ts'
import type { Endpoint } from '../runtime/endpoint.ts'
import type { ListenEndpoint } from '../runtime/listen-endpoint.ts'

export const IPERF3_PORT = 5201

const COOKIE = 37
const MOST_JSON = 65_536
const MOST_STREAMS = 128
const BLOCK = 131_072
/** How long a client may be silent before the test is given up. */
const PATIENCE = 30_000

const Test = {
  start: 1,
  running: 2,
  end: 4,
  parameters: 9,
  createStreams: 10,
  exchange: 13,
  display: 14,
} as const
const DENIED = 0xff
const FAILED = 0xfe
const UNIMPLEMENTED = 13

interface Stream {
  readonly endpoint: Endpoint
  octets: number
  startedAt: number
}

interface Parameters {
  readonly udp?: boolean
  readonly parallel?: number
  readonly reverse?: boolean
  readonly bidirectional?: boolean
}

/** Answers iperf3 clients until it is closed. */
export class Iperf3Server {
  readonly #listener: ListenEndpoint
  readonly #stack: PortableStack
  readonly #block = new Uint8Array(BLOCK)
  readonly #newcomers = new Set<Endpoint>()
  #test: Iperf3Test | null = null

  constructor(stack: PortableStack, port = IPERF3_PORT) {
    this.#stack = stack
    for (let at = 0; at < BLOCK; at++) this.#block[at] = at
    this.#listener = stack.listen({ port, name: 'iperf3' })
    this.#listener.onConnection = (endpoint) => this.#admit(endpoint)
  }

  close(): void {
    this.#listener.close()
    for (const endpoint of this.#newcomers) endpoint.abort()
    this.#test?.end()
  }

  /** Nobody is anybody before its cookie is whole. */
  #admit(endpoint: Endpoint): void {
    if (this.#newcomers.size >= MOST_STREAMS) {
      endpoint.abort()
      return
    }
    this.#newcomers.add(endpoint)
    const cancel = this.#stack.driver.time.after(PATIENCE, () => endpoint.abort())
    const leave = () => {
      cancel()
      this.#newcomers.delete(endpoint)
    }
    endpoint.onClose = leave
    endpoint.onReadable = () => {
      if (endpoint.readable < COOKIE) {
        if (endpoint.isAtEnd) endpoint.abort()
        return
      }
      leave()
      const bytes = new Uint8Array(COOKIE)
      endpoint.readInto(bytes)
      this.#receive(endpoint, String.fromCharCode(...bytes))
    }
  }

  #receive(endpoint: Endpoint, cookie: string): void {
    if (this.#test === null) {
      this.#test = new Iperf3Test(endpoint, cookie, this.#stack, this.#block, () => {
        this.#test = null
      })
    } else if (!this.#test.takes(endpoint, cookie)) {
      endpoint.send(Uint8Array.of(DENIED))
      endpoint.finish()
      endpoint.close()
    }
  }
}

class Iperf3Test {
  readonly #control: Endpoint
  readonly #cookie: string
  readonly #stack: PortableStack
  readonly #block: Uint8Array<ArrayBuffer>
  readonly #onEnd: () => void
  readonly #streams: Stream[] = []
  #parameters: Parameters | null = null
  #state: number = Test.parameters
  #wanted = 0
  #json: number = -1
  #cancel: () => void = () => {}
  #isOver = false
  #seconds = 0
  #seen = -1

  constructor(
    control: Endpoint,
    cookie: string,
    stack: PortableStack,
    block: Uint8Array<ArrayBuffer>,
    onEnd: () => void,
  ) {
    this.#control = control
    this.#cookie = cookie
    this.#stack = stack
    this.#block = block
    this.#onEnd = onEnd
    control.setNoDelay(true)
    control.onReadable = () => this.#onControl()
    control.onClose = () => this.end()
    this.#wait()
    this.#say(Test.parameters)
  }

  /** A further connection of this test. */
  takes(endpoint: Endpoint, cookie: string): boolean {
    if (cookie !== this.#cookie || this.#state !== Test.createStreams || this.#streams.length >= this.#wanted)
      return false
    this.#streams.push({ endpoint, octets: 0, startedAt: 0 })
    endpoint.onReadable = null
    endpoint.onClose = null
    if (this.#streams.length === this.#wanted) this.#run()
    return true
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancel()
    for (const { endpoint } of this.#streams) {
      endpoint.onReadable = null
      endpoint.onWritable = null
      endpoint.abort()
      endpoint.close()
    }
    this.#control.finish()
    this.#control.close()
    this.#onEnd()
  }

  #wait(): void {
    this.#cancel()
    this.#cancel = this.#stack.driver.time.after(PATIENCE, () => {
      // While octets go by on the streams the control connection may be silent.
      const octets = this.#streams.reduce((sum, stream) => sum + stream.octets, 0)
      if (this.#state !== Test.running || octets === this.#seen) this.end()
      else {
        this.#seen = octets
        this.#wait()
      }
    })
  }

  #say(state: number): void {
    this.#state = state
    this.#control.send(Uint8Array.of(state))
  }

  #onControl(): void {
    this.#wait()
    while (!this.#isOver && this.#step());
    if (!this.#isOver && this.#control.isAtEnd) this.end()
  }

  /** False where more must come. */
  #step(): boolean {
    if (this.#state === Test.parameters || this.#state === Test.exchange) {
      const given = this.#readJson()
      if (given === null) return false
      if (this.#state === Test.parameters) this.#prepare(given as Parameters)
      else this.#tellResults()
      return true
    }
    const octet = new Uint8Array(1)
    if (this.#control.readInto(octet) === 0) return false
    if (this.#state === Test.running && octet[0] === Test.end) this.#stop()
    else this.end()
    return true
  }

  #readJson(): unknown {
    const control = this.#control
    if (this.#json < 0) {
      if (control.readable < 4) return null
      const bytes = new Uint8Array(4)
      control.readInto(bytes)
      this.#json = new DataView(bytes.buffer).getUint32(0)
      if (this.#json > MOST_JSON) {
        this.end()
        return null
      }
    }
    if (control.readable < this.#json) return null
    const bytes = new Uint8Array(this.#json)
    control.readInto(bytes)
    this.#json = -1
    try {
      return JSON.parse(new TextDecoder().decode(bytes))
    } catch {
      this.end()
      return null
    }
  }

  #prepare(parameters: Parameters): void {
    const { udp, parallel = 1, bidirectional } = parameters
    if (udp || bidirectional || !(parallel >= 1 && parallel <= MOST_STREAMS)) {
      this.#control.send(Uint8Array.of(FAILED, 0, 0, 0, UNIMPLEMENTED, 0, 0, 0, 0))
      this.end()
      return
    }
    this.#parameters = parameters
    this.#wanted = parallel
    this.#say(Test.createStreams)
  }

  #run(): void {
    const isReverse = this.#parameters?.reverse === true
    this.#say(Test.start)
    this.#say(Test.running)
    for (const stream of this.#streams) {
      stream.startedAt = this.#stack.driver.time.now()
      if (isReverse) this.#pour(stream)
      else this.#drink(stream)
    }
  }

  #drink(stream: Stream): void {
    const take = (_: Uint8Array, __: number, length: number) => {
      stream.octets += length
      return length
    }
    stream.endpoint.onReadable = () => stream.endpoint.look(take)
    stream.endpoint.look(take)
  }

  #pour(stream: Stream): void {
    const { endpoint } = stream
    const fill = () => {
      while (this.#state === Test.running && endpoint.room > 0 && endpoint.lend(this.#block)) stream.octets += BLOCK
    }
    endpoint.onWritable = fill
    fill()
  }

  #stop(): void {
    this.#seconds = (this.#stack.driver.time.now() - (this.#streams[0]?.startedAt ?? 0)) / 1000
    this.#say(Test.exchange)
  }

  #tellResults(): void {
    const isReverse = this.#parameters?.reverse === true
    const streams = this.#streams.map((stream, place) => {
      const { totalRetransmits, sendQueue } = stream.endpoint.info()
      return {
        // iperf3 counts 1, 3, 4, 5….
        id: place === 0 ? 1 : place + 2,
        bytes: isReverse ? stream.octets - sendQueue : stream.octets,
        retransmits: isReverse ? totalRetransmits : -1,
        jitter: 0,
        errors: 0,
        packets: 0,
        start_time: 0,
        end_time: this.#seconds,
      }
    })
    const results = {
      cpu_util_total: 0,
      cpu_util_user: 0,
      cpu_util_system: 0,
      sender_has_retransmits: isReverse ? 1 : 0,
      congestion_used: this.#streams[0]?.endpoint.info().congestionControl ?? '',
      streams,
    }
    const text = new TextEncoder().encode(JSON.stringify(results))
    const bytes = new Uint8Array(4 + text.length)
    new DataView(bytes.buffer).setUint32(0, text.length)
    bytes.set(text, 4)
    this.#control.send(bytes)
    this.#say(Test.display)
  }
}
