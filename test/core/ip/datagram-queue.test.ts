// Datagrams that wait: first in, first out, whole, within a limit, and no memory once they are let go.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Datagram, DatagramQueue } from '../../../src/core/ip/datagram-queue.ts'

const LIMIT = 10_000

function octets(length: number, first: number) {
  const bytes = Uint8Array.from({ length }, (_, at) => first + at)
  return { bytes, view: new DataView(bytes.buffer) }
}

function push(queue: DatagramQueue, length: number, mark: number): boolean {
  const datagram = new Datagram()
  datagram.source.set(1, 2, 3, mark)
  datagram.sourcePort = mark & 0xffff
  datagram.destination.set(5, 6, 7, ~mark)
  datagram.destinationPort = (mark + 1) & 0xffff
  datagram.trafficClass = mark & 255
  datagram.hopLimit = 255 - (mark & 255)
  datagram.interface = mark & 7
  return queue.push(datagram, octets(length + 3, mark), 3, length)
}

/** The oldest, and everything about it. */
function shift(queue: DatagramQueue) {
  const datagram = queue.peek()
  if (datagram === null) return null
  const { source, destination, sourcePort, destinationPort, trafficClass, hopLimit, offset, length } = datagram
  const bytes = [...datagram.bytes.subarray(offset, offset + length)]
  const addresses = [source, destination].map(({ word0, word1, word2, word3 }) => [word0, word1, word2, word3])
  const all = { addresses, sourcePort, destinationPort, trafficClass, hopLimit, interface: datagram.interface, bytes }
  queue.drop()
  return all
}

function expected(length: number, mark: number) {
  return {
    addresses: [
      [1, 2, 3, mark],
      [5, 6, 7, ~mark],
    ],
    sourcePort: mark & 0xffff,
    destinationPort: (mark + 1) & 0xffff,
    trafficClass: mark & 255,
    hopLimit: 255 - (mark & 255),
    interface: mark & 7,
    bytes: [...octets(length + 3, mark).bytes.subarray(3)],
  }
}

describe('a queue of datagrams', () => {
  it('gives back what was put in, in order, whatever comes and goes', () => {
    const command = fc.oneof(fc.nat(3000), fc.constant(-1))
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const queue = new DatagramQueue(LIMIT)
        const model: [length: number, mark: number][] = []
        for (const [mark, length] of commands.entries()) {
          const held = model.reduce((sum, [one]) => sum + one + 64, 0)
          if (length < 0) {
            const next = model.shift()
            expect(shift(queue)).toEqual(next === undefined ? null : expected(...next))
          } else {
            const fits = model.length === 0 || held + length + 64 <= LIMIT
            expect(push(queue, length, mark)).toBe(fits)
            if (fits) model.push([length, mark])
          }
          expect([queue.count, queue.octets]).toEqual([model.length, model.reduce((sum, [one]) => sum + one, 0)])
        }
        for (const one of model) expect(shift(queue)).toEqual(expected(...one))
        expect(queue.peek()).toBeNull()
      }),
      { numRuns: 60 },
    )
  })

  it('takes one of any length where nothing waits', () => {
    const queue = new DatagramQueue(100)
    expect([push(queue, 5000, 1), push(queue, 0, 2)]).toEqual([true, false])
    expect(shift(queue)).toEqual(expected(5000, 1))
  })

  it('fills what memory it has to the last octet before it takes more', () => {
    const queue = new DatagramQueue(LIMIT)
    for (const mark of [1, 2]) push(queue, 1024, mark)
    expect(queue.arena?.bytes.length).toBe(2048)
    expect([shift(queue), shift(queue)]).toEqual([expected(1024, 1), expected(1024, 2)])
  })

  it('holds no memory before anything came, and after it was cleared', () => {
    const queue = new DatagramQueue(LIMIT)
    expect(queue.arena).toBeNull()
    push(queue, 1000, 1)
    expect(queue.arena).not.toBeNull()
    queue.clear()
    expect([queue.arena, queue.count, queue.octets, queue.peek()]).toEqual([null, 0, 0, null])
    expect(push(queue, 10, 2)).toBe(true)
    expect(shift(queue)).toEqual(expected(10, 2))
  })
})
