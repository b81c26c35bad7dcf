// What the server tells of its stack, by server-sent events: every second all sockets; of one connection, if one is asked for, its packets
// several times a second. `src/cli/live-feed.ts` sends them.
import type { Overview, WatchedConnection } from '../portable.ts'

/** What the server says of its stack; `ours` is the row of the connection that says it. */
export interface LiveOverview extends Overview {
  readonly pid: number
  readonly ours: string
}

/** Listens until it is closed; the browser asks again by itself where the way breaks off. */
export class LiveFeed {
  onOverview: ((overview: LiveOverview) => void) | null = null
  onWatched: ((watched: WatchedConnection) => void) | null = null
  /** Whether the server is heard. */
  onHeard: ((isHeard: boolean) => void) | null = null
  readonly #source: EventSource

  constructor(watching: string | null) {
    const of = watching === null ? '' : `?of=${encodeURIComponent(watching)}`
    this.#source = new EventSource(`/_tunstack/live${of}`)
    this.#source.onopen = () => this.onHeard?.(true)
    this.#source.onerror = () => this.onHeard?.(false)
    this.#source.addEventListener('overview', ({ data }) => this.onOverview?.(JSON.parse(data) as LiveOverview))
    this.#source.addEventListener('watched', ({ data }) => this.onWatched?.(JSON.parse(data) as WatchedConnection))
  }

  close(): void {
    this.#source.close()
  }
}
