// When something must next be looked at: one row an owner, one heap for all, corrected lazily.
// Putting a deadline off costs one store; the heap is touched only when it comes sooner, or when the old time has passed.
// Used by every layer for its timers; the stack's `expire` is `expire` here.

const START_ROWS = 16
const ABSENT = -1

/** Somebody with a row. */
export interface Expirable {
  /** The row's deadline has passed and is cleared. While not `drained`, what may be disarmed by packets still unread sets it anew to `now`. */
  expire(now: number, drained: boolean): void
}

export class Deadlines {
  readonly #owners: (Expirable | null)[] = []
  /** When the row is really due. */
  #due = new Float64Array(START_ROWS)
  /** The time under which the row stands in the heap; never later than `#due`. */
  #filed = new Float64Array(START_ROWS)
  /** Where the row stands in the heap. */
  #place = new Int32Array(START_ROWS)
  #heap = new Int32Array(START_ROWS)
  #size = 0
  readonly #free: number[] = []
  #rows = 0
  /** Rows whose deadline has passed, while `expire` goes through them. */
  readonly #passed: number[] = []

  /** A new row, with no deadline. */
  add(owner: Expirable): number {
    const row = this.#free.pop() ?? this.#rows++
    if (row >= this.#due.length) this.#grow()
    this.#due[row] = Number.POSITIVE_INFINITY
    this.#filed[row] = Number.POSITIVE_INFINITY
    this.#place[row] = ABSENT
    this.#owners[row] = owner
    return row
  }

  /** The row's owner is gone. */
  remove(row: number): void {
    if (this.#place[row] !== ABSENT) this.#takeOut(this.#place[row])
    this.#due[row] = Number.POSITIVE_INFINITY
    this.#owners[row] = null
    this.#free.push(row)
  }

  /** Rows in use. */
  get count(): number {
    return this.#rows - this.#free.length
  }

  /** When the row is due; Infinity for never. */
  at(row: number): number {
    return this.#due[row]
  }

  set(row: number, at: number): void {
    this.#due[row] = at
    if (this.#place[row] === ABSENT) {
      if (at === Number.POSITIVE_INFINITY) return
      this.#filed[row] = at
      this.#put(row, this.#size++)
      this.#rise(this.#size - 1)
    } else if (at < this.#filed[row]) {
      this.#filed[row] = at
      this.#rise(this.#place[row])
    }
  }

  /** The earliest deadline; Infinity when there is none. */
  next(): number {
    this.#settle()
    return this.#size === 0 ? Number.POSITIVE_INFINITY : this.#filed[this.#heap[0]]
  }

  /** Tells the owners whose deadlines have passed, each once. */
  expire(now: number, drained: boolean): void {
    const due = this.#passed
    for (let row = this.#take(now); row >= 0; row = this.#take(now)) due.push(row)
    for (let place = 0; place < due.length; place++) this.#owners[due[place]]?.expire(now, drained)
    due.length = 0
  }

  /** A row that is due by `now`, its deadline then cleared; -1 when there is none. */
  #take(now: number): number {
    this.#settle()
    if (this.#size === 0) return -1
    const row = this.#heap[0]
    if (this.#filed[row] > now) return -1
    this.#takeOut(0)
    this.#due[row] = Number.POSITIVE_INFINITY
    return row
  }

  /** Brings the row on top to its true place until the one on top is filed under its true time. */
  #settle(): void {
    while (this.#size > 0) {
      const row = this.#heap[0]
      const due = this.#due[row]
      if (due === this.#filed[row]) return
      if (due === Number.POSITIVE_INFINITY) this.#takeOut(0)
      else {
        this.#filed[row] = due
        this.#sink(0)
      }
    }
  }

  #takeOut(place: number): void {
    const row = this.#heap[place]
    this.#place[row] = ABSENT
    this.#filed[row] = Number.POSITIVE_INFINITY
    const last = this.#heap[--this.#size]
    if (place === this.#size) return
    this.#put(last, place)
    this.#rise(place)
    this.#sink(this.#place[last])
  }

  #put(row: number, place: number): void {
    this.#heap[place] = row
    this.#place[row] = place
  }

  #rise(from: number): void {
    let place = from
    const row = this.#heap[place]
    const filed = this.#filed[row]
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = this.#heap[parent]
      if (this.#filed[above] <= filed) break
      this.#put(above, place)
      place = parent
    }
    this.#put(row, place)
  }

  #sink(from: number): void {
    let place = from
    const row = this.#heap[place]
    const filed = this.#filed[row]
    for (;;) {
      let child = place * 2 + 1
      if (child >= this.#size) break
      if (child + 1 < this.#size && this.#filed[this.#heap[child + 1]] < this.#filed[this.#heap[child]]) child++
      const below = this.#heap[child]
      if (this.#filed[below] >= filed) break
      this.#put(below, place)
      place = child
    }
    this.#put(row, place)
  }

  #grow(): void {
    const rows = this.#due.length * 2
    this.#due = copyInto(new Float64Array(rows), this.#due)
    this.#filed = copyInto(new Float64Array(rows), this.#filed)
    this.#place = copyInto(new Int32Array(rows), this.#place)
    this.#heap = copyInto(new Int32Array(rows), this.#heap)
  }
}

function copyInto<Column extends Float64Array | Int32Array>(to: Column, from: Column): Column {
  to.set(from)
  return to
}
