// Which local port an active open takes: RFC 6056 §3.3.4, double-hash port selection. A stranger can't foresee it, and connections to one
// peer take one port after another, so that a port is used again as late as can be. Whether a port is free is asked, not known.
import type { Random } from '../environment.ts'
import type { Address } from '../ip/address.ts'

export const FIRST_EPHEMERAL = 32_768
export const LAST_EPHEMERAL = 60_999
export const NO_PORT = -1

export class Ports {
  constructor(random: Random, first = FIRST_EPHEMERAL, last = LAST_EPHEMERAL) {}

  /** A port for a connection to this peer; NO_PORT where `isFree` says no to all of them. */
  choose(local: Address, remote: Address, remotePort: number, isFree: (port: number) => boolean): number {
    throw new Error('not yet')
  }

  /** A port for whoever listens or binds before the peer is known: RFC 6056 §3.3.1. */
  chooseUnconnected(isFree: (port: number) => boolean): number {
    throw new Error('not yet')
  }
}
