// Packets octet by octet, for what a device's software offload makes of them: written, sent by way of the kernel, and caught behind it.
import { once } from 'node:events'
import type { Namespace } from './namespace.ts'

export const Flags = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 } as const

/** What differs from a segment with 100 octets of text, numbered from 1,000 on, that begins a flow. */
export interface Wanted {
  text?: number
  /** Octets before it in its flow. */
  at?: number
  flags?: number
  ack?: number
  window?: number
  urgent?: number
  options?: number[]
  trafficClass?: number
  hopLimit?: number
  flowLabel?: number
  identification?: number
  mayBeCut?: boolean
  /** IPv4's options or an extension header of IPv6 that says nothing. */
  isExtended?: boolean
  /** Says that more fragments follow. */
  isFragment?: boolean
  protocol?: number
  /** To a network behind another device, 10.8.0.2 or fd00:8::2, or from there; to the kernel's end of the device; else from there to ours. */
  way?: 'to beyond' | 'from beyond' | 'to kernel'
  spoil?: 'text' | 'ip header'
}

/** RFC 7323 appendix A: the options of a segment with such a timestamp. */
export const stamp = (value: number): number[] => [1, 1, 8, 10, 0, 0, 0, value, 0, 0, 0, 5]

/** Networks and hosts in them. */
const WAYS = {
  here: [
    [7, 1],
    [7, 2],
  ],
  'to beyond': [
    [7, 2],
    [8, 2],
  ],
  'to kernel': [
    [7, 2],
    [7, 1],
  ],
  'from beyond': [
    [8, 2],
    [7, 2],
  ],
} as const

export function sumOf(octets: Uint8Array, from = 0, to = octets.length): number {
  let sum = 0
  for (let at = from; at < to; at += 2) sum += (octets[at] << 8) | (at + 1 < to ? octets[at + 1] : 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}

/** What stands in the field of a checksum that is left to whoever needs it. */
export function pseudoSum(packet: Uint8Array, ipHeader: number, protocol: number): number {
  return sumOf(pseudoHeader(packet, ipHeader, protocol))
}

/** What a checksum is summed over: pseudo-header and all that follows the IP header. Right where the sum is 0xffff. */
export function transportSum(packet: Uint8Array, ipHeader: number, protocol: number): number {
  return sumOf(Buffer.concat([pseudoHeader(packet, ipHeader, protocol), packet.subarray(ipHeader)]))
}

function pseudoHeader(packet: Uint8Array, ipHeader: number, protocol: number): Uint8Array {
  const isIpv4 = packet[0] >>> 4 === 4
  const length = packet.length - ipHeader
  const addresses = packet.subarray(isIpv4 ? 12 : 8, isIpv4 ? 20 : 40)
  return Uint8Array.from([...addresses, length >>> 8, length & 0xff, 0, protocol])
}

/** Where an IP header ends, with its options or one extension header, the protocol behind it, and where that has its checksum. */
export function checksumOf(packet: Uint8Array): { ipHeader: number; protocol: number; field: number } {
  const isIpv4 = packet[0] >>> 4 === 4
  const isExtended = !isIpv4 && [44, 60].includes(packet[6])
  const ipHeader = isIpv4 ? (packet[0] & 15) * 4 : isExtended ? 48 : 40
  const protocol = packet[isIpv4 ? 9 : isExtended ? 40 : 6]
  return { ipHeader, protocol, field: protocol === 17 ? 6 : 16 }
}

/** The text of a flow: each octet tells its place. */
export function textOf(at: number, length: number): number[] {
  return Array.from({ length }, (_, index) => (at + index) * 7 + ((at + index) >>> 8))
}

/** A TCP segment (or a datagram, where `protocol` is 17) from 10.7.0.1 to 10.7.0.2, or the same in IPv6, checksums and all. */
export function packetOf(isIpv4: boolean, port: number, wanted: Wanted): Buffer {
  const { at = 0, text = 100, protocol = 6, options = [] } = wanted
  const transport = protocol === 17 ? datagram(port, text) : segment(port, at, text, options, wanted)
  const whole = Buffer.from([...(isIpv4 ? ipv4 : ipv6)(transport.length, protocol, wanted), ...transport])
  const ipHeader = whole.length - transport.length
  const field = ipHeader + (protocol === 17 ? 6 : 16)
  whole.writeUInt16BE(~transportSum(whole, ipHeader, protocol) & 0xffff, field)
  if (wanted.spoil === 'text') whole[whole.length - 1] ^= 0x10
  if (isIpv4) whole.writeUInt16BE(~sumOf(whole, 0, ipHeader) & 0xffff, 10)
  if (wanted.spoil === 'ip header') whole[10] ^= 0x10
  return whole
}

function segment(port: number, at: number, text: number, options: number[], wanted: Wanted): Buffer {
  const { flags = Flags.ack, ack = 1, window = 500, urgent = 0 } = wanted
  const header = Buffer.alloc(20 + options.length)
  header.writeUInt16BE(port, 0)
  header.writeUInt16BE(9, 2)
  header.writeUInt32BE(1_000 + at, 4)
  header.writeInt32BE(ack, 8)
  header[12] = header.length << 2
  header[13] = flags
  header.writeUInt16BE(window, 14)
  header.writeUInt16BE(urgent, 18)
  header.set(options, 20)
  return Buffer.concat([header, Buffer.from(textOf(at, text))])
}

function datagram(port: number, text: number): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt16BE(port, 0)
  header.writeUInt16BE(9, 2)
  header.writeUInt16BE(8 + text, 4)
  return Buffer.concat([header, Buffer.from(textOf(0, text))])
}

function ipv4(length: number, protocol: number, wanted: Wanted): Buffer {
  const { trafficClass = 0, hopLimit = 64, identification = 0, mayBeCut = false, isFragment = false } = wanted
  const header = Buffer.alloc(wanted.isExtended ? 24 : 20)
  header[0] = 0x40 | (header.length >>> 2)
  header[1] = trafficClass
  header.writeUInt16BE(header.length + length, 2)
  header.writeUInt16BE(identification, 4)
  header[6] = (mayBeCut ? 0 : 0x40) | (isFragment ? 0x20 : 0)
  header[8] = hopLimit
  header[9] = protocol
  const [[from, source], [to, target]] = WAYS[wanted.way ?? 'here']
  header.set([10, from, 0, source, 10, to, 0, target], 12)
  // Four no-operations.
  header.fill(1, 20)
  return header
}

function ipv6(length: number, protocol: number, wanted: Wanted): Buffer {
  const { trafficClass = 0, hopLimit = 64, flowLabel = 0, isExtended = false, isFragment = false } = wanted
  const extension = isFragment ? [protocol, 0, 0, 1, 0, 0, 0, 9] : isExtended ? [protocol, 0, 1, 4, 0, 0, 0, 0] : []
  const header = Buffer.alloc(40)
  header.writeUInt32BE(0x60000000 | (trafficClass << 20) | flowLabel, 0)
  header.writeUInt16BE(extension.length + length, 4)
  header[6] = isFragment ? 44 : isExtended ? 60 : protocol
  header[7] = hopLimit
  for (const [at, [network, host]] of WAYS[wanted.way ?? 'here'].entries())
    header.set([0xfd, 0, 0, network, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host], 8 + 16 * at)
  return Buffer.concat([header, Buffer.from(extension)])
}

/** PACKET_VNET_HDR: the header that says what is left stands before each packet. */
const SEND = `import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
s.setsockopt(263, 15, 1)
for line in sys.stdin:
  octets = bytes.fromhex(line)
  s.sendto(octets, (sys.argv[1], 0x800 if octets[10] >> 4 == 4 else 0x86dd))`

/** The kernel hands them to the device as they are, one after the other; those that `isLeft`, with a checksum that is still to be completed. */
export async function sendRaw(
  namespace: Namespace,
  device: string,
  packets: readonly Buffer[],
  isLeft: (index: number) => boolean = () => false,
): Promise<void> {
  const lines = packets.map((packet, index) => (isLeft(index) ? left(packet) : whole(packet)).toString('hex'))
  const input = lines.map((line) => `${line}\n`).join('')
  const { code, stderr } = await namespace.exec('python3', ['-c', SEND, device], { input })
  if (code !== 0) throw new Error(stderr)
}

function whole(packet: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(10), packet])
}

function left(packet: Buffer): Buffer {
  const sent = whole(packet)
  const { ipHeader, protocol, field } = checksumOf(packet)
  sent[0] = 1
  sent.writeUInt16LE(ipHeader, 6)
  sent.writeUInt16LE(field, 8)
  sent.writeUInt16BE(pseudoSum(packet, ipHeader, protocol), 10 + ipHeader + field)
  return sent
}

const CATCH = `import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind((sys.argv[1], 0))
s.settimeout(10)
# SO_RCVBUFFORCE: all that is sent at once.
s.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)
print("ready", flush=True)
count = 0
while count < int(sys.argv[2]):
  octets, address = s.recvfrom(600000)
  if address[2] == socket.PACKET_OUTGOING: continue
  print(octets.hex())
  count += 1`

/** The next `count` packets that come out of the device towards the kernel, while `send` runs. */
export async function catchRaw(
  namespace: Namespace,
  device: string,
  count: number,
  send: () => void,
): Promise<Buffer[]> {
  const child = namespace.start('python3', ['-c', CATCH, device, `${count}`])
  let said = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (said === '') send()
    said += text
  })
  await once(child, 'close')
  return said
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => Buffer.from(line, 'hex'))
}
