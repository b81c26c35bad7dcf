// Packets that are not what they say: the kinds behind Ripple20, AMNESIA:33, NAME:WRECK's neighbours and URGENT/11. Each is dropped by
// its reason, answered at most by the error that is due, and leaves nothing behind; the connection beside it goes on.
import { expect, test } from 'vitest'
import type { Drop } from '../../src/core/observer.ts'
import { State } from '../../src/core/tcp/state.ts'
import {
  type Bytes,
  bytes,
  icmpPacket,
  ipv4Packet,
  ipv6Packet,
  tcpPacket,
  u16,
  u32,
  udpPacket,
} from '../support/packets.ts'
import { pattern, TcpBench } from '../support/tcp-bench.ts'

type Kind = [what: string, packet: Bytes, reason: keyof typeof Drop]

const segment = (fields = {}, data: ArrayLike<number> = []) => tcpPacket(data, { flags: 'S', ...fields })
const cut = (packet: Bytes, length: number) => packet.slice(0, length)
/** IPv6 with a chain of headers before eight octets of UDP. */
const chain = (first: number, ...headers: number[][]) =>
  ipv6Packet(bytes(...headers, 0, 9, 0, 9, 0, 8, 0, 0), { protocol: first })
const options = (next: number, length = 0) => [next, length, 1, 4, 0, 0, 0, 0]

const IP: Kind[] = [
  ['IHL below 5', ipv4Packet([1, 2, 3, 4], { headerLength: 16 }), 'badHeaderLength'],
  ['IHL beyond the packet', ipv4Packet([], { headerLength: 60 }), 'badHeaderLength'],
  ['a total length beyond the frame', ipv4Packet([1, 2], { totalLength: 1500 }), 'badTotalLength'],
  ['a total length below the header', ipv4Packet([1, 2], { totalLength: 8 }), 'badTotalLength'],
  ['an IPv6 payload length beyond the frame', ipv6Packet([1, 2], { totalLength: 1400 }), 'badTotalLength'],
  ['no octet of payload behind half a header', cut(ipv6Packet([]), 39), 'truncated'],
  ['version 5', ipv4Packet([1, 2, 3, 4], { version: 5 }), 'badVersion'],
  ['a wrong header checksum', ipv4Packet([1], { checksum: 0x1234 }), 'badHeaderChecksum'],
  ['an option of length 0', ipv4Packet([1], { options: [7, 0, 4, 0] }), 'badOptions'],
  ['an option of length 1', ipv4Packet([1], { options: [68, 1, 4, 0] }), 'badOptions'],
  ['an option that ends beyond the header', ipv4Packet([1], { options: [7, 40, 4, 0] }), 'badOptions'],
  ['a loose source route', ipv4Packet([1], { options: [131, 7, 4, 10, 0, 0, 9, 0] }), 'sourceRoute'],
  ['a strict source route', ipv4Packet([1], { options: [137, 7, 4, 10, 0, 0, 9, 0] }), 'sourceRoute'],
  [
    'a routing header of type 0 (RFC 5095)',
    chain(43, [17, 2, 0, 1, 0, 0, 0, 0, ...Array(16).fill(9)]),
    'routingHeader',
  ],
  ['an extension header beyond the packet', chain(60, options(17, 200)), 'badExtensionHeader'],
  ['an extension header cut in two', cut(chain(60, options(60), options(17)), 50), 'badTotalLength'],
  ['headers without end', chain(60, ...Array.from({ length: 40 }, () => options(60))), 'tooManyExtensionHeaders'],
  ['hop-by-hop options behind others', chain(60, options(0), options(17)), 'badExtensionHeader'],
  ['an option whose length leaves its header', chain(60, [17, 0, 0x3e, 200, 0, 0, 0, 0]), 'badExtensionHeader'],
  ['IP in IP (CVE-2020-10136)', ipv4Packet(udpPacket([1]), { protocol: 4 }), 'unknownProtocol'],
  ['IPv6 in IPv4', ipv4Packet(udpPacket([1], { from: 'fd00::1' }), { protocol: 41 }), 'unknownProtocol'],
  ['IPv6 in IPv6', ipv6Packet(udpPacket([1], { from: 'fd00::1' }), { protocol: 41 }), 'unknownProtocol'],
]

const TRANSPORT: Kind[] = [
  ['a TCP header cut off', ipv4Packet([1, 2, 3, 4], { protocol: 6 }), 'tcpTruncated'],
  ['a data offset below 5', segment({ dataOffset: 4 }), 'tcpBadOffset'],
  ['a data offset beyond the segment', segment({ dataOffset: 15 }), 'tcpBadOffset'],
  ['a wrong TCP checksum', segment({ tcpChecksum: 0x1234 }), 'tcpBadChecksum'],
  ['TCP from port 0', segment({ sourcePort: 0 }), 'tcpZeroPort'],
  ['TCP to port 0', segment({ destinationPort: 0 }), 'tcpZeroPort'],
  ['TCP to everybody', segment({ to: '10.0.0.255' }), 'tcpToGroup'],
  ['UDP that says it is longer than it is', udpPacket([1, 2, 3], { length: 60 }), 'udpBadLength'],
  ['UDP that says it is shorter than its header', udpPacket([1, 2, 3], { length: 7 }), 'udpBadLength'],
  ['a UDP header cut off', ipv4Packet([0, 7, 0, 7], { protocol: 17 }), 'udpTruncated'],
  ['a wrong UDP checksum', udpPacket([1, 2, 3], { udpChecksum: 0x1234 }), 'udpBadChecksum'],
  ['UDP over IPv6 without a checksum', udpPacket([1], { from: 'fd00::1', udpChecksum: 0 }), 'udpBadChecksum'],
  ['ICMP cut off', ipv4Packet([8, 0, 0, 0], { protocol: 1 }), 'icmpTruncated'],
  ['a wrong ICMP checksum', icmpPacket(8, 0, 7, [1], { icmpChecksum: 0x1234 }), 'icmpBadChecksum'],
  ['a wrong ICMPv6 checksum', icmpPacket(128, 0, 7, [1], { from: 'fd00::1', icmpChecksum: 0x1234 }), 'icmpBadChecksum'],
  ['an ICMP error that quotes nothing', icmpPacket(3, 3, 0, []), 'icmpUnmatched'],
]

test.each([...IP, ...TRANSPORT])('%s', (_, packet, reason) => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept()
  const before = bench.bench.drops(reason)
  bench.deliver(packet)
  expect(bench.bench.drops(reason), JSON.stringify(bench.bench.allDrops)).toBe(before + 1)
  // No more than the one ICMP error that some of them are due.
  expect(bench.bench.sent().length).toBeLessThanOrEqual(1)
  expect(bench.bench.stack.fragments.count).toBe(0)
  peer.send('P.', { data: pattern(10, 1) })
  expect([connection.readable, connection.state]).toEqual([10, State.established])
})

test.each([
  ['of length 0', [5, 0, 1, 1]],
  ['of length 1', [3, 1, 7, 1]],
  ['that end beyond the header', [2, 40, 5, 180]],
  ['cut off after their kind', [1, 1, 1, 8]],
  ['with a window scale of 255', [3, 3, 255, 1]],
  ['with an MSS of 0', [2, 4, 0, 0]],
  ['with SACK blocks on a SYN', [5, 10, ...u32(1), ...u32(5), 1, 1]],
])('TCP options %s open a connection all the same, without what they say', (_, synOptions) => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept({ synOptions })
  peer.send('P.', { data: pattern(10, 1), options: synOptions })
  expect([connection.readable, connection.state]).toEqual([10, State.established])
  expect(connection.sndShift).toBeLessThanOrEqual(14)
  expect(connection.mss).toBeGreaterThan(0)
})

test.each([
  ['beyond the data (URGENT/11, CVE-2019-12255)', 60_000],
  ['of 0 (CVE-2019-12255)', 0],
  ['just behind it', 11],
])('an urgent pointer %s moves no octet and reads none twice', (_, urgent) => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept()
  peer.send('UP.', { data: pattern(10, 1), urgent })
  peer.send('UP.', { data: pattern(10, 11), urgent: 0 })
  const read: number[] = []
  for (let octets = connection.read(100, 0); octets !== null; octets = connection.read(100, 0)) read.push(...octets)
  expect(read).toEqual([...pattern(20, 1)])
})

test('overlapping urgent segments on their way through SYN, FIN and window edges keep their octets (CVE-2019-12260)', () => {
  const bench = new TcpBench()
  const [peer, connection] = bench.accept()
  peer.send('U.', { seq: 21, data: pattern(10, 21), urgent: 5 })
  peer.send('U.', { seq: 11, data: pattern(15, 11), urgent: 500 })
  peer.send('FU.', { seq: 1, data: pattern(12, 1), urgent: 0 })
  const octets = connection.read(100, 0)
  expect([...(octets ?? [])]).toEqual([...pattern(octets?.length ?? 0, 1)])
  expect(u16(connection.readable)).toEqual([0, 0])
})
