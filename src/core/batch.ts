// Packets on their way between a link and the stack: one arena of octets and columns of numbers, a row a packet.
// Filled by `link.receive` and by the stack's outputs, read by `stack.receive` and `link.transmit`.
// Everything in it is borrowed: `clear` makes room for other octets at the same places.

/** Rows in a batch: the most that one turn reads from a link. */
export const BATCH_PACKETS = 64
/** The longest packet: an IP packet of 65,535 octets, and one octet of rounding. */
export const LARGEST_PACKET = 65_536
const LONGEST = 4
/** An arena is no smaller, but where fewer octets are all that it can ever hold. */
const LEAST_ARENA = 256 * 1024
/** Processors copy long runs fastest from where a line of their cache begins. */
export const CACHE_LINE = 64
/** From so many octets on a run is long. */
const LONG = 4096
/** Of an arena that grows, at first: a simulated network has hundreds, most of which never hold more than a few packets at once. */
const FIRST_OCTETS = 8 * 1024
/** By which it grows when that is not enough. */
const GROWTH = 4

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

/** Makes octets, which need not be zeroes: nobody reads what has not been written. */
export type Allocate = (length: number) => Uint8Array<ArrayBuffer>

export interface BatchOptions {
  capacity?: number
  /** The longest packet that it must have room for. */
  largest?: number
  headroom?: number
  /** Of the longest packets, how many it has room for at least. Four unless told. */
  longest?: number
  /** Makes the arena; of zeroes unless said otherwise. */
  allocate?: Allocate
  /** The arena begins small: for who asks for `bytes` and `view` after `reserve` only, which may put larger ones in their place. */
  grows?: boolean
}

/** Columns of a batch that has never carried anything: most never do. */
const NO_WORDS = new Int32Array(0)
const NO_HALVES = new Uint16Array(0)
const NO_OCTETS = new Uint8Array(0)
/** Of all columns. */
const OCTETS_A_ROW = 36

export class PacketBatch {
  readonly capacity: number
  readonly largest: number
  readonly headroom: number
  /** Of the longest packets, how many it has room for at least. */
  readonly longest: number
  /** Where the packet (its IP header, or its Ethernet header) begins in `bytes`. */
  offset: Int32Array = NO_WORDS
  length: Int32Array = NO_WORDS
  checksum: Uint8Array = NO_OCTETS
  /** Octets from the packet's beginning to where the partial checksum starts to count, and from there to its field. */
  checksumStart: Uint16Array = NO_HALVES
  checksumField: Uint16Array = NO_HALVES
  segmentation: Uint8Array = NO_OCTETS
  /** Payload of each segment of a super-segment; 0 for an ordinary packet. */
  segmentSize: Uint16Array = NO_HALVES
  /** Where the packet is to be handed next on this interface's network: four words, as in `ip/address`. */
  nextHop: Int32Array = NO_WORDS
  /** What the stack has to say about the packet (see `observer`), for captures. */
  note: Int32Array = NO_WORDS
  /** The interface all of them came in by or go out by. */
  interface = 0
  /** Rows `first` to `end - 1` are filled. */
  first = 0
  end = 0
  /** Octets that the arena grows to, and those that it has. */
  readonly #size: number
  #room = 0
  readonly #firstRoom: number
  /** What stays free before each packet. */
  readonly #gap: number
  readonly #allocate: Allocate
  #bytes: Uint8Array<ArrayBuffer> | null = null
  #view: DataView<ArrayBuffer> | null = null
  #parts: Parts | null = null
  /** The arena as it was allocated, once somebody may keep it. */
  #arena: Arena | null = null
  #allocated: Uint8Array<ArrayBuffer> | null = null
  #used = 0
  /** Where `reserve` said that the next packet begins. */
  #next = 0

  constructor(options: BatchOptions = {}) {
    this.capacity = options.capacity ?? BATCH_PACKETS
    this.largest = options.largest ?? LARGEST_PACKET
    this.headroom = options.headroom ?? 0
    this.#gap = roundUp(this.headroom)
    this.longest = options.longest ?? LONGEST
    const slot = roundUp(this.headroom + this.largest) + slack(this.largest)
    this.#size = Math.min(this.capacity, Math.max(this.longest, Math.ceil(LEAST_ARENA / slot))) * slot
    this.#firstRoom = options.grows ? Math.min(FIRST_OCTETS, this.#size) : this.#size
    this.#allocate = options.allocate ?? zeroes
  }

  /** The arena. It and the columns are made when they are first needed. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes ?? this.#grow(this.largest)
  }

  get view(): DataView<ArrayBuffer> {
    if (this.#view === null) this.#grow(this.largest)
    return this.#view as DataView<ArrayBuffer>
  }

  get parts(): Parts {
    return (this.#parts ??= new Parts(this.bytes))
  }

  /** The arena where it never has more than one packet, so that a reader may keep that one's octets; null for others. */
  get keepable(): Arena | null {
    if (this.capacity > 1 || this.#allocated === null) return null
    return (this.#arena ??= new Arena(this.#allocated))
  }

  get count(): number {
    return this.end - this.first
  }

  /** Whether another packet of `length` octets fits. */
  fits(length: number): boolean {
    return this.end < this.capacity && this.#used + this.#gap + length + slack(length) <= this.#size
  }

  /** No row is left, or not room enough for the longest packet. */
  get isFull(): boolean {
    return !this.fits(this.largest)
  }

  /**
   * Where a packet of up to `length` octets may be written, a multiple of four; -1 where there is no room. `commit` makes it a packet.
   * What follows the `headers` of a long one begins with a line of the arena.
   */
  reserve(length: number, headers = 0): number {
    if (!this.fits(length)) return -1
    const offset = this.#used + this.#gap
    const padding = headers > 0 ? -(offset + headers) & slack(length) : 0
    this.#next = offset + padding
    if (this.#next + length > this.#room) this.#grow(this.#next + length)
    return this.#next
  }

  /** The octets written where `reserve` said become the next packet; returns its row. */
  commit(length: number): number {
    const row = this.end
    this.offset[row] = this.#next
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
    if (this.offset === NO_WORDS) this.#lay()
    for (let row = from.first; row < from.end; row++) {
      this.offset[row] = from.offset[row]
      this.length[row] = from.length[row]
      this.#copyColumns(row, from, row)
    }
    const [bytes, view, parts, room] = [this.#bytes, this.#view, this.#parts, this.#room]
    this.#bytes = from.#bytes
    this.#view = from.#view
    this.#parts = from.#parts
    this.#room = from.#room
    from.#bytes = bytes
    from.#view = view
    from.#parts = parts
    from.#room = room
    const [arena, allocated] = [this.#arena, this.#allocated]
    this.#arena = from.#arena
    this.#allocated = from.#allocated
    from.#arena = arena
    from.#allocated = allocated
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
    if (this.#arena?.isKept) this.#leave()
  }

  /** The arena to who keeps it: another one is made for the next packet. */
  #leave(): void {
    this.#arena = null
    this.#allocated = null
    this.#bytes = null
    this.#view = null
    this.#parts = null
    this.#room = 0
  }

  /** To at least so many octets. What stands in the arena moves with it. */
  #grow(least: number): Uint8Array<ArrayBuffer> {
    if (this.offset === NO_WORDS) this.#lay()
    let room = Math.max(this.#room, this.#firstRoom)
    while (room < least) room *= GROWTH
    room = Math.min(room, this.#size)
    const allocated = this.#allocate(room)
    const { buffer, byteOffset } = allocated
    // Never a Buffer, whose parts take longer to make.
    const bytes = new Uint8Array(buffer, byteOffset, room)
    if (this.#bytes !== null) bytes.set(this.#bytes.subarray(0, this.#used))
    this.#bytes = bytes
    this.#view = new DataView(buffer, byteOffset, room)
    this.#parts = null
    this.#room = room
    this.#arena = null
    this.#allocated = allocated
    return bytes
  }

  /** All columns in one piece of memory: a piece each takes several times as long to make. */
  #lay(): void {
    const { capacity } = this
    const columns = new ArrayBuffer(capacity * OCTETS_A_ROW)
    this.nextHop = new Int32Array(columns, 0, capacity * 4)
    this.offset = new Int32Array(columns, capacity * 16, capacity)
    this.length = new Int32Array(columns, capacity * 20, capacity)
    this.note = new Int32Array(columns, capacity * 24, capacity)
    this.checksumStart = new Uint16Array(columns, capacity * 28, capacity)
    this.checksumField = new Uint16Array(columns, capacity * 30, capacity)
    this.segmentSize = new Uint16Array(columns, capacity * 32, capacity)
    this.checksum = new Uint8Array(columns, capacity * 34, capacity)
    this.segmentation = new Uint8Array(columns, capacity * 35, capacity)
  }
}

/** Anything that has octets and a view of the same octets. */
export interface Octets {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly view: DataView<ArrayBuffer>
  /** Null where none are kept. */
  readonly parts?: Parts | null
}

/** The memory of a batch that has one packet at a time, as it was allocated. */
export class Arena {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** What lies in it waits for a reader, or was handed out. */
  isKept = false

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes
  }
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

/** Octets for whoever names no other way to make them. */
export function zeroes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length)
}

/** The most that a packet begins later for the sake of a line. */
function slack(length: number): number {
  return length < LONG ? 0 : CACHE_LINE - 1
}

function roundUp(octets: number): number {
  return (octets + 3) & ~3
}
