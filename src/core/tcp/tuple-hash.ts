// A keyed hash of a 4-tuple, for tables that strangers fill: whoever does not know the key can't make collisions.
// Multilinear over halves of words (Lemire and Kaser, 2014): any two tuples fall together with a chance of 2^-16 in each half of
// the result, over the choice of the key, whatever the tuples are. Some 10 ns against SipHash's 100; its values never leave the stack.
import type { Random } from '../environment.ts'
import type { Address } from '../ip/address.ts'

/** A constant, two ports, and eight halves an address. */
const KEYS = 19

export class TupleHash {
  /** Two keys for each half word, side by side: one for the upper 16 bits of the result, one for the lower. */
  readonly #keys = new Int32Array(KEYS * 2)

  constructor(random: Random) {
    for (let key = 0; key < this.#keys.length; key++) this.#keys[key] = random.int32()
  }

  /** An int32. */
  of(local: Address, localPort: number, remote: Address, remotePort: number): number {
    const keys = this.#keys
    const local3 = local.word3
    const remote3 = remote.word3
    let upper =
      keys[0] +
      Math.imul(keys[2], localPort) +
      Math.imul(keys[4], remotePort) +
      Math.imul(keys[6], local3 & 0xffff) +
      Math.imul(keys[8], local3 >>> 16) +
      Math.imul(keys[10], remote3 & 0xffff) +
      Math.imul(keys[12], remote3 >>> 16)
    let lower =
      keys[1] +
      Math.imul(keys[3], localPort) +
      Math.imul(keys[5], remotePort) +
      Math.imul(keys[7], local3 & 0xffff) +
      Math.imul(keys[9], local3 >>> 16) +
      Math.imul(keys[11], remote3 & 0xffff) +
      Math.imul(keys[13], remote3 >>> 16)
    if (!local.isIpv4) {
      // Where the family is the same for both ends of a tuple, it needs no key of its own.
      upper += this.#upper(local, 0, 14) + this.#upper(remote, 0, 26)
      lower += this.#upper(local, 1, 14) + this.#upper(remote, 1, 26)
    }
    return (upper & 0xffff0000) | ((lower | 0) >>> 16)
  }

  /** The sum over an IPv6 address's first three words, by the keys from `first` on. */
  #upper(address: Address, side: number, first: number): number {
    const keys = this.#keys
    const key = first + side
    return (
      Math.imul(keys[key], address.word0 & 0xffff) +
      Math.imul(keys[key + 2], address.word0 >>> 16) +
      Math.imul(keys[key + 4], address.word1 & 0xffff) +
      Math.imul(keys[key + 6], address.word1 >>> 16) +
      Math.imul(keys[key + 8], address.word2 & 0xffff) +
      Math.imul(keys[key + 10], address.word2 >>> 16)
    )
  }
}
