// A heap of things that fall due, by time and, at the same time, in the order in which they were added.
// The impairments keep packets on their way in one, the simulator its events.

export interface Scheduled {
  at: number
  /** Both belong to the schedule; `place` is negative outside one. */
  order: number
  place: number
}

export class Schedule<Item extends Scheduled> {
  readonly #heap: Item[] = []
  #added = 0

  get size(): number {
    return this.#heap.length
  }

  first(): Item | null {
    return this.#heap.length > 0 ? this.#heap[0] : null
  }

  add(item: Item, at: number): void {
    item.at = at
    item.order = this.#added++
    this.#heap.push(item)
    this.#rise(item, this.#heap.length - 1)
  }

  /** Takes out the first. */
  shift(): Item | null {
    const item = this.first()
    if (item !== null) this.remove(item)
    return item
  }

  remove(item: Item): void {
    const place = item.place
    if (place < 0) return
    item.place = -1
    const last = this.#heap.pop()!
    if (last === item) return
    if (place > 0 && precedes(last, this.#heap[(place - 1) >> 1])) this.#rise(last, place)
    else this.#sink(last, place)
  }

  clear(): void {
    for (const item of this.#heap) item.place = -1
    this.#heap.length = 0
  }

  #rise(item: Item, from: number): void {
    const heap = this.#heap
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 1
      const other = heap[above]
      if (!precedes(item, other)) break
      heap[place] = other
      other.place = place
      place = above
    }
    heap[place] = item
    item.place = place
  }

  #sink(item: Item, from: number): void {
    const heap = this.#heap
    const size = heap.length
    let place = from
    for (;;) {
      let below = 2 * place + 1
      if (below >= size) break
      if (below + 1 < size && precedes(heap[below + 1], heap[below])) below++
      const other = heap[below]
      if (!precedes(other, item)) break
      heap[place] = other
      other.place = place
      place = below
    }
    heap[place] = item
    item.place = place
  }
}

function precedes(one: Scheduled, other: Scheduled): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order)
}
