// The send buffer: any octets in it can be read at any time until they are acknowledged, copied or lent.
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { SendBuffer } from '../../../../src/core/tcp/sender/send-buffer.ts'
import { LARGE_SLAB, SlabPool, SMALL_SLAB } from '../../../../src/core/tcp/slabs.ts'
import { TcpBench } from '../../../support/tcp-bench.ts'

const octetAt = (position: number) => (Math.imul(position, 0x9e3779b1) >>> 13) & 0xff
const stream = (from: number, length: number) => Uint8Array.from({ length }, (_, at) => octetAt(from + at))

function arena(length: number) {
  const bytes = new Uint8Array(length)
  return { bytes, view: new DataView(bytes.buffer) }
}

test('who has filled the room exactly is told of room again', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.open()
  bench.woken.length = 0
  expect(bench.write(connection, connection.room)).toBeGreaterThan(0)
  expect(connection.room).toBe(0)
  for (let round = 0; round < 8; round++) {
    peer.heard()
    peer.send('.')
  }
  expect(bench.woken).toContain('writable')
})

describe('the send buffer', () => {
  it('takes what there is room for, and no more', () => {
    const buffer = new SendBuffer(new SlabPool(), 1000)
    expect(buffer.write(stream(0, 700), 0, 700)).toBe(700)
    expect([buffer.length, buffer.room]).toEqual([700, 300])
    expect(buffer.write(stream(700, 700), 0, 700)).toBe(300)
    expect([buffer.length, buffer.room]).toEqual([1000, 0])
    buffer.limit = 500
    expect([buffer.write(stream(0, 1), 0, 1), buffer.room]).toEqual([0, 0])
    buffer.release(600)
    expect([buffer.length, buffer.room]).toEqual([400, 100])
  })

  it('holds no memory when it is empty, and a small slab for little', () => {
    const pool = new SlabPool()
    const buffer = new SendBuffer(pool, 100_000)
    expect(buffer.held).toBe(0)
    buffer.write(stream(0, 100), 0, 100)
    expect([buffer.held, pool.held]).toEqual([SMALL_SLAB, SMALL_SLAB])
    buffer.release(100)
    expect([buffer.held, pool.held]).toEqual([0, 0])
    buffer.write(stream(0, 90_000), 0, 90_000)
    buffer.clear()
    expect([buffer.length, buffer.held, pool.held]).toEqual([0, 0, 0])
  })

  it('fills a slab to its last octet before it takes another', () => {
    const pool = new SlabPool()
    const buffer = new SendBuffer(pool, 100_000)
    buffer.write(stream(0, SMALL_SLAB - 1), 0, SMALL_SLAB - 1)
    buffer.write(stream(0, 1), 0, 1)
    expect([buffer.held, pool.held]).toEqual([SMALL_SLAB, SMALL_SLAB])
    buffer.write(stream(0, 1), 0, 1)
    expect(buffer.held).toBe(SMALL_SLAB + LARGE_SLAB)
  })

  it('reads lent octets where they lie, whatever the room', () => {
    const pool = new SlabPool()
    const buffer = new SendBuffer(pool, 1000)
    buffer.write(stream(0, 10), 0, 10)
    const lent = stream(10, 5000)
    buffer.lend(lent)
    expect([buffer.length, buffer.room]).toEqual([5010, 0])
    lent[0] ^= 0xff
    const to = arena(20)
    buffer.read(5, to, 0, 20)
    expect(to.bytes[5]).toBe(octetAt(10) ^ 0xff)
    buffer.release(5010)
    expect(pool.held).toBe(0)
    buffer.lend(new Uint8Array(0))
    expect(buffer.length).toBe(0)
  })

  it('is never asked for what is not in it', () => {
    const buffer = new SendBuffer(new SlabPool(), 1000)
    buffer.write(stream(0, 10), 0, 10)
    expect(() => buffer.read(5, arena(10), 0, 6)).toThrow(RangeError)
  })

  it('reads what was written, wherever, until it is released', () => {
    const command = fc.record({
      kind: fc.constantFrom('write', 'write', 'lend', 'read', 'read', 'release'),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 100_000 })),
    })
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const pool = new SlabPool()
        const buffer = new SendBuffer(pool, 300_000)
        const to = arena(100_008)
        let una = 0
        let end = 0
        for (const { kind, at, length } of commands) {
          if (kind === 'write') {
            end += buffer.write(stream(end - 3, length + 3), 3, length + 3)
          } else if (kind === 'lend') {
            buffer.lend(stream(end, length))
            end += length
          } else if (kind === 'release') {
            const released = Math.min(length, end - una)
            buffer.release(released)
            una += released
          } else if (end > una) {
            const distance = Math.floor(at * (end - una - 1))
            const part = Math.min(length, end - una - distance)
            buffer.read(distance, to, 4, part)
            expect(Buffer.compare(to.bytes.subarray(4, 4 + part), stream(una + distance, part))).toBe(0)
          }
          expect(buffer.length).toBe(end - una)
          expect(buffer.held).toBe(pool.held)
        }
      }),
      { numRuns: 200 },
    )
  })
})
