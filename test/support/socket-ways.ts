// Pairs of connected sockets of one stack, and the eight ways in which a connection is brought to its end. For tests and claims of what is
// left afterwards.
import { once } from 'node:events'
import type { NodeStack } from '../../src/node/create-stack.ts'
import type { StackServer } from '../../src/node/net/server.ts'
import type { StackSocket } from '../../src/node/net/socket.ts'

/** How one connection is brought to its end; both ends are watched until they are closed. */
export const WAYS: Record<string, (client: StackSocket, accepted: StackSocket, control: AbortController) => void> = {
  end: (client) => client.end(),
  destroy: (client) => client.destroy(),
  reset: (client) => client.resetAndDestroy(),
  timeout: (client) => client.setTimeout(5, () => client.destroy()),
  'abort signal': (_client, _accepted, control) => control.abort(),
  'peer end': (_client, accepted) => accepted.end(),
  'peer reset': (_client, accepted) => accepted.resetAndDestroy(),
  'server close': (client, accepted) => {
    ;(accepted.server as StackServer).close()
    client.end('the last')
  },
}

/** Both ends of a connection over which something was sent each way. */
interface Pair {
  client: StackSocket
  accepted: StackSocket
  control: AbortController
}

export class SocketPairs {
  readonly #stack: NodeStack
  /** Accepted ones by the peer's port, and who asks for one that is not accepted yet. */
  readonly #sockets = new Map<number, StackSocket>()
  readonly #askers = new Map<number, (socket: StackSocket) => void>()

  constructor(stack: NodeStack) {
    this.#stack = stack
  }

  /** Accepted sockets that are not closed. */
  get open(): number {
    return this.#sockets.size
  }

  /** A server, so many connections to it at once, and their end in that way; the server is closed too. */
  async round(way: string, count: number): Promise<void> {
    const server = this.#stack.net.createServer((socket) => {
      socket.on('error', () => {})
      this.#onConnection(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const pairs = await Promise.all(Array.from({ length: count }, () => this.#connect(port)))
    await Promise.all(pairs.map((pair) => end(pair, way)))
    if (server.listening) server.close()
  }

  async #connect(port: number): Promise<Pair> {
    const control = new AbortController()
    const client = this.#stack.net.connect({ port, host: '127.0.0.1', signal: control.signal })
    client.on('error', () => {})
    await once(client, 'connect')
    const accepted = await this.#acceptedFrom(client.localPort as number)
    accepted.write('hello')
    client.write(Buffer.alloc(20_000))
    await once(client, 'data')
    client.resume()
    accepted.resume()
    return { client, accepted, control }
  }

  #onConnection(socket: StackSocket): void {
    const port = socket.remotePort as number
    this.#sockets.set(port, socket)
    socket.once('close', () => this.#sockets.delete(port))
    this.#askers.get(port)?.(socket)
    this.#askers.delete(port)
  }

  #acceptedFrom(port: number): Promise<StackSocket> {
    return new Promise((done) => {
      const socket = this.#sockets.get(port)
      if (socket === undefined) this.#askers.set(port, done)
      else done(socket)
    })
  }
}

async function end({ client, accepted, control }: Pair, way: string): Promise<void> {
  const areClosed = Promise.all([closed(client), closed(accepted)])
  WAYS[way](client, accepted, control)
  await areClosed
}

function closed(socket: StackSocket): Promise<unknown> {
  return socket.closed ? Promise.resolve() : new Promise((done) => socket.once('close', done))
}

/** What a stack holds for its connections. */
export function held({ core }: NodeStack): Record<string, number> {
  const { tcp, deadlines } = core
  const { slabs, timers } = tcp.shared
  return {
    connections: tcp.connectionCount,
    requests: tcp.requestCount,
    timeWait: tcp.timeWaitCount,
    buffers: slabs.held,
    timers: timers.count,
    deadlines: deadlines.count,
  }
}
