// Which local port an active open takes: RFC 6056 §3.3.4, double-hash port selection. A stranger can't foresee it, and connections to one
// peer take one port after another, so that a port is used again as late as can be. Whether a port is free is asked, not known.
// Called by whoever connects or binds.
import type { Random } from '../environment.ts'
import type { Address } from '../ip/address.ts'
import { SipHash } from '../siphash.ts'

export const FIRST_EPHEMERAL = 32_768
export const LAST_EPHEMERAL = 60_999
export const NO_PORT = -1

/** RFC 6056 §3.3.4: the counters; peers share one by chance only. */
const COUNTERS = 1024

export class Ports {
  readonly #random: Random
  readonly #first: number
  readonly #count: number
  readonly #offsetKey: SipHash
  readonly #counterKey: SipHash
  readonly #counters = new Int32Array(COUNTERS)

  constructor(random: Random, first = FIRST_EPHEMERAL, last = LAST_EPHEMERAL) {
    this.#random = random
    this.#first = first
    this.#count = last - first + 1
    this.#offsetKey = new SipHash(random)
    this.#counterKey = new SipHash(random)
    for (let counter = 0; counter < COUNTERS; counter++) this.#counters[counter] = random.int32()
  }

  /** A port for a connection to this peer; NO_PORT where `isFree` says no to all of them. */
  choose(local: Address, remote: Address, remotePort: number, isFree: (port: number) => boolean): number {
    const offset = hashOf(this.#offsetKey, local, remote, remotePort)
    const counter = hashOf(this.#counterKey, local, remote, remotePort) & (COUNTERS - 1)
    for (let tries = 0; tries < this.#count; tries++) {
      const port = this.#port(offset + this.#counters[counter])
      this.#counters[counter]++
      if (isFree(port)) return port
    }
    return NO_PORT
  }

  /** A port for whoever listens or binds before the peer is known: RFC 6056 §3.3.1. */
  chooseUnconnected(isFree: (port: number) => boolean): number {
    const start = this.#random.int32()
    for (let tries = 0; tries < this.#count; tries++) {
      const port = this.#port(start + tries)
      if (isFree(port)) return port
    }
    return NO_PORT
  }

  #port(number: number): number {
    return this.#first + ((number >>> 0) % this.#count)
  }
}

function hashOf(key: SipHash, local: Address, remote: Address, remotePort: number): number {
  key.begin().word(local.word0).word(local.word1).word(local.word2).word(local.word3)
  return key.word(remote.word0).word(remote.word1).word(remote.word2).word(remote.word3).word(remotePort).end()
}
