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

/** Kinds by how much they explain: the first have a third of the places for themselves, the others what is left, in this order. */
const RANKS: readonly (readonly HappeningKind[])[] = [
  ['fault', 'error', 'note'],
  ['trouble'],
  ['connection'],
  ['repair'],
]

/** So many of the last, the last of each series for all of it, in the order in which they happened. */
export function noteworthy(happenings: readonly Happening[], count: number): Happening[] {
  const last = new Map<string, Happening>()
  for (const happening of happenings) if (happening.series !== null) last.set(happening.series, happening)
  const [causes, ...others] = RANKS.map((kinds) =>
    happenings.filter((one) => kinds.includes(one.kind) && (one.series === null || last.get(one.series) === one)),
  )
  const chosen = new Set(lastOf(causes, Math.ceil(count / 3)))
  // What comes of a cause tells more than a cause long before it.
  for (const rank of [[...causes, ...others[0]].sort((one, other) => one.at - other.at), ...others.slice(1)]) {
    for (const one of lastOf(
      rank.filter((each) => !chosen.has(each)),
      count - chosen.size,
    ))
      chosen.add(one)
  }
  return happenings.filter((one) => chosen.has(one))
}

function lastOf(happenings: readonly Happening[], count: number): readonly Happening[] {
  return count > 0 ? happenings.slice(-count) : []
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
