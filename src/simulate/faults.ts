// Kinds of faults that `explore` draws from: each is something that a test could do to a network by hand, at a time and for a while that
// the seed decides. Hosts are named, since each run has a network of its own.
import type { Impairment } from '../link/impairment.ts'
import type { PauseOptions } from './host.ts'
import type { NameFailure } from './names.ts'
import type { Network } from './network.ts'
import type { Direction } from './network-link.ts'
import type { SeededRandom } from './random.ts'
import { describeTime } from './timeline.ts'

/** One fault of one run. */
export interface Fault {
  /** Virtual milliseconds from the beginning, and for how many. */
  readonly at: number
  readonly for: number
  /** In plain words, without the time. */
  readonly what: string
  /** `length`: milliseconds until `end`. */
  begin(network: Network, length: number): void
  end(network: Network): void
}

export interface FaultKind {
  readonly what: string
  /** The shortest and the longest, in virtual milliseconds. */
  readonly for: readonly [number, number]
  begin(network: Network, length: number): void
  end(network: Network): void
}

export interface FaultOptions {
  /** Milliseconds that it lasts: one length, or the shortest and the longest. From 100 ms to 30 s unless said otherwise. */
  for?: number | readonly [number, number]
}

const USUAL: readonly [number, number] = [100, 30_000]

/** What can go wrong. */
export const faults = {
  /** The host crashes, as when the power goes, and starts again after a while: see `host.crash` and `host.start`. */
  crash: (host: string, options?: FaultOptions): FaultKind =>
    kind(`'${host}' crashes`, options, {
      begin: (network) => network.find(host).crash(),
      end: (network) => {
        if (!network.find(host).isUp) network.find(host).restart()
      },
    }),
  /** The host's program, or the whole machine, stands still: see `host.pause`. */
  pause: (host: string, options?: FaultOptions & PauseOptions): FaultKind => {
    const { what = 'program' } = options ?? {}
    return kind(`the ${what} ${what === 'machine' ? '' : 'of '}'${host}' stands still`, options, {
      begin: (network, length) => {
        if (network.find(host).isUp) network.find(host).pause(length, { what })
      },
      end: () => {},
    })
  },
  /** The link between the two is cut, both ways or one: see `link.partition`. */
  partition: (one: string, other: string, options?: FaultOptions & { direction?: Direction }): FaultKind =>
    kind(`the link between '${one}' and '${other}' is cut`, options, {
      begin: (network) => network.linkBetween(one, other).partition(options?.direction),
      end: (network) => network.linkBetween(one, other).heal(options?.direction),
    }),
  /** The link between the two is impaired, and is afterwards what it was: see `link.impair`. */
  impair: (one: string, other: string, impairment: Impairment, options?: FaultOptions): FaultKind => {
    const before = new WeakMap<Network, { forward: Impairment; backward: Impairment }>()
    return kind(`the link between '${one}' and '${other}' is impaired`, options, {
      begin: (network) => {
        const link = network.linkBetween(one, other)
        if (!before.has(network)) {
          before.set(network, { forward: { ...link.settings('forward') }, backward: { ...link.settings('backward') } })
        }
        link.impair(impairment)
      },
      end: (network) => network.linkBetween(one, other).impair(before.get(network) ?? {}),
    })
  },
  /** The host can't look up names: see `host.resolver`. */
  names: (host: string, failure: NameFailure = 'SERVFAIL', options?: FaultOptions): FaultKind =>
    kind(`'${host}' can't look up names (${failure})`, options, {
      begin: (network) => network.find(host).resolver.fail(failure),
      end: (network) => network.find(host).resolver.heal(),
    }),
  /** The host's listen queues are full: see `host.fillListenQueue`. */
  fullListenQueue: (host: string, options?: FaultOptions): FaultKind =>
    kind(`the listen queues of '${host}' are full`, options, {
      begin: (network) => {
        if (network.find(host).isListening) network.find(host).fillListenQueue()
      },
      end: (network) => network.find(host).drainListenQueue(),
    }),
}

/** So many faults as the random says, in the order of their times, within the first `within` milliseconds. */
export function drawFaults(kinds: readonly FaultKind[], random: SeededRandom, most: number, within: number): Fault[] {
  if (kinds.length === 0) return []
  return Array.from({ length: 1 + random.below(most) }, () => {
    const drawn = kinds[random.below(kinds.length)]
    const at = Math.round(random.fraction() * within)
    const [shortest, longest] = drawn.for
    // As often from 100 ms to 1 s as from 1 s to 10 s.
    const length = Math.round(shortest * (longest / shortest) ** random.fraction())
    return { at, for: length, what: drawn.what, begin: drawn.begin, end: drawn.end }
  }).sort((one, other) => one.at - other.at)
}

/** What `drawFaults` has drawn happens by itself. */
export function arm(network: Network, drawn: readonly Fault[]): void {
  for (const fault of drawn) {
    network.after(fault.at, () => fault.begin(network, fault.for))
    network.after(fault.at + fault.for, () => fault.end(network))
  }
}

/** `3.2 s: 'server' crashes, for 1.5 s` */
export function describeFault({ at, for: length, what }: Fault): string {
  return `${describeTime(at)}: ${what}, for ${describeTime(length)}`
}

function kind(what: string, options: FaultOptions | undefined, acts: Pick<FaultKind, 'begin' | 'end'>): FaultKind {
  return { what, for: rangeOf(options), ...acts }
}

function rangeOf(options: FaultOptions | undefined): readonly [number, number] {
  const given = options?.for ?? USUAL
  const range = typeof given === 'number' ? ([given, given] as const) : given
  if (!(range[0] > 0 && range[1] >= range[0] && Number.isFinite(range[1]))) {
    throw new RangeError(
      `a fault lasts a number of milliseconds above 0, the shortest first, not ${JSON.stringify(given)}`,
    )
  }
  return range
}
