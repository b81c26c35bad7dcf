// All interfaces of a stack: which addresses are ours, by which one a packet leaves, and with what source (RFC 6724 §5).
// Called by ip/input, ip/icmp and the transports. Addresses belong to the stack, whichever interface they arrive by (RFC 1122 §3.3.4.2's weak model).
import type { Address } from './address.ts'
import type { Interface } from './interface.ts'
import type { Route, Routes } from './routes.ts'

export class Interfaces {
  readonly list: Interface[] = []
  readonly #routes: Routes

  constructor(routes: Routes) {
    this.#routes = routes
  }

  /** Interface 0 is the loopback. */
  get loopback(): Interface {
    return this.list[0]
  }

  /** An address of one of our interfaces, or a loopback address. */
  isLocal(address: Address): boolean {
    if (address.isLoopback) return true
    for (const one of this.list) if (one.has(address)) return true
    return false
  }

  /** Where a packet for the destination goes; null where no route leads. Our own addresses are reached by the loopback. */
  route(destination: Address): Route | null {
    if (this.isLocal(destination)) return direct(destination, this.loopback)
    const route = this.#routes.lookup(destination)
    if (route !== null || !(destination.isMulticast || destination.isLimitedBroadcast)) return route
    // Groups and broadcasts need no route: the first link that there is.
    return this.list.length > 1 ? direct(destination, this.list[1]) : null
  }

  /** RFC 6724 §5, the rules that apply: the same address (1), scope (2), longest matching prefix (8). Null where there is none of the family. */
  selectSource(destination: Address, route: Route): Address | null {
    if (route.interface.isLoopback && this.isLocal(destination)) return destination
    let best: Address | null = null
    for (const { address } of route.interface.addresses) best = better(address, best, destination)
    if (best !== null) return best
    for (const one of this.list) {
      if (!one.isLoopback) for (const { address } of one.addresses) best = better(address, best, destination)
    }
    return best
  }
}

/** A route to one address by an interface's own network. */
export function direct(destination: Address, by: Interface): Route {
  return { destination, length: 128, interface: by, gateway: null, metric: 0 }
}

function better(candidate: Address, best: Address | null, destination: Address): Address | null {
  if (candidate.isIpv4 !== destination.isIpv4) return best
  if (best === null) return candidate
  const wanted = scope(destination)
  const candidateScope = scope(candidate)
  const bestScope = scope(best)
  if (candidateScope !== bestScope) {
    // Rule 2: the smaller of two scopes, unless it does not reach as far as the destination.
    if (candidateScope < bestScope) return candidateScope < wanted ? best : candidate
    return bestScope < wanted ? candidate : best
  }
  return candidate.commonPrefix(destination) > best.commonPrefix(destination) ? candidate : best
}

/** RFC 6724 §3.1, §3.2: link-local 2, global 14; a group's own scope. */
function scope(address: Address): number {
  if (!address.isIpv4 && address.isMulticast) return (address.word0 >>> 16) & 15
  return address.isLinkLocal || address.isLoopback ? 2 : 14
}
