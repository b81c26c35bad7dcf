// One conversation of a script: who talks with whom, and how the script's small numbers and the real ones belong together. Initial
// sequence numbers and timestamps of the stack are random: the first ones that are seen stand for those that the script writes.
import type { Address } from '../core/ip/address.ts'

const DEFAULT_MSS = { ipv4: 536, ipv6: 1220 }
const HEADERS = { ipv4: 40, ipv6: 60 }

export interface Tuple {
  readonly protocol: 'tcp' | 'udp'
  readonly local: Address
  readonly localPort: number
  readonly remote: Address
  readonly remotePort: number
}

export class Flow implements Tuple {
  readonly protocol: 'tcp' | 'udp'
  readonly local: Address
  readonly localPort: number
  readonly remote: Address
  readonly remotePort: number
  /** Real number of ours, less the script's. */
  offset = 0
  /** The next SYN that we send begins a new numbering. */
  mayRenumber = true
  /** The script's number of our first octet, and of the peer's. */
  localStart = 1
  remoteStart = 1
  /** Octets that the application has written. */
  written = 0
  /** The script's TSval of ours, and the real one: for the echoes that the script writes. */
  readonly stamps = new Map<number, number>()
  /** Real TSval and its script's value when the first was seen: null before. */
  firstStamp: { readonly real: number; readonly written: number; readonly at: number } | null = null
  /** What one of our segments may carry, as far as the script has told it. */
  mss: number

  constructor({ protocol, local, localPort, remote, remotePort }: Tuple, mtu: number) {
    this.protocol = protocol
    this.local = local
    this.localPort = localPort
    this.remote = remote
    this.remotePort = remotePort
    this.mss = Math.min(this.#isIpv4 ? DEFAULT_MSS.ipv4 : DEFAULT_MSS.ipv6, this.payloadOf(mtu))
  }

  get #isIpv4(): boolean {
    return this.remote.isIpv4
  }

  /** The text that fits into a packet of this size. */
  payloadOf(mtu: number): number {
    return mtu - (this.#isIpv4 ? HEADERS.ipv4 : HEADERS.ipv6)
  }

  matches(other: Tuple): boolean {
    return (
      this.protocol === other.protocol &&
      this.localPort === other.localPort &&
      this.remotePort === other.remotePort &&
      this.local.equals(other.local) &&
      this.remote.equals(other.remote)
    )
  }

  /** A number of the script, as the stack has it; and the other way. */
  real(written: number): number {
    return (written + this.offset) | 0
  }

  written32(real: number): number {
    return (real - this.offset) >>> 0
  }
}

/** The octet at each place of every stream: what arrives must be what was sent. */
export function patternAt(place: number): number {
  return ((place * 31 + (place >>> 8) * 7) & 0xff) ^ 0x5a
}

export function fillPattern(bytes: Uint8Array, at: number, length: number, place: number): void {
  for (let octet = 0; octet < length; octet++) bytes[at + octet] = patternAt(place + octet)
}

/** The first octet that is not the stream's; -1 where all are. */
export function findStrange(bytes: Uint8Array, at: number, length: number, place: number): number {
  for (let octet = 0; octet < length; octet++) if (bytes[at + octet] !== patternAt(place + octet)) return octet
  return -1
}
