// How many connections each peer has: an IPv4 address, or the /64 of an IPv6 one, since that is what one customer has of addresses.
import type { Endpoint } from '../runtime/endpoint.ts'

export type PeerAddress = Endpoint['remoteAddress']

/** A number for IPv4, a text for IPv6. */
export function peerKey({ isIpv4, word0, word1, word3 }: PeerAddress): number | string {
  return isIpv4 ? word3 : `${word0} ${word1}`
}

export class Peers {
  readonly #counts = new Map<number | string, number>()

  count(address: PeerAddress): number {
    return this.#counts.get(peerKey(address)) ?? 0
  }

  enter(address: PeerAddress): void {
    this.#counts.set(peerKey(address), this.count(address) + 1)
  }

  leave(address: PeerAddress): void {
    const count = this.count(address) - 1
    if (count === 0) this.#counts.delete(peerKey(address))
    else this.#counts.set(peerKey(address), count)
  }
}
