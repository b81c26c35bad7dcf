// Wraps any link and writes every packet that crosses it as pcapng, with what the stack had to say about it.
// The stack's notes on arriving packets are known at the end of the turn: they are written when the driver transmits,
// until when it keeps the batch intact. Written is what stands in the slots: super-segments whole, partial checksums partial.
import type { PacketBatch } from '../core/batch.ts'
import type { Link, Offload, Time } from '../core/environment.ts'
import { type PcapngOptions, type PcapngSink, PcapngWriter } from './pcapng.ts'

export interface CaptureOptions extends PcapngOptions {
  /** The interface's name in the file: `link` unless said otherwise. */
  name?: string
}

/** `sink` gets the file's blocks one by one, each its own to keep; a `PcapngWriter` is shared by many links. */
export function capture(link: Link, sink: PcapngSink | PcapngWriter, options: CaptureOptions = {}): Link {
  const tapped = new TappedLink(link)
  tapped.tap(sink, options)
  return tapped
}

interface Tap {
  writer: PcapngWriter
  /** The interface's number in that file. */
  face: number
}

/** A link whose packets are written while somebody asks for them. */
export class TappedLink implements Link {
  readonly medium: 'ip' | 'ethernet'
  readonly mtu: number
  readonly headroom: number
  readonly offload: Offload
  readonly #link: Link
  readonly #givenTime: Time | null
  #taps: readonly Tap[] = []
  #time: Time | null = null
  /** The date at the zero of the monotonic clock, in nanoseconds, so that a change of the date doesn't turn time back. */
  #origin = 0n
  #received: PacketBatch | null = null
  #first = 0
  #end = 0
  #receivedAt = 0n
  readonly #writeReceived = () => this.#flush()

  /** `time` is what is written, where it isn't the time that the link is opened with. */
  constructor(link: Link, time: Time | null = null) {
    this.#link = link
    this.#givenTime = time
    this.medium = link.medium
    this.mtu = link.mtu
    this.headroom = link.headroom
    this.offload = link.offload
  }

  /** Writes from now on; the returned function ends it. */
  tap(sink: PcapngSink | PcapngWriter, options: CaptureOptions = {}): () => void {
    const writer = sink instanceof PcapngWriter ? sink : new PcapngWriter(sink, options)
    const tap = { writer, face: writer.addInterface(options.name ?? 'link', this.medium) }
    this.#taps = [...this.#taps, tap]
    return () => {
      this.#flush()
      this.#taps = this.#taps.filter((other) => other !== tap)
    }
  }

  open(wake: () => void, time: Time): void {
    const written = this.#givenTime ?? time
    this.#time = written
    this.#origin = BigInt(Math.round((written.wall() - written.now()) * 1000)) * 1000n
    this.#link.open(wake, time)
  }

  close(): void {
    this.#flush()
    this.#link.close()
  }

  receive(batch: PacketBatch): void {
    this.#flush()
    const first = batch.end
    this.#link.receive(batch)
    if (batch.end === first || this.#taps.length === 0) return
    this.#received = batch
    this.#first = first
    this.#end = batch.end
    this.#receivedAt = this.#now()
    for (const { writer } of this.#taps) writer.defer(this.#writeReceived)
  }

  transmit(batch: PacketBatch): void {
    // What other interfaces have received in this turn comes first too, where they share the file.
    for (const { writer } of this.#taps) writer.writeDeferred()
    const { first, end } = batch
    this.#link.transmit(batch)
    if (this.#taps.length === 0) return
    // An emptied batch begins anew; its octets and columns still stand.
    const taken = batch.count === 0 ? end : batch.first
    if (taken > first) this.#write(batch, first, taken, 'out', this.#now())
  }

  #flush(): void {
    const batch = this.#received
    if (batch === null) return
    this.#received = null
    this.#write(batch, this.#first, this.#end, 'in', this.#receivedAt)
  }

  #write(batch: PacketBatch, first: number, end: number, direction: 'in' | 'out', at: bigint): void {
    const { bytes, offset, length, note } = batch
    for (let row = first; row < end; row++) {
      for (const { writer, face } of this.#taps) {
        writer.packet(face, at, direction, bytes, offset[row], length[row], note[row])
      }
    }
  }

  #now(): bigint {
    return this.#time === null ? 0n : this.#origin + BigInt(Math.round(this.#time.now() * 1_000_000))
  }
}
