// One test of iperf3, from the parameters to the results. The control connection carries states of one octet, and JSON with its length;
// each further connection begins with the test's cookie, and each stream of UDP with a word to which another is the answer.
import type { PortableStack } from '../runtime/create-stack.ts'
import type { Endpoint } from '../runtime/endpoint.ts'
import type { UdpEndpoint } from '../runtime/udp-endpoint.ts'
import { type Datagrams, type Peer, type Stream, TcpStream, UdpStream } from './iperf3-streams.ts'

const MOST_JSON = 65_536
export const MOST_STREAMS = 128
const LARGEST_DATAGRAM = 65_507
const LEAST_DATAGRAM = 16
/** How long a client may be silent before the test is given up. */
export const PATIENCE = 30_000

const Test = {
  start: 1,
  running: 2,
  end: 4,
  parameters: 9,
  createStreams: 10,
  exchange: 13,
  display: 14,
} as const
const FAILED = 0xfe
/** Of iperf3's own errors: a parameter that does not fit, a stream that can't be made. */
const BAD_PARAMETER = 15
const NO_LISTENER = 114

/** What a stream of UDP begins with, and its answer: as they are, in the other order of octets, and of older clients. */
const GREETINGS: readonly (readonly [number, number])[] = [
  [0x39383736, 0x36373839],
  [0x36373839, 0x39383736],
  [0x15cd5b07, 0xb168de3a],
  [0x075bcd15, 0x3ade68b1],
]

function answerTo(greeting: number): number | undefined {
  return GREETINGS.find(([one]) => one === greeting)?.[1]
}

interface Parameters {
  readonly udp?: boolean
  readonly parallel?: number
  readonly reverse?: boolean
  readonly bidirectional?: boolean
  /** Seconds that are left out at the beginning. */
  readonly omit?: number
  /** Octets of a datagram. */
  readonly len?: number
  /** Bits a second of each stream. */
  readonly bandwidth?: number
  readonly udp_counters_64bit?: number
  readonly congestion?: string
}

export interface TestHost {
  readonly stack: PortableStack
  /** What is sent: nobody changes it. */
  readonly block: Uint8Array<ArrayBuffer>
  readonly port: number
  ended(): void
}

export class Iperf3Test {
  readonly #control: Endpoint
  readonly #cookie: string
  readonly #host: TestHost
  readonly #streams: Stream[] = []
  /** All of one client, so that a port says which. */
  readonly #byPort = new Map<number, UdpStream>()
  #udp: UdpEndpoint | null = null
  #parameters: Parameters = {}
  #state: number = Test.parameters
  #wanted = 0
  #json = -1
  #cancel: () => void = () => {}
  #cancelOmission: () => void = () => {}
  #isOver = false
  #startedAt = 0
  #seconds = 0
  #seen = -1

  constructor(control: Endpoint, cookie: string, host: TestHost) {
    this.#control = control
    this.#cookie = cookie
    this.#host = host
    control.setNoDelay(true)
    control.onReadable = () => this.#onControl()
    control.onClose = () => this.end()
    this.#wait()
    this.#say(Test.parameters)
  }

  /** A further connection of this test. */
  takes(endpoint: Endpoint, cookie: string): boolean {
    if (cookie !== this.#cookie || this.#udp !== null || !this.#lacksStreams) return false
    const { congestion } = this.#parameters
    if (congestion !== undefined && ['reno', 'cubic', 'bbr'].includes(congestion)) {
      endpoint.setCongestionControl(congestion)
    }
    this.#add(new TcpStream(endpoint, this.#isNextSender, this.#sending))
    return true
  }

  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancel()
    this.#cancelOmission()
    for (const stream of this.#streams) stream.close()
    this.#udp?.close()
    this.#control.finish()
    this.#control.close()
    this.#host.ended()
  }

  get #lacksStreams(): boolean {
    return this.#state === Test.createStreams && this.#streams.length < this.#wanted
  }

  /** Where both send, the client's streams come first. */
  get #isNextSender(): boolean {
    const { bidirectional, reverse } = this.#parameters
    return bidirectional ? this.#streams.length >= this.#wanted / 2 : reverse === true
  }

  get #sending(): Datagrams {
    const { bandwidth = 0, len = 0, udp_counters_64bit } = this.#parameters
    const { stack, block } = this.#host
    return { time: stack.driver.time, rate: bandwidth, block, length: len, hasLongNumbers: Boolean(udp_counters_64bit) }
  }

  #add(stream: Stream): void {
    this.#streams.push(stream)
    if (this.#streams.length === this.#wanted) this.#run()
  }

  #wait(): void {
    this.#cancel()
    this.#cancel = this.#host.stack.driver.time.after(PATIENCE, () => {
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

  #fail(error: number): void {
    this.#control.send(Uint8Array.of(FAILED, 0, 0, 0, error, 0, 0, 0, 0))
    this.end()
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
    const { udp, parallel = 1, bidirectional, len = 0 } = parameters
    const isFit = parallel >= 1 && parallel <= MOST_STREAMS
    if (!isFit || (udp && !(len >= LEAST_DATAGRAM && len <= LARGEST_DATAGRAM))) {
      this.#fail(BAD_PARAMETER)
      return
    }
    this.#parameters = parameters
    this.#wanted = bidirectional ? parallel * 2 : parallel
    if (udp && !this.#listen()) this.#fail(NO_LISTENER)
    else this.#say(Test.createStreams)
  }

  #listen(): boolean {
    const { stack, port } = this.#host
    const endpoint = stack.openUdp({ ipv6: true })
    try {
      endpoint.bind(port)
    } catch {
      endpoint.close()
      return false
    }
    this.#udp = endpoint
    endpoint.onReadable = () => this.#onDatagrams(endpoint)
    return true
  }

  #onDatagrams(endpoint: UdpEndpoint): void {
    for (let one = endpoint.receive(); one !== null && !this.#isOver; one = endpoint.receive()) {
      const stream = this.#byPort.get(one.sourcePort)
      if (!one.source.equals(this.#control.remoteAddress)) continue
      const answer = one.length === 4 ? answerTo(one.view.getUint32(one.offset)) : undefined
      if (answer === undefined) {
        if (this.#state === Test.running) stream?.receive(one)
      } else if (stream !== undefined || this.#lacksStreams) this.#greet(endpoint, one, answer)
    }
  }

  /** A client whose answer was lost asks again. */
  #greet(endpoint: UdpEndpoint, given: Peer, answer: number): void {
    const peer = {
      source: given.source.copy(),
      sourcePort: given.sourcePort,
      destination: given.destination.copy(),
      destinationPort: given.destinationPort,
    }
    const bytes = new Uint8Array(4)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, answer)
    endpoint.reply(peer, { bytes, view }, 0, 4)
    if (this.#byPort.has(given.sourcePort)) return
    const stream = new UdpStream(endpoint, peer, this.#isNextSender, this.#sending)
    this.#byPort.set(given.sourcePort, stream)
    this.#add(stream)
  }

  #run(): void {
    const { time } = this.#host.stack.driver
    this.#say(Test.start)
    this.#say(Test.running)
    this.#startedAt = time.now()
    for (const stream of this.#streams) stream.begin()
    const { omit = 0 } = this.#parameters
    if (omit > 0) this.#cancelOmission = time.after(omit * 1000, () => this.#omit(time.now()))
  }

  #omit(now: number): void {
    this.#startedAt = now
    for (const stream of this.#streams) stream.omit()
  }

  #stop(): void {
    this.#cancelOmission()
    this.#seconds = (this.#host.stack.driver.time.now() - this.#startedAt) / 1000
    for (const stream of this.#streams) stream.stop()
    this.#say(Test.exchange)
  }

  #tellResults(): void {
    const streams = this.#streams.map((stream, place) => ({
      // iperf3 counts 1, 3, 4, 5….
      id: place === 0 ? 1 : place + 2,
      ...stream.counted(),
      start_time: 0,
      end_time: this.#seconds,
    }))
    const hasSenders = this.#streams.some(({ isSender }) => isSender)
    const results = {
      cpu_util_total: 0,
      cpu_util_user: 0,
      cpu_util_system: 0,
      sender_has_retransmits: !hasSenders ? -1 : this.#udp === null ? 1 : 0,
      congestion_used: this.#control.info().congestionControl,
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
