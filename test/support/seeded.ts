// The random of every test: a failure prints its seed, and the seed replays it.
import { SeededRandom } from '../../src/simulate/random.ts'

export { SeededRandom }

export function seeded(seed: number | string): SeededRandom {
  return new SeededRandom(seed)
}
