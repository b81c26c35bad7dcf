// The arena of a batch: made when it is needed, it may begin small and grow, and its octets need not be zeroes.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { CACHE_LINE, LARGEST_PACKET, PacketBatch } from '../../src/core/batch.ts'
import { simulate } from '../../src/simulate/network.ts'

const LENGTH = 1500

function fill(batch: PacketBatch): void {
  for (let at = batch.reserve(LENGTH); at >= 0; at = batch.reserve(LENGTH)) {
    batch.bytes.fill(batch.count, at, at + LENGTH)
    batch.commit(LENGTH)
  }
}

/** The octet that each packet is full of. */
function contents(batch: PacketBatch): number[] {
  return Array.from({ length: batch.count }, (_, row) => {
    const at = batch.offset[row]
    const octets = new Set(batch.bytes.subarray(at, at + batch.length[row]))
    return octets.size === 1 ? [...octets][0] : -1
  })
}

test('an arena is made for the first packet; one that grows keeps those that stand in it where they are', () => {
  const made: number[] = []
  const allocate = (length: number) => {
    made.push(length)
    return new Uint8Array(length).fill(0xaa)
  }
  const whole = new PacketBatch({ largest: LENGTH, allocate })
  const growing = new PacketBatch({ largest: LENGTH, allocate, grows: true })
  expect([whole.isFull, growing.isFull, made]).toEqual([false, false, []])
  fill(whole)
  expect(made.splice(0)).toEqual([64 * LENGTH])
  fill(growing)
  expect(made).toEqual([8192, 32_768, 64 * LENGTH])
  const all = Array.from({ length: 64 }, (_, row) => row)
  expect([whole.isFull, contents(whole), growing.isFull, contents(growing)]).toEqual([true, all, true, all])
  expect(growing.offset).toEqual(whole.offset)
  // One that is empty takes all of another that has grown, and has room for as many later.
  const taking = new PacketBatch({ largest: LENGTH, grows: true })
  expect(taking.takeAll(growing)).toBe(true)
  expect(contents(taking)).toEqual(all)
  taking.clear()
  fill(taking)
  fill(growing)
  expect([contents(taking), contents(growing)]).toEqual([all, all])
})

test('no octet is sent that nobody has written', async () => {
  const run = async (octet: number) => {
    const allocate = (length: number) => new Uint8Array(length).fill(octet)
    const network = simulate({ seed: 3 })
    const [one, other] = [network.host('one', { allocate }), network.host('other', { allocate })]
    network.link(one, other, { delay: 5, loss: 0.05, duplicate: 0.02, mtu: 700 })
    other.stack.listen({ port: 80 }).onConnection = (endpoint) => {
      endpoint.onReadable = () => {
        for (let octets = endpoint.read(); octets !== null; octets = endpoint.read()) endpoint.send(octets)
        if (endpoint.isAtEnd) endpoint.close()
      }
    }
    for (const { address } of [other, { address: other.addresses[1] }]) {
      const endpoint = one.stack.connect({ address, port: 80 })
      endpoint.onOpen = () => {
        endpoint.send(new Uint8Array(20_001).fill(7))
        endpoint.finish()
      }
      endpoint.onReadable = () => {
        while (endpoint.read() !== null);
      }
      // Nobody listens there; this one is cut into fragments.
      one.stack.connect({ address, port: 81 })
      one.stack.openUdp({ ipv6: address.includes(':') }).send(new Uint8Array(3001).fill(9), address, 82)
    }
    await network.run(60_000)
    network.close()
    const recording = network.recording()
    return { length: recording.length, digest: createHash('sha256').update(recording).digest('hex') }
  }
  const zeroes = await run(0)
  expect(zeroes.length).toBeGreaterThan(100_000)
  expect(await run(0xa5)).toEqual(zeroes)
})

test('what follows the headers of a long packet begins with a line of the arena, and as many of the longest fit as were asked for', () => {
  const batch = new PacketBatch({ largest: LARGEST_PACKET, headroom: 10, longest: 5, grows: true })
  const lengths = [65_212, 52, 65_212, 4095, 4097, 61_111]
  const starts = lengths.map((length) => {
    const at = batch.reserve(length, 52)
    expect(batch.offset[batch.commit(length)]).toBe(at)
    return (at + 52) % CACHE_LINE
  })
  expect([starts[0], starts[2], starts[4], starts[5]]).toEqual([0, 0, 0, 0])
  // Short ones take no more than their octets.
  expect(batch.offset[1] - batch.offset[0]).toBe(65_212 + 12)
  for (let row = 1; row < batch.count; row++) {
    expect(batch.offset[row]).toBeGreaterThanOrEqual(batch.offset[row - 1] + lengths[row - 1] + 10)
    expect(batch.offset[row] % 4).toBe(0)
  }
  batch.clear()
  for (let row = 0; row < 5; row++) {
    expect(batch.isFull).toBe(false)
    expect(batch.reserve(LARGEST_PACKET, 72)).toBeGreaterThan(0)
    batch.commit(LARGEST_PACKET)
  }
  expect([batch.isFull, batch.reserve(LARGEST_PACKET, 72)]).toEqual([true, -1])
})
