// TCP options: Linux's layouts octet for octet, what is written is read again, and no octets whatever lead beyond the header.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ABSENT, length, sackRoom, synLength, TcpOptions, write, writeSyn } from '../../../src/core/wire/tcp-options.ts'

const int32 = () => fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })

function parse(hex: string): TcpOptions {
  const octets = hex.replaceAll(' ', '')
  const view = new DataView(new ArrayBuffer(octets.length / 2))
  for (let at = 0; at < view.byteLength; at++) view.setUint8(at, Number.parseInt(octets.slice(at * 2, at * 2 + 2), 16))
  const options = new TcpOptions()
  options.parse(view, 0, view.byteLength)
  return options
}

const hex = (view: DataView, octets: number) =>
  [...new Uint8Array(view.buffer, 0, octets)].map((octet) => octet.toString(16).padStart(2, '0')).join('')

describe('options of a SYN', () => {
  it('are laid out as Linux does', () => {
    const view = new DataView(new ArrayBuffer(40))
    expect(hex(view, writeSyn(view, 0, 1460, 7, true, true, 1, 2))).toBe('020405b40402080a000000010000000201030307')
    expect(hex(view, writeSyn(view, 0, 1460, 7, false, true, 1, 2))).toBe('020405b40101080a000000010000000201030307')
    expect(hex(view, writeSyn(view, 0, 1460, 7, true, false, 0, 0))).toBe('020405b40101040201030307')
    expect(hex(view, writeSyn(view, 0, 536, ABSENT, false, false, 0, 0))).toBe('02040218')
  })

  it('are read again (MUST-4, MUST-14)', () => {
    const mss = fc.integer({ min: 0, max: 65_535 })
    const scale = fc.integer({ min: ABSENT, max: 14 })
    fc.assert(
      fc.property(
        mss,
        scale,
        fc.boolean(),
        fc.boolean(),
        int32(),
        int32(),
        (mss, scale, sack, timestamps, value, echo) => {
          const view = new DataView(new ArrayBuffer(44))
          const written = writeSyn(view, 4, mss, scale, sack, timestamps, value, echo)
          expect(written).toBe(synLength(scale, sack, timestamps))
          expect(written % 4).toBe(0)
          const options = new TcpOptions()
          options.parse(view, 4, written)
          expect(options).toMatchObject({ mss, windowScale: scale, sackPermitted: sack, hasTimestamps: timestamps })
          expect([options.timestampValue, options.timestampEcho]).toEqual(timestamps ? [value, echo] : [0, 0])
          expect(options.isMalformed).toBe(false)
        },
      ),
    )
  })

  it('may begin at any octet, and unknown ones are passed over (MUST-5, MUST-6, MUST-64)', () => {
    const options = parse('01 fd0411aa 01 02040200 01 030306 0402 1e03ff 00 ffff')
    expect(options).toMatchObject({ mss: 512, windowScale: 6, sackPermitted: true, isMalformed: false })
  })

  it('take a shift above 14 as 14 (RFC 7323 §2.3)', () => {
    expect(parse('030320').windowScale).toBe(14)
  })

  it('end at the end of the list, whatever follows', () => {
    expect(parse('00 020405b4')).toMatchObject({ mss: ABSENT, isMalformed: false })
  })
})

describe('options of other segments', () => {
  it('are laid out as Linux does', () => {
    const view = new DataView(new ArrayBuffer(40))
    const starts = Int32Array.of(1, 3, 5, 7)
    const ends = Int32Array.of(2, 4, 6, 8)
    expect(hex(view, write(view, 0, true, 1, 2, 0, starts, ends))).toBe('0101080a0000000100000002')
    expect(hex(view, write(view, 0, true, 1, 2, 1, starts, ends))).toBe(
      '0101080a00000001000000020101050a0000000100000002',
    )
    expect(hex(view, write(view, 0, false, 0, 0, 2, starts, ends))).toBe('0101051200000001000000020000000300000004')
    expect(write(view, 0, false, 0, 0, 0, starts, ends)).toBe(0)
  })

  it('are read again, with as many SACK blocks as there is room for', () => {
    const blocks = fc.array(fc.tuple(int32(), int32()), { maxLength: 4 })
    fc.assert(
      fc.property(fc.boolean(), int32(), int32(), blocks, (timestamps, value, echo, some) => {
        const view = new DataView(new ArrayBuffer(40))
        const fitting = some.slice(0, sackRoom(timestamps))
        const starts = Int32Array.from(fitting, ([start]) => start)
        const ends = Int32Array.from(fitting, ([, end]) => end)
        const written = write(view, 0, timestamps, value, echo, fitting.length, starts, ends)
        expect(written).toBe(length(timestamps, fitting.length))
        expect(written).toBeLessThanOrEqual(40)
        const options = new TcpOptions()
        options.parse(view, 0, written)
        expect(options.hasTimestamps).toBe(timestamps)
        expect([...options.sackStart.subarray(0, options.sackCount)]).toEqual([...starts])
        expect([...options.sackEnd.subarray(0, options.sackCount)]).toEqual([...ends])
      }),
    )
  })
})

describe('bad options (MUST-7, MUST-68)', () => {
  it.each([
    ['a length of 0', '0101 0200 05b4'],
    ['a length of 1', '0101 0201 05b4'],
    ['a length beyond the header', '0101 0209 05b4'],
    ['a kind without a length', '010101 02'],
    ['an MSS of another length', '020305 00'],
    ['a window scale of another length', '03040700'],
    ['a SACK-permitted of another length', '04030000'],
    ['timestamps of another length', '0806 00000001 0000'],
    ['half a SACK block', '0506 00000001 0000'],
    ['no SACK block', '0502 0000'],
  ])('%s is seen, and is no option', (_, octets) => {
    const options = parse(octets)
    expect(options.isMalformed).toBe(true)
    expect(options).toMatchObject({ mss: ABSENT, windowScale: ABSENT, sackPermitted: false, hasTimestamps: false })
    expect(options.sackCount).toBe(0)
  })

  it('leave what came before them', () => {
    expect(parse('020405b4 0300')).toMatchObject({ mss: 1460, isMalformed: true })
  })

  it('leave nothing behind for the next segment', () => {
    const options = parse('020405b4 030307 0402 01')
    options.parse(new DataView(new ArrayBuffer(0)), 0, 0)
    expect(options).toEqual(new TcpOptions())
  })

  it('of any kind never lead beyond the header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
        const options = new TcpOptions()
        // The view ends where the header does, so that a read beyond it throws.
        options.parse(new DataView(octets.slice().buffer), 0, octets.length)
        expect(options.sackCount).toBeLessThanOrEqual(4)
        expect(options.windowScale).toBeLessThanOrEqual(14)
      }),
      { numRuns: 2000 },
    )
  })
})
