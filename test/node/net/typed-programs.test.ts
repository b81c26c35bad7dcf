// Programs that are typed for Node's sockets take a stack's as they are: what does not compile here fails the check, not the run.
import type * as kernel from 'node:net'
import { expect, it } from 'vitest'
import { createStack } from '../../../src/node/create-stack.ts'

function portOf(server: kernel.Server): number {
  return (server.address() as kernel.AddressInfo).port
}

function answer(socket: kernel.Socket): kernel.Socket {
  return socket.setNoDelay().setKeepAlive(true, 1000).setTimeout(1000).end('typed')
}

it('takes sockets and servers of a stack where Node’s are asked for', async () => {
  const stack = await createStack()
  const { net } = stack
  const server = net.createServer((socket) => answer(socket))
  await new Promise<void>((done) => server.listen({ port: 0, host: '127.0.0.1' }, done))
  const socket: kernel.Socket = net.connect({ port: portOf(server), host: '127.0.0.1', noDelay: true })
  let text = ''
  for await (const part of socket) text += part
  expect(text).toBe('typed')
  server.close()
  stack.close()
})
