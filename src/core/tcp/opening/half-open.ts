// Half-open requests (RFC 9293's SYN-RECEIVED after a passive open) as rows of typed columns: a SYN costs 100 octets until its third
// ACK comes, however many there are. Rows wait in queues by how often they were answered, each queue with one waiting time, so that
// the next to expire is always some queue's first. A part of opening/listen: keeps and finds, decides nothing.
import type { Address } from '../../ip/address.ts'
import { HashIndex } from '../hash-index.ts'
import type { TupleHash } from '../tuple-hash.ts'

export const NONE = -1
const START_ROWS = 16
/** Waits for the application's verdict; the queues after it are those of SYN-ACKs sent once, twice… */
export const VERDICT_QUEUE = 0
const QUEUES = 16

export class HalfOpen {
  irs = new Int32Array(START_ROWS)
  iss = new Int32Array(START_ROWS)
  /** The MSS that the peer takes. */
  mss = new Int32Array(START_ROWS)
  /** Bits of `control-block`'s Option. */
  options = new Int32Array(START_ROWS)
  /** The peer's shift, and ours. */
  sndShift = new Uint8Array(START_ROWS)
  rcvShift = new Uint8Array(START_ROWS)
  tsRecent = new Int32Array(START_ROWS)
  tsOffset = new Int32Array(START_ROWS)
  /** SND.WND as the SYN says it. */
  wnd = new Int32Array(START_ROWS)
  /** The number of the listener that it belongs to. */
  listener = new Int32Array(START_ROWS)
  /** The index of the interface it came by. */
  interface = new Int32Array(START_ROWS)
  /** SYN-ACKs sent. */
  attempts = new Uint8Array(START_ROWS)
  sentAt = new Float64Array(START_ROWS)
  #addresses = new Int32Array(START_ROWS * 8)
  #ports = new Int32Array(START_ROWS)
  #next = new Int32Array(START_ROWS)
  #previous = new Int32Array(START_ROWS)
  #queue = new Uint8Array(START_ROWS)
  #deadline = new Float64Array(START_ROWS)
  readonly #first = new Int32Array(QUEUES).fill(NONE)
  readonly #last = new Int32Array(QUEUES).fill(NONE)
  readonly #index = new HashIndex()
  readonly #hash: TupleHash
  #free = NONE
  #rows = 0
  #count = 0

  constructor(hash: TupleHash) {
    this.#hash = hash
  }

  get count(): number {
    return this.#count
  }

  find(local: Address, localPort: number, remote: Address, remotePort: number): number {
    if (this.#count === 0) return NONE
    const hash = this.#hash.of(local, localPort, remote, remotePort)
    const index = this.#index
    for (let place = index.first(hash); place >= 0; place = index.next(place, hash)) {
      const row = index.row(place)
      if (this.#ports[row] !== ((localPort << 16) | remotePort)) continue
      if (this.#equals(row * 8, local) && this.#equals(row * 8 + 4, remote)) return row
    }
    return NONE
  }

  /** A new row in a queue, whose columns the caller fills. */
  add(local: Address, localPort: number, remote: Address, remotePort: number, queue: number, deadline: number): number {
    let row = this.#free
    if (row !== NONE) this.#free = this.#next[row]
    else {
      row = this.#rows++
      if (row === this.irs.length) this.#grow()
    }
    this.#put(row * 8, local)
    this.#put(row * 8 + 4, remote)
    this.#ports[row] = (localPort << 16) | remotePort
    this.attempts[row] = 0
    this.#index.add(this.#hash.of(local, localPort, remote, remotePort), row)
    this.#count++
    this.#enqueue(row, queue, deadline)
    return row
  }

  remove(row: number, local: Address, remote: Address): void {
    this.addresses(row, local, remote)
    this.#index.remove(this.#hash.of(local, this.localPort(row), remote, this.remotePort(row)), row)
    this.#dequeue(row)
    this.#next[row] = this.#free
    this.#free = row
    this.#count--
  }

  /** To another queue's end: its deadline must not lie before those of the rows there. */
  move(row: number, queue: number, deadline: number): void {
    this.#dequeue(row)
    this.#enqueue(row, queue, deadline)
  }

  /** Oldest first in each queue; none may be added or removed meanwhile. */
  forEach(take: (row: number) => void): void {
    for (let queue = 0; queue < QUEUES; queue++) {
      for (let row = this.#first[queue]; row !== NONE; row = this.#next[row]) take(row)
    }
  }

  localPort(row: number): number {
    return this.#ports[row] >>> 16
  }

  remotePort(row: number): number {
    return this.#ports[row] & 0xffff
  }

  queueOf(row: number): number {
    return this.#queue[row]
  }

  /** A row's addresses, into two that the caller owns. */
  addresses(row: number, local: Address, remote: Address): void {
    const words = this.#addresses
    const at = row * 8
    local.set(words[at], words[at + 1], words[at + 2], words[at + 3])
    remote.set(words[at + 4], words[at + 5], words[at + 6], words[at + 7])
  }

  /** When the next row expires; Infinity for never. */
  deadline(): number {
    let earliest = Number.POSITIVE_INFINITY
    if (this.#count === 0) return earliest
    for (let queue = 0; queue < QUEUES; queue++) {
      const row = this.#first[queue]
      if (row !== NONE && this.#deadline[row] < earliest) earliest = this.#deadline[row]
    }
    return earliest
  }

  /** A row whose time is over; NONE where there is none. */
  due(now: number): number {
    for (let queue = 0; queue < QUEUES; queue++) {
      const row = this.#first[queue]
      if (row !== NONE && this.#deadline[row] <= now) return row
    }
    return NONE
  }

  /** The rows of a listener that is closed, one by one; NONE when there is none left. */
  ofListener(listener: number): number {
    for (let queue = 0; queue < QUEUES; queue++) {
      for (let row = this.#first[queue]; row !== NONE; row = this.#next[row]) {
        if (this.listener[row] === listener) return row
      }
    }
    return NONE
  }

  #enqueue(row: number, queue: number, deadline: number): void {
    const place = Math.min(queue, QUEUES - 1)
    this.#queue[row] = place
    this.#deadline[row] = deadline
    this.#next[row] = NONE
    this.#previous[row] = this.#last[place]
    if (this.#last[place] === NONE) this.#first[place] = row
    else this.#next[this.#last[place]] = row
    this.#last[place] = row
  }

  #dequeue(row: number): void {
    const queue = this.#queue[row]
    const next = this.#next[row]
    const previous = this.#previous[row]
    if (previous === NONE) this.#first[queue] = next
    else this.#next[previous] = next
    if (next === NONE) this.#last[queue] = previous
    else this.#previous[next] = previous
  }

  #equals(at: number, address: Address): boolean {
    const words = this.#addresses
    return (
      words[at + 3] === address.word3 &&
      words[at + 2] === address.word2 &&
      words[at + 1] === address.word1 &&
      words[at] === address.word0
    )
  }

  #put(at: number, address: Address): void {
    const words = this.#addresses
    words[at] = address.word0
    words[at + 1] = address.word1
    words[at + 2] = address.word2
    words[at + 3] = address.word3
  }

  #grow(): void {
    const rows = this.irs.length * 2
    const ints = (from: Int32Array<ArrayBuffer>, width = 1) => copied(from, new Int32Array(rows * width))
    this.irs = ints(this.irs)
    this.iss = ints(this.iss)
    this.mss = ints(this.mss)
    this.options = ints(this.options)
    this.sndShift = copied(this.sndShift, new Uint8Array(rows))
    this.rcvShift = copied(this.rcvShift, new Uint8Array(rows))
    this.tsRecent = ints(this.tsRecent)
    this.tsOffset = ints(this.tsOffset)
    this.wnd = ints(this.wnd)
    this.listener = ints(this.listener)
    this.interface = ints(this.interface)
    this.attempts = copied(this.attempts, new Uint8Array(rows))
    this.sentAt = copied(this.sentAt, new Float64Array(rows))
    this.#addresses = ints(this.#addresses, 8)
    this.#ports = ints(this.#ports)
    this.#next = ints(this.#next)
    this.#previous = ints(this.#previous)
    this.#queue = copied(this.#queue, new Uint8Array(rows))
    this.#deadline = copied(this.#deadline, new Float64Array(rows))
  }
}

function copied<Column extends Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(
  from: Column,
  to: Column,
): Column {
  to.set(from)
  return to
}
