// Callbacks by time, for what hangs on the driver's one alarm: links' delays, endpoints' time-outs. Equal times run in the order of asking.

/** So few are not worth the while. */
const LEAST_CANCELLED = 64

interface Entry {
  readonly at: number
  readonly order: number
  callback: (() => void) | null
}

export class TimeQueue {
  #heap: Entry[] = []
  #order = 0
  #cancelled = 0

  /** The returned function cancels. */
  add(at: number, callback: () => void): () => void {
    const entry: Entry = { at, order: this.#order++, callback }
    this.#push(entry)
    return () => {
      if (entry.callback === null) return
      entry.callback = null
      if (++this.#cancelled > LEAST_CANCELLED && this.#cancelled * 2 > this.#heap.length) this.#sweep()
    }
  }

  get length(): number {
    return this.#heap.length
  }

  /** Those that were cancelled would hold what they know until they were due. */
  #sweep(): void {
    const waiting = this.#heap.filter(({ callback }) => callback !== null)
    this.#heap = []
    this.#cancelled = 0
    for (const entry of waiting) this.#push(entry)
  }

  /** When the next one is due; Infinity where nothing waits. */
  next(): number {
    while (this.#heap.length > 0 && this.#heap[0].callback === null) {
      this.#pop()
      this.#cancelled--
    }
    return this.#heap.length === 0 ? Number.POSITIVE_INFINITY : this.#heap[0].at
  }

  /** Calls those that are due, not those that they add meanwhile. */
  run(now: number): void {
    const limit = this.#order
    while (this.next() <= now && this.#heap[0].order < limit) {
      const entry = this.#pop()
      const { callback } = entry
      // Whoever cancels it from now on cancels nothing.
      entry.callback = null
      callback?.()
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let place = heap.length
    heap.push(entry)
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (isBefore(heap[parent], entry)) break
      heap[place] = heap[parent]
      place = parent
    }
    heap[place] = entry
  }

  #pop(): Entry {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop() as Entry
    if (heap.length === 0) return top
    let place = 0
    for (;;) {
      let child = place * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++
      if (isBefore(last, heap[child])) break
      heap[place] = heap[child]
      place = child
    }
    heap[place] = last
    return top
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
