// One flow as it runs: what was measured of it, sample by sample. A flow begins by itself at its time and is looked at by run.ts.
import type { Endpoint } from '../runtime/endpoint.ts'

/** Looked at many times in a run; one number each, NaN where there is nothing to tell. */
export interface Samples {
  /** Milliseconds, as everywhere. */
  readonly time: number[]
  /** Octets that have reached the application, in all. */
  readonly delivered: number[]
  /** Octets. */
  readonly cwnd: number[]
  readonly inFlight: number[]
  /** What TCP measured last, where something was acknowledged since the sample before. */
  readonly rtt: number[]
}

/** A resource of a page. */
export interface Response {
  readonly name: string
  readonly size: number
  asked: number
  /** Infinity until then. */
  first: number
  last: number
  received: number
  /** The longest time without an octet of it between the first and the last. */
  stall: number
  /** When an octet of it came last. */
  latest: number
  readonly samples: number[]
}

export interface Measured {
  readonly name: string
  /** Who sends the octets. */
  readonly from: string
  readonly to: string
  readonly controller: string
  readonly start: number
  readonly isHttp: boolean
  readonly samples: Samples
  readonly responses: readonly Response[]
  delivered: number
  /** Segments; what was sent again among them. */
  segments: number
  retransmitted: number
  /** When the last octet had arrived; Infinity where the run ended before, or nobody said how many there are. */
  done: number
  /** Why the connection broke; null where it did not. */
  trouble: string | null
}

export abstract class MeasuredFlow implements Measured {
  readonly name: string
  abstract readonly from: string
  abstract readonly to: string
  abstract readonly isHttp: boolean
  readonly controller: string
  readonly start: number
  readonly samples: Samples = { time: [], delivered: [], cwnd: [], inFlight: [], rtt: [] }
  readonly responses: Response[] = []
  delivered = 0
  segments = 0
  retransmitted = 0
  done = Number.POSITIVE_INFINITY
  trouble: string | null = null
  /** The end that sends the octets, from when it is there. */
  protected sender: Endpoint | null = null
  #acknowledged = 0

  constructor(name: string, controller: string, start: number) {
    this.name = name
    this.controller = controller
    this.start = start
  }

  sample(now: number): void {
    const { samples, sender } = this
    samples.time.push(now)
    samples.delivered.push(this.delivered)
    for (const response of this.responses) response.samples.push(response.received)
    const connection = sender?.connection
    const isOver = connection === undefined || connection.isOver || this.done <= now
    samples.cwnd.push(isOver ? Number.NaN : (connection.congestion?.cwnd ?? Number.NaN))
    samples.inFlight.push(isOver ? Number.NaN : connection.flight.pipe)
    if (sender !== null && !sender.isOver) this.#count(sender)
    const info = connection === undefined || isOver ? null : connection
    const acknowledged = info === null ? this.#acknowledged : info.delivered
    const isNews = info !== null && acknowledged !== this.#acknowledged && info.rtt.latest > 0
    samples.rtt.push(isNews ? info.rtt.latest / 1000 : Number.NaN)
    this.#acknowledged = acknowledged
  }

  /** Called with the end that sends before it closes, and at each sample. */
  #count(sender: Endpoint): void {
    const { totalRetransmits, dataSegmentsOut } = sender.info()
    this.segments = dataSegmentsOut
    this.retransmitted = totalRetransmits
  }

  protected settle(): void {
    if (this.sender !== null) this.#count(this.sender)
  }
}

/** Octets per millisecond are kilobits; Mbit/s. NaN where no time has passed. */
export function goodput({ delivered, start, done }: Measured, length: number): number {
  const milliseconds = Math.min(done, length) - start
  return milliseconds > 0 ? (delivered * 8) / milliseconds / 1000 : Number.NaN
}

/** The share of the way through sorted figures; NaN where there are none. */
export function percentile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]
}
