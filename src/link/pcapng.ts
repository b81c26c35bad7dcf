// Writes packets as a pcapng file (draft-ietf-opsawg-pcapng), a block at a time, which Wireshark and tshark read.
// One file may hold the packets of many interfaces; times are nanoseconds.
const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE_DESCRIPTION = 1
const ENHANCED_PACKET = 6
const LITTLE_ENDIAN_MAGIC = 0x1a2b3c4d
const LINK_TYPE = { ip: 101, ethernet: 1 }
const Option = { end: 0, comment: 1, name: 2, flags: 2, application: 4, resolution: 9 }
const NANOSECONDS = 9

export type PcapngSink = (block: Uint8Array<ArrayBuffer>) => void

export interface PcapngOptions {
  /** The octets of a packet that are kept; all of them unless said otherwise. */
  snapLength?: number
  /** Puts the stack's note on a packet into words, for a comment; null for none. */
  describe?: (note: number) => string | null
}

export class PcapngWriter {
  readonly snapLength: number
  readonly #sink: PcapngSink
  readonly #describe: (note: number) => string | null
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
    const comment = note === 0 ? null : this.#describe(note)
    const words = comment === null ? null : this.#text.encode(comment).subarray(0, 0xffff)
    const options = 8 + 4 + (words === null ? 0 : 4 + padded(words.length))
    const block = new Block(ENHANCED_PACKET, 20 + padded(kept) + options)
    block.word(face)
    block.word(Number(nanoseconds >> 32n))
    block.word(Number(nanoseconds & 0xffff_ffffn))
    block.word(kept)
    block.word(length)
    block.octets(octets.subarray(offset, offset + kept))
    if (words !== null) block.option(Option.comment, words)
    block.option(Option.flags, Uint8Array.of(direction === 'in' ? 1 : 2, 0, 0, 0))
    this.#sink(block.finish())
  }

  #optionLength(text: string): number {
    return 4 + padded(this.#text.encode(text).length)
  }
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
