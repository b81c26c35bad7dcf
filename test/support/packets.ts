// Packets made octet by octet, independently of the code under test, and a bare `Stack` to throw them at.
import { PacketBatch } from '../../src/core/batch.ts'
import { type Address, parseAddress, parsePrefix } from '../../src/core/ip/address.ts'
import type { Interface } from '../../src/core/ip/interface.ts'
import { Drop } from '../../src/core/observer.ts'
import { Stack, type StackInterfaceOptions, type StackOptions } from '../../src/core/stack.ts'
import { seeded } from './seeded.ts'

export type Bytes = Uint8Array<ArrayBuffer>

export function bytes(...parts: (number | ArrayLike<number>)[]): Bytes {
  let length = 0
  for (const part of parts) length += typeof part === 'number' ? 1 : part.length
  const octets = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    if (typeof part === 'number') octets[at++] = part
    else {
      octets.set(part, at)
      at += part.length
    }
  }
  return octets
}

export function u16(value: number): number[] {
  return [(value >>> 8) & 255, value & 255]
}

export function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value)]
}

/** RFC 1071, octet pair by octet pair; every part but the last has an even length. */
export function internetChecksum(...parts: ArrayLike<number>[]): number {
  let sum = 0
  for (const octets of parts) {
    const even = octets.length & ~1
    for (let at = 0; at < even; at += 2) sum += (octets[at] << 8) + octets[at + 1]
    if (even < octets.length) sum += octets[even] << 8
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

export function addressOctets(text: string): readonly number[] {
  const known = ADDRESSES.get(text)
  if (known !== undefined) return known
  const address = parseAddress(text) as Address
  const words = address.isIpv4 ? [address.word3] : [address.word0, address.word1, address.word2, address.word3]
  const octets = words.flatMap(u32)
  // Floods make up addresses by the ten thousand.
  if (ADDRESSES.size < 1000) ADDRESSES.set(text, octets)
  return octets
}

const ADDRESSES = new Map<string, readonly number[]>()

export interface IpFields {
  from?: string
  to?: string
  protocol?: number
  hopLimit?: number
  trafficClass?: number
  identification?: number
  /** IPv4: 16 bits of flags and offset. */
  fragment?: number
  options?: number[]
  /** Overrides the truth. */
  totalLength?: number
  headerLength?: number
  version?: number
  checksum?: number
}

export function ipv4Packet(payload: ArrayLike<number>, fields: IpFields = {}): Bytes {
  const options = fields.options ?? []
  const headerLength = fields.headerLength ?? 20 + options.length
  const header = bytes(
    ((fields.version ?? 4) << 4) | (headerLength >>> 2),
    fields.trafficClass ?? 0,
    u16(fields.totalLength ?? 20 + options.length + payload.length),
    u16(fields.identification ?? 0),
    u16(fields.fragment ?? 0),
    fields.hopLimit ?? 64,
    fields.protocol ?? 17,
    [0, 0],
    addressOctets(fields.from ?? '10.0.0.1'),
    addressOctets(fields.to ?? '10.0.0.2'),
    options,
  )
  header.set(u16(fields.checksum ?? internetChecksum(header.subarray(0, Math.max(20, headerLength)))), 10)
  return bytes(header, payload)
}

export function ipv6Packet(payload: ArrayLike<number>, fields: IpFields & { flowLabel?: number } = {}): Bytes {
  const word = ((fields.version ?? 6) << 28) | ((fields.trafficClass ?? 0) << 20) | (fields.flowLabel ?? 0)
  return bytes(
    u32(word),
    u16(fields.totalLength ?? payload.length),
    fields.protocol ?? 17,
    fields.hopLimit ?? 64,
    addressOctets(fields.from ?? 'fd00::1'),
    addressOctets(fields.to ?? 'fd00::2'),
    payload,
  )
}

function pseudoHeader(from: string, to: string, protocol: number, length: number): Bytes {
  return bytes(addressOctets(from), addressOctets(to), u32(length), u32(protocol))
}

/** UDP, whole: IPv4 or IPv6 as the addresses have it. */
export function udpPacket(
  data: ArrayLike<number>,
  fields: IpFields & { sourcePort?: number; destinationPort?: number; length?: number; udpChecksum?: number } = {},
): Bytes {
  const isIpv6 = (fields.from ?? '').includes(':')
  const from = fields.from ?? '10.0.0.1'
  const to = fields.to ?? (isIpv6 ? 'fd00::2' : '10.0.0.2')
  const length = fields.length ?? 8 + data.length
  const header = bytes(u16(fields.sourcePort ?? 5000), u16(fields.destinationPort ?? 7), u16(length), [0, 0])
  const right = internetChecksum(pseudoHeader(from, to, 17, length), header, data) || 0xffff
  header.set(u16(fields.udpChecksum ?? right), 6)
  return (isIpv6 ? ipv6Packet : ipv4Packet)(bytes(header, data), { ...fields, from, to, protocol: 17 })
}

/** Letters of the control bits, as tcpdump writes them. */
export const FLAG_LETTERS = 'FSRP.UEW'

export interface TcpFields extends IpFields {
  sourcePort?: number
  destinationPort?: number
  /** Relative ones are the peer's affair: these stand in the header. */
  sequence?: number
  acknowledgment?: number
  flags?: string
  window?: number
  urgent?: number
  /** Octets of options, padded with zeros to whole words. */
  tcpOptions?: number[]
  /** Override the truth. */
  dataOffset?: number
  tcpChecksum?: number
}

/** TCP, whole: IPv4 or IPv6 as the addresses have it. */
export function tcpPacket(data: ArrayLike<number>, fields: TcpFields = {}): Bytes {
  const from = fields.from ?? '10.0.0.1'
  const isIpv6 = from.includes(':')
  const to = fields.to ?? (isIpv6 ? 'fd00::2' : '10.0.0.2')
  const options = [...(fields.tcpOptions ?? [])]
  while (options.length % 4 !== 0) options.push(0)
  let flags = 0
  for (const letter of fields.flags ?? '') flags |= 1 << FLAG_LETTERS.indexOf(letter)
  const header = bytes(
    u16(fields.sourcePort ?? 4000),
    u16(fields.destinationPort ?? 80),
    u32(fields.sequence ?? 0),
    u32(fields.acknowledgment ?? 0),
    (fields.dataOffset ?? 5 + options.length / 4) << 4,
    flags,
    u16(fields.window ?? 65_535),
    [0, 0],
    u16(fields.urgent ?? 0),
    options,
  )
  const right = internetChecksum(pseudoHeader(from, to, 6, header.length + data.length), header, data)
  header.set(u16(fields.tcpChecksum ?? right), 16)
  return (isIpv6 ? ipv6Packet : ipv4Packet)(bytes(header, data), { ...fields, from, to, protocol: 6 })
}

/** ICMP or ICMPv6, whole. `rest` is the header's second word. */
export function icmpPacket(
  type: number,
  code: number,
  rest: number,
  body: ArrayLike<number>,
  fields: IpFields & { icmpChecksum?: number } = {},
): Bytes {
  const isIpv6 = (fields.from ?? '').includes(':')
  const from = fields.from ?? '10.0.0.1'
  const to = fields.to ?? (isIpv6 ? 'fd00::2' : '10.0.0.2')
  const message = bytes(type, code, [0, 0], u32(rest), body)
  const pseudo = isIpv6 ? pseudoHeader(from, to, 58, message.length) : []
  message.set(u16(fields.icmpChecksum ?? internetChecksum(pseudo, message)), 2)
  return (isIpv6 ? ipv6Packet : ipv4Packet)(message, { ...fields, from, to, protocol: isIpv6 ? 58 : 1 })
}

export function put(batch: PacketBatch, packet: ArrayLike<number>): number {
  batch.bytes.set(packet, batch.reserve(packet.length))
  return batch.commit(packet.length)
}

/** A bare stack with one interface (and more, where asked), without driver or link. */
export class Bench {
  readonly stack: Stack
  readonly interface: Interface
  now = 0
  readonly #in = new PacketBatch()
  /** An arena a length of packets: it costs more to make than most tests send. */
  readonly #out = new Map<number, PacketBatch>()

  constructor(options: Partial<StackOptions> = {}, first: Partial<StackInterfaceOptions> = {}) {
    this.stack = new Stack({ random: seeded(1), ...options })
    this.interface = this.add({ addresses: prefixes('10.0.0.2/24', 'fd00::2/64'), ...first })
  }

  add(options: Partial<StackInterfaceOptions>): Interface {
    return this.stack.addInterface({ name: 'test', mtu: 1500, ...options })
  }

  /** Packets arrive by the interface, as one batch. */
  receive(...packets: ArrayLike<number>[]): void {
    this.receiveBy(this.interface, ...packets)
  }

  receiveBy(by: Interface, ...packets: ArrayLike<number>[]): void {
    const batch = this.#in
    batch.clear()
    batch.interface = by.index
    for (const packet of packets) {
      if (batch.isFull) {
        this.stack.receive(batch, this.now)
        batch.clear()
      }
      put(batch, packet)
    }
    this.stack.receive(batch, this.now)
  }

  /** All that waits to go out by the interface. */
  sent(by: Interface = this.interface): Bytes[] {
    const packets: Bytes[] = []
    const batch = this.#out.get(by.mtu) ?? new PacketBatch({ largest: by.mtu })
    this.#out.set(by.mtu, batch)
    batch.clear()
    batch.interface = by.index
    for (;;) {
      this.stack.transmit(batch, this.now)
      if (batch.count === 0) return packets
      for (let row = batch.first; row < batch.end; row++) {
        packets.push(batch.bytes.slice(batch.offset[row], batch.offset[row] + batch.length[row]))
      }
      batch.clear()
    }
  }

  /** Receives and gives what went out as an answer. */
  answer(...packets: ArrayLike<number>[]): Bytes[] {
    this.receive(...packets)
    return this.sent()
  }

  /** Carries what the stack sends to itself, until nothing is left. */
  loop(): void {
    const { loopback } = this.stack
    // With their columns, as the loopback link does it: a checksum may be partial there.
    for (let round = 0; round < 100; round++) {
      const batch = new PacketBatch({ largest: loopback.mtu })
      batch.interface = loopback.index
      this.stack.transmit(batch, this.now)
      if (batch.count === 0) return
      this.stack.receive(batch, this.now)
    }
    throw new Error('packets go round on the loopback without end')
  }

  advance(milliseconds: number): void {
    this.now += milliseconds
    this.stack.expire(this.now, true)
  }

  drops(reason: keyof typeof Drop): number {
    return this.stack.observer.counters.dropped(Drop[reason])
  }

  get allDrops(): Record<string, number> {
    return this.stack.observer.counters.toJSON().drops
  }
}

export function prefixes(...texts: string[]) {
  return texts.map((text) => {
    const prefix = parsePrefix(text)
    if (prefix === null) throw new Error(`not a prefix: ${text}`)
    return prefix
  })
}

/** What the IP header of a sent packet says, read independently of the code under test. */
export function readIp(packet: Bytes) {
  const view = new DataView(packet.buffer)
  if (packet[0] >>> 4 === 4) {
    const headerLength = (packet[0] & 15) * 4
    return {
      version: 4,
      headerIsRight: internetChecksum(packet.subarray(0, headerLength)) === 0,
      total: view.getUint16(2),
      identification: view.getUint16(4),
      dontFragment: (packet[6] & 0x40) !== 0,
      more: (packet[6] & 0x20) !== 0,
      offset: (view.getUint16(6) & 0x1fff) * 8,
      hopLimit: packet[8],
      protocol: packet[9],
      trafficClass: packet[1],
      from: packet.subarray(12, 16).join('.'),
      to: packet.subarray(16, 20).join('.'),
      payload: packet.subarray(headerLength),
    }
  }
  const hex = (at: number) => {
    const groups = Array.from({ length: 8 }, (_, group) => view.getUint16(at + group * 2).toString(16))
    return (parseAddress(groups.join(':')) as Address).toString()
  }
  return {
    version: 6,
    headerIsRight: true,
    total: 40 + view.getUint16(4),
    identification: 0,
    dontFragment: true,
    more: false,
    offset: 0,
    hopLimit: packet[7],
    protocol: packet[6],
    trafficClass: ((packet[0] & 15) << 4) | (packet[1] >>> 4),
    from: hex(8),
    to: hex(24),
    payload: packet.subarray(40),
  }
}

/** Whether the transport's or ICMP's checksum in a sent packet is right. */
export function transportChecksumIsRight(packet: Bytes): boolean {
  const { version, protocol, from, to, payload } = readIp(packet)
  const pseudo = version === 4 && protocol === 1 ? [] : pseudoHeader(from, to, protocol, payload.length)
  return internetChecksum(pseudo, payload) === 0
}
