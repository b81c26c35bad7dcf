// Messages on their way out, and packets that are passed on with what a link left to be done.
import { describe, expect, test } from 'vitest'
import { Checksum, PacketBatch, Segmentation } from '../../../src/core/batch.ts'
import { NO_OFFLOAD } from '../../../src/core/environment.ts'
import { type Address, parseAddress } from '../../../src/core/ip/address.ts'
import {
  Bench,
  bytes,
  icmpPacket,
  internetChecksum,
  ipv4Packet,
  prefixes,
  put,
  readIp,
  transportChecksumIsRight,
  u16,
  udpPacket,
} from '../../support/packets.ts'

const ALL = { checksum: true, tcp4: true, tcp6: true, udp: true }

describe('a link that completes checksums', () => {
  test('gets the pseudo-header’s sum in the field and the places in the columns', () => {
    const bench = new Bench({}, { offload: ALL })
    const socket = bench.stack.udp.open(true)
    const data = bytes(1, 2, 3)
    const octets = { bytes: data, view: new DataView(data.buffer) }
    for (const [to, headerLength] of [
      ['10.0.0.1', 20],
      ['fd00::1', 40],
    ] as const) {
      socket.send(octets, 0, 3, parseAddress(to), 9)
      const batch = new PacketBatch()
      batch.interface = bench.interface.index
      bench.stack.transmit(batch, 0)
      expect(batch.checksum[0]).toBe(Checksum.partial)
      expect([batch.checksumStart[0], batch.checksumField[0]]).toEqual([headerLength, 6])
      // What a link does with it.
      const packet = batch.bytes.slice(batch.offset[0], batch.offset[0] + batch.length[0])
      packet.set(u16(internetChecksum(packet.subarray(headerLength))), headerLength + 6)
      expect(transportChecksumIsRight(packet)).toBe(true)
    }
  })

  test('is left alone with fragments', () => {
    const bench = new Bench({}, { offload: ALL })
    const socket = bench.stack.udp.open(false)
    const data = new Uint8Array(4000)
    socket.send({ bytes: data, view: new DataView(data.buffer) }, 0, 4000, parseAddress('10.0.0.1'), 9)
    const pieces = bench.sent().map(readIp)
    const whole = new Uint8Array(4008)
    for (const { payload, offset } of pieces) whole.set(payload, offset)
    const pseudo = [10, 0, 0, 2, 10, 0, 0, 1, 0, 17, ...u16(4008)]
    expect(internetChecksum(pseudo, whole)).toBe(0)
  })
})

describe('passing on what a link left unfinished', () => {
  function pass(offload: typeof ALL, far: typeof ALL, segmentSize = 0) {
    const bench = new Bench({ forward: true }, { offload })
    const out = bench.add({ name: 'far', mtu: 1280, offload: far, addresses: prefixes('10.1.0.1/24') })
    const batch = new PacketBatch()
    batch.interface = bench.interface.index
    const packet = udpPacket(new Uint8Array(segmentSize > 0 ? 3000 : 99), { to: '10.1.0.9' })
    const pseudo = [10, 0, 0, 1, 10, 1, 0, 9, 0, 17, ...u16(packet.length - 20)]
    packet.set(u16(~internetChecksum(pseudo) & 0xffff), 26)
    const row = put(batch, packet)
    batch.checksum[row] = Checksum.partial
    batch.checksumStart[row] = 20
    batch.checksumField[row] = 6
    batch.segmentation[row] = segmentSize > 0 ? Segmentation.udp : Segmentation.none
    batch.segmentSize[row] = segmentSize
    bench.stack.receive(batch, 0)
    const sent = new PacketBatch()
    sent.interface = out.index
    bench.stack.transmit(sent, 0)
    return { bench, sent }
  }

  test('a partial checksum is completed for a link that does not', () => {
    const { sent } = pass(ALL, NO_OFFLOAD)
    const packet = sent.bytes.slice(sent.offset[0], sent.offset[0] + sent.length[0])
    expect(sent.checksum[0]).toBe(Checksum.complete)
    expect(transportChecksumIsRight(packet)).toBe(true)
  })

  test('and left to one that does', () => {
    const { sent } = pass(ALL, ALL)
    expect([sent.checksum[0], sent.checksumStart[0], sent.checksumField[0]]).toEqual([Checksum.partial, 20, 6])
  })

  test('a super-datagram goes on whole where the next link cuts it, and is dropped where it does not', () => {
    const { sent } = pass(ALL, ALL, 1000)
    expect([sent.segmentation[0], sent.segmentSize[0], sent.length[0]]).toEqual([Segmentation.udp, 1000, 3028])
    expect(pass(ALL, NO_OFFLOAD, 1000).bench.allDrops).toEqual({ offloadMismatch: 1 })
    expect(pass(ALL, ALL, 1260).bench.allDrops).toEqual({ offloadMismatch: 1 })
  })
})

test('messages that wait to be cut are limited by octets', () => {
  const bench = new Bench({}, { oversizedLimit: 100_000 })
  const request = icmpPacket(8, 0, 1, new Uint8Array(40_000)).subarray(20)
  for (let count = 0; count < 4; count++) {
    for (let at = 0; at < request.length; at += 1480) {
      const fragment = (at + 1480 < request.length ? 0x2000 : 0) | (at / 8)
      bench.receive(ipv4Packet(request.subarray(at, at + 1480), { protocol: 1, identification: count, fragment }))
    }
  }
  expect(bench.interface.oversizedOctets).toBe(2 * request.length)
  expect(bench.allDrops).toEqual({ outputQueueFull: 2 })
  expect(bench.sent().length).toBe(2 * 28)
  expect(bench.interface.oversizedOctets).toBe(0)
})

describe('identifications (RFC 6864 §4.3, RFC 7739 §5.1)', () => {
  test('count for each pair of addresses, and begin elsewhere once there are too many pairs', () => {
    const bench = new Bench({}, { addresses: prefixes('10.0.0.2/8') })
    const request = icmpPacket(8, 0, 7, new Uint8Array(1500)).subarray(20)
    const identificationFor = (source: number) => {
      const from = `10.1.${source >> 8}.${source & 255}`
      const fields = { from, protocol: 1, identification: source & 0xffff }
      bench.receive(ipv4Packet(request.subarray(0, 1480), { ...fields, fragment: 0x2000 }))
      const [reply] = bench.answer(ipv4Packet(request.subarray(1480), { ...fields, fragment: 185 }))
      return (reply[4] << 8) | reply[5]
    }
    const first = identificationFor(1)
    const others = new Set(Array.from({ length: 4095 }, (_, at) => identificationFor(at + 2)))
    expect(others.size).toBeGreaterThan(3500)
    expect(identificationFor(1)).toBe((first + 1) & 0xffff)
    identificationFor(5000)
    expect(identificationFor(1)).not.toBe((first + 2) & 0xffff)
  })
})

test('a socket for echoes has heard of no error before there was one', () => {
  const socket = new Bench().stack.openEcho()
  expect([socket?.errorKind, socket?.errorSequence, socket?.errorFrom]).toEqual([-1, 0, null])
})

describe('an echo request', () => {
  const at = (text: string) => parseAddress(text) as Address
  const asked = () => {
    const bench = new Bench()
    bench.stack.addRoute(prefixes('192.0.2.0/24')[0], bench.interface, at('10.0.0.1'))
    const socket = bench.stack.openEcho()
    const octets = bytes(1, 2, 3)
    expect(socket?.send(at('192.0.2.1'), 7, { bytes: octets, view: new DataView(octets.buffer) }, 64)).toBe(true)
    return bench
  }

  test('for which a batch has no room waits for the next', () => {
    const bench = asked()
    const full = new PacketBatch({ capacity: 1, largest: 1500 })
    full.interface = bench.interface.index
    put(full, ipv4Packet(bytes(1), { protocol: 1 }))
    bench.stack.transmit(full, bench.now)
    expect(bench.sent().length).toBe(1)
  })

  test('whose route is gone before it went is counted', () => {
    const bench = asked()
    bench.stack.routes.remove(({ gateway }) => gateway !== null)
    expect(bench.sent()).toEqual([])
    expect(bench.allDrops).toEqual({ outputNoRoute: 1 })
  })
})
