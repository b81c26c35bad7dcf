// Whether it pays to look again after an answer. Where question and answer take turns on a fast path, the next question is there before this
// process has gone to sleep and been woken: that takes it, and whoever wakes it, longer than to look. Where it was in vain nobody looks for a
// while, twice as long each time. Asked by the driver, before it looks.
const LONGEST_BREAK = 1024

export class Patience {
  /** Answers after which nobody looks: still, and after the next time that it is in vain. */
  #left = 0
  #next = 1

  /** Asked once for each answer. */
  mayLook(): boolean {
    if (this.#left === 0) return true
    this.#left--
    return false
  }

  tell(hasPaid: boolean): void {
    this.#left = hasPaid ? 0 : this.#next
    this.#next = hasPaid ? 1 : Math.min(LONGEST_BREAK, this.#next * 2)
  }
}
