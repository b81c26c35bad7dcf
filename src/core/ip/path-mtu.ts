// Path MTU as learned from ICMP: per destination, with floors, for ten minutes (RFC 1191 §6.3, RFC 8201 §4).
// Transports ask `get`; whoever has checked that an ICMP error quotes a packet of ours calls `learn`.
// Black-hole probing (RFC 4821) stands above it: what a transport finds out by itself it may `learn` too.
import type { SipHash } from '../siphash.ts'
import type { Address } from './address.ts'

/**
 * RFC 1191 lets an IPv4 path go down to 68 octets; Linux takes nothing below 552 (min_pmtu), nor do we: a forged 68 costs much.
 * What is asked to be smaller goes with DF clear, so that a router which can't pass it on cuts it.
 */
export const MINIMUM_IPV4 = 552
/** RFC 8200 §5: no IPv6 link is smaller. */
export const MINIMUM_IPV6 = 1280
const LIFETIME = 600_000
const MOST_PATHS = 4096

interface Path {
  readonly destination: Address
  mtu: number
  until: number
  /** A router asked for less than the floor. */
  isBelowFloor: boolean
}

export class PathMtu {
  readonly #hash: SipHash
  readonly #paths = new Map<number, Path>()
  #generation = 0
  /** Whether any path was ever below the floor, so that the others need not be asked. */
  #hasBelowFloor = false

  constructor(hash: SipHash) {
    this.#hash = hash
  }

  /** Changes whenever something was learned. What has aged out is seen by asking. */
  get generation(): number {
    return this.#generation
  }

  /** The largest packet for the destination, at most `linkMtu`. */
  get(destination: Address, linkMtu: number, now: number): number {
    if (this.#paths.size === 0) return linkMtu
    const path = this.#path(destination)
    if (path === null) return linkMtu
    if (path.until <= now) {
      this.#paths.delete(this.#key(destination))
      return linkMtu
    }
    return Math.min(path.mtu, linkMtu)
  }

  /** Whether routers on an IPv4 path shall cut what does not fit, since it is smaller than we go. */
  mayBeCut(destination: Address): boolean {
    return this.#hasBelowFloor && this.#path(destination)?.isBelowFloor === true
  }

  /** A router says what fits. Returns whether that is news: never a growth, never below the floor. */
  learn(destination: Address, mtu: number, linkMtu: number, now: number): boolean {
    // RFC 8201 §4: a figure below IPv6's minimum must be discarded.
    if (!destination.isIpv4 && mtu < MINIMUM_IPV6) return false
    const isBelowFloor = mtu < MINIMUM_IPV4
    const known = this.get(destination, linkMtu, now)
    const value = isBelowFloor ? Math.min(MINIMUM_IPV4, known) : mtu
    if (isBelowFloor ? this.mayBeCut(destination) : value >= known) return false
    const key = this.#key(destination)
    this.#paths.delete(key)
    if (this.#paths.size >= MOST_PATHS) this.#paths.delete(this.#paths.keys().next().value as number)
    this.#paths.set(key, { destination: destination.copy(), mtu: value, until: now + LIFETIME, isBelowFloor })
    this.#hasBelowFloor ||= isBelowFloor
    this.#generation++
    return true
  }

  /** RFC 1191 §5: what to assume where the router gave no figure: the next plateau below the packet that was too big. */
  static plateau(length: number): number {
    for (const plateau of PLATEAUS) if (plateau < length) return plateau
    return PLATEAUS[PLATEAUS.length - 1]
  }

  #path(destination: Address): Path | null {
    const path = this.#paths.get(this.#key(destination))
    return path?.destination.equals(destination) === true ? path : null
  }

  #key(destination: Address): number {
    return this.#hash
      .begin()
      .word(destination.word0)
      .word(destination.word1)
      .word(destination.word2)
      .word(destination.word3)
      .end()
  }
}

/** RFC 1191 §7.1, table 7-1. */
const PLATEAUS = [65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68] as const
