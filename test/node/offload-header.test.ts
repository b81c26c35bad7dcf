// struct virtio_net_hdr to and from the columns of a batch, octet for octet.
import { describe, expect, it } from 'vitest'
import { Checksum, PacketBatch, Segmentation } from '../../src/core/batch.ts'
import { OFFLOAD_HEADER, readOffloadHeaders, writeOffloadHeaders } from '../../src/node/offload-header.ts'

function batchOf(length: number) {
  const batch = new PacketBatch({ headroom: OFFLOAD_HEADER })
  batch.bytes.fill(0xa5)
  const offset = batch.reserve(length)
  const row = batch.commit(length)
  const header = () => Array.from(batch.bytes.subarray(offset - OFFLOAD_HEADER, offset))
  return { batch, offset, row, header }
}

describe('the offload header', () => {
  it('is all zero for a packet with nothing to do', () => {
    const { batch, row, header } = batchOf(40)
    for (const checksum of [Checksum.complete, Checksum.verified]) {
      batch.checksum[row] = checksum
      writeOffloadHeaders(batch)
      expect(header()).toEqual(Array(10).fill(0))
    }
  })

  it('asks for a checksum', () => {
    const { batch, row, header } = batchOf(40)
    batch.checksum[row] = Checksum.partial
    batch.checksumStart[row] = 40
    batch.checksumField[row] = 6
    writeOffloadHeaders(batch)
    expect(header()).toEqual([1, 0, 0, 0, 0, 0, 40, 0, 6, 0])
  })

  it('asks for segments of TCP, with headers as long as the data offset says', () => {
    const { batch, offset, row, header } = batchOf(10_000)
    batch.bytes[offset + 20 + 12] = 8 << 4
    batch.checksum[row] = Checksum.partial
    batch.checksumStart[row] = 20
    batch.checksumField[row] = 16
    batch.segmentation[row] = Segmentation.tcp4 | Segmentation.ecn
    batch.segmentSize[row] = 1448
    writeOffloadHeaders(batch)
    expect(header()).toEqual([1, 0x81, 52, 0, 0xa8, 0x05, 20, 0, 16, 0])
  })

  it('comes back to the columns as it went', () => {
    const { batch, row } = batchOf(10_000)
    batch.checksum[row] = Checksum.partial
    batch.checksumStart[row] = 40
    batch.checksumField[row] = 6
    batch.segmentation[row] = Segmentation.udp
    batch.segmentSize[row] = 1200
    writeOffloadHeaders(batch)
    const columns = () => [
      batch.checksum,
      batch.checksumStart,
      batch.checksumField,
      batch.segmentation,
      batch.segmentSize,
    ]
    const before = columns().map((column) => column[row])
    for (const column of columns()) column[row] = 0
    readOffloadHeaders(batch, row, row + 1)
    expect(columns().map((column) => column[row])).toEqual(before)
  })

  it('says that the kernel has verified a checksum, or that nobody has', () => {
    const { batch, offset, row } = batchOf(40)
    for (const [flags, checksum] of [
      [0, Checksum.complete],
      [1, Checksum.partial],
      [2, Checksum.verified],
      [3, Checksum.partial],
    ]) {
      batch.checksum[row] = Checksum.complete
      batch.bytes.fill(0, offset - OFFLOAD_HEADER, offset)
      batch.bytes[offset - OFFLOAD_HEADER] = flags
      readOffloadHeaders(batch, row, row + 1)
      expect(batch.checksum[row]).toBe(checksum)
      expect(batch.segmentation[row]).toBe(Segmentation.none)
    }
  })
})
