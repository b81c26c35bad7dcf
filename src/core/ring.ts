// A queue in which each member stands once: those that wait for their turn to send, those that wait to be woken.
// An array used round and round; nothing is allocated while it keeps its size.

export class Ring<Member extends object> {
  #members: (Member | null)[] = new Array<Member | null>(16).fill(null)
  #first = 0
  #count = 0

  get count(): number {
    return this.#count
  }

  push(member: Member): void {
    const size = this.#members.length
    if (this.#count === size) this.#grow()
    this.#members[(this.#first + this.#count++) & (this.#members.length - 1)] = member
  }

  shift(): Member | null {
    if (this.#count === 0) return null
    const member = this.#members[this.#first]
    this.#members[this.#first] = null
    this.#first = (this.#first + 1) & (this.#members.length - 1)
    this.#count--
    return member
  }

  /** Takes a member out, wherever it stands. */
  remove(member: Member): void {
    const mask = this.#members.length - 1
    for (let place = 0; place < this.#count; place++) {
      if (this.#members[(this.#first + place) & mask] !== member) continue
      for (let next = place; next < this.#count - 1; next++) {
        this.#members[(this.#first + next) & mask] = this.#members[(this.#first + next + 1) & mask]
      }
      this.#members[(this.#first + --this.#count) & mask] = null
      return
    }
  }

  #grow(): void {
    const size = this.#members.length
    const larger = new Array<Member | null>(size * 2).fill(null)
    for (let place = 0; place < this.#count; place++) larger[place] = this.#members[(this.#first + place) & (size - 1)]
    this.#members = larger
    this.#first = 0
  }
}
