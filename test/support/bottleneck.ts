// A sender, a receiver and one bottleneck between them, in virtual time: packets leave one after the other, wait in a queue, and each may be
// dropped or marked by whoever asks. Both ends are whole stacks. What the sender's window does is noted each millisecond.
import type { Connection } from '../../src/core/tcp/connection.ts'
import type { TcpSettings } from '../../src/core/tcp/settings.ts'
import { type PacketsLink, packets } from '../../src/link/packets.ts'
import { createStack, type PortableStack } from '../../src/runtime/create-stack.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import { VirtualClock } from '../../src/simulate/clock.ts'
import { seeded } from './seeded.ts'

export interface BottleneckOptions {
  /** Mbit/s. */
  rate: number
  /** Milliseconds there and back without a queue. */
  roundTrip: number
  /** Packets that may wait; as many as come unless said otherwise. */
  queue?: number
  seed?: number
  tcp?: Partial<TcpSettings>
}

/** What becomes of a packet with text. */
export type Fate = 'pass' | 'drop' | 'mark'

export interface Sample {
  /** Milliseconds since the connection was established. */
  time: number
  /** Octets, as all that follows. */
  cwnd: number
  ssthresh: number
  inFlight: number
  queued: number
  /** Microseconds. */
  srtt: number
}

/** Longer than any packet without text. */
const LONGEST_BARE = 120
const CHUNK = new Uint8Array(65_536)

export class Bottleneck {
  readonly clock = new VirtualClock()
  readonly samples: Sample[] = []
  /** Asked for every packet with text: its number among them, and the time since the connection was established. */
  fate: (number: number, time: number) => Fate = () => 'pass'
  /** Called with every sample. */
  onSample: (connection: Connection) => void = () => {}
  dropped = 0
  marked = 0
  delivered = 0
  readonly sender: PortableStack
  readonly #endpoint: Endpoint
  readonly #options: BottleneckOptions
  readonly #links: [PacketsLink, PacketsLink]
  /** Octets in a millisecond. */
  readonly #rate: number
  #established = 0
  #busyUntil = 0
  #count = 0
  /** The application's octets that are left to write. */
  #wanted = Number.POSITIVE_INFINITY

  constructor(options: BottleneckOptions) {
    this.#options = options
    this.#rate = options.rate * 125
    const half = options.roundTrip / 2
    const forward = packets({ send: (packet) => this.#carry(packet), queue: 10_000 })
    const backward = packets({
      send: (packet) => this.clock.after(half, () => forward.deliver(packet)),
      queue: 10_000,
    })
    this.#links = [forward, backward]
    const stacks = [forward, backward].map((link, at) => {
      const random = seeded(`${options.seed ?? 1} ${at}`)
      const environment = { clock: this.clock, random, alarm: (callback: () => void) => this.clock.alarm(callback) }
      const stack = createStack({
        environment,
        tcp: { sendBufferMost: 1 << 24, receiveBufferMost: 1 << 24, ...options.tcp },
      })
      stack.addInterface({ link, addresses: [`10.0.0.${at + 1}/24`] })
      return stack
    })
    this.sender = stacks[0]
    stacks[1].listen({ port: 80 }).onConnection = (endpoint) => {
      endpoint.onReadable = () =>
        endpoint.look((_bytes, _start, length) => {
          this.delivered += length
          return length
        })
    }
    this.#endpoint = stacks[0].connect({ address: '10.0.0.2', port: 80 })
    this.#endpoint.onOpen = () => {
      this.#established = this.clock.now()
      this.#write()
      this.#sample()
    }
    this.#endpoint.onWritable = () => this.#write()
  }

  get connection(): Connection {
    return this.#endpoint.connection
  }

  get mss(): number {
    return this.connection.mss
  }

  /** Since the connection was established. */
  get time(): number {
    return this.clock.now() - this.#established
  }

  /** Octets that the path holds without a queue. */
  get pipe(): number {
    return this.#rate * this.#options.roundTrip
  }

  /** The application writes so many octets more, and then nothing. */
  write(octets: number): void {
    this.#wanted = octets
    this.#write()
  }

  /** Until so many milliseconds after the connection was established. */
  run(until: number): this {
    while (this.#established === 0 && this.clock.step());
    this.clock.advance(this.#established + until)
    return this
  }

  close(): void {
    this.sender.close()
  }

  #write(): void {
    while (this.#wanted > 0) {
      const taken = this.#endpoint.send(CHUNK, 0, Math.min(this.#wanted, CHUNK.length))
      this.#wanted -= taken
      if (taken === 0) return
    }
  }

  #sample(): void {
    const { connection, time } = this
    const { congestion, flight, rtt } = connection
    if (congestion === null) return
    const queued = Math.max(0, this.#busyUntil - this.clock.now()) * this.#rate
    const { cwnd, ssthresh } = congestion
    this.onSample(connection)
    this.samples.push({ time, cwnd, ssthresh, inFlight: flight.pipe, queued, srtt: rtt.srtt })
    this.clock.after(1, () => this.#sample())
  }

  #carry(packet: Uint8Array): void {
    const now = this.clock.now()
    const { queue = Number.POSITIVE_INFINITY, roundTrip } = this.#options
    const waiting = (Math.max(0, this.#busyUntil - now) * this.#rate) / packet.length
    const fate = packet.length > LONGEST_BARE ? this.fate(this.#count++, this.time) : 'pass'
    if (fate === 'drop' || waiting > queue) {
      this.dropped++
      return
    }
    if (fate === 'mark' && mark(packet)) this.marked++
    this.#busyUntil = Math.max(this.#busyUntil, now) + packet.length / this.#rate
    this.clock.after(this.#busyUntil - now + roundTrip / 2, () => this.#links[1].deliver(packet))
  }
}

/** RFC 3168 §5: the path is congested. Says whether the packet allows it. */
function mark(packet: Uint8Array): boolean {
  const before = packet[1] & 3
  if (before === 0 || before === 3) return false
  packet[1] |= 3
  // RFC 1624 eqn. 3.
  let sum = (~((packet[10] << 8) | packet[11]) & 0xffff) + 3 - before
  sum = (sum & 0xffff) + (sum >>> 16)
  packet[10] = (~sum >>> 8) & 255
  packet[11] = ~sum & 255
  return true
}
