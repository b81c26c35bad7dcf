// Where a packet for a destination goes: longest prefix first, then the lower metric (RFC 1812 §5.2.4.3).
// Routes of one prefix length lie in one hash table, so a look-up costs as much as there are lengths, not routes.
// A `Route` may be kept until `generation` changes.
import type { Address } from './address.ts'
import type { Interface } from './interface.ts'

export interface Route {
  readonly destination: Address
  /** Of 128 bits. */
  readonly length: number
  readonly interface: Interface
  /** Null where the destination is on the interface's own network. */
  readonly gateway: Address | null
  readonly metric: number
}

/** The routes of one prefix length, by their prefixes' hash; those of one hash with the lowest metric first. */
interface Table {
  readonly length: number
  readonly routes: Map<number, Route[]>
}

export class Routes {
  /** The longest prefixes first. */
  readonly #tables: Table[] = []
  #generation = 0

  /** Changes whenever a look-up may give another answer. */
  get generation(): number {
    return this.#generation
  }

  get all(): readonly Route[] {
    return this.#tables.flatMap(({ routes }) => [...routes.values()].flat())
  }

  add(route: Route): void {
    const { routes } = this.#table(route.length)
    const key = hash(route.destination, route.length)
    const others = routes.get(key)
    if (others === undefined) routes.set(key, [route])
    else {
      const place = others.findIndex(({ metric }) => metric > route.metric)
      others.splice(place < 0 ? others.length : place, 0, route)
    }
    this.#generation++
  }

  /** Takes away those that the test names. */
  remove(test: (route: Route) => boolean): void {
    for (const { routes } of this.#tables) {
      for (const [key, list] of routes) {
        const kept = list.filter((route) => !test(route))
        if (kept.length === 0) routes.delete(key)
        else routes.set(key, kept)
      }
    }
    this.#generation++
  }

  lookup(destination: Address): Route | null {
    for (const { length, routes } of this.#tables) {
      const list = routes.get(hash(destination, length))
      if (list === undefined) continue
      for (const route of list) if (destination.isWithin(route.destination, length)) return route
    }
    return null
  }

  #table(length: number): Table {
    const place = this.#tables.findIndex((table) => table.length <= length)
    if (place >= 0 && this.#tables[place].length === length) return this.#tables[place]
    const table = { length, routes: new Map<number, Route[]>() }
    this.#tables.splice(place < 0 ? this.#tables.length : place, 0, table)
    return table
  }
}

/** Of the first `length` bits. Routes are set by the user, so nobody chooses collisions. */
function hash(address: Address, length: number): number {
  let mixed = address.word0 & mask(length)
  mixed = Math.imul(mixed, 0x9e3779b1) ^ (address.word1 & mask(length - 32))
  mixed = Math.imul(mixed, 0x85ebca6b) ^ (address.word2 & mask(length - 64))
  mixed = Math.imul(mixed, 0xc2b2ae35) ^ (address.word3 & mask(length - 96))
  return mixed | 0
}

function mask(bits: number): number {
  if (bits <= 0) return 0
  return bits >= 32 ? -1 : ~(-1 >>> bits)
}
