// Writes packets as a pcapng file (draft-ietf-opsawg-pcapng), a block at a time, which Wireshark and tshark read.
// One file may hold the packets of many interfaces; times are nanoseconds.
const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE_DESCRIPTION = 1
const INTERFACE_STATISTICS = 5
const ENHANCED_PACKET = 6
const DECRYPTION_SECRETS = 10
/** `TLSK`: lines as SSLKEYLOGFILE has them. */
const TLS_KEY_LOG = 0x544c_534b
const LITTLE_ENDIAN_MAGIC = 0x1a2b3c4d
const LINK_TYPE = { ip: 101, ethernet: 1 }
const Option = { end: 0, comment: 1, name: 2, flags: 2, application: 4, dropped: 7, resolution: 9 }
const NANOSECONDS = 9

export type PcapngSink = (block: Uint8Array<ArrayBuffer>) => void

export type Describe = (note: number) => string | readonly string[] | null

export interface PcapngOptions {
  /** The octets of a packet that are kept; all of them unless said otherwise. */
  snapLength?: number
  /** Puts the stack's note on a packet into words, for a comment, or several; null for none. */
  describe?: Describe
}

export class PcapngWriter {
  readonly snapLength: number
  readonly #sink: PcapngSink
  readonly #describe: Describe
  readonly #text = new TextEncoder()
  #interfaces = 0
  #waiting: (() => void)[] = []

  constructor(sink: PcapngSink, options: PcapngOptions = {}) {
    this.snapLength = options.snapLength ?? 0x7fff_ffff
    this.#sink = sink
    this.#describe = options.describe ?? (() => null)
    const block = new Block(SECTION_HEADER, 16 + this.#optionLength('tunstack') + 4)
    block.word(LITTLE_ENDIAN_MAGIC)
    block.half(1)
    block.half(0)
    block.word(0xffff_ffff)
    block.word(0xffff_ffff)
    block.option(Option.application, this.#text.encode('tunstack'))
    sink(block.finish())
  }

  /** Returns the number by which packets name it. */
  addInterface(name: string, medium: 'ip' | 'ethernet'): number {
    const encoded = this.#text.encode(name)
    const block = new Block(INTERFACE_DESCRIPTION, 8 + padded(encoded.length) + 4 + 8 + 4)
    block.half(LINK_TYPE[medium])
    block.half(0)
    block.word(this.snapLength)
    block.option(Option.name, encoded)
    block.option(Option.resolution, Uint8Array.of(NANOSECONDS))
    this.#sink(block.finish())
    return this.#interfaces++
  }

  /** What is to be written before anything that is sent from now on: a turn's arrivals, whose notes are not known yet. */
  defer(write: () => void): void {
    this.#waiting.push(write)
  }

  writeDeferred(): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const write of waiting) write()
  }

  /** A packet that came in or went out at `nanoseconds` since 1970. */
  packet(
    face: number,
    nanoseconds: bigint,
    direction: 'in' | 'out',
    octets: Uint8Array<ArrayBuffer>,
    offset: number,
    length: number,
    note: number,
  ): void {
    const kept = Math.min(length, this.snapLength)
    const comments = this.#commentsOn(note)
    let options = 8 + 4
    for (const words of comments) options += 4 + padded(words.length)
    const block = new Block(ENHANCED_PACKET, 20 + padded(kept) + options)
    block.word(face)
    block.word(Number(nanoseconds >> 32n))
    block.word(Number(nanoseconds & 0xffff_ffffn))
    block.word(kept)
    block.word(length)
    block.octets(octets.subarray(offset, offset + kept))
    for (const words of comments) block.option(Option.comment, words)
    block.option(Option.flags, Uint8Array.of(direction === 'in' ? 1 : 2, 0, 0, 0))
    this.#sink(block.finish())
  }

  /** What it takes to decrypt what follows: lines as SSLKEYLOGFILE has them. They must stand before the packets. */
  secrets(lines: string): void {
    const encoded = this.#text.encode(lines)
    const block = new Block(DECRYPTION_SECRETS, 8 + padded(encoded.length) + 4)
    block.word(TLS_KEY_LOG)
    block.word(encoded.length)
    block.octets(encoded)
    this.#sink(block.finish())
  }

  #commentsOn(note: number): Uint8Array[] {
    const described = note === 0 ? null : this.#describe(note)
    if (described === null) return []
    const comments = typeof described === 'string' ? [described] : described
    return comments.map((comment) => this.#text.encode(comment).subarray(0, 0xffff))
  }

  #optionLength(text: string): number {
    return 4 + padded(this.#text.encode(text).length)
  }
}

/** How many packets of an interface are missing, since whoever reads was too slow, as of `nanoseconds` since 1970. */
export function statisticsBlock(face: number, nanoseconds: bigint, dropped: number): Uint8Array<ArrayBuffer> {
  const block = new Block(INTERFACE_STATISTICS, 12 + 12 + 4)
  block.word(face)
  block.word(Number(nanoseconds >> 32n))
  block.word(Number(nanoseconds & 0xffff_ffffn))
  const count = new Uint8Array(8)
  new DataView(count.buffer).setBigUint64(0, BigInt(dropped), true)
  block.option(Option.dropped, count)
  return block.finish()
}

/** The interface of a block that holds a packet; -1 for any other block. */
export function faceOf(block: Uint8Array): number {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  return view.getUint32(0, true) === ENHANCED_PACKET ? view.getUint32(8, true) : -1
}

/** A block of a known size: its type and length around what is put in. */
class Block {
  readonly #bytes: Uint8Array<ArrayBuffer>
  readonly #view: DataView<ArrayBuffer>
  #at = 0

  constructor(type: number, body: number) {
    this.#bytes = new Uint8Array(12 + body)
    this.#view = new DataView(this.#bytes.buffer)
    this.word(type)
    this.word(this.#bytes.length)
  }

  word(value: number): void {
    this.#view.setUint32(this.#at, value, true)
    this.#at += 4
  }

  half(value: number): void {
    this.#view.setUint16(this.#at, value, true)
    this.#at += 2
  }

  octets(octets: Uint8Array): void {
    this.#bytes.set(octets, this.#at)
    this.#at += padded(octets.length)
  }

  option(code: number, value: Uint8Array): void {
    this.half(code)
    this.half(value.length)
    this.octets(value)
  }

  /** Ends the options and the block. */
  finish(): Uint8Array<ArrayBuffer> {
    this.half(Option.end)
    this.half(0)
    this.word(this.#bytes.length)
    return this.#bytes
  }
}

function padded(octets: number): number {
  return (octets + 3) & ~3
}
