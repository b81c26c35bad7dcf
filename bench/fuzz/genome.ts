// Octets that stand for choices: whatever they are, they read as some story, and a small change in them is a small change of it.
import type { SeededRandom } from '../../src/simulate/random.ts'

export type Genome = Uint8Array<ArrayBuffer>

const LONGEST = 400

export class Choices {
  readonly #octets: Genome
  #at = 0

  constructor(octets: Genome) {
    this.#octets = octets
  }

  get isOver(): boolean {
    return this.#at >= this.#octets.length
  }

  /** 0 to 255; 0 when all have been read. */
  octet(): number {
    return this.#octets[this.#at++] ?? 0
  }

  below(limit: number): number {
    return (limit > 256 ? (this.octet() << 8) | this.octet() : this.octet()) % limit
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]
  }
}

export function randomGenome(random: SeededRandom): Genome {
  return Uint8Array.from({ length: 8 + random.below(120) }, () => random.below(256))
}

/** One or two small changes, or a piece of another. */
export function changed(genome: Genome, other: Genome, random: SeededRandom): Genome {
  let octets = [...genome]
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(octets.length + 1)
    switch (random.below(6)) {
      case 0:
        octets.splice(at, 0, random.below(256))
        break
      case 1:
        octets.splice(at, 1 + random.below(8))
        break
      case 2: {
        const from = random.below(other.length + 1)
        octets.splice(at, random.below(8), ...other.subarray(from, from + 1 + random.below(24)))
        break
      }
      case 3:
        octets = octets.concat(...[...randomGenome(random)].slice(0, 16))
        break
      default:
        if (at < octets.length) octets[at] = random.below(2) === 0 ? random.below(256) : (octets[at] + 1) & 255
    }
  }
  return Uint8Array.from(octets.slice(0, LONGEST))
}
