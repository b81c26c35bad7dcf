// Path MTU as learned from ICMP, and the lies about it (RFC 1191, RFC 8201, RFC 5927 §7).
import { describe, expect, test } from 'vitest'
import { type Address, parseAddress } from '../../../src/core/ip/address.ts'
import { MINIMUM_IPV4, MINIMUM_IPV6, PathMtu } from '../../../src/core/ip/path-mtu.ts'
import { SipHash } from '../../../src/core/siphash.ts'
import { Bench, type Bytes, bytes, icmpPacket, prefixes, readIp } from '../../support/packets.ts'
import { seeded } from '../../support/seeded.ts'

const at = (text: string) => parseAddress(text) as Address
const far = at('192.0.2.1')
const far6 = at('2001:db8::1')

describe('the table', () => {
  const table = () => new PathMtu(new SipHash(seeded(3)))

  test('only goes down, and not below the floor of its family', () => {
    const paths = table()
    expect(paths.get(far, 1500, 0)).toBe(1500)
    expect(paths.learn(far, 1400, 1500, 0)).toBe(true)
    expect(paths.learn(far, 1450, 1500, 0)).toBe(false)
    expect(paths.get(far, 1500, 0)).toBe(1400)
    expect(paths.get(far, 1300, 0)).toBe(1300)
    expect(paths.learn(far, 0, 1500, 0)).toBe(true)
    expect(paths.get(far, 1500, 0)).toBe(MINIMUM_IPV4)
    expect(paths.learn(far6, 68, 1500, 0)).toBe(true)
    expect(paths.get(far6, 1500, 0)).toBe(MINIMUM_IPV6)
  })

  test('forgets after ten minutes', () => {
    const paths = table()
    paths.learn(far, 1400, 1500, 0)
    expect(paths.get(far, 1500, 599_999)).toBe(1400)
    expect(paths.get(far, 1500, 600_000)).toBe(1500)
  })

  test('has room for so many and no more', () => {
    const paths = table()
    for (let host = 0; host < 10_000; host++) paths.learn(far.copy().setIpv4(host), 1000, 1500, 0)
    expect(paths.get(far.copy().setIpv4(0), 1500, 0)).toBe(1500)
    expect(paths.get(far.copy().setIpv4(9_999), 1500, 0)).toBe(1000)
  })

  test('guesses by the plateaus of RFC 1191 §7.1', () => {
    expect([65_535, 1500, 1006, 600].map(PathMtu.plateau)).toEqual([32_000, 1492, 508, 508])
  })
})

describe('errors about what a socket has sent', () => {
  function sender() {
    const bench = new Bench()
    bench.stack.addRoute(prefixes('0.0.0.0/0')[0], bench.interface, at('10.0.0.1'))
    bench.stack.addRoute(prefixes('::/0')[0], bench.interface, at('fd00::1'))
    const socket = bench.stack.udp.open(false)
    const socket6 = bench.stack.udp.open(true)
    const data = bytes(new Uint8Array(1400))
    const send = (length = 1400) => {
      socket.send({ bytes: data, view: new DataView(data.buffer) }, 0, length, far, 9)
      socket6.send({ bytes: data, view: new DataView(data.buffer) }, 0, length, far6, 9)
      return bench.sent()
    }
    return { bench, send }
  }
  const needs = (mtu: number, quote: Bytes) => icmpPacket(3, 4, mtu, quote.slice(0, 28), { from: '10.0.0.77' })
  const tooBig = (mtu: number, quote: Bytes) => icmpPacket(2, 0, mtu, quote.slice(0, 500), { from: 'fd00::77' })
  const lengths = (packets: Bytes[]) => packets.map((packet) => packet.length)

  test('are believed: the next datagram goes in fragments of the new size', () => {
    const { bench, send } = sender()
    const [sent, sent6] = send()
    bench.receive(needs(1000, sent), tooBig(1300, sent6))
    const again = send()
    expect(again.map((packet) => readIp(packet).more)).toEqual([true, false, false, false])
    expect(lengths(again)).toEqual([996, 452, 1296, 208])
    expect(bench.stack.observer.counters.toJSON().counts.pathMtuLearned).toBe(2)
  })

  test('without a figure: the next plateau', () => {
    const { bench, send } = sender()
    bench.receive(needs(0, send()[0]))
    expect(lengths(send()).slice(0, 2)).toEqual([1004, 444])
  })

  test('are lies where they ask for nothing less, quote what nobody sent, or come from a port of nobody', () => {
    const { bench, send } = sender()
    const [sent, sent6] = send()
    bench.receive(needs(1450, sent), tooBig(9000, sent6))
    const [forged, stranger, alien] = [sent.slice(), sent.slice(), sent.slice()]
    forged.set([0, 99], 22)
    stranger.set([0x99, 0x99], 20)
    alien.set([10, 0, 0, 9], 12)
    bench.receive(needs(600, forged), needs(600, stranger), needs(600, alien), needs(600, sent.slice(0, 24)))
    expect(bench.drops('icmpUnmatched')).toBe(4)
    expect(lengths(send())).toEqual([1428, 1448])
  })

  test('68 octets for IPv4 and 500 for IPv6 go down to the floors', () => {
    const { bench, send } = sender()
    const [sent, sent6] = send()
    bench.receive(needs(68, sent), tooBig(500, sent6))
    const again = lengths(send())
    expect(again.slice(0, 3)).toEqual([548, 548, 372])
    expect(again.slice(3)).toEqual([1280, 224])
  })
})
