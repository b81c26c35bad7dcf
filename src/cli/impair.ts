// A path that is as bad as wanted: `--impair delay=10,loss=0.01,rate=100,queue=200,reorder=0.05`, for both ways or for one.
// Read here, put on by `serve`; what each word means, and what it may be, the link `impaired` knows.
import type { Command } from 'cac'
import { checkImpairment, type Impairment, impaired, type Link, type Random, SeededRandom } from '../index.ts'
import type { Options } from './options.ts'
import { usageError } from './output.ts'

/** `in` is what comes from the kernel, `out` what goes to it. */
export interface ImpairmentPlan {
  readonly in: Impairment
  readonly out: Impairment
  /** Null: another run each time. */
  readonly seed: number | null
}

const WORDS = [
  'delay',
  'jitter',
  'loss',
  'reorder',
  'reorderDelay',
  'duplicate',
  'corrupt',
  'mark',
  'rate',
  'queue',
  'mtu',
]
const LARGEST_SEED = 4_294_967_295

export function addImpairmentOptions(command: Command): Command {
  return command
    .option(
      '--impair <what>',
      'A bad path, each way: delay=10,loss=0.01,rate=100,queue=200,reorder=0.05 (ms, parts of 1, Mbit/s, packets)',
    )
    .option('--impair-in <what>', 'The same for what comes in alone')
    .option('--impair-out <what>', 'The same for what goes out alone')
    .option('--impair-seed <number>', 'Chance decides the same way in every run')
}

/** Null where nothing is asked for. */
export function readImpairments(options: Options): ImpairmentPlan | null {
  const both = read(options, 'impair')
  const into = read(options, 'impair-in')
  const out = read(options, 'impair-out')
  const hasSeed = options.text('impair-seed') !== null
  if (both === null && into === null && out === null) {
    if (hasSeed) throw usageError('--impair-seed is of use with --impair, --impair-in or --impair-out only.')
    return null
  }
  const seed = hasSeed ? options.integer('impair-seed', 0, 0, LARGEST_SEED) : null
  return { in: { ...both, ...into }, out: { ...both, ...out }, seed }
}

/** Offload is the device's affair: whoever asks for it by name gets it. */
export function impairLink(link: Link, plan: ImpairmentPlan, random: Random): Link {
  const { in: into, out, seed } = plan
  const chance = seed === null ? random : { in: new SeededRandom(seed, 'in'), out: new SeededRandom(seed, 'out') }
  return impaired(link, { in: into, out }, chance, { offload: true })
}

function read(options: Options, name: string): Impairment | null {
  const text = options.text(name)
  if (text === null) return null
  const found: Record<string, number> = {}
  for (const part of text.split(',')) {
    const [word, value, ...more] = part.split('=')
    if (value === undefined || more.length > 0 || !WORDS.includes(word))
      throw usageError(`--${name} is a list like delay=10,loss=0.01 of ${WORDS.join(', ')}, and this has "${part}".`)
    if (word in found) throw usageError(`--${name} may say ${word} once.`)
    if (!/^-?\d+(\.\d+)?$/.test(value)) throw usageError(`--${name}: ${word} is a number, and this is "${value}".`)
    found[word] = Number(value)
  }
  try {
    checkImpairment(found)
  } catch (error) {
    throw usageError(`--${name}: ${(error as Error).message}.`)
  }
  return found
}
