// Reads the pcapng that captures write, just far enough for tests.
export interface CapturedPacket {
  interface: string
  linkType: number
  nanoseconds: bigint
  direction: 'in' | 'out'
  comment: string | null
  originalLength: number
  octets: Uint8Array
}

export function readPcapng(file: Uint8Array): CapturedPacket[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  const faces: { name: string; linkType: number }[] = []
  const packets: CapturedPacket[] = []
  for (let at = 0; at < file.length; ) {
    const type = view.getUint32(at, true)
    const length = view.getUint32(at + 4, true)
    if (length % 4 !== 0 || view.getUint32(at + length - 4, true) !== length) throw new Error(`block at ${at}`)
    if (type === 0x0a0d0d0a && view.getUint32(at + 8, true) !== 0x1a2b3c4d) throw new Error('byte order')
    if (type === 1) {
      const options = readOptions(file, at + 16, at + length - 4)
      faces.push({ name: text(options.get(2))!, linkType: view.getUint16(at + 8, true) })
    }
    if (type === 6) {
      const kept = view.getUint32(at + 20, true)
      const options = readOptions(file, at + 28 + ((kept + 3) & ~3), at + length - 4)
      const face = faces[view.getUint32(at + 8, true)]
      packets.push({
        interface: face.name,
        linkType: face.linkType,
        nanoseconds: (BigInt(view.getUint32(at + 12, true)) << 32n) | BigInt(view.getUint32(at + 16, true)),
        direction: options.get(2)![0] === 1 ? 'in' : 'out',
        comment: text(options.get(1)),
        originalLength: view.getUint32(at + 24, true),
        octets: file.slice(at + 28, at + 28 + kept),
      })
    }
    at += length
  }
  return packets
}

function readOptions(file: Uint8Array, start: number, end: number): Map<number, Uint8Array> {
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  const options = new Map<number, Uint8Array>()
  for (let at = start; at < end; ) {
    const code = view.getUint16(at, true)
    const length = view.getUint16(at + 2, true)
    if (code === 0) return options
    options.set(code, file.subarray(at + 4, at + 4 + length))
    at += 4 + ((length + 3) & ~3)
  }
  throw new Error('options without an end')
}

function text(octets: Uint8Array | undefined): string | null {
  return octets === undefined ? null : new TextDecoder().decode(octets)
}

/** A sink, and the file that it has made. */
export function collector(): { sink: (block: Uint8Array<ArrayBuffer>) => void; file(): Uint8Array<ArrayBuffer> } {
  const blocks: Uint8Array[] = []
  return {
    sink: (block) => blocks.push(block),
    file: () => new Uint8Array(Buffer.concat(blocks)),
  }
}
