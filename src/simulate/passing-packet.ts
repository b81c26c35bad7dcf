// A packet as a box in the middle of a link sees it: who sends to whom, TCP's or UDP's header, and ways to change or answer it.
// One a link, filled anew for each packet: borrowed until the box returns.
import { Checksum, type PacketBatch } from '../core/batch.ts'
import { Address } from '../core/ip/address.ts'
import * as checksum from '../core/wire/checksum.ts'
import * as ipv4 from '../core/wire/ipv4.ts'
import * as ipv6 from '../core/wire/ipv6.ts'
import * as tcp from '../core/wire/tcp.ts'
import { Option } from '../core/wire/tcp-options.ts'

const TCP_HOP_LIMIT = 64

export class PassingPacket {
  readonly source = new Address()
  readonly destination = new Address()
  /** `tcp`, `udp`, or null for everything else, fragments too. */
  protocol: 'tcp' | 'udp' | null = null
  /** Of TCP and UDP; 0 for all others. */
  sourcePort = 0
  destinationPort = 0
  /** TCP's control bits, as `Flag` of core/wire/tcp has them. */
  flags = 0
  #batch: PacketBatch | null = null
  #row = 0
  #transport = 0
  #isIpv6 = false

  /** The first packet of a connection: a SYN without an ACK. */
  get isOpening(): boolean {
    return (this.flags & (tcp.Flag.syn | tcp.Flag.ack)) === tcp.Flag.syn
  }

  get isReset(): boolean {
    return (this.flags & tcp.Flag.rst) !== 0
  }

  /** The same text for both directions of one connection (or flow of datagrams). */
  get flow(): string {
    const from = `${this.source} ${this.sourcePort}`
    const to = `${this.destination} ${this.destinationPort}`
    return from < to ? `${this.protocol} ${from} ${to}` : `${this.protocol} ${to} ${from}`
  }

  /** @internal */
  load(batch: PacketBatch, row: number): this {
    this.#batch = batch
    this.#row = row
    this.protocol = null
    this.sourcePort = 0
    this.destinationPort = 0
    this.flags = 0
    const { view } = batch
    const at = batch.offset[row]
    this.#isIpv6 = view.getUint8(at) >>> 4 === 6
    const protocol = this.#isIpv6 ? this.#readIpv6(view, at) : this.#readIpv4(view, at)
    const length = at + batch.length[row] - this.#transport
    if (protocol === ipv4.Protocol.tcp && length >= tcp.MINIMUM_LENGTH) {
      this.protocol = 'tcp'
      this.flags = tcp.flags(view, this.#transport)
    } else if (protocol === ipv4.Protocol.udp && length >= 8) this.protocol = 'udp'
    if (this.protocol !== null) {
      this.sourcePort = tcp.sourcePort(view, this.#transport)
      this.destinationPort = tcp.destinationPort(view, this.#transport)
    }
    return this
  }

  /** The largest segment that a SYN asks for; 0 where it says nothing, or is none. */
  get mss(): number {
    const at = this.#mssAt()
    return at === 0 ? 0 : this.#view.getUint16(at)
  }

  set mss(octets: number) {
    const at = this.#mssAt()
    if (at === 0) return
    const before = this.#view.getUint16(at)
    this.#view.setUint16(at, octets)
    // A partial checksum is still to be completed, over what stands there then.
    if (this.#batch?.checksum[this.#row] === Checksum.partial) return
    const field = this.#transport + tcp.CHECKSUM_AT
    const sum = this.#view.getUint16(field)
    // An option may begin at an odd octet, where its two octets stand in two words of the sum.
    const isOdd = (at - this.#transport) % 2 !== 0
    const word = (value: number) => (isOdd ? ((value & 255) << 8) | (value >>> 8) : value)
    this.#view.setUint16(field, checksum.replaced(sum, word(before), word(octets)))
  }

  /** What its sender must get to believe that the other end has reset the connection (RFC 9293 §3.10.7.1). */
  composeReset(): Uint8Array<ArrayBuffer> {
    const view = this.#view
    const at = this.#transport
    const hasAck = (this.flags & tcp.Flag.ack) !== 0
    const header = this.#isIpv6 ? ipv6.HEADER_LENGTH : ipv4.MINIMUM_LENGTH
    const octets = new Uint8Array(header + tcp.MINIMUM_LENGTH)
    const answer = new DataView(octets.buffer)
    const seq = hasAck ? tcp.acknowledgment(view, at) : 0
    const ack = hasAck ? 0 : (tcp.sequence(view, at) + this.#length()) | 0
    const flags = hasAck ? tcp.Flag.rst : tcp.Flag.rst | tcp.Flag.ack
    tcp.write(answer, header, this.destinationPort, this.sourcePort, seq, ack, tcp.MINIMUM_LENGTH, flags, 0, 0)
    const { source: to, destination: from } = this
    let sum = checksum.addWord(checksum.addWord(0, tcp.MINIMUM_LENGTH), ipv4.Protocol.tcp)
    if (this.#isIpv6) {
      ipv6.write(answer, 0, tcp.MINIMUM_LENGTH, 0, 0, TCP_HOP_LIMIT, ipv4.Protocol.tcp)
      ipv6.writeAddress(answer, ipv6.SOURCE_AT, from.word0, from.word1, from.word2, from.word3)
      ipv6.writeAddress(answer, ipv6.DESTINATION_AT, to.word0, to.word1, to.word2, to.word3)
      for (let word = 0; word < 4; word++) {
        sum = checksum.addWord(sum, ipv6.source(answer, 0, word))
        sum = checksum.addWord(sum, ipv6.destination(answer, 0, word))
      }
    } else {
      ipv4.write(
        answer,
        0,
        octets.length,
        0,
        0,
        ipv4.DONT_FRAGMENT,
        TCP_HOP_LIMIT,
        ipv4.Protocol.tcp,
        from.word3,
        to.word3,
      )
      sum = checksum.addWord(checksum.addWord(sum, from.word3), to.word3)
    }
    const total = checksum.sum(answer, header, tcp.MINIMUM_LENGTH, checksum.fold(sum))
    answer.setUint16(header + tcp.CHECKSUM_AT, checksum.finish(total))
    return octets
  }

  get #view(): DataView<ArrayBuffer> {
    if (this.#batch === null) throw new Error('a packet may be looked at only while it passes')
    return this.#batch.view
  }

  #readIpv4(view: DataView, at: number): number {
    this.source.setIpv4(ipv4.source(view, at))
    this.destination.setIpv4(ipv4.destination(view, at))
    this.#transport = at + ipv4.headerLength(view, at)
    return ipv4.isFragment(view, at) ? ipv4.Protocol.noNext : ipv4.protocol(view, at)
  }

  /** TCP and UDP right behind the header: nobody here sends them behind another one. */
  #readIpv6(view: DataView, at: number): number {
    const word = (read: typeof ipv6.source, into: Address) =>
      into.set(read(view, at, 0), read(view, at, 1), read(view, at, 2), read(view, at, 3))
    word(ipv6.source, this.source)
    word(ipv6.destination, this.destination)
    this.#transport = at + ipv6.HEADER_LENGTH
    return ipv6.nextHeader(view, at)
  }

  /** Sequence numbers that the segment takes. */
  #length(): number {
    const batch = this.#batch as PacketBatch
    const end = batch.offset[this.#row] + batch.length[this.#row]
    const text = end - this.#transport - tcp.headerLength(this.#view, this.#transport)
    return text + ((this.flags & tcp.Flag.syn) !== 0 ? 1 : 0) + ((this.flags & tcp.Flag.fin) !== 0 ? 1 : 0)
  }

  /** Where a SYN's MSS stands; 0 for nowhere. */
  #mssAt(): number {
    if (this.protocol !== 'tcp' || (this.flags & tcp.Flag.syn) === 0) return 0
    const view = this.#view
    const end = this.#transport + tcp.headerLength(view, this.#transport)
    for (let at = this.#transport + tcp.OPTIONS_AT; at + 4 <= end; ) {
      const kind = view.getUint8(at)
      if (kind === Option.mss) return at + 2
      if (kind === Option.end) return 0
      at += kind === Option.noOperation ? 1 : Math.max(2, view.getUint8(at + 1))
    }
    return 0
  }
}
