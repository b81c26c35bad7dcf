// Small things that tests of HTTP on a stack share: a body read to its end, an answer to a request, a server that listens.
import { once } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { AddressInfo, Server } from 'node:net'

export async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += chunk
  return text
}

export async function answerOf(request: ClientRequest): Promise<{ status?: number; text: string; socket: unknown }> {
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const { statusCode: status, socket } = response
  return { status, text: await textOf(response), socket }
}

/** The port that it was given. */
export async function listening(server: Server, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

export async function closed(server: Server): Promise<void> {
  const over = once(server, 'close')
  server.close()
  await over
}
