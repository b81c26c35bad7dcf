// A packet on its way through an impaired path: its octets and its columns, out of the batch that it came in.
// Only impairments make an object for a packet; a path with nothing wrong has none of these.
import { Checksum, type PacketBatch, Segmentation } from '../core/batch.ts'
import type { Scheduled } from './schedule.ts'

const FRAGMENT_HEADER = 44

/** Room that every held packet has, so that one can be used for another. */
const USUAL_ROOM = 2048

export class HeldPacket implements Scheduled {
  at = Number.POSITIVE_INFINITY
  order = 0
  place = -1
  length = 0
  readonly octets: Uint8Array<ArrayBuffer>
  #checksum = 0
  #checksumStart = 0
  #checksumField = 0
  #segmentation = 0
  #segmentSize = 0
  #note = 0
  #hop0 = 0
  #hop1 = 0
  #hop2 = 0
  #hop3 = 0

  constructor(length: number) {
    this.octets = new Uint8Array(Math.max(USUAL_ROOM, length))
  }

  /** Whether it is worth keeping for another packet. */
  get isUsual(): boolean {
    return this.octets.length === USUAL_ROOM
  }

  load(batch: PacketBatch, row: number): void {
    const start = batch.offset[row]
    this.length = batch.length[row]
    this.octets.set(batch.bytes.subarray(start, start + this.length))
    this.#checksum = batch.checksum[row]
    this.#checksumStart = batch.checksumStart[row]
    this.#checksumField = batch.checksumField[row]
    this.#segmentation = batch.segmentation[row]
    this.#segmentSize = batch.segmentSize[row]
    this.#note = batch.note[row]
    this.#hop0 = batch.nextHop[row * 4]
    this.#hop1 = batch.nextHop[row * 4 + 1]
    this.#hop2 = batch.nextHop[row * 4 + 2]
    this.#hop3 = batch.nextHop[row * 4 + 3]
  }

  /** Puts it into the batch; false where there is no room. */
  store(batch: PacketBatch): boolean {
    const offset = batch.reserve(this.length)
    if (offset < 0) return false
    batch.bytes.set(this.octets.length === this.length ? this.octets : this.octets.subarray(0, this.length), offset)
    const row = batch.commit(this.length)
    batch.checksum[row] = this.#checksum
    batch.checksumStart[row] = this.#checksumStart
    batch.checksumField[row] = this.#checksumField
    batch.segmentation[row] = this.#segmentation
    batch.segmentSize[row] = this.#segmentSize
    batch.note[row] = this.#note
    batch.nextHop[row * 4] = this.#hop0
    batch.nextHop[row * 4 + 1] = this.#hop1
    batch.nextHop[row * 4 + 2] = this.#hop2
    batch.nextHop[row * 4 + 3] = this.#hop3
    return true
  }

  /**
   * Flips one burst of 1 to 15 bits, where and which ones both numbers say; false where that can't be done so that a
   * checksum catches it: the packet must then be dropped, as its receiver would have done.
   */
  corrupt(where: number, which: number): boolean {
    if (this.#checksum === Checksum.partial) return false
    const first = firstCovered(this.octets)
    const length = 1 + ((which >>> 0) % 15)
    const places = this.length * 8 - first - length + 1
    if (places <= 0) return false
    const start = first + ((where >>> 0) % places)
    this.#flip(start)
    for (let bit = 1; bit < length - 1; bit++) if ((which >>> (8 + bit)) & 1) this.#flip(start + bit)
    if (length > 1) this.#flip(start + length - 1)
    this.#checksum = Checksum.complete
    return true
  }

  /** Congestion experienced (RFC 3168 §5), where its sender allows it; says whether it does. */
  markCongested(): boolean {
    const { octets } = this
    const isIpv4 = octets[0] >> 4 === 4
    const shift = isIpv4 ? 0 : 4
    const codepoint = (octets[1] >> shift) & 3
    if (codepoint === 0 || codepoint === 3) return false
    octets[1] |= 3 << shift
    // RFC 1624: the header's checksum follows.
    if (isIpv4) {
      let sum = (~((octets[10] << 8) | octets[11]) & 0xffff) + 3 - codepoint
      sum = (sum & 0xffff) + (sum >>> 16)
      octets[10] = (~sum >>> 8) & 255
      octets[11] = ~sum & 255
    }
    return true
  }

  #flip(bit: number): void {
    this.octets[bit >> 3] ^= 0x80 >> (bit & 7)
  }
}

/** The first bit from which a burst can't hide: past what no checksum covers, and past where the version and the header's length say where it stands. */
function firstCovered(octets: Uint8Array): number {
  if (octets[0] >> 4 !== 6) return 8
  return (octets[6] === FRAGMENT_HEADER ? 48 : 40) * 8
}

/** What a row takes on a wire: for a super-segment, the longest packet that it is cut into. */
export function wireLength(batch: PacketBatch, row: number): number {
  const size = batch.segmentSize[row]
  if (size === 0) return batch.length[row]
  const transport = batch.checksumStart[row]
  const isUdp = (batch.segmentation[row] & ~Segmentation.ecn) === Segmentation.udp
  const header = isUdp ? 8 : (batch.bytes[batch.offset[row] + transport + 12] >> 4) * 4
  return Math.min(batch.length[row], transport + header + size)
}
