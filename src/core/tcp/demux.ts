// Whose segment this is: connections by their 4-tuple, listeners by port and address (RFC 9293 §3.10.7).
// Called by tcp/input for every segment, and by whoever opens and closes. Addresses given to `find` are borrowed.
import type { Address } from '../ip/address.ts'
import { HashIndex } from './hash-index.ts'
import type { TupleHash } from './tuple-hash.ts'

/** What a connection must show to be found. It never changes while it is in the table. */
export interface Connected {
  readonly localAddress: Address
  readonly localPort: number
  readonly remoteAddress: Address
  readonly remotePort: number
}

/** Words of a tuple in `#tuples`: both ports, the remote address, the local one. */
const WORDS = 9
const START_ROWS = 16

export class Demux<Member extends Connected> {
  readonly #hash: TupleHash
  readonly #index = new HashIndex()
  readonly #members: (Member | null)[] = []
  /** The tuples once more, side by side: of 100,000 connections none is in the cache, and their fields lie in three objects. */
  #tuples = new Int32Array(START_ROWS * WORDS)
  readonly #free: number[] = []

  constructor(hash: TupleHash) {
    this.#hash = hash
  }

  get count(): number {
    return this.#index.count
  }

  /** For how many there is room. */
  get rows(): number {
    return this.#tuples.length / WORDS
  }

  find(local: Address, localPort: number, remote: Address, remotePort: number): Member | null {
    const hash = this.#hash.of(local, localPort, remote, remotePort)
    const index = this.#index
    const tuples = this.#tuples
    const ports = (localPort << 16) | remotePort
    for (let place = index.first(hash); place >= 0; place = index.next(place, hash)) {
      const row = index.row(place)
      const at = row * WORDS
      if (
        tuples[at] === ports &&
        tuples[at + 4] === remote.word3 &&
        tuples[at + 3] === remote.word2 &&
        tuples[at + 2] === remote.word1 &&
        tuples[at + 1] === remote.word0 &&
        tuples[at + 8] === local.word3 &&
        tuples[at + 7] === local.word2 &&
        tuples[at + 6] === local.word1 &&
        tuples[at + 5] === local.word0
      ) {
        return this.#members[row]
      }
    }
    return null
  }

  /** Its 4-tuple must not be in the table. */
  add(member: Member): void {
    const row = this.#free.pop() ?? this.#members.length
    this.#members[row] = member
    const at = row * WORDS
    if (at === this.#tuples.length) this.#resize(row * 2)
    this.#tuples[at] = (member.localPort << 16) | member.remotePort
    setWords(this.#tuples, at + 1, member.remoteAddress)
    setWords(this.#tuples, at + 5, member.localAddress)
    this.#index.add(this.#hashOf(member), row)
  }

  /** Says whether it was there. */
  remove(member: Member): boolean {
    const hash = this.#hashOf(member)
    for (let place = this.#index.first(hash); place >= 0; place = this.#index.next(place, hash)) {
      const row = this.#index.row(place)
      if (this.#members[row] !== member) continue
      this.#members[row] = null
      this.#index.remove(hash, row)
      this.#release(row)
      return true
    }
    return false
  }

  /** In no particular order; none may be added meanwhile, those that have been taken may be removed. */
  forEach(take: (member: Member) => void): void {
    for (let row = this.#members.length - 1; row >= 0; row--) {
      const member = this.#members[row]
      if (member) take(member)
    }
  }

  #hashOf(member: Member): number {
    return this.#hash.of(member.localAddress, member.localPort, member.remoteAddress, member.remotePort)
  }

  /** When the last one goes, so does what a great number of them has left. */
  #release(row: number): void {
    if (this.#index.count > 0) {
      this.#free.push(row)
      return
    }
    this.#members.length = 0
    this.#free.length = 0
    this.#resize(START_ROWS)
  }

  #resize(rows: number): void {
    if (this.#tuples.length === rows * WORDS) return
    const before = this.#tuples
    this.#tuples = new Int32Array(rows * WORDS)
    if (before.length < this.#tuples.length) this.#tuples.set(before)
  }
}

function setWords(tuples: Int32Array, at: number, address: Address): void {
  tuples[at] = address.word0
  tuples[at + 1] = address.word1
  tuples[at + 2] = address.word2
  tuples[at + 3] = address.word3
}

export const ANY_PORT = 0
export const ANY_INTERFACE = -1

/** What a listener must show to be found. It never changes while it is in the table. */
export interface Listening {
  /** Unspecified for any: `::` takes IPv4 too, unless it is for IPv6 only; `0.0.0.0` takes IPv4 alone. */
  readonly localAddress: Address
  /** ANY_PORT for all of them: only with an interface. */
  readonly localPort: number
  /** The index of the interface it is bound to, or ANY_INTERFACE. */
  readonly interface: number
  readonly ipv6Only: boolean
  /** Shares its place with others that say so too: connections are spread over them by their hash. */
  readonly reusePort: boolean
}

export class Listeners<Member extends Listening> {
  readonly #hash: TupleHash
  /** By port, ANY_PORT included. */
  readonly #ports = new Map<number, Member[]>()
  #count = 0

  constructor(hash: TupleHash) {
    this.#hash = hash
  }

  get count(): number {
    return this.#count
  }

  /**
   * The listener for a SYN. One for the port goes before one for any port; then an exact address before any address
   * of the family, and that before any address at all; then one bound to the interface before one that isn't.
   * Null where nobody listens.
   */
  find(local: Address, localPort: number, remote: Address, remotePort: number, interfaceIndex: number): Member | null {
    return (
      this.#choose(this.#ports.get(localPort), local, localPort, remote, remotePort, interfaceIndex) ??
      this.#choose(this.#ports.get(ANY_PORT), local, localPort, remote, remotePort, interfaceIndex)
    )
  }

  #choose(
    members: Member[] | undefined,
    local: Address,
    localPort: number,
    remote: Address,
    remotePort: number,
    interfaceIndex: number,
  ): Member | null {
    if (members === undefined) return null
    let best = 0
    let chosen: Member | null = null
    let equals = 0
    for (const member of members) {
      const points = score(member, local, interfaceIndex)
      if (points > best) {
        best = points
        chosen = member
        equals = 1
      } else if (points === best && points > 0) equals++
    }
    if (equals < 2) return chosen
    let place = ((this.#hash.of(local, localPort, remote, remotePort) >>> 16) * equals) >>> 16
    for (const member of members) if (score(member, local, interfaceIndex) === best && place-- === 0) return member
    return chosen
  }

  /** Whether a new one would take what another has (EADDRINUSE). */
  clashes(candidate: Listening): boolean {
    const members = this.#ports.get(candidate.localPort)
    if (members === undefined) return false
    return members.some((member) => !(member.reusePort && candidate.reusePort) && overlap(member, candidate))
  }

  add(member: Member): void {
    const members = this.#ports.get(member.localPort)
    if (members === undefined) this.#ports.set(member.localPort, [member])
    else members.push(member)
    this.#count++
  }

  /** Says whether it was there. */
  remove(member: Member): boolean {
    const members = this.#ports.get(member.localPort)
    const place = members?.indexOf(member) ?? -1
    if (members === undefined || place < 0) return false
    members.splice(place, 1)
    if (members.length === 0) this.#ports.delete(member.localPort)
    this.#count--
    return true
  }

  forEach(take: (member: Member) => void): void {
    for (const members of [...this.#ports.values()]) for (const member of [...members]) take(member)
  }
}

/** How well a listener fits; 0 where it doesn't. */
function score(member: Listening, local: Address, interfaceIndex: number): number {
  if (member.interface !== ANY_INTERFACE && member.interface !== interfaceIndex) return 0
  const bound = member.interface === ANY_INTERFACE ? 0 : 1
  const address = member.localAddress
  if (!address.isUnspecified) return address.equals(local) ? 6 + bound : 0
  if (address.isIpv4 === local.isIpv4) return 4 + bound
  return takesIpv4(member) && local.isIpv4 ? 2 + bound : 0
}

/** Listens on `::` for both families. */
function takesIpv4(member: Listening): boolean {
  return member.localAddress.isUnspecified && !member.localAddress.isIpv4 && !member.ipv6Only
}

/** As Linux has it: any address clashes with a particular one of its family. */
function overlap(one: Listening, other: Listening): boolean {
  if (one.interface !== other.interface && one.interface !== ANY_INTERFACE && other.interface !== ANY_INTERFACE) {
    return false
  }
  if (one.localAddress.equals(other.localAddress)) return true
  if (!one.localAddress.isUnspecified && !other.localAddress.isUnspecified) return false
  if (one.localAddress.isIpv4 === other.localAddress.isIpv4) return true
  return one.localAddress.isIpv4 ? takesIpv4(other) : takesIpv4(one)
}
