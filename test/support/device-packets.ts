// Just enough of IPv4 for tests of a bare TUN device, where no stack stands on it: an echo responder and UDP datagrams.
import type { PacketBatch } from '../../src/core/batch.ts'

const ICMP = 1
const UDP = 17
const ECHO_REQUEST = 8

/** Makes replies of the echo requests in the batch, in place; all else is cut out by a length of 20 and protocol 253. */
export function answerEchoes(batch: PacketBatch): number {
  let answered = 0
  for (let row = batch.first; row < batch.end; row++) {
    const at = batch.offset[row]
    const { bytes, view } = batch
    if (bytes[at] === 0x45 && bytes[at + 9] === ICMP && bytes[at + 20] === ECHO_REQUEST) {
      const source = view.getUint32(at + 12)
      view.setUint32(at + 12, view.getUint32(at + 16))
      view.setUint32(at + 16, source)
      bytes[at + 20] = 0
      const sum = view.getUint16(at + 22) + (ECHO_REQUEST << 8)
      view.setUint16(at + 22, (sum & 0xffff) + (sum >>> 16))
      answered++
    } else {
      writeIpv4(batch, at, 20, 253)
      batch.length[row] = 20
    }
    batch.checksum[row] = 0
    batch.segmentation[row] = 0
  }
  return answered
}

function writeIpv4({ bytes, view }: PacketBatch, at: number, length: number, protocol: number): void {
  bytes.fill(0, at, at + 20)
  bytes[at] = 0x45
  view.setUint16(at + 2, length)
  bytes[at + 8] = 64
  bytes[at + 9] = protocol
  bytes.set([10, 7, 0, 2, 10, 7, 0, 1], at + 12)
  view.setUint16(at + 10, checksum(view, at, 20, 0))
}

/** Adds a datagram from 10.7.0.2 to 10.7.0.1, its checksum left partial (RFC 768: the pseudo-header's sum); returns its row. */
export function addDatagram(batch: PacketBatch, port: number, payload: Uint8Array): number {
  const length = 28 + payload.length
  const at = batch.reserve(length)
  if (at < 0) throw new Error('no room for a datagram')
  writeIpv4(batch, at, length, UDP)
  batch.view.setUint16(at + 20, 4000)
  batch.view.setUint16(at + 22, port)
  batch.view.setUint16(at + 24, length - 20)
  batch.view.setUint16(at + 26, 0)
  batch.bytes.set(payload, at + 28)
  const pseudo = ~checksum(batch.view, at + 12, 8, UDP + length - 20) & 0xffff
  batch.view.setUint16(at + 26, pseudo)
  return batch.commit(length)
}

/** Rows that are UDP over IPv4. */
export function datagrams(batch: PacketBatch): number[] {
  const rows = Array.from({ length: batch.count }, (_, index) => batch.first + index)
  return rows.filter((row) => batch.bytes[batch.offset[row]] === 0x45 && batch.bytes[batch.offset[row] + 9] === UDP)
}

function checksum(view: DataView, at: number, length: number, begin: number): number {
  let sum = begin
  for (let word = 0; word < length; word += 2) sum += view.getUint16(at + word)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
