// Stretches of the sequence space, in order and apart from each other. Numbers are relative and do not wrap.

export class Ranges {
  #stretches: [start: number, end: number][] = []

  /** Octets that were not there before. */
  add(start: number, end: number): number {
    if (end <= start) return 0
    const all = this.#stretches
    // Nearly everything continues the last one.
    let first = all.length
    while (first > 0 && all[first - 1][1] >= start) first--
    let last = first
    let [from, to, before] = [start, end, 0]
    while (last < all.length && all[last][0] <= end) {
      const [one, other] = all[last]
      before += Math.max(0, Math.min(other, end) - Math.max(one, start))
      from = Math.min(from, one)
      to = Math.max(to, other)
      last++
    }
    all.splice(first, last - first, [from, to])
    return end - start - before
  }

  /** Octets of a stretch that are there. */
  within(start: number, end: number): number {
    let count = 0
    for (let at = this.#stretches.length - 1; at >= 0; at--) {
      const [one, other] = this.#stretches[at]
      if (other <= start) break
      count += Math.max(0, Math.min(other, end) - Math.max(one, start))
    }
    return count
  }

  /** Everything below is let go of. */
  forget(below: number): void {
    this.#stretches = this.#stretches.filter(([, end]) => end > below)
  }

  get isEmpty(): boolean {
    return this.#stretches.length === 0
  }

  clear(): void {
    this.#stretches = []
  }
}
