// TIME-WAIT (RFC 9293 §3.6.1): what is left of a connection for 2 MSL (MUST-13), as a row of typed columns, less than 100 octets with its index.
// All wait equally long, so that the oldest is always the next to go. Called by tcp/input for segments without a connection, and by the stack.
// A new connection may take a row's place by RFC 6191.
import type { Address } from '../../ip/address.ts'
import { Flag } from '../../wire/tcp.ts'
import { HashIndex } from '../hash-index.ts'
import { atMost, between, lessThan } from '../sequence.ts'
import type { TupleHash } from '../tuple-hash.ts'

export const NONE = -1

/** What becomes of a segment for a row. */
export const Answer = {
  /** Nothing is sent. */
  ignore: 0,
  /** ACK with SND.NXT and RCV.NXT. */
  acknowledge: 1,
  /** It is a new connection's SYN: remove the row, and let a listener have it. */
  reopen: 2,
} as const

const START_ROWS = 16
/** Small steps: what stands empty counts against the memory too. */
const GROWTH = 1.0625
/** Words of a row's addresses: local, then remote. */
const WORDS = 8
/** RFC 6191 §2 wants a timestamp that has moved; Linux waits a second for it. */
const REUSE_AFTER = 1000

export class TimeWait {
  // Columns, to be read and written by row. They are others after `add`.
  sndNxt = new Int32Array(START_ROWS)
  rcvNxt = new Int32Array(START_ROWS)
  /** RCV.WND as it stands in the window field. */
  window = new Uint16Array(START_ROWS)
  /** Our own shift for it. */
  scale = new Uint8Array(START_ROWS)
  hasTimestamps = new Uint8Array(START_ROWS)
  tsRecent = new Int32Array(START_ROWS)
  tsOffset = new Int32Array(START_ROWS)
  #words = new Int32Array(START_ROWS * WORDS)
  #ports = new Int32Array(START_ROWS)
  #hashes = new Int32Array(START_ROWS)
  /** Milliseconds modulo 2^32. */
  #due = new Int32Array(START_ROWS)
  /** Neighbours in the order of their ends; `#later` also chains the free rows. */
  #sooner = new Int32Array(START_ROWS)
  #later = new Int32Array(START_ROWS)
  #first = NONE
  #last = NONE
  #free = NONE
  #rows = 0
  /** One number, kept where storing it costs no heap: when the table was last told the time. */
  readonly #now = new Float64Array(1)
  readonly #index = new HashIndex()
  readonly #hash: TupleHash
  readonly #duration: number
  readonly #most: number

  /** `duration` in milliseconds; beyond `most` rows the oldest goes. */
  constructor(hash: TupleHash, duration: number, most: number) {
    this.#hash = hash
    this.#duration = duration
    this.#most = most
  }

  get count(): number {
    return this.#index.count
  }

  /** Octets of heap. */
  get octets(): number {
    const columns = [
      this.sndNxt,
      this.rcvNxt,
      this.window,
      this.scale,
      this.hasTimestamps,
      this.tsRecent,
      this.tsOffset,
    ]
    const own = [this.#words, this.#ports, this.#hashes, this.#due, this.#sooner, this.#later]
    let octets = this.#index.octets
    for (const column of [...columns, ...own]) octets += column.byteLength
    return octets
  }

  /** The row of a 4-tuple, or NONE. */
  find(local: Address, localPort: number, remote: Address, remotePort: number): number {
    if (this.#index.count === 0) return NONE
    const hash = this.#hash.of(local, localPort, remote, remotePort)
    const ports = (localPort << 16) | remotePort
    for (let place = this.#index.first(hash); place >= 0; place = this.#index.next(place, hash)) {
      const row = this.#index.row(place)
      if (this.#ports[row] === ports && this.#hasAddress(row, 0, local) && this.#hasAddress(row, 4, remote)) return row
    }
    return NONE
  }

  #hasAddress(row: number, from: number, address: Address): boolean {
    const at = row * WORDS + from
    return (
      this.#words[at + 3] === address.word3 &&
      this.#words[at + 2] === address.word2 &&
      this.#words[at + 1] === address.word1 &&
      this.#words[at] === address.word0
    )
  }

  /** A new row, whose columns the caller fills; those that it leaves out are 0. */
  add(local: Address, localPort: number, remote: Address, remotePort: number, now: number): number {
    if (this.#index.count >= this.#most) this.remove(this.#first)
    let row = this.#free
    if (row !== NONE) this.#free = this.#later[row]
    else {
      row = this.#rows++
      if (row === this.sndNxt.length) this.#resize(Math.min(this.#most, Math.ceil(row * GROWTH)))
    }
    this.#setAddress(row, 0, local)
    this.#setAddress(row, 4, remote)
    this.#ports[row] = (localPort << 16) | remotePort
    this.#hashes[row] = this.#hash.of(local, localPort, remote, remotePort)
    this.#index.add(this.#hashes[row], row)
    this.window[row] = 0
    this.scale[row] = 0
    this.hasTimestamps[row] = 0
    this.tsRecent[row] = 0
    this.tsOffset[row] = 0
    this.#append(row, now)
    return row
  }

  #setAddress(row: number, from: number, address: Address): void {
    const at = row * WORDS + from
    this.#words[at] = address.word0
    this.#words[at + 1] = address.word1
    this.#words[at + 2] = address.word2
    this.#words[at + 3] = address.word3
  }

  /** A row's addresses, into two that the caller owns. */
  addresses(row: number, local: Address, remote: Address): void {
    const at = row * WORDS
    const words = this.#words
    local.set(words[at], words[at + 1], words[at + 2], words[at + 3])
    remote.set(words[at + 4], words[at + 5], words[at + 6], words[at + 7])
  }

  /** The one that has waited longest first; none may be added or removed meanwhile. */
  forEach(take: (row: number) => void): void {
    for (let row = this.#first; row !== NONE; row = this.#later[row]) take(row)
  }

  /** Milliseconds until it goes. */
  left(row: number, now: number): number {
    return Math.max(0, (this.#due[row] - (now | 0)) | 0)
  }

  localPort(row: number): number {
    return this.#ports[row] >>> 16
  }

  remotePort(row: number): number {
    return this.#ports[row] & 0xffff
  }

  remove(row: number): void {
    this.#index.remove(this.#hashes[row], row)
    this.#unlink(row)
    this.#later[row] = this.#free
    this.#free = row
    if (this.#index.count > 0) return
    // The last one is gone: so is the memory that a great number of them needed.
    this.#free = NONE
    this.#rows = 0
    if (this.sndNxt.length > START_ROWS) this.#resize(START_ROWS)
  }

  /**
   * RFC 9293 §3.10.7.4 in TIME-WAIT: a value of `Answer`. `length` counts text, SYN and FIN; flags are those of `wire/tcp`.
   * An acknowledgment of something that is no retransmitted FIN comes under the limit for challenge ACKs.
   */
  receive(
    row: number,
    flags: number,
    sequence: number,
    length: number,
    hasTimestamps: boolean,
    timestampValue: number,
    now: number,
  ): number {
    // Differs: RFC 1337 §3 (F1), a RST does not end TIME-WAIT, because an old duplicate could; an option of Linux, too.
    if ((flags & Flag.rst) !== 0) return Answer.ignore
    const bothTimestamps = hasTimestamps && this.hasTimestamps[row] === 1
    if ((flags & (Flag.syn | Flag.ack)) === Flag.syn) {
      return this.#mayReopen(row, sequence, bothTimestamps, timestampValue) ? Answer.reopen : Answer.acknowledge
    }
    if ((flags & Flag.ack) === 0) return Answer.ignore
    // RFC 7323 §5.3 R1: an old duplicate by its timestamp.
    if (bothTimestamps && lessThan(timestampValue, this.tsRecent[row])) return Answer.acknowledge
    const rcvNxt = this.rcvNxt[row]
    const end = (sequence + length) | 0
    if ((flags & Flag.fin) !== 0 && end === rcvNxt) {
      // RFC 9293 §3.10.7.4, eighth: the peer's FIN again. Acknowledge it, and restart the 2 MSL.
      if (bothTimestamps && atMost(sequence, rcvNxt)) this.tsRecent[row] = timestampValue
      this.#unlink(row)
      this.#append(row, now)
      return Answer.acknowledge
    }
    const edge = (rcvNxt + (this.window[row] << this.scale[row])) | 0
    const isAcceptable = sequence === rcvNxt || between(rcvNxt, sequence, edge)
    return isAcceptable && length === 0 ? Answer.ignore : Answer.acknowledge
  }

  /** MAY-2, SHLD-4: RFC 6191 §2 with timestamps on both connections, RFC 1122 §4.2.2.13 without. */
  #mayReopen(row: number, sequence: number, bothTimestamps: boolean, timestampValue: number): boolean {
    if (bothTimestamps && timestampValue !== this.tsRecent[row]) return lessThan(this.tsRecent[row], timestampValue)
    return lessThan(this.rcvNxt[row], sequence)
  }

  /** Whether a connection of our own may take the row's place: RFC 6191, after a second and with timestamps on both sides. */
  mayReuse(row: number, now: number): boolean {
    const left = (this.#due[row] - (now | 0)) | 0
    return this.hasTimestamps[row] === 1 && this.#duration - left > REUSE_AFTER
  }

  /** When `expire` has something to do; Infinity for never. */
  deadline(): number {
    if (this.#first === NONE) return Number.POSITIVE_INFINITY
    const known = this.#now[0]
    return Math.floor(known) + ((this.#due[this.#first] - (Math.floor(known) | 0)) | 0)
  }

  /** Removes the rows whose time is over. */
  expire(now: number): void {
    this.#now[0] = now
    while (this.#first !== NONE && ((this.#due[this.#first] - (now | 0)) | 0) <= 0) this.remove(this.#first)
  }

  #append(row: number, now: number): void {
    this.#now[0] = now
    this.#due[row] = Math.ceil(now) + this.#duration
    this.#sooner[row] = this.#last
    this.#later[row] = NONE
    if (this.#last === NONE) this.#first = row
    else this.#later[this.#last] = row
    this.#last = row
  }

  #unlink(row: number): void {
    const sooner = this.#sooner[row]
    const later = this.#later[row]
    if (sooner === NONE) this.#first = later
    else this.#later[sooner] = later
    if (later === NONE) this.#last = sooner
    else this.#sooner[later] = sooner
  }

  #resize(rows: number): void {
    this.sndNxt = resized(this.sndNxt, new Int32Array(rows))
    this.rcvNxt = resized(this.rcvNxt, new Int32Array(rows))
    this.window = resized(this.window, new Uint16Array(rows))
    this.scale = resized(this.scale, new Uint8Array(rows))
    this.hasTimestamps = resized(this.hasTimestamps, new Uint8Array(rows))
    this.tsRecent = resized(this.tsRecent, new Int32Array(rows))
    this.tsOffset = resized(this.tsOffset, new Int32Array(rows))
    this.#words = resized(this.#words, new Int32Array(rows * WORDS))
    this.#ports = resized(this.#ports, new Int32Array(rows))
    this.#hashes = resized(this.#hashes, new Int32Array(rows))
    this.#due = resized(this.#due, new Int32Array(rows))
    this.#sooner = resized(this.#sooner, new Int32Array(rows))
    this.#later = resized(this.#later, new Int32Array(rows))
  }
}

type Column = Int32Array<ArrayBuffer> | Int16Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>

/** The rows of a column that fit, in another. */
function resized<Kind extends Column>(from: Kind, to: Kind): Kind {
  to.set(from.length > to.length ? from.subarray(0, to.length) : from)
  return to
}
