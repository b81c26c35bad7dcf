// SYN cookies (RFC 4987 §3.6): when the SYN queue is full, our sequence number itself remembers the request, and our timestamp its options.
// One in 700,000 guesses is taken for a cookie. Called by opening/listen; the numbers are laid out as Linux does.
import type { Random } from '../../environment.ts'
import type { Address } from '../../ip/address.ts'
import { SipHash } from '../../siphash.ts'
import { hashTuple } from './initial-sequence.ts'

export const REFUSED = 0

/** A cookie is good for the minute in which it was made and for the next two. */
const MINUTE = 64_000
const MINUTES = 3
/** Three bits' worth: RFC 4987's eight values, for today's paths. */
const MSS_TABLE = [88, 256, 536, 1220, 1300, 1440, 1460, 8960] as const

/** The lowest six bits of a timestamp. */
const SCALE_BITS = 0x0f
const NO_SCALE = 0x0f
const SACK_BIT = 0x10
const ECN_BIT = 0x20
const OPTION_BITS = 0x3f

export class Cookies {
  /** What `decode` found: the options of a SYN that was answered with a cookie. Scale -1 for none. */
  windowScale = -1
  sackPermitted = false
  ecn = false
  #madeAt = Number.NEGATIVE_INFINITY
  readonly #key: SipHash
  readonly #minuteKey: SipHash

  constructor(random: Random) {
    this.#key = new SipHash(random)
    this.#minuteKey = new SipHash(random)
  }

  /** Whether a good one may be under way. Where none is, nobody can guess one, and no late ACK opens anew what has ended. */
  areOut(now: number): boolean {
    return now - this.#madeAt < MINUTES * MINUTE
  }

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
    this.#madeAt = now
    let entry = MSS_TABLE.length - 1
    while (entry > 0 && MSS_TABLE[entry] > mss) entry--
    const minute = Math.floor(now / MINUTE)
    const secret = hashTuple(this.#key, local, localPort, remote, remotePort).end()
    const moving = hashTuple(this.#minuteKey, local, localPort, remote, remotePort).word(minute).end()
    return (secret + irs + (minute << 24) + ((moving + entry) & 0xffffff)) | 0
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
    const secret = hashTuple(this.#key, local, localPort, remote, remotePort).end()
    const rest = (cookie - secret - irs) | 0
    const minute = Math.floor(now / MINUTE)
    const age = (minute - (rest >>> 24)) & 0xff
    if (age >= MINUTES || age > minute) return REFUSED
    const moving = hashTuple(this.#minuteKey, local, localPort, remote, remotePort)
      .word(minute - age)
      .end()
    const entry = (rest - moving) & 0xffffff
    return entry < MSS_TABLE.length ? MSS_TABLE[entry] : REFUSED
  }

  /** TSval of the SYN-ACK before its offset is added: at most `clock`, its lowest bits remember options. `windowScale` may be -1 for none. */
  encode(clock: number, windowScale: number, sackPermitted: boolean, ecn: boolean): number {
    const options = (windowScale < 0 ? NO_SCALE : windowScale) | (sackPermitted ? SACK_BIT : 0) | (ecn ? ECN_BIT : 0)
    const stamp = (clock & ~OPTION_BITS) | options
    // RFC 7323 §4.1: a timestamp clock does not run backwards; a later one than this may not have been said yet.
    return ((clock - stamp) | 0) < 0 ? (stamp - OPTION_BITS - 1) | 0 : stamp
  }

  /** Reads what `encode` wrote from TSecr less its offset, into the fields above. */
  decode(clock: number): void {
    const scale = clock & SCALE_BITS
    this.windowScale = scale === NO_SCALE ? -1 : scale
    this.sackPermitted = (clock & SACK_BIT) !== 0
    this.ecn = (clock & ECN_BIT) !== 0
  }
}
