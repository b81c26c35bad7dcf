// struct virtio_net_hdr (virtio 1.2, §5.1.6), ten octets directly before a packet on a TUN device with IFF_VNET_HDR:
// what it says, to and from the offload columns of a batch. Little endian: the addon asks the kernel for that.
import { Checksum, type PacketBatch, Segmentation } from '../core/batch.ts'

/** Octets of headroom that a batch needs for it. */
export const OFFLOAD_HEADER = 10

const FLAGS = -10
const SEGMENTATION = -9
const HEADER_LENGTH = -8
const SEGMENT_SIZE = -6
const CHECKSUM_START = -4
const CHECKSUM_FIELD = -2

const NEEDS_CHECKSUM = 1
const DATA_VALID = 2

/** From the headers of rows `first` to `end - 1` to the columns, which stand at "complete, not segmented". */
export function readOffloadHeaders(batch: PacketBatch, first: number, end: number): void {
  const { view, bytes } = batch
  for (let row = first; row < end; row++) {
    const at = batch.offset[row]
    const flags = bytes[at + FLAGS]
    if (flags & NEEDS_CHECKSUM) {
      batch.checksum[row] = Checksum.partial
      batch.checksumStart[row] = view.getUint16(at + CHECKSUM_START, true)
      batch.checksumField[row] = view.getUint16(at + CHECKSUM_FIELD, true)
    } else if (flags & DATA_VALID) {
      batch.checksum[row] = Checksum.verified
    }
    const segmentation = bytes[at + SEGMENTATION]
    if (segmentation === Segmentation.none) continue
    batch.segmentation[row] = segmentation
    batch.segmentSize[row] = view.getUint16(at + SEGMENT_SIZE, true)
  }
}

/** From the columns of all rows to the headers before their packets. */
export function writeOffloadHeaders(batch: PacketBatch): void {
  const { view, bytes } = batch
  for (let row = batch.first; row < batch.end; row++) {
    const at = batch.offset[row]
    if (batch.checksum[row] !== Checksum.partial) {
      // A checksum that somebody has verified stands in the packet as well as a complete one.
      for (let word = FLAGS; word < 0; word += 2) view.setUint16(at + word, 0)
      continue
    }
    const segmentation = batch.segmentation[row]
    const start = batch.checksumStart[row]
    bytes[at + FLAGS] = NEEDS_CHECKSUM
    bytes[at + SEGMENTATION] = segmentation
    view.setUint16(at + HEADER_LENGTH, segmentation === Segmentation.none ? 0 : headersEnd(batch, row, start), true)
    view.setUint16(at + SEGMENT_SIZE, segmentation === Segmentation.none ? 0 : batch.segmentSize[row], true)
    view.setUint16(at + CHECKSUM_START, start, true)
    view.setUint16(at + CHECKSUM_FIELD, batch.checksumField[row], true)
  }
}

/** Octets of the headers that each segment gets a copy of: up to the end of UDP's 8, or of TCP's data offset. */
function headersEnd(batch: PacketBatch, row: number, start: number): number {
  if (batch.segmentation[row] === Segmentation.udp) return start + 8
  return start + ((batch.bytes[batch.offset[row] + start + 12] >> 4) << 2)
}
