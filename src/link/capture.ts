// Wraps any link and writes every packet that crosses it as pcapng, with what the stack had to say about it.
// The stack's notes on arriving packets are known at the end of the turn: they are written when the driver transmits,
// until when it keeps the batch intact. Written is what stands in the slots: super-segments whole, partial checksums partial.
import type { PacketBatch } from '../core/batch.ts'
import type { Link, Time } from '../core/environment.ts'
import { type PcapngOptions, type PcapngSink, PcapngWriter } from './pcapng.ts'
import { WatchedLink } from './watched.ts'

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

/** A link whose packets are written while somebody asks for them. */
export class TappedLink extends WatchedLink {
  /** One for each tap: a writer may have several. */
  #taps: readonly { writer: PcapngWriter }[] = []
  /** The date at the zero of the monotonic clock, in nanoseconds, so that a change of the date doesn't turn time back. */
  #origin = 0n
  readonly #writeReceived = () => this.flush()

  /** Writes from now on; the returned function ends it. */
  tap(sink: PcapngSink | PcapngWriter, options: CaptureOptions = {}): () => void {
    const writer = sink instanceof PcapngWriter ? sink : new PcapngWriter(sink, options)
    const face = writer.addInterface(options.name ?? 'link', this.medium)
    const end = this.watch((direction, { bytes, offset, length, note }, row, at) => {
      const written = this.#origin + BigInt(Math.round(at * 1_000_000))
      writer.packet(face, written, direction, bytes, offset[row], length[row], note[row])
    })
    const tap = { writer }
    this.#taps = [...this.#taps, tap]
    return () => {
      end()
      this.#taps = this.#taps.filter((other) => other !== tap)
    }
  }

  protected override begin(time: Time): void {
    super.begin(time)
    this.#origin = BigInt(Math.round((time.wall() - time.now()) * 1000)) * 1000n
  }

  override receive(batch: PacketBatch): void {
    super.receive(batch)
    if (this.isHolding) for (const { writer } of this.#taps) writer.defer(this.#writeReceived)
  }

  override transmit(batch: PacketBatch): void {
    // What other interfaces have received in this turn comes first too, where they share the file.
    for (const { writer } of this.#taps) writer.writeDeferred()
    super.transmit(batch)
  }
}
