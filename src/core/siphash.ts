// SipHash-2-4 (Aumasson and Bernstein, 2012) over 32-bit words, its upper 32 bits returned: what nobody without the key can foresee.
// Used for initial sequence numbers, ports, cookies, timestamps' offsets, identifications and the places in hash tables.
// 64-bit words are pairs of int32 (high, low); the words come one after another, so that nothing is allocated.

export class SipHash {
  readonly #k0h: number
  readonly #k0l: number
  readonly #k1h: number
  readonly #k1l: number
  #v0h = 0
  #v0l = 0
  #v1h = 0
  #v1l = 0
  #v2h = 0
  #v2l = 0
  #v3h = 0
  #v3l = 0
  #pending = 0
  #words = 0

  /** The key: 128 bits that nobody outside knows. */
  constructor(random: { int32(): number }) {
    this.#k0h = random.int32()
    this.#k0l = random.int32()
    this.#k1h = random.int32()
    this.#k1l = random.int32()
  }

  begin(): this {
    this.#v0h = this.#k0h ^ 0x736f6d65
    this.#v0l = this.#k0l ^ 0x70736575
    this.#v1h = this.#k1h ^ 0x646f7261
    this.#v1l = this.#k1l ^ 0x6e646f6d
    this.#v2h = this.#k0h ^ 0x6c796765
    this.#v2l = this.#k0l ^ 0x6e657261
    this.#v3h = this.#k1h ^ 0x74656462
    this.#v3l = this.#k1l ^ 0x79746573
    this.#words = 0
    return this
  }

  /** The next 32 bits of the message. */
  word(word: number): this {
    if ((this.#words++ & 1) === 0) this.#pending = word | 0
    else this.#absorb(word | 0, this.#pending)
    return this
  }

  /** An int32. */
  end(): number {
    const octets = this.#words * 4
    this.#absorb((octets & 0xff) << 24, (this.#words & 1) === 1 ? this.#pending : 0)
    this.#v2l ^= 0xff
    this.#rounds(4)
    return this.#v0h ^ this.#v1h ^ this.#v2h ^ this.#v3h
  }

  #absorb(high: number, low: number): void {
    this.#v3h ^= high
    this.#v3l ^= low
    this.#rounds(2)
    this.#v0h ^= high
    this.#v0l ^= low
  }

  /** A sum that is less than what was added to has gone over 2^32. */
  #rounds(count: number): void {
    let v0h = this.#v0h
    let v0l = this.#v0l
    let v1h = this.#v1h
    let v1l = this.#v1l
    let v2h = this.#v2h
    let v2l = this.#v2l
    let v3h = this.#v3h
    let v3l = this.#v3l
    for (let round = 0; round < count; round++) {
      let low = (v0l + v1l) | 0
      v0h = (v0h + v1h + (low >>> 0 < v0l >>> 0 ? 1 : 0)) | 0
      v0l = low
      let high = (v1h << 13) | (v1l >>> 19)
      v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l
      v1h = high ^ v0h
      high = v0h
      v0h = v0l
      v0l = high
      low = (v2l + v3l) | 0
      v2h = (v2h + v3h + (low >>> 0 < v2l >>> 0 ? 1 : 0)) | 0
      v2l = low
      high = (v3h << 16) | (v3l >>> 16)
      v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l
      v3h = high ^ v2h
      low = (v0l + v3l) | 0
      v0h = (v0h + v3h + (low >>> 0 < v0l >>> 0 ? 1 : 0)) | 0
      v0l = low
      high = (v3h << 21) | (v3l >>> 11)
      v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l
      v3h = high ^ v0h
      low = (v2l + v1l) | 0
      v2h = (v2h + v1h + (low >>> 0 < v2l >>> 0 ? 1 : 0)) | 0
      v2l = low
      high = (v1h << 17) | (v1l >>> 15)
      v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l
      v1h = high ^ v2h
      high = v2h
      v2h = v2l
      v2l = high
    }
    this.#v0h = v0h
    this.#v0l = v0l
    this.#v1h = v1h
    this.#v1l = v1l
    this.#v2h = v2h
    this.#v2l = v2l
    this.#v3h = v3h
    this.#v3l = v3l
  }
}
