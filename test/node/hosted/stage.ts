// What a conversation is played on, and what its sides have in common.
import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'
import type { Certificate } from '../../support/certificate.ts'

export interface Stage {
  /** Where the server is. */
  readonly host: string
  readonly pem: Certificate
  log(...words: unknown[]): void
  onServer<Result>(work: () => Result): Result
  onClient<Result>(work: () => Result): Result
}

export type Conversation = (stage: Stage) => Promise<void>

export async function listen(server: net.Server): Promise<number> {
  server.listen(0)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

export function watch({ log }: Stage, name: string, socket: Socket): Promise<void> {
  for (const event of ['connect', 'ready', 'end', 'timeout', 'finish']) socket.on(event, () => log(name, event))
  socket.on('error', (error: NodeJS.ErrnoException) => log(name, 'error', error.code, error.syscall))
  return new Promise((resolve) => {
    socket.on('close', (hadError) => {
      log(name, 'close', hadError)
      resolve()
    })
  })
}

/** A server that logs its first connection, and what the caller does with it. */
export async function serve(stage: Stage, options: net.ServerOpts, talk: (socket: Socket) => void) {
  const server = net.createServer(options, (socket) => {
    stage.log('server', 'connection')
    closed = watch(stage, 'server', socket)
    talk(socket)
  })
  let closed = Promise.resolve()
  const port = await listen(server)
  return { port, server, closed: () => closed }
}

export async function close(server: net.Server): Promise<void> {
  server.close()
  await once(server, 'close')
}
