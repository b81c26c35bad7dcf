// Packets on their way between a link and the stack: one arena of octets and columns of numbers, a row a packet.
// Filled by `link.receive` and by the stack's outputs, read by `stack.receive` and `link.transmit`.
// Everything in it is borrowed: `clear` makes room for other octets at the same places.

/** Rows in a batch: the most that one turn reads from a link. */
export const BATCH_PACKETS = 64
/** The longest packet: an IP packet of 65,535 octets, and one octet of rounding. */
export const LARGEST_PACKET = 65_536
const ARENA_OCTETS = 256 * 1024

/** `checksum` column. */
export const Checksum = {
  /** Stands in the packet, and nobody has looked at it. */
  complete: 0,
  /** Only the pseudo-header's sum stands in the packet: whoever sends it over a real wire completes it. */
  partial: 1,
  /** The link has verified it. */
  verified: 2,
} as const

/** `segmentation` column: how a super-segment is to be cut. The numbers are those of virtio's gso_type. */
export const Segmentation = { none: 0, tcp4: 1, tcp6: 4, udp: 5, ecn: 0x80 } as const

export interface BatchOptions {
  capacity?: number
  /** The longest packet that it must have room for. */
  largest?: number
  headroom?: number
}

export class PacketBatch {
  readonly capacity: number
  readonly largest: number
  readonly headroom: number
  /** Where the packet (its IP header, or its Ethernet header) begins in `bytes`. */
  readonly offset: Int32Array
  readonly length: Int32Array
  readonly checksum: Uint8Array
  /** Octets from the packet's beginning to where the partial checksum starts to count, and from there to its field. */
  readonly checksumStart: Uint16Array
  readonly checksumField: Uint16Array
  readonly segmentation: Uint8Array
  /** Payload of each segment of a super-segment; 0 for an ordinary packet. */
  readonly segmentSize: Uint16Array
  /** Where the packet is to be handed next on this interface's network: four words, as in `ip/address`. */
  readonly nextHop: Int32Array
  /** What the stack has to say about the packet (see `observer`), for captures. */
  readonly note: Int32Array
  /** The interface all of them came in by or go out by. */
  interface = 0
  /** Rows `first` to `end - 1` are filled. */
  first = 0
  end = 0
  readonly #size: number
  #bytes: Uint8Array<ArrayBuffer> | null = null
  #view: DataView<ArrayBuffer> | null = null
  #parts: Parts | null = null
  #used = 0

  constructor(options: BatchOptions = {}) {
    this.capacity = options.capacity ?? BATCH_PACKETS
    this.largest = options.largest ?? LARGEST_PACKET
    this.headroom = options.headroom ?? 0
    const slot = roundUp(this.headroom + this.largest)
    this.#size = Math.max(slot, Math.min(ARENA_OCTETS, this.capacity * slot))
    this.offset = new Int32Array(this.capacity)
    this.length = new Int32Array(this.capacity)
    this.checksum = new Uint8Array(this.capacity)
    this.checksumStart = new Uint16Array(this.capacity)
    this.checksumField = new Uint16Array(this.capacity)
    this.segmentation = new Uint8Array(this.capacity)
    this.segmentSize = new Uint16Array(this.capacity)
    this.nextHop = new Int32Array(this.capacity * 4)
    this.note = new Int32Array(this.capacity)
  }

  /** The arena, made when first asked for: many batches never carry anything. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes ?? this.#allocate()
  }

  get view(): DataView<ArrayBuffer> {
    if (this.#view === null) this.#allocate()
    return this.#view as DataView<ArrayBuffer>
  }

  get parts(): Parts {
    return (this.#parts ??= new Parts(this.bytes))
  }

  get count(): number {
    return this.end - this.first
  }

  /** Whether another packet of `length` octets fits. */
  fits(length: number): boolean {
    return this.end < this.capacity && this.#used + roundUp(this.headroom) + length <= this.#size
  }

  /** No row is left, or not room enough for the longest packet. */
  get isFull(): boolean {
    return !this.fits(this.largest)
  }

  /** Where a packet of up to `length` octets may be written, a multiple of four; -1 where there is no room. `commit` makes it a packet. */
  reserve(length: number): number {
    return this.fits(length) ? this.#used + roundUp(this.headroom) : -1
  }

  /** The octets written where `reserve` said become the next packet; returns its row. */
  commit(length: number): number {
    const row = this.end
    this.offset[row] = this.#used + roundUp(this.headroom)
    this.length[row] = length
    this.admit(1)
    return row
  }

  /**
   * Makes packets of the next rows, for a link that fills many at once: their `offset` and `length` are set, the first
   * where `reserve` said, each next one at the next multiple of four and `headroom` (rounded up too) octets further.
   */
  admit(count: number): void {
    const end = this.end + count
    for (let row = this.end; row < end; row++) {
      this.checksum[row] = Checksum.complete
      this.checksumStart[row] = 0
      this.checksumField[row] = 0
      this.segmentation[row] = Segmentation.none
      this.segmentSize[row] = 0
      this.note[row] = 0
    }
    if (count > 0) this.#used = roundUp(this.offset[end - 1] + this.length[end - 1])
    this.end = end
  }

  /** Copies a packet in, with its columns; its new row, or -1 where there is no room. */
  copy(from: PacketBatch, row: number): number {
    const length = from.length[row]
    const offset = this.reserve(length)
    if (offset < 0) return -1
    copyOctets(this, offset, from, from.offset[row], length)
    const added = this.commit(length)
    this.#copyColumns(added, from, row)
    return added
  }

  /**
   * Takes all packets of another batch as they lie, without copying them: the two exchange their arenas. False where that can't be, since
   * there are packets in this one, or the two are not alike; nothing has happened then.
   */
  takeAll(from: PacketBatch): boolean {
    if (this.count > 0 || this.#size !== from.#size || this.capacity !== from.capacity) return false
    if (this.largest !== from.largest || this.headroom !== from.headroom) return false
    for (let row = from.first; row < from.end; row++) {
      this.offset[row] = from.offset[row]
      this.length[row] = from.length[row]
      this.#copyColumns(row, from, row)
    }
    const [bytes, view, parts] = [this.#bytes, this.#view, this.#parts]
    this.#bytes = from.#bytes
    this.#view = from.#view
    this.#parts = from.#parts
    from.#bytes = bytes
    from.#view = view
    from.#parts = parts
    this.#used = from.#used
    this.first = from.first
    this.end = from.end
    from.clear()
    return true
  }

  #copyColumns(row: number, from: PacketBatch, fromRow: number): void {
    this.checksum[row] = from.checksum[fromRow]
    this.checksumStart[row] = from.checksumStart[fromRow]
    this.checksumField[row] = from.checksumField[fromRow]
    this.segmentation[row] = from.segmentation[fromRow]
    this.segmentSize[row] = from.segmentSize[fromRow]
    this.note[row] = from.note[fromRow]
    for (let word = 0; word < 4; word++) this.nextHop[row * 4 + word] = from.nextHop[fromRow * 4 + word]
  }

  /** The first `count` packets have been taken. */
  shift(count: number): void {
    this.first += count
    if (this.first >= this.end) this.clear()
  }

  clear(): void {
    this.first = 0
    this.end = 0
    this.#used = 0
  }

  #allocate(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#size)
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer)
    return bytes
  }
}

/** Anything that has octets and a view of the same octets. */
export interface Octets {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly view: DataView<ArrayBuffer>
  /** Null where none are kept. */
  readonly parts?: Parts | null
}

/** Parts lie in the place of the kilobyte in which they begin: full segments of Ethernet's size have one each. */
const PART_SHIFT = 10
const PARTS = 256

/**
 * Views of parts of one arena, kept: in bulk the same parts are copied again and again, and a new view is 100 octets of heap.
 * One for each place, so that an arena whose parts are never the same keeps little.
 */
export class Parts {
  readonly #bytes: Uint8Array<ArrayBuffer>
  readonly #kept: Uint8Array<ArrayBuffer>[] = []
  /** Where they begin: asking them takes as long as a call into the engine. */
  readonly #starts: number[] = []

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes
    const none = bytes.subarray(0, 0)
    const places = Math.min(PARTS, (bytes.length >>> PART_SHIFT) + 1)
    for (let place = 0; place < places; place++) {
      this.#kept.push(none)
      this.#starts.push(0)
    }
  }

  of(start: number, length: number): Uint8Array<ArrayBuffer> {
    const place = (start >>> PART_SHIFT) % PARTS
    const kept = this.#kept[place]
    if (this.#starts[place] === start && kept.length === length) return kept
    this.#starts[place] = start
    return (this.#kept[place] = this.#bytes.subarray(start, start + length))
  }
}

const WORDWISE = 256

/** Copies octets between two arenas; short runs word by word, since a view is an object on the heap. */
export function copyOctets(to: Octets, at: number, from: Octets, start: number, length: number): void {
  if (length > WORDWISE) {
    to.bytes.set(from.parts?.of(start, length) ?? from.bytes.subarray(start, start + length), at)
    return
  }
  const [source, target] = [from.view, to.view]
  let done = 0
  for (; done + 4 <= length; done += 4) target.setInt32(at + done, source.getInt32(start + done))
  for (; done < length; done++) target.setUint8(at + done, source.getUint8(start + done))
}

function roundUp(octets: number): number {
  return (octets + 3) & ~3
}
