// Keeps the last packets of a network, so that a test that fails can leave a capture behind without having asked for one.
// Each packet stands there once, as it set out, with a comment where it did not arrive. Octets are copied into chunks that go round.
import type { PacketBatch } from '../core/batch.ts'
import type { Fate } from '../link/impaired-path.ts'
import { PcapngWriter } from '../link/pcapng.ts'

/** Octets in a chunk; the oldest chunk is overwritten when there are enough of them. */
const CHUNK = 128 * 1024

/** What a packet takes beside its octets: a typed array's worth of figures. */
interface Recorded {
  readonly at: number
  readonly face: number
  readonly fate: Fate | null
  readonly chunk: Uint8Array<ArrayBuffer>
  readonly offset: number
  readonly length: number
}

export class FlightRecorder {
  readonly #mostChunks: number
  readonly #faces: string[] = []
  readonly #packets: Recorded[][] = []
  #chunk: Uint8Array<ArrayBuffer> | null = null
  #used = 0

  /** `limit`: about how many octets are kept. 0 for none. */
  constructor(limit: number) {
    this.#mostChunks = Math.ceil(limit / CHUNK)
  }

  /** A place where packets set out from; the number by which they name it. */
  addFace(name: string): number {
    return this.#faces.push(name) - 1
  }

  record(face: number, at: number, batch: PacketBatch, row: number, fate: Fate | null): void {
    if (this.#mostChunks === 0) return
    const length = batch.length[row]
    if (this.#chunk === null || this.#used + length > this.#chunk.length) this.#next(length)
    const chunk = this.#chunk as Uint8Array<ArrayBuffer>
    const from = batch.offset[row]
    chunk.set(batch.bytes.subarray(from, from + length), this.#used)
    const offset = this.#used
    this.#used += length
    this.#packets[this.#packets.length - 1].push({ at, face, fate, chunk, offset, length })
  }

  get count(): number {
    return this.#packets.reduce((sum, packets) => sum + packets.length, 0)
  }

  /** All that is kept, as one pcapng file. `beginning`: the date at which the network's time began. */
  toPcapng(beginning: number): Uint8Array<ArrayBuffer> {
    const blocks: Uint8Array<ArrayBuffer>[] = []
    const described = Object.keys(COMMENTS) as (keyof typeof COMMENTS)[]
    const writer = new PcapngWriter((block) => blocks.push(block), {
      describe: (note) => COMMENTS[described[note - 1]],
    })
    for (const name of this.#faces) writer.addInterface(name, 'ip')
    for (const { at, face, fate, chunk, offset, length } of this.#packets.flat()) {
      const nanoseconds = BigInt(Math.round((beginning + at) * 1000)) * 1000n
      const note = fate === 'passed' ? 0 : described.indexOf(fate ?? 'stopped') + 1
      writer.packet(face, nanoseconds, 'out', chunk, offset, length, note)
    }
    const octets = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const block of blocks) {
      octets.set(block, at)
      at += block.length
    }
    return octets
  }

  #next(length: number): void {
    // A small network's packets need no whole chunk.
    const size = this.#packets.length === 0 ? CHUNK / 16 : CHUNK
    if (this.#packets.length >= this.#mostChunks) this.#packets.shift()
    this.#packets.push([])
    this.#chunk = new Uint8Array(Math.max(size, length))
    this.#used = 0
  }
}

/** What a capture says of a packet that did not arrive as it was; nothing of others. */
const COMMENTS = {
  lost: 'lost on the way',
  corrupted: 'arrives corrupted',
  overflow: "lost: the link's queue is full",
  oversized: 'lost: longer than the path takes',
  partitioned: 'lost: the link is cut',
  closed: 'lost: the host there is down',
  stopped: 'stopped by a box in the middle',
} as const
