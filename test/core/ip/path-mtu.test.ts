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
    expect(paths.mayBeCut(far)).toBe(true)
    expect(paths.learn(far6, MINIMUM_IPV6, 1500, 0)).toBe(true)
    expect(paths.get(far6, 1500, 0)).toBe(MINIMUM_IPV6)
    expect(paths.mayBeCut(far6)).toBe(false)
  })

  test('a figure below 1280 is no IPv6 router’s: RFC 8201 §4', () => {
    const paths = table()
    expect([0, 68, 1279].map((mtu) => paths.learn(far6, mtu, 1500, 0))).toEqual([false, false, false])
    expect(paths.get(far6, 1500, 0)).toBe(1500)
  })

  test('forgets after ten minutes', () => {
    const paths = table()
    paths.learn(far, 1400, 1500, 0)
    expect(paths.get(far, 1500, 599_999)).toBe(1400)
    expect(paths.get(far, 1500, 600_000)).toBe(1500)
  })

  test('has room for so many and no more', () => {
    const paths = table()
    const host = (place: number) => far.copy().setIpv4(place)
    for (let place = 0; place < 4096; place++) paths.learn(host(place), 1000, 1500, 0)
    expect(paths.get(host(0), 1500, 0)).toBe(1000)
    paths.learn(host(4096), 1000, 1500, 0)
    expect([0, 1, 4096].map((place) => paths.get(host(place), 1500, 0))).toEqual([1500, 1000, 1000])
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

  test('68 octets for IPv4 go down to the floor, below which routers shall cut; 500 or none for IPv6 is discarded', () => {
    const { bench, send } = sender()
    const [sent, sent6] = send()
    expect(readIp(sent)).toMatchObject({ dontFragment: true, identification: 0 })
    bench.receive(needs(68, sent), tooBig(500, sent6), tooBig(0, sent6))
    expect(lengths(send())).toEqual([548, 548, 372, 1448])
    const [small, another] = [send(400)[0], send(400)[0]].map(readIp)
    expect(small.dontFragment).toBe(false)
    expect(another.identification).toBe((small.identification + 1) & 0xffff)
  })

  test('are believed from many peers of one socket, and of a socket on every port', () => {
    const bench = new Bench({}, { anyAddress: true })
    bench.stack.addRoute(prefixes('0.0.0.0/0')[0], bench.interface)
    const socket = bench.stack.udp.open(false)
    socket.bindAny(bench.interface)
    const data = bytes(new Uint8Array(1400))
    const sent = Array.from({ length: 200 }, (_, peer) => {
      const octets = { bytes: data, view: new DataView(data.buffer) }
      socket.send(octets, 0, 1400, at(`192.0.2.${1 + peer}`), 9, at('203.0.113.9'), 53)
      return bench.sent()[0]
    })
    for (const packet of sent) bench.receive(needs(1000, packet))
    // A newer peer may have taken an older one's place.
    expect(bench.stack.observer.counters.toJSON().counts.pathMtuLearned).toBeGreaterThan(100)
  })
})

test.each([
  ['IPv4', icmpPacket(8, 0, 0x12340001, new Uint8Array(1400)), 28],
  ['IPv6', icmpPacket(128, 0, 0x12340001, new Uint8Array(1400), { from: 'fd00::1' }), 500],
])('an echo reply that is too big for the path of %s: the next one goes in fragments', (family, request, quoted) => {
  const bench = new Bench()
  const [reply] = bench.answer(request)
  const error = (quote: Bytes) =>
    family === 'IPv4'
      ? icmpPacket(3, 4, 1300, quote.slice(0, quoted), { from: '10.0.0.77' })
      : icmpPacket(2, 0, 1300, quote.slice(0, quoted), { from: 'fd00::77' })
  const forged = reply.slice()
  forged[family === 'IPv4' ? 27 : 47] ^= 1
  bench.receive(error(forged))
  expect(bench.allDrops).toEqual({ icmpUnmatched: 1 })
  expect(bench.answer(request).length).toBe(1)
  bench.receive(error(reply))
  expect(bench.answer(request).map((packet) => packet.length <= 1300)).toEqual([true, true])
})
