// Two hosts in virtual time with sockets of web streams, a listener, and what tests of them read and write with.
import { afterEach, beforeEach, expect } from 'vitest'
import { simulate } from '../../src/simulate/network.ts'
import type { SocketError } from '../../src/web/socket-error.ts'
import type { StreamListener } from '../../src/web/stream-listener.ts'
import type { StreamSocket, StreamSocketOptions } from '../../src/web/stream-socket.ts'
import { type StreamSockets, streamSockets } from '../../src/web/stream-sockets.ts'

export const ADDRESS = { hostname: '10.0.0.1', port: 80 }

export class TwoHosts {
  readonly network = simulate({ seed: 9 })
  readonly server: StreamSockets
  readonly client: StreamSockets
  readonly listener: StreamListener
  readonly link

  constructor() {
    const { network } = this
    const one = network.host('server', ['10.0.0.1', 'fd00::1'])
    const other = network.host('client', ['10.0.0.2', 'fd00::2'])
    this.link = network.link(one, other, { delay: 1 })
    this.server = streamSockets(one.stack)
    this.client = streamSockets(other.stack)
    this.listener = this.server.listen({ port: 80 })
  }

  async pair(options: StreamSocketOptions = {}): Promise<{ near: StreamSocket; far: StreamSocket }> {
    const near = this.client.connect(ADDRESS, options)
    const far = await this.listener.accept()
    await near.opened
    return { near, far }
  }

  later(milliseconds: number): Promise<void> {
    return new Promise((done) => this.network.after(milliseconds, done))
  }
}

/** For each test two hosts; afterwards nothing that was opened is left, neither connections nor the octets of their buffers. */
export function eachWithTwoHosts(begin: (hosts: TwoHosts) => void): void {
  let hosts: TwoHosts
  beforeEach(() => {
    hosts = new TwoHosts()
    begin(hosts)
  })
  afterEach(async () => {
    const { network, listener } = hosts
    await listener.close()
    await network.run(network.now() + 200_000)
    for (const { stack } of network.hosts) {
      expect(stack.core.tcp.connectionCount).toBe(0)
      expect(stack.core.tcp.shared.slabs.held).toBe(0)
    }
    network.close()
  })
}

export const bytes = (text: string) => new TextEncoder().encode(text)
export const pattern = (length: number) => Uint8Array.from({ length }, (_, at) => (at * 31) ^ (at >>> 9))

export async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  const reader = stream.getReader()
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    chunks.push(value as Uint8Array)
  }
  return Buffer.concat(chunks)
}

export async function writeAndClose(
  socket: StreamSocket,
  octets: Uint8Array<ArrayBuffer>,
  step = octets.length,
): Promise<void> {
  const writer = socket.writable.getWriter()
  for (let at = 0; at < octets.length; at += step) {
    await writer.ready
    writer.write(octets.subarray(at, at + step)).catch(() => {})
  }
  await writer.close()
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'fulfilled'
  } catch (error) {
    return (error as SocketError).code
  }
}
