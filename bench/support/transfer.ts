// A whole transfer: two stacks with their drivers, over the memory link, in virtual time: nothing is waited for, so that what
// is measured is work. The sender writes whenever there is room, the receiver looks at the octets where they lie.
import { NO_OFFLOAD, type Offload } from '../../src/core/environment.ts'
import { Count } from '../../src/core/observer.ts'
import { memory } from '../../src/link/memory.ts'
import { createStack, type PortableStack } from '../../src/runtime/create-stack.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import { VirtualClock } from '../../src/simulate/clock.ts'
import { SeededRandom } from '../../src/simulate/random.ts'

const CHUNK = 65_536
const PORT = 7
/** What memory carries as it is: super-segments and partial checksums. */
export const WHOLE: Offload = { checksum: true, tcp4: true, tcp6: true, udp: false }

export class Transfer {
  readonly #clock = new VirtualClock()
  readonly sender: PortableStack
  readonly #receiver: PortableStack
  readonly #chunk = new Uint8Array(CHUNK).fill(1)
  readonly from: Endpoint
  #left = 0
  #received = 0

  constructor(offload: Offload = NO_OFFLOAD) {
    const [one, other] = memory({ offload })
    this.sender = this.#stack(1)
    this.#receiver = this.#stack(2)
    this.sender.addInterface({ link: one, addresses: ['10.7.0.1/24'] })
    this.#receiver.addInterface({ link: other, addresses: ['10.7.0.2/24'] })
    this.#receiver.listen({ port: PORT }).onConnection = (endpoint) => this.#receive(endpoint)
    this.from = this.sender.connect({ address: '10.7.0.2', port: PORT })
    this.from.onWritable = () => this.#write()
    this.#clock.advance(this.#clock.now() + 1_000)
  }

  /** Segments that the receiver got, with and without text. */
  get segments(): number {
    return this.#receiver.core.observer.counters.get(Count.tcpReceived)
  }

  get retransmitted(): number {
    return this.sender.core.observer.counters.get(Count.tcpRetransmitted)
  }

  /** Sends so many octets and waits for the last to arrive. */
  run(octets: number): void {
    this.#left = octets
    this.#received = 0
    this.#write()
    while (this.#received < octets && this.#clock.step());
    if (this.#received !== octets) throw new Error(`${this.#received} of ${octets} octets arrived`)
  }

  #stack(seed: number): PortableStack {
    const clock = this.#clock
    const random = new SeededRandom(seed)
    return createStack({ environment: { clock, random, alarm: (callback) => clock.alarm(callback) } })
  }

  #write(): void {
    while (this.#left > 0) {
      const asked = Math.min(this.#left, CHUNK)
      const taken = this.from.send(this.#chunk, 0, asked)
      this.#left -= taken
      if (taken < asked) return
    }
  }

  #receive(endpoint: Endpoint): void {
    endpoint.onReadable = () => endpoint.look((_octets, _start, length) => this.#take(length))
  }

  #take(length: number): number {
    this.#received += length
    return length
  }
}
