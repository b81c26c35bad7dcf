// Reads what tcpdump, Wireshark and this package write: pcapng (draft-ietf-opsawg-pcapng) and the older pcap, in both byte orders.
// Whatever stands in a file, nothing is thrown: what could be read is returned, with a sentence about what could not.
import { type Capture, PacketList } from './captured-packets.ts'
import { readOldCapture } from './old-capture-reader.ts'

const SECTION_HEADER = 0x0a0d0d0a
const Block = { interface: 1, oldPacket: 2, simplePacket: 3, enhancedPacket: 6 } as const
const Option = { end: 0, comment: 1, name: 2, application: 4, resolution: 9, offset: 14 } as const
const BIG_ENDIAN_MAGIC = 0x1a2b3c4d
const LITTLE_ENDIAN_MAGIC = 0x4d3c2b1a
const OURS = 'tunstack'
const SHORTEST_BLOCK = 12
const MICROSECONDS = 6
const GZIP = 0x1f8b

export function readCapture(file: Uint8Array): Capture {
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  const packets = new PacketList()
  if (file.length >= 4 && view.getUint32(0) === SECTION_HEADER) return new PcapngReader(file, view, packets).read()
  if (file.length >= 2 && view.getUint16(0) === GZIP) return packets.end('the file is compressed: gunzip it first')
  return readOldCapture(file, view, packets)
}

interface Face {
  readonly place: number
  readonly snapLength: number
  /** Units to nanoseconds. */
  readonly scale: (units: bigint) => bigint
}

class PcapngReader {
  readonly #file: Uint8Array
  readonly #view: DataView
  readonly #packets: PacketList
  readonly #text = new TextDecoder()
  #isLittle = true
  /** Those of the section. */
  #faces: Face[] = []

  constructor(file: Uint8Array, view: DataView, packets: PacketList) {
    this.#file = file
    this.#view = view
    this.#packets = packets
  }

  read(): Capture {
    let at = 0
    while (at < this.#file.length) {
      if (at + SHORTEST_BLOCK > this.#file.length)
        return this.#packets.end(`the file ends within a block, at octet ${at}`)
      if (this.#view.getUint32(at) === SECTION_HEADER && !this.#beginSection(at))
        return this.#packets.end(`the section at octet ${at} has no byte order`)
      const length = this.#word(at + 4)
      if (length < SHORTEST_BLOCK || length % 4 !== 0)
        return this.#packets.end(`the block at octet ${at} can't be ${length} octets long`)
      if (at + length > this.#file.length) return this.#packets.end(`the file ends within a block, at octet ${at}`)
      this.#block(this.#word(at), at + 8, at + length - 4)
      at += length
    }
    return this.#packets.end(null)
  }

  #beginSection(at: number): boolean {
    const magic = this.#view.getUint32(at + 8)
    if (magic !== BIG_ENDIAN_MAGIC && magic !== LITTLE_ENDIAN_MAGIC) return false
    this.#isLittle = magic === LITTLE_ENDIAN_MAGIC
    this.#faces = []
    this.#packets.isOurs = false
    return true
  }

  /** What is between a block's head and its tail; what is too short is passed over. */
  #block(type: number, start: number, end: number): void {
    const length = end - start
    if (type === SECTION_HEADER && length >= 16)
      this.#options(start + 16, end, (code, at, size) => {
        if (code === Option.application) this.#packets.isOurs = this.#words(at, size) === OURS
      })
    else if (type === Block.interface && length >= 8) this.#addInterface(start, end)
    else if (type === Block.enhancedPacket && length >= 20) this.#packet(start, end, this.#word(start))
    // The same fields; its first word is the interface and a count of drops.
    else if (type === Block.oldPacket && length >= 20) this.#packet(start, end, this.#half(start))
    else if (type === Block.simplePacket && length >= 4 && this.#faces.length > 0) this.#simplePacket(start, end)
  }

  #addInterface(start: number, end: number): void {
    let [name, resolution, offset] = ['', MICROSECONDS, 0n]
    this.#options(start + 8, end, (code, at, length) => {
      if (code === Option.name) name = this.#words(at, length)
      else if (code === Option.resolution && length >= 1) resolution = this.#file[at]
      else if (code === Option.offset && length >= 8) offset = this.#view.getBigInt64(at, this.#isLittle)
    })
    const place = this.#packets.interfaces.push({ name, linkType: this.#half(start) }) - 1
    const inSecond = resolution & 0x80 ? 1n << BigInt(resolution & 0x7f) : 10n ** BigInt(resolution)
    const scale = (units: bigint) => offset * 1_000_000_000n + (units * 1_000_000_000n) / inSecond
    this.#faces.push({ place, snapLength: this.#word(start + 4), scale })
  }

  #packet(start: number, end: number, number: number): void {
    const face = this.#faces[number]
    const kept = this.#word(start + 12)
    if (face === undefined || kept > end - start - 20) return
    let comment: string | null = null
    this.#options(start + 20 + padded(kept), end, (code, at, length) => {
      if (code === Option.comment) comment ??= this.#words(at, length)
    })
    const units = (BigInt(this.#word(start + 4)) << 32n) | BigInt(this.#word(start + 8))
    const octets = this.#file.subarray(start + 20, start + 20 + kept)
    this.#packets.add(face.place, face.scale(units), octets, this.#word(start + 16), comment)
  }

  #simplePacket(start: number, end: number): void {
    const [{ place, snapLength }] = this.#faces
    const length = this.#word(start)
    const kept = Math.min(length, snapLength === 0 ? length : snapLength, end - start - 4)
    this.#packets.add(place, null, this.#file.subarray(start + 4, start + 4 + kept), length, null)
  }

  #options(start: number, end: number, take: (code: number, at: number, length: number) => void): void {
    for (let at = start; at + 4 <= end; ) {
      const [code, length] = [this.#half(at), this.#half(at + 2)]
      if (code === Option.end || at + 4 + length > end) return
      take(code, at + 4, length)
      at += 4 + padded(length)
    }
  }

  #word(at: number): number {
    return this.#view.getUint32(at, this.#isLittle)
  }

  #half(at: number): number {
    return this.#view.getUint16(at, this.#isLittle)
  }

  #words(at: number, length: number): string {
    return this.#text.decode(this.#file.subarray(at, at + length))
  }
}

function padded(octets: number): number {
  return Math.ceil(octets / 4) * 4
}
