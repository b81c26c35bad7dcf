// Where a packet for a destination goes: longest prefix first, then the lower metric (RFC 1812 §5.2.4.3).
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

export class Routes {
  #routes: Route[] = []
  #generation = 0

  /** Changes whenever a look-up may give another answer. */
  get generation(): number {
    return this.#generation
  }

  get all(): readonly Route[] {
    return this.#routes
  }

  add(route: Route): void {
    this.#routes = [...this.#routes, route].sort((one, other) => other.length - one.length || one.metric - other.metric)
    this.#generation++
  }

  /** Takes away those that the test names. */
  remove(test: (route: Route) => boolean): void {
    this.#routes = this.#routes.filter((route) => !test(route))
    this.#generation++
  }

  lookup(destination: Address): Route | null {
    const ipv4 = destination.isIpv4
    for (const route of this.#routes) {
      if (route.destination.isIpv4 === ipv4 && destination.isWithin(route.destination, route.length)) return route
    }
    return null
  }
}
