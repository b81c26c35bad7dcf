// The TCP header (RFC 9293 §3.1): what is written is read again, and lies where the RFC draws it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as tcp from '../../../src/core/wire/tcp.ts'

const int32 = () => fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const uint16 = () => fc.integer({ min: 0, max: 65_535 })

describe('the TCP header', () => {
  it('lies where RFC 9293 §3.1 draws it', () => {
    const view = new DataView(new ArrayBuffer(24))
    tcp.write(view, 2, 0x1234, 0x5678, 0x01020304, 0x7a0b0c0d, 24, tcp.Flag.syn | tcp.Flag.ack, 0xfffe, 0x0102)
    const octets = [...new Uint8Array(view.buffer, 2, 20)].map((octet) => octet.toString(16).padStart(2, '0')).join('')
    expect(octets).toBe('12345678010203047a0b0c0d6012fffe00000102')
  })

  it('reads what it wrote', () => {
    const words = fc.integer({ min: 5, max: 15 })
    const flags = fc.integer({ min: 0, max: 511 })
    fc.assert(
      fc.property(uint16(), uint16(), int32(), int32(), words, flags, uint16(), uint16(), (a, b, c, d, e, f, g, h) => {
        const view = new DataView(new ArrayBuffer(64))
        tcp.write(view, 3, a, b, c, d, e * 4, f, g, h)
        expect(tcp.sourcePort(view, 3)).toBe(a)
        expect(tcp.destinationPort(view, 3)).toBe(b)
        expect(tcp.sequence(view, 3)).toBe(c)
        expect(tcp.acknowledgment(view, 3)).toBe(d)
        expect(tcp.headerLength(view, 3)).toBe(e * 4)
        expect(tcp.flags(view, 3)).toBe(f)
        expect(tcp.window(view, 3)).toBe(g)
        expect(tcp.urgentPointer(view, 3)).toBe(h)
        expect(tcp.checksum(view, 3)).toBe(0)
      }),
    )
  })

  it('takes the reserved bits for no flags (RFC 9293 §3.1)', () => {
    const view = new DataView(new ArrayBuffer(20))
    view.setUint16(12, 0x5e10)
    expect(tcp.flags(view, 0)).toBe(tcp.Flag.ack)
    expect(tcp.headerLength(view, 0)).toBe(20)
  })
})
