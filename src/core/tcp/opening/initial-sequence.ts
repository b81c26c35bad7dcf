// Where sequence numbers (RFC 6528) and timestamps (RFC 7323 §5.4, Appendix H) begin: nobody but us can foresee them,
// and both go on rising where the same 4-tuple is used again. Called by whoever opens, and for cookies.
import type { Random } from '../../environment.ts'
import type { Address } from '../../ip/address.ts'
import { SipHash } from '../../siphash.ts'

export class InitialSequence {
  readonly #sequenceKey: SipHash
  readonly #timestampKey: SipHash

  constructor(random: Random) {
    this.#sequenceKey = new SipHash(random)
    this.#timestampKey = new SipHash(random)
  }

  /** ISS = M + F(4-tuple, key): SHLD-1; the key is MUST-9's. MUST-8: M is a clock of four microseconds; `now` is in milliseconds. */
  choose(now: number, local: Address, localPort: number, remote: Address, remotePort: number): number {
    const clock = Math.floor(now * 250) | 0
    return (clock + hashTuple(this.#sequenceKey, local, localPort, remote, remotePort).end()) | 0
  }

  /** What is added to the clock of milliseconds in every TSval of this 4-tuple. */
  timestampOffset(local: Address, localPort: number, remote: Address, remotePort: number): number {
    return hashTuple(this.#timestampKey, local, localPort, remote, remotePort).end()
  }
}

/** Begins a hash with a 4-tuple; more words may follow. The families are told apart by the number of words. */
export function hashTuple(
  key: SipHash,
  local: Address,
  localPort: number,
  remote: Address,
  remotePort: number,
): SipHash {
  key.begin().word((localPort << 16) | remotePort)
  if (!local.isIpv4) {
    key.word(local.word0).word(local.word1).word(local.word2)
    key.word(remote.word0).word(remote.word1).word(remote.word2)
  }
  return key.word(local.word3).word(remote.word3)
}
