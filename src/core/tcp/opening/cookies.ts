// SYN cookies (RFC 4987 §3.6): when the SYN queue is full, our sequence number itself remembers the request, and our timestamp its options.
// Forging one takes 2^24 tries within two minutes. Called by opening/listen; the numbers are laid out as Linux does.
import type { Random } from '../../environment.ts'
import type { Address } from '../../ip/address.ts'

export const REFUSED = 0

export class Cookies {
  constructor(random: Random) {}

  /** What `decode` found: the options of a SYN that was answered with a cookie. */
  windowScale = 0
  sackPermitted = false
  ecn = false

  /** ISS for the SYN-ACK. `irs` is the SYN's sequence number, `mss` what its option says; less is remembered where the table has no such number. */
  make(
    now: number,
    local: Address,
    localPort: number,
    remote: Address,
    remotePort: number,
    irs: number,
    mss: number,
  ): number {
    throw new Error('not yet')
  }

  /** The MSS that an ACK's cookie (SEG.ACK - 1) remembers, `irs` being SEG.SEQ - 1; REFUSED where it is forged or too old. */
  check(
    now: number,
    local: Address,
    localPort: number,
    remote: Address,
    remotePort: number,
    irs: number,
    cookie: number,
  ): number {
    throw new Error('not yet')
  }

  /** TSval of the SYN-ACK before its offset is added: at most `clock`, its lowest bits remember options. `windowScale` may be -1 for none. */
  encode(clock: number, windowScale: number, sackPermitted: boolean, ecn: boolean): number {
    throw new Error('not yet')
  }

  /** Reads what `encode` wrote from TSecr less its offset, into the fields above. Scale -1 for none. */
  decode(clock: number): void {
    throw new Error('not yet')
  }
}
