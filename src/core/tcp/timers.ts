// The instants of all connections: a row each in one Float64Array, so that no connection holds a double.
// The first are deadlines, the rest times that something happened. A row's earliest deadline stands in the stack's table
// of deadlines and is corrected lazily: putting one off, or taking it away, costs one store here and nothing there.

/** Deadlines. */
export const Timer = {
  /** RFC 6298: of the oldest transmission not acknowledged. */
  retransmission: 0,
  /** RFC 9293 §3.8.6.3. */
  delayedAck: 1,
  /** Zero-window probes, and the override of silly window avoidance: RFC 9293 §3.8.6.1, §3.8.6.2.1. */
  persist: 2,
  keepAlive: 3,
  /** RFC 9293 §3.9.1 (user timeout), and how long a connection that nobody holds any more may still close. */
  user: 4,
  /** FIN-WAIT-2 where nobody can read any more; linger's end. */
  closing: 5,
  /** When pacing lets the next emission go. */
  pacing: 6,
  /** RFC 8985: the reordering window's end, or the tail loss probe. */
  loss: 7,
} as const

export type TimerName = (typeof Timer)[keyof typeof Timer]
const TIMERS = 8

/** Times that something happened. */
export const Instant = {
  /** Anything acceptable arrived. */
  received: 8,
  /** Text was last sent. */
  sent: 9,
  /** TS.Recent was taken: RFC 7323 §5.5. */
  tsRecent: 10,
  /** Delivery-rate samples: when `delivered` last grew, and when the first of the present flight was sent. */
  delivered: 11,
  firstSent: 12,
  /** Since when something has been waiting for an acknowledgment without any progress. */
  stalled: 13,
  opened: 14,
  /** Text last arrived. */
  textReceived: 15,
  /** A challenge ACK or an answer to an out-of-window segment was last sent. */
  challenged: 16,
  /** Pacing's next emission. */
  paced: 17,
} as const

export type InstantName = (typeof Instant)[keyof typeof Instant]
const COLUMNS = 18
const START_ROWS = 16
/** What stands empty counts against the memory of each connection. */
const GROWTH = 1.25

export class Timers {
  #at = new Float64Array(START_ROWS * COLUMNS)
  readonly #free: number[] = []
  #rows = 0

  /** A row in which no deadline is set and nothing has happened. */
  add(): number {
    const row = this.#free.pop() ?? this.#rows++
    if ((row + 1) * COLUMNS > this.#at.length) {
      const larger = new Float64Array(Math.ceil(row * GROWTH) * COLUMNS)
      larger.set(this.#at)
      this.#at = larger
    }
    const first = row * COLUMNS
    this.#at.fill(Number.POSITIVE_INFINITY, first, first + TIMERS)
    this.#at.fill(0, first + TIMERS, first + COLUMNS)
    return row
  }

  remove(row: number): void {
    this.#free.push(row)
    if (this.#free.length < this.#rows || this.#rows <= START_ROWS) return
    // The last one is gone: so is what a great number of them needed.
    this.#free.length = 0
    this.#rows = 0
    this.#at = new Float64Array(START_ROWS * COLUMNS)
  }

  get count(): number {
    return this.#rows - this.#free.length
  }

  get octets(): number {
    return this.#at.byteLength
  }

  get(row: number, column: TimerName | InstantName): number {
    return this.#at[row * COLUMNS + column]
  }

  set(row: number, column: TimerName | InstantName, at: number): void {
    this.#at[row * COLUMNS + column] = at
  }

  clear(row: number, timer: TimerName): void {
    this.#at[row * COLUMNS + timer] = Number.POSITIVE_INFINITY
  }

  isSet(row: number, timer: TimerName): boolean {
    return this.#at[row * COLUMNS + timer] !== Number.POSITIVE_INFINITY
  }

  /** The earliest of the row's deadlines; Infinity when there is none. */
  earliest(row: number): number {
    const first = row * COLUMNS
    let earliest = Number.POSITIVE_INFINITY
    for (let at = first; at < first + TIMERS; at++) if (this.#at[at] < earliest) earliest = this.#at[at]
    return earliest
  }
}
