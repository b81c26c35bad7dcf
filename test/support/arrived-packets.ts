// What a device's software offload has made of packets that arrived, row by row; and packets put into a batch as it is to send them.
import { expect } from 'vitest'
import { Checksum, type PacketBatch, Segmentation } from '../../src/core/batch.ts'
import type { TunDevice } from '../../src/node/tun-device.ts'
import { checksumOf, pseudoSum, sumOf } from './raw-segments.ts'
import { batchFor } from './tun-devices.ts'

export interface Arrived {
  port: number
  how: string
  /** Octets before it in its flow. */
  at: number
  text: Buffer
  flags: number
  acknowledged: number
  size: number
}

/** All that waits, but for what the kernel says of itself on a new device. Headers of merged packets must be right in themselves. */
export function arrived(device: TunDevice): Arrived[] {
  return readAll(device, describeRow)
}

export function readAll<T>(
  device: TunDevice,
  read: (batch: PacketBatch, row: number, packet: Buffer, isIpv4: boolean) => T,
): T[] {
  const rows: T[] = []
  const batch = batchFor(device)
  for (; device.receive(batch) > 0; batch.clear()) {
    for (let row = batch.first; row < batch.end; row++) {
      const start = batch.offset[row]
      const packet = Buffer.from(batch.bytes.subarray(start, start + batch.length[row]))
      const isIpv4 = packet[0] >>> 4 === 4
      if (isIpv4 || packet[8] === 0xfd) rows.push(read(batch, row, packet, isIpv4))
    }
  }
  return rows
}

function describeRow(batch: PacketBatch, row: number, packet: Buffer, isIpv4: boolean): Arrived {
  const { ipHeader, protocol, field } = checksumOf(packet)
  const transport = packet.subarray(ipHeader)
  const isDatagram = protocol === 17
  const text = transport.subarray(isDatagram ? 8 : (transport[12] >>> 4) * 4)
  const isSegmented = batch.segmentation[row] !== Segmentation.none
  const how = isSegmented ? 'merged' : HOW[batch.checksum[row]]
  if (isSegmented) {
    expect(batch.checksum[row]).toBe(Checksum.partial)
    expect(batch.segmentation[row]).toBe(isIpv4 ? Segmentation.tcp4 : Segmentation.tcp6)
    if (isIpv4) expect([packet.readUInt16BE(2), sumOf(packet, 0, 20)]).toEqual([packet.length, 0xffff])
    else expect(packet.readUInt16BE(4)).toBe(packet.length - 40)
  }
  if (batch.checksum[row] === Checksum.partial) {
    expect([batch.checksumStart[row], batch.checksumField[row]]).toEqual([ipHeader, field])
    expect(transport.readUInt16BE(field)).toBe(pseudoSum(packet, ipHeader, protocol))
  }
  const at = isDatagram ? 0 : transport.readUInt32BE(4) - 1_000
  const flags = isDatagram ? 0 : transport[13]
  const acknowledged = isDatagram ? 0 : transport.readInt32BE(8)
  return { port: transport.readUInt16BE(0), how, at, text, flags, acknowledged, size: batch.segmentSize[row] }
}

/** A packet whose checksum is left to the device: the pseudo-header's sum stands in its place. A complete one where `protocol` is null. */
export function add(batch: PacketBatch, packet: Buffer, protocol: 6 | 17 | null, size: number): number {
  const isIpv4 = packet[0] >>> 4 === 4
  const { ipHeader, field } = checksumOf(packet)
  if (protocol !== null) packet.writeUInt16BE(pseudoSum(packet, ipHeader, protocol), ipHeader + field)
  batch.bytes.set(packet, batch.reserve(packet.length))
  const row = batch.commit(packet.length)
  if (protocol === null) return row
  batch.checksum[row] = Checksum.partial
  batch.checksumStart[row] = ipHeader
  batch.checksumField[row] = field
  if (size > 0) batch.segmentation[row] = isIpv4 ? Segmentation.tcp4 : Segmentation.tcp6
  batch.segmentSize[row] = size
  return row
}

const HOW: Record<number, string> = {
  [Checksum.partial]: 'left',
  [Checksum.verified]: 'verified',
  [Checksum.complete]: 'complete',
}
