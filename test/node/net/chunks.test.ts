// What a socket's 'data' brings is the user's for ever: it never changes, and giving its memory away harms nobody else's.
import { once } from 'node:events'
import { afterEach, expect, it } from 'vitest'
import { memory } from '../../../src/link/memory.ts'
import { createStack, type NodeStack } from '../../../src/node/create-stack.ts'
import type { StackSocket } from '../../../src/node/net/socket.ts'

const OCTETS = 6 << 20
const sent = Buffer.alloc(OCTETS)
for (let at = 0; at < OCTETS; at += 4) sent.writeUInt32LE(Math.imul(at, 0x9e3779b1) >>> 0, at)

const stacks: NodeStack[] = []

afterEach(() => {
  for (const stack of stacks.splice(0)) stack.close()
})

/** Chunks of what comes over a link with packets of that length; `each` sees them as they come. */
async function received(mtu: number, each: (chunk: Buffer) => void): Promise<Buffer[]> {
  const [near, far] = [await createStack(), await createStack()]
  stacks.push(near, far)
  const [left, right] = memory({ mtu })
  near.addInterface({ link: left, addresses: ['10.0.0.1/24'] })
  far.addInterface({ link: right, addresses: ['10.0.0.2/24'] })
  const server = far.net.createServer((socket: StackSocket) => socket.end(sent)).listen(9)
  await once(server, 'listening')
  const socket = near.net.connect(9, '10.0.0.2')
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    each(chunk)
  })
  await once(socket, 'close')
  server.close()
  await once(server, 'close')
  return chunks
}

it.each([1500, 40_000])('stays as it came, at an MTU of %i', async (mtu) => {
  const chunks = await received(mtu, () => {})
  expect(Buffer.concat(chunks).equals(sent)).toBe(true)
})

it('has memory of its own where packets are long', async () => {
  const chunks = await received(40_000, () => {})
  // Of the first ones it is not known yet that more such come.
  const later = chunks.slice(chunks.length >> 1)
  expect(new Set(later.map(({ buffer }) => buffer)).size).toBe(later.length)
})

it('may be transferred as it comes', async () => {
  const copies: Buffer[] = []
  await received(40_000, (chunk) => {
    copies.push(Buffer.from(chunk))
    if (chunk.length > 16_384) structuredClone(chunk, { transfer: [chunk.buffer as ArrayBuffer] })
  })
  expect(Buffer.concat(copies).equals(sent)).toBe(true)
})
