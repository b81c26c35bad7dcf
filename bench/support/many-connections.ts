// Two stacks over the memory link with as many connections between them as wanted, opened some hundred at a time in virtual time.
import type { TcpSettings } from '../../src/core/tcp/settings.ts'
import { memory } from '../../src/link/memory.ts'
import { createStack, type PortableStack } from '../../src/runtime/create-stack.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import { VirtualClock } from '../../src/simulate/clock.ts'
import { SeededRandom } from '../../src/simulate/random.ts'

/** Connections that open at once. */
export const AT_ONCE = 400
/** An address has 28,232 ephemeral ports for each port of a server's. */
const CONNECTIONS_A_PORT = 25_000
const FIRST_PORT = 1_000
const TEXT = 100
/** What is in flight for that long has arrived, and every ACK has been sent. */
const PAUSE = 100

export class ManyConnections {
  readonly client: PortableStack
  readonly server: PortableStack
  readonly clients: Endpoint[] = []
  readonly servers: Endpoint[] = []
  readonly #clock = new VirtualClock()
  #opened = 0
  #port = FIRST_PORT

  constructor(tcp: Partial<TcpSettings> = {}) {
    this.client = this.#stack(1, tcp)
    this.server = this.#stack(2, tcp)
    const [one, other] = memory({ queue: 4 * AT_ONCE })
    this.client.addInterface({ link: one, addresses: ['10.7.0.1/24'] })
    this.server.addInterface({ link: other, addresses: ['10.7.0.2/24'] })
  }

  /** Opens so many more, each of which carries some text both ways and then lies idle. */
  open(count: number): void {
    for (let done = 0; done < count; done += AT_ONCE) {
      const from = this.clients.length
      for (let number = 0; number < Math.min(AT_ONCE, count - done); number++) this.#connect()
      this.pass(PAUSE)
      const fresh = [...this.clients.slice(from), ...this.servers.slice(from)]
      for (const end of fresh) end.send(new Uint8Array(TEXT))
      this.pass(PAUSE)
      for (const end of fresh) if (end.read()?.length !== TEXT) throw new Error('text did not arrive')
      this.pass(PAUSE)
    }
    const { length } = this.clients
    if (this.servers.length !== length) throw new Error(`${this.servers.length} of ${length} were accepted`)
  }

  /** Closes all, the clients first: theirs are the records of TIME-WAIT. */
  close(): void {
    for (const end of this.clients) end.close()
    this.pass(1)
    for (const end of this.servers) end.close()
    this.pass(1)
    this.clients.length = 0
    this.servers.length = 0
  }

  pass(milliseconds: number): void {
    this.#clock.advance(this.#clock.now() + milliseconds)
  }

  #connect(): void {
    if (this.#opened++ % CONNECTIONS_A_PORT === 0) {
      this.server.listen({ port: ++this.#port, backlog: 2 * AT_ONCE }).onConnection = (end) => this.servers.push(end)
    }
    this.clients.push(this.client.connect({ address: '10.7.0.2', port: this.#port }))
  }

  #stack(seed: number, tcp: Partial<TcpSettings>): PortableStack {
    const clock = this.#clock
    const random = new SeededRandom(seed)
    return createStack({ tcp, environment: { clock, random, alarm: (callback) => clock.alarm(callback) } })
  }
}
