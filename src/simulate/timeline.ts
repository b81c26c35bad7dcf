// What has happened in a simulated network and is worth a word: faults, connections that open, fail and end, retransmissions,
// names that don't resolve, what the program notes itself. Told by links, hosts and the watchers of stacks; read when a test fails.

/**
 * `fault`: the test did it, or asked for it. `connection`: one opens, or ends. `trouble`: one suffers. `repair`: a lost packet was sent again, as TCP
 * does all the time. `note`: the program said so. `error`: an exception of the program.
 */
export type HappeningKind = 'fault' | 'connection' | 'trouble' | 'repair' | 'note' | 'error'

export interface Happening {
  /** Virtual milliseconds since the network's beginning. */
  readonly at: number
  readonly kind: HappeningKind
  /** Where; null for what has no place. */
  readonly host: string | null
  /** The other end of the link or connection; null where there is none. */
  readonly peer: string | null
  /** In plain words: `7th retransmission, nobody answers since 12.3 s`. */
  readonly text: string
  /** What belongs together: of such a series the last tells all. */
  readonly series: string | null
}

/** Happenings that are kept; the oldest go first. */
const MOST_KEPT = 20_000
/** What is thrown away at once when there are too many. */
const SURPLUS = 2000

export class Timeline {
  readonly #now: () => number
  readonly #happenings: Happening[] = []
  #forgotten = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** In the order in which they happened. */
  get happenings(): readonly Happening[] {
    return this.#happenings
  }

  /** How many were too old to be kept. */
  get forgotten(): number {
    return this.#forgotten
  }

  add(kind: HappeningKind, host: string | null, peer: string | null, text: string, series: string | null = null): void {
    this.#happenings.push({ at: this.#now(), kind, host, peer, text, series })
    if (this.#happenings.length < MOST_KEPT + SURPLUS) return
    this.#happenings.splice(0, SURPLUS)
    this.#forgotten += SURPLUS
  }

  /** The last so many, a line each. */
  lastWords(count: number): string[] {
    return noteworthy(this.#happenings, count).map(describeHappening)
  }
}

/** The last so many, the last of each series for all of it; repairs only where there is room. */
export function noteworthy(happenings: readonly Happening[], count: number): Happening[] {
  const last: Happening[] = []
  const repairs: Happening[] = []
  const seen = new Set<string>()
  for (let at = happenings.length - 1; at >= 0 && last.length < count; at--) {
    const happening = happenings[at]
    if (happening.series !== null) {
      if (seen.has(happening.series)) continue
      seen.add(happening.series)
    }
    if (happening.kind === 'repair') repairs.push(happening)
    else last.push(happening)
  }
  const chosen = new Set([...last, ...repairs.slice(0, count - last.length)])
  return happenings.filter((one) => chosen.has(one))
}

/** `90.0 s: shop → database: 7th retransmission, nobody answers since 12.3 s` */
export function describeHappening({ at, host, peer, text }: Happening): string {
  const place = host === null ? '' : peer === null ? `${host}: ` : `${host} → ${peer}: `
  return `${describeTime(at)}: ${place}${text}`
}

/** Milliseconds as seconds with one decimal, or with as many as a short time needs. */
export function describeTime(milliseconds: number): string {
  const seconds = milliseconds / 1000
  if (milliseconds === 0 || milliseconds >= 100) return `${seconds.toFixed(1)} s`
  return `${Number(milliseconds.toPrecision(3))} ms`
}
