// Two stacks in one process that are handed each other's batches, without links and drivers between them: what TCP costs, and
// nothing beside it. Time stands in a row of an array, where moving it leaves nothing on the heap. Used by all kinds of benchmarks.
import { type BatchOptions, PacketBatch } from '../../src/core/batch.ts'
import { NO_OFFLOAD, type Offload } from '../../src/core/environment.ts'
import { type Address, type Prefix, parseAddress, parsePrefix } from '../../src/core/ip/address.ts'
import type { Interface } from '../../src/core/ip/interface.ts'
import { Stack } from '../../src/core/stack.ts'
import type { Connection } from '../../src/core/tcp/connection.ts'
import { Option } from '../../src/core/tcp/control-block.ts'
import type { Listener } from '../../src/core/tcp/opening/listener.ts'
import type { TcpSettings } from '../../src/core/tcp/settings.ts'
import { SeededRandom } from '../../src/simulate/random.ts'

export const MTU = 1_500
/** Text of a full segment: IPv4, with timestamps. */
export const SEGMENT = MTU - 40 - 12
export const SERVER = parseAddress('10.7.0.2') as Address
export const PORT = 7
/** What one exchange is taken to last, in milliseconds. */
const STEP = 0.05
const BUFFER = 4 << 20
const ROUNDS = 20

export interface Side {
  readonly stack: Stack
  readonly interface: Interface
  readonly outgoing: PacketBatch
}

export interface TwoStacksOptions {
  tcp?: Partial<TcpSettings>
  offload?: Offload
}

export class TwoStacks {
  readonly clock = new Float64Array(1)
  readonly client: Side
  readonly server: Side

  constructor({ tcp = {}, offload = NO_OFFLOAD }: TwoStacksOptions = {}) {
    this.clock[0] = 1_000
    this.client = side('10.7.0.1/8', 1, tcp, offload)
    this.server = side('10.7.0.2/8', 2, tcp, offload)
  }

  get now(): number {
    return this.clock[0]
  }

  pass(milliseconds: number): void {
    this.clock[0] += milliseconds
  }

  /** Everything goes back and forth until both sides are silent. Nobody is woken: ask the connections. */
  settle(): void {
    do {
      this.pass(STEP)
      this.#carry(this.client, this.server)
      this.#carry(this.server, this.client)
      this.client.stack.expire(this.now, true)
      this.server.stack.expire(this.now, true)
    } while (this.client.stack.hasOutput || this.server.stack.hasOutput)
    forgetReady(this.client.stack)
    forgetReady(this.server.stack)
  }

  /** A batch of `from` for somebody else to look at. */
  transmit({ stack, outgoing }: Side): PacketBatch {
    outgoing.clear()
    stack.transmit(outgoing, this.now)
    return outgoing
  }

  listen(port = PORT, backlog = 1_000): Listener<Connection> {
    const listener = this.server.stack.tcp.listen({ localAddress: SERVER, localPort: port, backlog })
    if (listener === null) throw new Error('can not listen')
    return listener
  }

  /** A connection's two ends. */
  open(listener: Listener<Connection>): [Connection, Connection] {
    const client = this.connect(listener.localPort)
    this.settle()
    const server = listener.accepted.shift()
    if (server === null) throw new Error('the connection was not accepted')
    return [client, server]
  }

  connect(remotePort = PORT): Connection {
    const { tcp } = this.client.stack
    const connection = tcp.connect({ remoteAddress: SERVER, remotePort }, this.now)
    if (connection === null) throw new Error(`can not connect: ${tcp.result}`)
    return connection
  }

  /** The connection has sent so much that neither the window nor cwnd hold back `segments` at once. */
  warmUp(from: Connection, to: Connection, segments: number): void {
    const octets = new Uint8Array(segments * SEGMENT)
    from.setOption(Option.noDelay, true, this.now)
    from.setBuffers(BUFFER, null)
    to.setBuffers(null, BUFFER)
    for (let round = 0; round < ROUNDS; round++) {
      from.lend(octets, this.now)
      this.settle()
      if (to.readable !== octets.length) throw new Error(`${to.readable} octets arrived`)
      to.consume(octets.length, this.now)
      this.settle()
    }
  }

  #carry(from: Side, to: Side): void {
    while (from.stack.hasOutput) {
      const batch = this.transmit(from)
      if (batch.count === 0) return
      batch.interface = to.interface.index
      to.stack.receive(batch, this.now)
      batch.interface = from.interface.index
    }
  }
}

function side(address: string, seed: number, tcp: Partial<TcpSettings>, offload: Offload): Side {
  const stack = new Stack({ random: new SeededRandom(seed), tcp })
  const added = stack.addInterface({ name: 'one', mtu: MTU, offload, addresses: [parsePrefix(address) as Prefix] })
  const outgoing = new PacketBatch(batchOptions(offload))
  outgoing.interface = added.index
  return { stack, interface: added, outgoing }
}

export function batchOptions({ tcp4 }: Offload): BatchOptions {
  return tcp4 ? {} : { largest: MTU }
}

function forgetReady({ ready }: Stack): void {
  while (ready.shift() !== null);
}
