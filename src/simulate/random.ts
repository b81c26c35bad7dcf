// The simulator's randomness: sfc32 (Chris Doty-Humphrey's Small Fast Counting generator, 128 bits of state), seeded
// through an FNV-1a hash of the seed and of the stream's name. Every consumer has a stream of its own, named after what
// it is for, so that a host more or a link more leaves what the others draw as it was. Not for secrets.
import type { Random } from '../core/environment.ts'

/** Outputs that are thrown away at first, as sfc32's author advises. */
const WARM_UP = 15

export class SeededRandom implements Random {
  readonly #name: string
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number | string, stream = '') {
    this.#name = `${seed}/${stream}`
    this.#a = hash(`a${this.#name}`)
    this.#b = hash(`b${this.#name}`)
    this.#c = hash(`c${this.#name}`)
    for (let output = 0; output < WARM_UP; output++) this.int32()
  }

  int32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0
    return result
  }

  /** From 0 to just below 1. */
  fraction(): number {
    return (this.int32() >>> 0) / 0x1_0000_0000
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit)
  }

  /** Another stream of the same seed. It doesn't depend on what this one has drawn. */
  stream(name: string | number): SeededRandom {
    return new SeededRandom(this.#name, String(name))
  }
}

function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x7feb352d)
  value = Math.imul(value ^ (value >>> 15), 0x846ca68b)
  return (value ^ (value >>> 16)) | 0
}
