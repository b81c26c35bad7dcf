// A little protocol on `node:net`, as databases and queues have theirs: a line is a question, a line comes back. Ordinary code, which the tests share.
import { once } from 'node:events'
import net from 'node:net'

/** Answers each line with itself in capitals. */
export function startLineServer(port: number, onSocket: (socket: net.Socket) => void = () => {}): net.Server {
  const server = net.createServer((socket) => {
    onSocket(socket)
    socket.on('data', (octets) => socket.write(String(octets).toUpperCase()))
    socket.on('error', () => socket.destroy())
  })
  return server.listen(port)
}

/** One question at a time, over one connection. */
export class LineClient {
  readonly socket: net.Socket

  constructor(host: string, port: number, options: Partial<net.NetConnectOpts> = {}) {
    this.socket = net.connect({ host, port, ...options } as net.NetConnectOpts)
    this.socket.on('error', () => {})
  }

  /** Rejects where no answer comes in time, and where the connection is over. */
  async ask(question: string, timeout = 10_000): Promise<string> {
    const { socket } = this
    if (socket.destroyed) throw new Error('the connection is over')
    socket.write(`${question}\n`)
    const signal = AbortSignal.timeout(timeout)
    const answer = once(socket, 'data', { signal }).then(([octets]) => String(octets).trim())
    const over = once(socket, 'close', { signal }).then(() => {
      throw new Error('the connection is over')
    })
    return Promise.race([answer, over])
  }

  close(): void {
    this.socket.end()
  }
}
