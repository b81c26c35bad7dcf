// All interfaces of a stack: which addresses are ours, by which one a packet leaves, and with what source (RFC 6724 §5).
// Called by ip/input, ip/icmp and the transports. Addresses belong to the stack, whichever interface they arrive by (RFC 1122 §3.3.4.2's weak model).
import type { Address, Prefix } from './address.ts'
import type { Interface } from './interface.ts'
import type { Route, Routes } from './routes.ts'

export class Interfaces {
  readonly list: Interface[] = []
  readonly #routes: Routes
  /** Each once: a host may have the same ones on many interfaces. */
  readonly #addresses: Address[] = []

  constructor(routes: Routes) {
    this.#routes = routes
  }

  add(one: Interface): void {
    this.list.push(one)
    for (const { address } of one.addresses) {
      if (!this.#addresses.some((own) => own.equals(address))) this.#addresses.push(address)
    }
  }

  /** Interface 0 is the loopback. */
  get loopback(): Interface {
    return this.list[0]
  }

  /** An address of one of our interfaces, or a loopback address. */
  isLocal(address: Address): boolean {
    if (address.isLoopback) return true
    return this.own(address) !== null
  }

  /** The one of our addresses that equals this one; null where it is none of ours. */
  own(address: Address): Address | null {
    const own = this.#addresses
    for (let at = 0; at < own.length; at++) if (own[at].equals(address)) return own[at]
    return null
  }

  /** Where a packet for the destination goes; null where no route leads. Our own addresses are reached by the loopback. */
  route(destination: Address): Route | null {
    if (this.isLocal(destination)) return direct(destination, this.loopback)
    const route = this.#routes.lookup(destination)
    if (route !== null || !(destination.isMulticast || destination.isLimitedBroadcast)) return route
    // Groups and broadcasts need no route: the first link that there is, or the loopback, which reaches all of us.
    return direct(destination, this.list[1] ?? this.loopback)
  }

  /**
   * RFC 6724 §5, the rules that apply: the same address (1), scope (2), the outgoing interface (5), label (6), longest
   * matching prefix (8). Null where there is none of the family.
   */
  selectSource(destination: Address, route: Route): Address | null {
    if (route.interface.isLoopback && this.isLocal(destination)) return destination
    let best: Prefix | null = null
    for (const prefix of route.interface.addresses) best = better(prefix, best, destination)
    if (best !== null) return best.address
    for (const one of this.list) {
      if (!one.isLoopback) for (const prefix of one.addresses) best = better(prefix, best, destination)
    }
    return best === null ? null : best.address
  }
}

/** A route to one address by an interface's own network. */
export function direct(destination: Address, by: Interface): Route {
  return { destination, length: 128, interface: by, gateway: null, metric: 0 }
}

function better(candidate: Prefix, best: Prefix | null, destination: Address): Prefix | null {
  if (candidate.address.isIpv4 !== destination.isIpv4) return best
  if (best === null) return candidate
  const wanted = scope(destination)
  const candidateScope = scope(candidate.address)
  const bestScope = scope(best.address)
  if (candidateScope !== bestScope) {
    // Rule 2: the smaller of two scopes, unless it does not reach as far as the destination.
    if (candidateScope < bestScope) return candidateScope < wanted ? best : candidate
    return bestScope < wanted ? candidate : best
  }
  const wantedLabel = label(destination)
  const fits = label(candidate.address) === wantedLabel
  if (fits !== (label(best.address) === wantedLabel)) return fits ? candidate : best
  return matching(candidate, destination) > matching(best, destination) ? candidate : best
}

/** RFC 6724 §2.2: bits in common, of the source's prefix alone. */
function matching({ address, length }: Prefix, destination: Address): number {
  return Math.min(address.commonPrefix(destination), length)
}

/** RFC 6724 §2.1, the default policy table. */
function label(address: Address): number {
  const { word0 } = address
  if (address.isIpv4) return 4
  if (address.isLoopback) return 0
  if (word0 >>> 16 === 0x2002) return 2
  if (word0 === 0x20010000) return 5
  if (word0 >>> 25 === 0x7e) return 13
  if (word0 >>> 22 === 0x3fb) return 11
  if (word0 >>> 16 === 0x3ffe) return 12
  return word0 === 0 && address.word1 === 0 && address.word2 === 0 ? 3 : 1
}

/** RFC 6724 §3.1, §3.2: link-local 2, global 14; a group's own scope. */
function scope(address: Address): number {
  if (!address.isIpv4 && address.isMulticast) return (address.word0 >>> 16) & 15
  return address.isLinkLocal || address.isLoopback ? 2 : 14
}
