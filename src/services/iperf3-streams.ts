// The streams of an iperf3 test, over TCP and over UDP, and what is counted of each. A sender with a rate sends every millisecond what
// has become due; one without sends as fast as it is taken. A datagram begins with when it was sent and its number.
import type { PortableStack } from '../runtime/create-stack.ts'
import type { Endpoint } from '../runtime/endpoint.ts'
import type { UdpEndpoint } from '../runtime/udp-endpoint.ts'

type Time = PortableStack['driver']['time']

/** As iperf3 names them in its results. */
export interface Counted {
  readonly bytes: number
  readonly retransmits: number
  /** Seconds. */
  readonly jitter: number
  readonly errors: number
  readonly packets: number
}

export interface Stream {
  readonly isSender: boolean
  /** Octets so far, to see whether anything goes on. */
  readonly octets: number
  begin(): void
  /** What was counted up to now is left out of the results. */
  omit(): void
  /** Nothing more is sent or counted. */
  stop(): void
  counted(): Counted
  close(): void
}

const TICK = 1
/** Seconds, microseconds and the number, which may have twice 32 bits. */
const HEADER = 12
const LONG_HEADER = 16
/** Datagrams at once, so that nobody else waits for long. */
const MOST_AT_ONCE = 256
/** With a rate: so many times what a tick has due, since who catches up at once after a stall overruns the receiver's buffer. */
const CATCH_UP = 4
const LEAST_AT_ONCE = 16

/** Sends what is due by its rate. */
class Pacer {
  readonly #time: Time
  readonly #rate: number
  readonly #send: (most: number) => number
  #begun = 0
  #sent = 0
  #cancel: () => void = () => {}

  /** `rate` is in octets a millisecond; `send` returns how many octets of those that are due it could send. */
  constructor(time: Time, rate: number, send: (most: number) => number) {
    this.#time = time
    this.#rate = rate
    this.#send = send
  }

  begin(): void {
    this.#begun = this.#time.now()
    this.#tick()
  }

  stop(): void {
    this.#cancel()
  }

  #tick(): void {
    const due = this.#rate * (this.#time.now() - this.#begun + TICK) - this.#sent
    if (due > 0) this.#sent += this.#send(due)
    this.#cancel = this.#time.after(TICK, () => this.#tick())
  }
}

/** Bits a second, as they stand in the parameters; 0 for as fast as can be. */
export interface Sending {
  readonly time: Time
  readonly rate: number
  readonly block: Uint8Array<ArrayBuffer>
}

export class TcpStream implements Stream {
  readonly isSender: boolean
  octets = 0
  #omitted = 0
  #retransmitsOmitted = 0
  #isRunning = false
  readonly #endpoint: Endpoint
  readonly #block: Uint8Array<ArrayBuffer>
  readonly #pacer: Pacer | null

  constructor(endpoint: Endpoint, isSender: boolean, { time, rate, block }: Sending) {
    this.#endpoint = endpoint
    this.isSender = isSender
    this.#block = block
    this.#pacer = isSender && rate > 0 ? new Pacer(time, rate / 8000, (most) => this.#pour(most)) : null
    endpoint.onReadable = null
    endpoint.onClose = null
  }

  begin(): void {
    const endpoint = this.#endpoint
    this.#isRunning = true
    if (!this.isSender) {
      endpoint.onReadable = () => endpoint.look(this.#take)
      endpoint.look(this.#take)
    } else if (this.#pacer !== null) this.#pacer.begin()
    else {
      endpoint.onWritable = () => void this.#pour(Number.POSITIVE_INFINITY)
      this.#pour(Number.POSITIVE_INFINITY)
    }
  }

  omit(): void {
    this.#omitted = this.octets
    this.#retransmitsOmitted = this.#endpoint.info().totalRetransmits
  }

  stop(): void {
    this.#isRunning = false
    this.#pacer?.stop()
  }

  counted(): Counted {
    const { totalRetransmits, sendQueue } = this.#endpoint.info()
    const bytes = Math.max(0, this.octets - this.#omitted - (this.isSender ? sendQueue : 0))
    const retransmits = this.isSender ? totalRetransmits - this.#retransmitsOmitted : -1
    return { bytes, retransmits, jitter: 0, errors: 0, packets: 0 }
  }

  close(): void {
    this.stop()
    this.#endpoint.onReadable = null
    this.#endpoint.onWritable = null
    this.#endpoint.abort()
    this.#endpoint.close()
  }

  #take = (_: Uint8Array, __: number, length: number): number => {
    if (this.#isRunning) this.octets += length
    return length
  }

  #pour(most: number): number {
    const endpoint = this.#endpoint
    const block = this.#block
    let poured = 0
    while (this.#isRunning && poured < most && endpoint.room > 0 && endpoint.lend(block)) poured += block.length
    this.octets += poured
    return poured
  }
}

type Received = NonNullable<ReturnType<UdpEndpoint['receive']>>
/** Where its datagrams come from, and which address of ours they were sent to. */
export type Peer = Pick<Received, 'source' | 'sourcePort' | 'destination' | 'destinationPort'>

export interface Datagrams extends Sending {
  readonly length: number
  readonly hasLongNumbers: boolean
}

export class UdpStream implements Stream {
  readonly isSender: boolean
  octets = 0
  readonly #endpoint: UdpEndpoint
  readonly #peer: Peer
  readonly #settings: Datagrams
  readonly #bytes: Uint8Array<ArrayBuffer>
  readonly #view: DataView<ArrayBuffer>
  readonly #pacer: Pacer
  readonly #mostAtOnce: number
  #isRunning = false
  /** The highest number that was sent or has come. */
  #packets = 0
  #errors = 0
  #omitted = { octets: 0, packets: 0, errors: 0 }
  #transit: number | null = null
  #jitter = 0

  constructor(endpoint: UdpEndpoint, peer: Peer, isSender: boolean, settings: Datagrams) {
    this.#endpoint = endpoint
    this.#peer = peer
    this.isSender = isSender
    this.#settings = settings
    this.#bytes = settings.block.slice(0, settings.length)
    this.#view = new DataView(this.#bytes.buffer)
    const rate = settings.rate > 0 ? settings.rate / 8000 : Number.MAX_SAFE_INTEGER
    const atOnce = Math.max(LEAST_AT_ONCE, Math.ceil((rate * TICK * CATCH_UP) / settings.length))
    this.#mostAtOnce = Math.min(MOST_AT_ONCE, atOnce)
    this.#pacer = new Pacer(settings.time, rate, (most) => this.#send(most))
  }

  begin(): void {
    this.#isRunning = true
    if (this.isSender) this.#pacer.begin()
  }

  omit(): void {
    this.#omitted = { octets: this.octets, packets: this.#packets, errors: this.#errors }
  }

  stop(): void {
    this.#isRunning = false
    this.#pacer.stop()
  }

  close(): void {
    this.stop()
  }

  counted(): Counted {
    const { octets, packets, errors } = this.#omitted
    return {
      bytes: this.octets - octets,
      retransmits: -1,
      jitter: this.#jitter / 1000,
      errors: Math.max(0, this.#errors - errors),
      packets: this.#packets - packets,
    }
  }

  receive({ view, offset, length }: Received): void {
    const { hasLongNumbers, time } = this.#settings
    if (!this.#isRunning || this.isSender || length < (hasLongNumbers ? LONG_HEADER : HEADER)) return
    this.octets += length
    const number = hasLongNumbers
      ? view.getUint32(offset + 8) * 2 ** 32 + view.getUint32(offset + 12)
      : view.getUint32(offset + 8)
    if (number > this.#packets) {
      this.#errors += number - 1 - this.#packets
      this.#packets = number
    } else if (this.#errors > 0) this.#errors--
    const transit = time.now() - (view.getUint32(offset) * 1000 + view.getUint32(offset + 4) / 1000)
    // RFC 3550 §6.4.1.
    if (this.#transit !== null) this.#jitter += (Math.abs(transit - this.#transit) - this.#jitter) / 16
    this.#transit = transit
  }

  /** Octets that were taken. */
  #send(most: number): number {
    const { hasLongNumbers, time } = this.#settings
    const { length } = this.#bytes
    const view = this.#view
    let sent = 0
    for (let count = 0; sent < most && count < this.#mostAtOnce; count++) {
      const now = time.now()
      view.setUint32(0, Math.floor(now / 1000))
      view.setUint32(4, Math.floor((now % 1000) * 1000))
      const number = this.#packets + 1
      if (hasLongNumbers) view.setUint32(8, Math.floor(number / 2 ** 32))
      view.setUint32(hasLongNumbers ? 12 : 8, number >>> 0)
      if (!this.#endpoint.reply(this.#peer, { bytes: this.#bytes, view }, 0, length)) break
      this.#packets = number
      sent += length
    }
    this.octets += sent
    return sent
  }
}
