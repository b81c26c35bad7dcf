// The older format, pcap (draft-ietf-opsawg-pcap): one interface, a head of 24 octets, packets one after the other. Called by capture-reader.ts.
import type { Capture, PacketList } from './captured-packets.ts'

const HEAD = 24
const Magic = { micro: 0xa1b2c3d4, nano: 0xa1b23c4d, patched: 0xa1b2cd34 } as const
/** Octets of a packet's head; those of a patched tcpdump of old have eight more. */
const PACKET_HEAD = 16
const PATCHED_HEAD = 24

export function readOldCapture(file: Uint8Array, view: DataView, packets: PacketList): Capture {
  const magics: number[] = Object.values(Magic)
  const isLittle = file.length >= 4 && magics.includes(view.getUint32(0, true))
  const magic = file.length >= 4 ? view.getUint32(0, isLittle) : 0
  if (file.length < HEAD || !magics.includes(magic))
    return packets.end('the file is no capture: neither pcapng nor pcap')
  // The upper bits tell of checksums at the ends of frames.
  packets.interfaces.push({ name: '', linkType: view.getUint32(20, isLittle) & 0xffff })
  const unit = magic === Magic.nano ? 1n : 1000n
  const head = magic === Magic.patched ? PATCHED_HEAD : PACKET_HEAD
  let at = HEAD
  while (at < file.length) {
    if (at + head > file.length) return packets.end(`the file ends within a packet, at octet ${at}`)
    const kept = view.getUint32(at + 8, isLittle)
    const end = at + head + kept
    if (end > file.length) return packets.end(`the file ends within a packet, at octet ${at}`)
    const seconds = BigInt(view.getUint32(at, isLittle))
    const nanoseconds = seconds * 1_000_000_000n + BigInt(view.getUint32(at + 4, isLittle)) * unit
    packets.add(0, nanoseconds, file.subarray(at + head, end), view.getUint32(at + 12, isLittle), null)
    at = end
  }
  return packets.end(null)
}
