// The receive buffer: octets come out as they came in, in whatever order they arrived and however they are read.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Arena } from '../../../../src/core/batch.ts'
import { COPY_BELOW, ReceiveBuffer } from '../../../../src/core/tcp/receiver/receive-buffer.ts'
import { LARGE_SLAB, SlabPool, SMALL_SLAB } from '../../../../src/core/tcp/slabs.ts'

const ARENA = 1 << 20
/** The octets of the stream: each says where it stands. */
const octetAt = (position: number) => (Math.imul(position, 0x9e3779b1) >>> 13) & 0xff
const arena = (() => {
  const bytes = new Uint8Array(ARENA)
  for (let at = 0; at < ARENA; at++) bytes[at] = octetAt(at)
  return { bytes, view: new DataView(bytes.buffer) }
})()

/** A buffer whose stream begins at octet 0 of the arena. */
class Stream {
  readonly pool = new SlabPool()
  readonly buffer = new ReceiveBuffer(this.pool)
  next = 0
  read = 0

  write(from: number, length: number): void {
    this.buffer.write(from - this.next, arena, from, length)
  }

  advance(length: number): void {
    this.buffer.advance(length)
    this.next += length
  }

  check(octets: Uint8Array): void {
    expect(Buffer.compare(octets, arena.bytes.subarray(this.read, this.read + octets.length))).toBe(0)
    this.read += octets.length
  }
}

describe('the receive buffer', () => {
  it('holds no memory before anything came, and after everything was read', () => {
    const { buffer, pool, ...stream } = new Stream()
    expect([buffer.held, pool.held, buffer.readable]).toEqual([0, 0, 0])
    expect([buffer.read(10), buffer.front, buffer.frontLength]).toEqual([null, null, 0])
    buffer.write(0, arena, stream.next, 100)
    buffer.advance(100)
    expect([buffer.held, pool.held, buffer.readable]).toEqual([SMALL_SLAB, SMALL_SLAB, 100])
    expect(buffer.read(1000)?.length).toBe(100)
    expect([buffer.held, pool.held, buffer.readable]).toEqual([0, 0, 0])
  })

  it('forgets what was out of order too when it is cleared', () => {
    const stream = new Stream()
    stream.write(100, 200)
    stream.buffer.clear()
    expect([stream.buffer.held, stream.pool.held]).toEqual([0, 0])
    stream.write(0, 10)
    stream.advance(10)
    stream.check(stream.buffer.read(10) as Uint8Array)
    expect([stream.buffer.held, stream.pool.held]).toEqual([0, 0])
  })

  it('copies a few octets out, and slices many', () => {
    const stream = new Stream()
    stream.write(0, 3 * COPY_BELOW)
    stream.advance(3 * COPY_BELOW)
    const few = stream.buffer.read(COPY_BELOW - 1) as Uint8Array
    expect(few.buffer.byteLength).toBe(COPY_BELOW - 1)
    const many = stream.buffer.read(COPY_BELOW) as Uint8Array
    expect(many.buffer.byteLength).toBe(LARGE_SLAB)
    stream.check(few)
    stream.check(many)
  })

  it('never writes again what was handed out as a slice', () => {
    const stream = new Stream()
    const slices: { octets: Uint8Array; copy: Uint8Array }[] = []
    for (let round = 0; round < 30; round++) {
      stream.write(stream.next, 30_000)
      stream.advance(30_000)
      for (let octets = stream.buffer.read(20_000); octets !== null; octets = stream.buffer.read(20_000)) {
        slices.push({ octets, copy: octets.slice() })
        stream.check(octets)
      }
    }
    for (const { octets, copy } of slices) expect(Buffer.compare(octets, copy)).toBe(0)
    expect(stream.pool.held).toBe(0)
  })

  it('lets octets be looked at where they lie, until they are consumed', () => {
    const stream = new Stream()
    stream.write(0, 5000)
    stream.advance(5000)
    const { buffer } = stream
    const front = buffer.front as { bytes: Uint8Array }
    expect(buffer.frontLength).toBe(5000)
    stream.check(front.bytes.slice(buffer.frontOffset, buffer.frontOffset + 4000))
    buffer.consume(4000)
    stream.check((buffer.front as { bytes: Uint8Array }).bytes.slice(buffer.frontOffset, buffer.frontOffset + 1000))
    buffer.consume(1000)
    expect(stream.pool.held).toBe(0)
  })

  it('holds little for a stranger who leaves great gaps', () => {
    const stream = new Stream()
    for (let at = 100; at < ARENA; at += LARGE_SLAB) stream.write(at, 1)
    // One octet in each slab's place is as bad as it gets; backwards it must be no worse.
    expect(stream.buffer.held).toBeLessThanOrEqual(ARENA + LARGE_SLAB)
    const backwards = new Stream()
    for (let at = ARENA - 1460; at >= 0; at -= 1460) backwards.write(at, 1460)
    expect(backwards.buffer.held).toBeLessThanOrEqual(ARENA + LARGE_SLAB)
  })

  it('lets everything go when it is cleared, and goes on', () => {
    const stream = new Stream()
    stream.write(0, 9000)
    stream.write(70_000, 9000)
    stream.advance(9000)
    stream.buffer.clear()
    expect([stream.buffer.readable, stream.buffer.held, stream.pool.held]).toEqual([0, 0, 0])
    stream.read = 9000
    stream.write(9000, 10)
    stream.advance(10)
    stream.check(stream.buffer.read(10) as Uint8Array)
  })

  it('gives what came in, in any order, however it is read', () => {
    const command = fc.record({
      kind: fc.constantFrom('write', 'ahead', 'behind', 'read', 'into', 'front'),
      at: fc.nat(200_000),
      length: fc.oneof(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 70_000 })),
    })
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const stream = new Stream()
        const { buffer } = stream
        const arrived = new Uint8Array(ARENA)
        for (const { kind, at, length } of commands) {
          if (kind === 'write' || kind === 'ahead') {
            const from = Math.min(stream.next + (kind === 'ahead' ? at : 0), ARENA)
            const end = Math.min(from + length, ARENA)
            if (end === from) continue
            stream.write(from, end - from)
            arrived.fill(1, from, end)
            const gap = arrived.indexOf(0, stream.next)
            stream.advance((gap < 0 ? ARENA : gap) - stream.next)
          } else if (kind === 'read') {
            const octets = buffer.read(length)
            if (octets !== null) stream.check(octets)
          } else if (kind === 'into') {
            const target = new Uint8Array(length + 2)
            const copied = buffer.readInto(target, 1, length)
            expect(copied).toBe(Math.min(length, stream.next - stream.read))
            stream.check(target.subarray(1, copied + 1))
          } else if (kind === 'front' && buffer.front !== null) {
            const part = Math.min(length, buffer.frontLength)
            stream.check(buffer.front.bytes.slice(buffer.frontOffset, buffer.frontOffset + part))
            buffer.consume(part)
          }
          expect(buffer.readable).toBe(stream.next - stream.read)
          expect(buffer.held).toBe(stream.pool.held)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('text that is kept where it lies', () => {
  const text = (from: number, length: number, at = 40) => {
    const kept = new Arena(new Uint8Array(65_552))
    for (let octet = 0; octet < length; octet++) kept.bytes[at + octet] = octetAt(from + octet)
    return kept
  }

  it('is read in its turn, between what was copied before and after it', () => {
    const stream = new Stream()
    const { buffer, pool } = stream
    stream.write(0, 1000)
    stream.advance(1000)
    const kept = text(1000, 30_000)
    expect(buffer.keep(kept, 40, 30_000)).toBe(true)
    stream.advance(30_000)
    stream.write(31_000, 5000)
    stream.advance(5000)
    expect(buffer.readable).toBe(36_000)
    expect(pool.held).toBe(buffer.held)
    const pieces: Uint8Array[] = []
    for (let piece = buffer.read(65_536); piece !== null; piece = buffer.read(65_536)) {
      stream.check(piece)
      pieces.push(piece)
    }
    expect(stream.read).toBe(36_000)
    expect(pieces[1].buffer).toBe(kept.bytes.buffer)
    expect(kept.isKept).toBe(true)
    expect([buffer.held, pool.held]).toEqual([0, 0])
  })

  it('is free again when it was looked at or copied out, and not before', () => {
    const stream = new Stream()
    const { buffer } = stream
    const kept = text(0, 20_000)
    buffer.keep(kept, 40, 20_000)
    stream.advance(20_000)
    buffer.consume(19_999)
    expect(kept.isKept).toBe(true)
    buffer.consume(1)
    expect(kept.isKept).toBe(false)
    const other = text(20_000, 20_000)
    buffer.keep(other, 40, 20_000)
    stream.advance(20_000)
    stream.read = 20_000
    const target = new Uint8Array(30_000)
    expect(buffer.readInto(target, 0, 30_000)).toBe(20_000)
    stream.check(target.subarray(0, 20_000))
    expect(other.isKept).toBe(false)
  })

  it('is copied where something has come out of order', () => {
    const stream = new Stream()
    stream.write(40_000, 1000)
    expect(stream.buffer.keep(text(0, 20_000), 40, 20_000)).toBe(false)
  })
})
