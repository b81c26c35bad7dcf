// Whom something was sent to lately: what an ICMP error about it must quote to be believed (RFC 5927 §3).
// Keyed hashes in a table of fixed size, where the newer one takes the place: nobody can foresee which.
// Used by UDP sockets and for echo replies.

const PLACES = 256

export class RecentPeers {
  /** Made when first needed. */
  #hashes: Int32Array | null = null

  note(hash: number): void {
    this.#hashes ??= new Int32Array(PLACES)
    this.#hashes[hash & (PLACES - 1)] = hash
  }

  has(hash: number): boolean {
    return this.#hashes !== null && this.#hashes[hash & (PLACES - 1)] === hash
  }
}
