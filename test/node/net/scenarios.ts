// What happens between a client and a server, told as a log: the same programs on the kernel's sockets and on a stack's must tell the same.
// Only what a program may rely on is logged: the order between the two ends is the network's, so each end has a log of its own.
import { once } from 'node:events'
import type * as node from 'node:net'

export type NetModule = typeof node
export type Log = (...words: unknown[]) => void

export interface Scenario {
  run(net: NetModule, client: Log, server: Log): Promise<void>
}

type SocketEvent = 'connect' | 'ready' | 'end' | 'finish' | 'timeout' | 'close' | 'error' | 'drain'

/** Logs what happens to a socket, data as text. */
export function watch(
  socket: node.Socket,
  log: Log,
  events: SocketEvent[] = ['connect', 'ready', 'end', 'finish', 'error', 'close'],
): void {
  for (const event of events) {
    socket.on(event, (value?: unknown) => log(event, value instanceof Error ? shapeOf(value) : (value ?? '')))
  }
}

/** What of an error a program may ask for; ports differ from run to run. */
export function shapeOf(error: Error): Record<string, unknown> {
  const { code, errno, syscall, address, port, message } = error as NodeJS.ErrnoException & {
    address?: string
    port?: number
  }
  return { code, errno, syscall, address, hasPort: port !== undefined, message: withoutPorts(message) }
}

export function withoutPorts(text: string): string {
  return text.replace(/\d{4,5}\b/g, 'PORT')
}

export async function listening(server: node.Server, ...args: unknown[]): Promise<number> {
  Reflect.apply(server.listen, server, args.length === 0 ? [0, '127.0.0.1'] : args)
  await once(server, 'listening')
  return (server.address() as node.AddressInfo).port
}

/** Runs a client against a server until both are closed; the callbacks say what each does. */
export async function meet(
  net: NetModule,
  onClient: (socket: node.Socket) => void,
  onServer: (socket: node.Socket) => void,
  options: { client?: object; server?: node.ServerOpts } = {},
): Promise<void> {
  const server = net.createServer(options.server ?? {})
  const closed: Promise<unknown>[] = []
  const accepted = new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      closed.push(new Promise((done) => socket.once('close', done)))
      onServer(socket)
      resolve()
    })
  })
  const port = await listening(server)
  const client = net.connect({ port, host: '127.0.0.1', ...options.client })
  closed.push(new Promise((done) => client.once('close', done)))
  onClient(client)
  await accepted
  await Promise.all(closed)
  server.close()
  await once(server, 'close')
}
