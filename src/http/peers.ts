// How many connections each peer has: an IPv4 address, or the /64 of an IPv6 one, since that is what one customer has of addresses.
import type { Endpoint } from '../runtime/endpoint.ts'

type Address = Endpoint['remoteAddress']

export class Peers {
  readonly #ipv4 = new Map<number, number>()
  readonly #ipv6 = new Map<string, number>()

  count(address: Address): number {
    return (address.isIpv4 ? this.#ipv4.get(address.word3) : this.#ipv6.get(networkOf(address))) ?? 0
  }

  enter(address: Address): void {
    if (address.isIpv4) add(this.#ipv4, address.word3, 1)
    else add(this.#ipv6, networkOf(address), 1)
  }

  leave(address: Address): void {
    if (address.isIpv4) add(this.#ipv4, address.word3, -1)
    else add(this.#ipv6, networkOf(address), -1)
  }
}

function networkOf({ word0, word1 }: Address): string {
  return `${word0} ${word1}`
}

function add<Key>(counts: Map<Key, number>, key: Key, change: number): void {
  const count = (counts.get(key) ?? 0) + change
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}
