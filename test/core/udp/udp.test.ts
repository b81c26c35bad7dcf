// UDP (RFC 768, RFC 1122 §4.1, RFC 8085): who hears what, checksums, errors, limits.
import { beforeEach, describe, expect, test } from 'vitest'
import { Checksum, PacketBatch, Segmentation } from '../../../src/core/batch.ts'
import { type Address, parseAddress } from '../../../src/core/ip/address.ts'
import { IcmpErrorKind } from '../../../src/core/ip/icmp-error.ts'
import { UdpResult, type UdpSocket } from '../../../src/core/udp/socket.ts'
import {
  Bench,
  type Bytes,
  bytes,
  icmpPacket,
  prefixes,
  put,
  readIp,
  transportChecksumIsRight,
  udpPacket,
} from '../../support/packets.ts'

const at = (text: string) => parseAddress(text) as Address
const peer = at('10.0.0.1')
const peer6 = at('fd00::1')

let bench: Bench
beforeEach(() => {
  bench = new Bench()
})

function open(
  options: { ipv6?: boolean; address?: string; port?: number; reuse?: boolean; only?: boolean } = {},
): UdpSocket {
  const socket = bench.stack.udp.open(options.ipv6 ?? false)
  socket.isReuse = options.reuse ?? false
  socket.isIpv6Only = options.only ?? false
  expect(socket.bind(options.address === undefined ? socket.local : at(options.address), options.port ?? 7)).toBe(0)
  return socket
}

function send(socket: UdpSocket, data: Bytes, to: Address | null, port = 0): number {
  return socket.send({ bytes: data, view: new DataView(data.buffer) }, 0, data.length, to, port)
}

function heard(socket: UdpSocket): number[][] {
  const all: number[][] = []
  for (let one = socket.received.shift(); one !== null; one = socket.received.shift()) {
    all.push([...one.bytes.subarray(one.offset, one.offset + one.length)])
  }
  return all
}

describe('what arrives', () => {
  test('is told with where it came from and where it went to', () => {
    const socket = open()
    bench.receive(udpPacket([1, 2, 3], { sourcePort: 4000, trafficClass: 0x2e, hopLimit: 9 }))
    expect(bench.stack.ready.shift()).toBe(socket)
    const datagram = socket.received.shift()
    expect(datagram).toMatchObject({ sourcePort: 4000, destinationPort: 7, trafficClass: 0x2e, hopLimit: 9, length: 3 })
    expect(`${datagram?.source} ${datagram?.destination}`).toBe('10.0.0.1 10.0.0.2')
    expect(bench.stack.ready.count).toBe(0)
  })

  test('without a checksum in IPv4 is taken, in IPv6 is not: RFC 8200 §8.1', () => {
    const socket = open({ ipv6: true })
    bench.receive(udpPacket([4], { udpChecksum: 0 }), udpPacket([6], { from: 'fd00::1', udpChecksum: 0 }))
    expect(heard(socket)).toEqual([[4]])
    expect(bench.drops('udpBadChecksum')).toBe(1)
  })

  test.each([
    ['udpBadChecksum', udpPacket([1], { udpChecksum: 77 })],
    ['udpBadLength', udpPacket([1], { length: 7 })],
    ['udpBadLength', udpPacket([1], { length: 10 })],
    ['udpZeroPort', udpPacket([1], { destinationPort: 0 })],
    ['udpTruncated', udpPacket([1]).slice(0, 26)],
  ] as const)('%s', (reason, packet) => {
    const socket = open()
    if (reason === 'udpTruncated') packet.set([0, 26], 2)
    bench.receive(reason === 'udpTruncated' ? rechecksummed(packet) : packet)
    expect(bench.allDrops).toEqual({ [reason]: 1 })
    expect(heard(socket)).toEqual([])
  })

  test('more octets than the length says are not data', () => {
    const socket = open()
    const packet = udpPacket([1, 2, 3, 4], { length: 10 })
    const shorter = udpPacket([1, 2])
    packet.set(shorter.subarray(26, 28), 26)
    bench.receive(packet)
    expect(heard(socket)).toEqual([[1, 2]])
  })

  test('beyond the queue is dropped and counted, and memory stays', () => {
    const socket = open()
    socket.received.limit = 10_000
    for (let count = 0; count < 100; count++) bench.receive(udpPacket(new Uint8Array(1000)))
    expect(bench.drops('udpQueueFull')).toBe(91)
    expect(heard(socket).length).toBe(9)
  })

  test('a super-datagram is as many as the link has merged', () => {
    const socket = open()
    const batch = new PacketBatch()
    batch.interface = bench.interface.index
    const row = put(batch, udpPacket([1, 1, 1, 2, 2, 2, 3], { length: 15 }))
    batch.segmentation[row] = Segmentation.udp
    batch.segmentSize[row] = 3
    batch.checksum[row] = Checksum.partial
    bench.stack.receive(batch, 0)
    expect(heard(socket)).toEqual([[1, 1, 1], [2, 2, 2], [3]])
  })
})

function rechecksummed(packet: Bytes): Bytes {
  const fresh = packet.slice()
  fresh.set([0, 0], 10)
  let sum = 0
  for (let place = 0; place < 20; place += 2) sum += (fresh[place] << 8) + fresh[place + 1]
  sum = (sum & 0xffff) + (sum >>> 16)
  fresh.set([(~sum >>> 8) & 255, ~sum & 255], 10)
  return fresh
}

describe('who hears it', () => {
  test('the socket that says most about it', () => {
    const wild = open({ reuse: true })
    const exact = open({ reuse: true, address: '10.0.0.2' })
    const connected = open({ reuse: true, address: '10.0.0.2' })
    connected.connect(peer, 4000)
    bench.add({ name: 'other', addresses: prefixes('10.0.0.7/24') })
    bench.receive(udpPacket([1], { sourcePort: 4000 }), udpPacket([2], { sourcePort: 4001 }))
    bench.receive(udpPacket([3], { sourcePort: 4000, to: '10.0.0.7' }))
    expect([wild, exact, connected].map(heard)).toEqual([[[3]], [[2]], [[1]]])
  })

  test('one of IPv6 bound to all hears IPv4 too, unless it wants IPv6 only', () => {
    const both = open({ ipv6: true })
    bench.receive(udpPacket([4]), udpPacket([6], { from: 'fd00::1' }))
    expect(heard(both)).toEqual([[4], [6]])
    both.close()
    const only = open({ ipv6: true, only: true })
    bench.receive(udpPacket([4]), udpPacket([6], { from: 'fd00::1' }))
    expect(heard(only)).toEqual([[6]])
  })

  test('sockets that share a port share the flows', () => {
    const sockets = [open({ reuse: true }), open({ reuse: true }), open({ reuse: true })]
    for (let port = 2000; port < 2300; port++) bench.receive(udpPacket([1], { sourcePort: port }))
    const counts = sockets.map((socket) => heard(socket).length)
    expect(counts.reduce((one, other) => one + other)).toBe(300)
    expect(Math.min(...counts)).toBeGreaterThan(40)
  })

  test("a group's every member, and nobody else", () => {
    const members = [open({ reuse: true }), open({ reuse: true })]
    const other = open({ reuse: true })
    const group = at('239.1.2.3')
    for (const member of members) expect(member.join(group, bench.interface)).toBe(0)
    expect(members[0].join(group, bench.interface)).toBe(UdpResult.addressInUse)
    bench.receive(udpPacket([1], { to: '239.1.2.3' }))
    expect([...members, other].map(heard)).toEqual([[[1]], [[1]], []])
    members[0].leave(group, bench.interface)
    bench.receive(udpPacket([2], { to: '239.1.2.3' }))
    expect(members.map(heard)).toEqual([[], [[2]]])
    members[1].close()
    bench.receive(udpPacket([3], { to: '239.1.2.3' }))
    expect(bench.drops('notForUs')).toBe(1)
  })

  test('of a source-specific membership only that source', () => {
    const socket = open()
    socket.join(at('232.1.1.1'), bench.interface, at('10.0.0.1'))
    bench.receive(udpPacket([1], { to: '232.1.1.1' }), udpPacket([2], { to: '232.1.1.1', from: '10.0.0.3' }))
    expect(heard(socket)).toEqual([[1]])
  })

  test('broadcasts go to every socket on the port', () => {
    const sockets = [open({ reuse: true }), open({ reuse: true })]
    bench.receive(udpPacket([1], { to: '10.0.0.255' }), udpPacket([2], { to: '255.255.255.255' }))
    expect(sockets.map(heard)).toEqual([
      [[1], [2]],
      [[1], [2]],
    ])
  })

  test('every address and port of an interface that takes all; the answer comes from there', () => {
    const any = bench.add({ name: 'any', anyAddress: true })
    bench.stack.addRoute(prefixes('0.0.0.0/0')[0], any)
    const socket = bench.stack.udp.open(false)
    expect(socket.bindAny(any)).toBe(0)
    bench.receiveBy(
      any,
      udpPacket([5], { from: '198.51.100.1', to: '203.0.113.9', sourcePort: 4000, destinationPort: 53 }),
    )
    const datagram = socket.received.shift()
    expect(`${datagram?.destination} ${datagram?.destinationPort}`).toBe('203.0.113.9 53')
    const data = bytes(1)
    const octets = { bytes: data, view: new DataView(data.buffer) }
    expect(socket.send(octets, 0, 1, at('198.51.100.1'), 4000, at('203.0.113.9'), 53)).toBe(0)
    const [reply] = bench.sent(any)
    expect(readIp(reply)).toMatchObject({ from: '203.0.113.9', to: '198.51.100.1' })
    expect([...readIp(reply).payload.subarray(0, 4)]).toEqual([0, 53, 0x0f, 0xa0])
  })

  test('a broadcast address or a group, which a socket may be bound to, is no source: RFC 1122 §3.2.1.3', () => {
    for (const address of ['10.0.0.255', '224.0.0.1']) {
      send(open({ address }), bytes(1), peer, 9)
      expect(bench.sent().map((packet) => readIp(packet).from)).toEqual(['10.0.0.2'])
    }
  })
})

describe('binding', () => {
  test('a port is taken once, unless both allow it or the addresses are apart', () => {
    open({ address: '10.0.0.2' })
    const second = bench.stack.udp.open(false)
    expect(second.bind(at('10.0.0.2'), 7)).toBe(UdpResult.addressInUse)
    expect(second.bind(at('0.0.0.0'), 7)).toBe(UdpResult.addressInUse)
    expect(second.bind(at('127.0.0.1'), 7)).toBe(UdpResult.done)
    expect(second.bind(at('127.0.0.1'), 8)).toBe(UdpResult.alreadyBound)
    expect(bench.stack.udp.open(true).bind(at('::'), 7)).toBe(UdpResult.addressInUse)
  })

  test('only addresses of ours, of the right family', () => {
    expect(bench.stack.udp.open(false).bind(at('10.0.0.9'), 7)).toBe(UdpResult.addressNotAvailable)
    expect(bench.stack.udp.open(false).bind(at('fd00::2'), 7)).toBe(UdpResult.wrongFamily)
  })

  test('port 0 asks for a random one of 32768 to 60999: RFC 6056', () => {
    const ports = Array.from({ length: 200 }, () => open({ port: 0 }).localPort)
    expect(new Set(ports).size).toBe(200)
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(32_768)
    expect(Math.max(...ports)).toBeLessThanOrEqual(60_999)
    const steps = ports.slice(1).filter((port, place) => Math.abs(port - ports[place]) === 1)
    expect(steps.length).toBeLessThan(5)
  })

  test('closing gives the port back and leaves nothing', () => {
    open().close()
    open().close()
    expect(bench.stack.udp.sockets.size).toBe(0)
  })
})

describe('what is sent', () => {
  test('is whole and right, in both families', () => {
    const socket = open({ ipv6: true })
    expect(send(socket, bytes(1, 2, 3), peer, 9)).toBe(0)
    expect(send(socket, bytes(4, 5), peer6, 9)).toBe(0)
    const [packet, packet6] = bench.sent()
    expect(readIp(packet)).toMatchObject({ from: '10.0.0.2', to: '10.0.0.1', dontFragment: true, identification: 0 })
    expect(readIp(packet6)).toMatchObject({ from: 'fd00::2', to: 'fd00::1', protocol: 17 })
    expect([packet, packet6].map(transportChecksumIsRight)).toEqual([true, true])
    expect((packet6[1] & 15) | packet6[2] | packet6[3]).not.toBe(0)
  })

  test('a checksum of zero goes as all ones', () => {
    const socket = open()
    let found = false
    for (let octet = 0; octet < 65_536 && !found; octet++) {
      send(socket, bytes(octet >> 8, octet & 255), peer, 9)
      const [packet] = bench.sent()
      expect(packet[26] | packet[27]).not.toBe(0)
      found = packet[26] === 255 && packet[27] === 255
    }
    expect(found).toBe(true)
  })

  test('the largest goes in fragments, and one octet more is refused', () => {
    const socket = open()
    expect(send(socket, new Uint8Array(65_508), peer, 9)).toBe(UdpResult.tooLong)
    const data = Uint8Array.from({ length: 65_507 }, (_, place) => place * 13)
    expect(send(socket, data, peer, 9)).toBe(0)
    const pieces = bench.sent().map(readIp)
    expect(pieces.length).toBe(45)
    const whole = new Uint8Array(65_515)
    for (const piece of pieces) whole.set(piece.payload, piece.offset)
    expect(whole.subarray(8)).toEqual(data)
    expect(new Set(pieces.map(({ identification }) => identification)).size).toBe(1)
  })

  test('identifications of one destination tell nothing of another', () => {
    const socket = open()
    const big = new Uint8Array(2000)
    const identify = (to: string) => {
      send(socket, big, at(to), 9)
      return readIp(bench.sent()[0]).identification
    }
    const [one, other, next] = [identify('10.0.0.1'), identify('10.0.0.3'), identify('10.0.0.1')]
    expect(next).toBe((one + 1) & 0xffff)
    expect(Math.abs(other - one)).toBeGreaterThan(1)
  })

  test('broadcasting has to be permitted', () => {
    const socket = open()
    for (const to of ['255.255.255.255', '10.0.0.255'])
      expect(send(socket, bytes(1), at(to), 9)).toBe(UdpResult.notPermitted)
    socket.mayBroadcast = true
    expect(send(socket, bytes(1), at('10.0.0.255'), 9)).toBe(0)
    expect(bench.sent().map((packet) => readIp(packet).to)).toEqual(['10.0.0.255'])
  })

  test('to a group: hop limit 1, and members here hear it too', () => {
    const socket = open()
    socket.join(at('239.1.2.3'), bench.interface)
    send(socket, bytes(7), at('239.1.2.3'), 7)
    expect(bench.sent().map((packet) => readIp(packet).hopLimit)).toEqual([1])
    bench.loop()
    expect(heard(socket)).toEqual([[7]])
    socket.multicastLoop = false
    send(socket, bytes(8), at('239.1.2.3'), 7)
    bench.loop()
    expect(heard(socket)).toEqual([])
  })

  test('without a route: refused', () => {
    const socket = open()
    expect(send(socket, bytes(1), at('192.0.2.1'), 9)).toBe(UdpResult.noRoute)
    expect(send(socket, bytes(1), peer6, 9)).toBe(UdpResult.wrongFamily)
    expect(send(socket, bytes(1), null)).toBe(UdpResult.notConnected)
  })

  test('beyond the queue: refused until there is room', () => {
    const socket = open()
    const data = new Uint8Array(60_000)
    const results = Array.from({ length: 5 }, () => send(socket, data, peer, 9))
    expect(results).toEqual([0, 0, 0, UdpResult.queueFull, UdpResult.queueFull])
    expect(bench.sent().length).toBe(3 * 41)
    expect(send(socket, data, peer, 9)).toBe(0)
  })

  test('by the loopback to oneself', () => {
    const socket = open()
    for (const to of ['127.0.0.1', '10.0.0.2', '127.3.2.1']) send(socket, bytes(1), at(to), 7)
    bench.loop()
    expect(heard(socket).length).toBe(3)
  })
})

describe('errors', () => {
  test('a connected socket is told: port unreachable', () => {
    const socket = open()
    expect(socket.connect(peer, 9)).toBe(0)
    send(socket, bytes(1), null)
    const [packet] = bench.sent()
    bench.receive(icmpPacket(3, 3, 0, packet))
    expect(socket.errorKind).toBe(IcmpErrorKind.portUnreachable)
    expect(bench.stack.ready.shift()).toBe(socket)
  })

  test('one that is not connected is not: RFC 1122 §4.1.3.3', () => {
    const socket = open()
    send(socket, bytes(1), peer, 9)
    bench.receive(icmpPacket(3, 3, 0, bench.sent()[0]))
    expect(socket.errorKind).toBe(-1)
    expect(bench.allDrops).toEqual({})
  })

  test('about what was never sent is believed by nobody', () => {
    const socket = open()
    socket.connect(peer, 9)
    send(socket, bytes(1), null)
    const [packet] = bench.sent()
    packet.set([0, 10], 22)
    bench.receive(icmpPacket(3, 3, 0, packet))
    expect(socket.errorKind).toBe(-1)
    expect(bench.drops('icmpUnmatched')).toBe(1)
  })

  test('round the loopback: a closed port of our own', () => {
    const socket = open()
    socket.connect(at('127.0.0.1'), 99)
    send(socket, bytes(1), null)
    bench.loop()
    expect(socket.errorKind).toBe(IcmpErrorKind.portUnreachable)
  })
})
