// Packets in words: each protocol in both families, fragments, and octets that are no packet.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../src/core/ip/address.ts'
import * as icmp from '../../src/core/wire/icmp.ts'
import * as icmpv6 from '../../src/core/wire/icmpv6.ts'
import * as ipv4 from '../../src/core/wire/ipv4.ts'
import * as ipv6 from '../../src/core/wire/ipv6.ts'
import * as tcp from '../../src/core/wire/tcp.ts'
import * as udp from '../../src/core/wire/udp.ts'
import { describeNote } from '../../src/inspect/describe-note.ts'
import { describePacket } from '../../src/inspect/describe-packet.ts'

type Write = (view: DataView, at: number) => void

function inIpv4(protocol: number, length: number, write: Write, fragment = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(20 + length))
  const word = (text: string) => parseAddress(text)!.word3
  ipv4.write(view, 0, 20 + length, 0, 1, fragment, 64, protocol, word('10.0.0.1'), word('10.0.0.2'))
  write(view, 20)
  return new Uint8Array(view.buffer)
}

function inIpv6(protocol: number, length: number, write: Write): Uint8Array {
  const view = new DataView(new ArrayBuffer(40 + length))
  ipv6.write(view, 0, length, 0, 0, 64, protocol)
  for (const [at, text] of [
    [ipv6.SOURCE_AT, 'fd00::1'],
    [ipv6.DESTINATION_AT, 'fd00::2'],
  ] as const) {
    const { word0, word1, word2, word3 } = parseAddress(text)!
    ipv6.writeAddress(view, at, word0, word1, word2, word3)
  }
  write(view, 40)
  return new Uint8Array(view.buffer)
}

const { Protocol } = ipv4
const echo =
  (type: number): Write =>
  (view, at) =>
    icmp.write(view, at, type, 0, (7 << 16) | 3)

describe('a packet in words', () => {
  it('names echoes', () => {
    expect(describePacket(inIpv4(Protocol.icmp, 64, echo(icmp.Type.echoRequest)))).toBe(
      '10.0.0.1 → 10.0.0.2  ICMP echo request 3, 56 octets',
    )
    expect(describePacket(inIpv6(Protocol.icmpv6, 64, echo(icmpv6.Type.echoReply)))).toBe(
      'fd00::1 → fd00::2  ICMPv6 echo reply 3, 56 octets',
    )
  })

  it('names ICMP errors by their reason', () => {
    const refused: Write = (view, at) => icmp.write(view, at, icmp.Type.unreachable, icmp.Unreachable.port, 0)
    expect(describePacket(inIpv4(Protocol.icmp, 36, refused))).toContain('ICMP unreachable (port)')
    const expired: Write = (view, at) => icmp.write(view, at, icmpv6.Type.timeExceeded, 0, 0)
    expect(describePacket(inIpv6(Protocol.icmpv6, 36, expired))).toContain('ICMPv6 time exceeded (code 0)')
    const unknown: Write = (view, at) => icmp.write(view, at, 133, 0, 0)
    expect(describePacket(inIpv6(Protocol.icmpv6, 8, unknown))).toContain('ICMPv6 type 133, code 0')
  })

  it('gives the ports of UDP and TCP', () => {
    const datagram: Write = (view, at) => udp.write(view, at, 5000, 7, 9)
    expect(describePacket(inIpv4(Protocol.udp, 9, datagram))).toBe('10.0.0.1:5000 → 10.0.0.2:7  UDP, 1 octet')
    expect(describePacket(inIpv6(Protocol.udp, 9, datagram))).toBe('[fd00::1]:5000 → [fd00::2]:7  UDP, 1 octet')
    const segment: Write = (view, at) => tcp.write(view, at, 5000, 80, -1, 5, 20, tcp.Flag.ack | tcp.Flag.psh, 512, 0)
    expect(describePacket(inIpv4(Protocol.tcp, 25, segment))).toBe(
      '10.0.0.1:5000 → 10.0.0.2:80  TCP PSH ACK seq 4294967295 ack 5 window 512, 5 octets',
    )
  })

  it('tells a fragment, which has ports only if it is the first', () => {
    const datagram: Write = (view, at) => udp.write(view, at, 5000, 7, 2000)
    expect(describePacket(inIpv4(Protocol.udp, 1480, datagram, ipv4.MORE_FRAGMENTS))).toBe(
      '10.0.0.1:5000 → 10.0.0.2:7  UDP, 1992 octets (fragment from octet 0, more to come)',
    )
    expect(describePacket(inIpv4(Protocol.udp, 520, () => {}, 1480 / 8))).toBe(
      '10.0.0.1 → 10.0.0.2  UDP, 520 octets (fragment from octet 1480, the last)',
    )
    const later: Write = (view, at) => ipv6.writeFragment(view, at, Protocol.udp, 1448, false, 1)
    expect(describePacket(inIpv6(ipv6.Extension.fragment, 108, later))).toBe(
      'fd00::1 → fd00::2  UDP, 100 octets (fragment from octet 1448, the last)',
    )
  })

  it('says so of what it does not know', () => {
    expect(describePacket(inIpv4(132, 4, () => {}))).toBe('10.0.0.1 → 10.0.0.2  protocol 132, 4 octets')
    expect(describePacket(inIpv4(Protocol.tcp, 4, () => {}))).toContain('TCP, cut off')
    expect(describePacket(new Uint8Array())).toBe('an empty packet')
    expect(describePacket(new Uint8Array(30))).toBe('30 octets that are no IP packet')
  })

  it('bears any octets', () => {
    const version = fc.constantFrom(0x45, 0x4f, 0x60, 0x00)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), version, fc.nat(60), (octets, first, protocol) => {
        if (octets.length > 0) octets[0] = first
        if (octets.length > 9) octets[first === 0x60 ? 6 : 9] = protocol
        expect(describePacket(octets)).toMatch(/\S/)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a note in words', () => {
  it('is the reason of a drop, or nothing', () => {
    expect(describeNote(0)).toBe(null)
    expect(describeNote(1)).toBe('dropped: truncated')
    expect(describeNote(5)).toBe('dropped: bad header checksum')
    expect(describeNote(10_000)).toBe(null)
  })
})
