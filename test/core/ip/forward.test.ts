// A stack as a router (RFC 1812 §5, RFC 4443 §3): hop limits, routes, MTUs, and the errors about them.
import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../../src/core/ip/address.ts'
import {
  Bench,
  bytes,
  icmpPacket,
  ipv4Packet,
  prefixes,
  readIp,
  transportChecksumIsRight,
  udpPacket,
} from '../../support/packets.ts'

function router() {
  const bench = new Bench({ forward: true })
  const far = bench.add({ name: 'far', mtu: 1280, addresses: prefixes('10.1.0.1/24', 'fd01::1/64') })
  return { bench, far }
}

const across = (data = new Uint8Array(10), fields = {}) => udpPacket(data, { to: '10.1.0.9', ...fields })
const across6 = (data = new Uint8Array(10), fields = {}) =>
  udpPacket(data, { from: 'fd00::1', to: 'fd01::9', ...fields })
const typeAndCode = (packet: Uint8Array<ArrayBuffer>) => [...readIp(packet).payload.subarray(0, 2)]

describe('passing on', () => {
  test('one hop less, the header still right, nothing else changed', () => {
    const { bench, far } = router()
    for (const packet of [across(), across(new Uint8Array(3), { hopLimit: 2, trafficClass: 3 }), across6()]) {
      bench.receive(packet)
      const [passed] = bench.sent(far)
      const before = readIp(packet)
      expect(readIp(passed)).toEqual({ ...before, hopLimit: before.hopLimit - 1 })
      expect(transportChecksumIsRight(passed)).toBe(true)
    }
    expect(bench.sent()).toEqual([])
  })

  test('not unless asked', () => {
    const bench = new Bench()
    bench.add({ name: 'far', addresses: prefixes('10.1.0.1/24') })
    expect(bench.answer(across())).toEqual([])
    expect(bench.allDrops).toEqual({ notForUs: 1 })
  })

  test('the longest prefix wins, then the lower metric', () => {
    const { bench, far } = router()
    const third = bench.add({ name: 'third', addresses: prefixes('10.2.0.1/24') })
    const [wide, narrow] = prefixes('10.9.0.0/16', '10.9.9.0/24')
    bench.stack.addRoute(wide, far, parseAddress('10.1.0.2'), 10)
    bench.stack.addRoute(wide, bench.interface, null, 20)
    bench.stack.addRoute(narrow, third, parseAddress('10.2.0.2'))
    bench.receive(across(undefined, { to: '10.9.9.1' }), across(undefined, { to: '10.9.8.1' }))
    expect(bench.sent(third).map((packet) => readIp(packet).to)).toEqual(['10.9.9.1'])
    expect(bench.sent(far).map((packet) => readIp(packet).to)).toEqual(['10.9.8.1'])
  })

  test('no martians, no link-local addresses', () => {
    const { bench, far } = router()
    bench.receive(across(undefined, { from: '127.0.0.1' }), across(undefined, { from: '169.254.1.1' }))
    bench.receive(across6(undefined, { from: 'fe80::1' }), across(undefined, { to: '240.0.0.1' }))
    expect(bench.sent(far)).toEqual([])
  })
})

describe('errors', () => {
  test('none about a redirect: RFC 4443 §2.4 (e.2)', () => {
    const { bench } = router()
    const redirect = icmpPacket(137, 0, 0, new Uint8Array(40), { from: 'fd00::1', to: 'fd01::9', hopLimit: 1 })
    expect(bench.answer(redirect)).toEqual([])
  })

  test('the last hop: time exceeded in transit', () => {
    const { bench } = router()
    const [error] = bench.answer(across(undefined, { hopLimit: 1 }))
    expect(typeAndCode(error)).toEqual([11, 0])
    expect(readIp(error)).toMatchObject({ from: '10.0.0.2', to: '10.0.0.1' })
    const [error6] = bench.answer(across6(undefined, { hopLimit: 1 }))
    expect(typeAndCode(error6)).toEqual([3, 0])
    expect(readIp(error6)).toMatchObject({ from: 'fd00::2', to: 'fd00::1' })
  })

  test('no route', () => {
    const { bench } = router()
    expect(typeAndCode(bench.answer(across(undefined, { to: '192.0.2.1' }))[0])).toEqual([3, 0])
    expect(typeAndCode(bench.answer(across6(undefined, { to: '2001:db8::1' }))[0])).toEqual([1, 0])
  })

  test('too big: the MTU that fits is told, with DF and in IPv6', () => {
    const { bench, far } = router()
    const [error] = bench.answer(across(new Uint8Array(1400), { fragment: 0x4000 }))
    expect(typeAndCode(error)).toEqual([3, 4])
    expect([...readIp(error).payload.subarray(4, 8)]).toEqual([0, 0, 5, 0])
    const [error6] = bench.answer(across6(new Uint8Array(1400)))
    expect(typeAndCode(error6)).toEqual([2, 0])
    expect([...readIp(error6).payload.subarray(4, 8)]).toEqual([0, 0, 5, 0])
    expect(bench.sent(far)).toEqual([])
    expect(bench.allDrops).toEqual({ tooBig: 2 })
  })
})

test('without DF a packet is cut, a fragment too, and what comes together again is the same', () => {
  const { bench, far } = router()
  const data = Uint8Array.from({ length: 1400 }, (_, at) => at)
  const packet = across(data, { identification: 5 })
  bench.receive(packet)
  const pieces = bench.sent(far).map(readIp)
  expect(pieces.map(({ total, offset, more }) => ({ total, offset, more }))).toEqual([
    { total: 1276, offset: 0, more: true },
    { total: 172, offset: 1256, more: false },
  ])
  expect(pieces.every(({ headerIsRight, hopLimit }) => headerIsRight && hopLimit === 63)).toBe(true)
  expect(bytes(...pieces.map(({ payload }) => payload))).toEqual(packet.subarray(20))
  bench.receive(ipv4Packet(data, { to: '10.1.0.9', fragment: 0x2000 | 100, identification: 6 }))
  expect(bench.sent(far).map((one) => readIp(one).offset)).toEqual([800, 2056])
})

test('options without the copied flag stay in the first piece: RFC 791 §3.1', () => {
  const { bench, far } = router()
  const options = [7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0, 0]
  bench.receive(ipv4Packet(new Uint8Array(1400), { to: '10.1.0.9', options }))
  const [first, second] = bench.sent(far)
  expect([...first.subarray(20, 32)]).toEqual(options)
  expect([...second.subarray(20, 32)]).toEqual([1, 1, 1, 1, 1, 1, 1, 148, 4, 0, 0, 0])
  expect([first, second].every((packet) => readIp(packet).headerIsRight)).toBe(true)
})

test("another network's broadcast address gets nothing from afar: RFC 2644", () => {
  const { bench, far } = router()
  expect(bench.answer(across(undefined, { to: '10.1.0.255' }))).toEqual([])
  expect(bench.sent(far)).toEqual([])
  expect(bench.allDrops).toEqual({ notForUs: 1 })
})

test('an error is no longer than the link it goes by', () => {
  const bench = new Bench({}, { mtu: 300 })
  expect(bench.answer(udpPacket(new Uint8Array(250), { destinationPort: 99 })).map(({ length }) => length)).toEqual([
    300,
  ])
})

test('a reply batch that is full drops and counts', () => {
  const { bench, far } = router()
  bench.receive(...Array.from({ length: 300 }, () => across()))
  expect(bench.sent(far).length).toBe(256)
  expect(bench.drops('repliesFull')).toBe(44)
})

test('a router answers for itself on each of its interfaces', () => {
  const { bench } = router()
  expect(bench.answer(icmpPacket(8, 0, 1, [1], { to: '10.1.0.1' })).map((one) => readIp(one).from)).toEqual([
    '10.1.0.1',
  ])
})
