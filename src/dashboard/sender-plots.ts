// What a sender knows of itself over time: its congestion window, its threshold and what is in flight; its round trips.
import type { SenderSample } from '../portable.ts'
import { type Conversation, countUpTo, type RoundTrip, type Side } from './conversation.ts'
import { milliseconds, octets } from './figures.ts'
import { type Columns, Plot, type TimeScale } from './plot.ts'

/** A threshold far above the window says only that there is none to speak of. */
const NEAR_THRESHOLD = 3
/** More points than any screen has columns are thinned. */
const MOST_POINTS = 4000
/** Before there is a window: as high as the first one will be. */
const INITIAL_WINDOW = 16_000
const INITIAL_TIMEOUT = 1000

export class SenderPlots {
  readonly #window: Plot
  readonly #roundTrip: Plot
  readonly #scale: TimeScale

  constructor(scale: TimeScale) {
    this.#scale = scale
    this.#window = new Plot(
      {
        title: 'The congestion window',
        height: 250,
        value: octets,
        lines: [
          { label: 'cwnd', color: 'cwnd', isStepped: true, width: 2 },
          { label: 'ssthresh', color: 'faint', isStepped: true, isDashed: true },
          { label: 'in flight', color: 'flight' },
        ],
      },
      scale,
    )
    this.#roundTrip = new Plot(
      {
        title: 'Round trips',
        height: 250,
        value: milliseconds,
        lines: [
          { label: 'measured', color: 'flight', isDots: true },
          { label: 'smoothed', color: 'cwnd', width: 2 },
          { label: 'least', color: 'faint', isDashed: true },
          { label: 'until a timeout', color: 'again', isStepped: true },
        ],
      },
      scale,
    )
  }

  get window(): HTMLElement {
    return this.#window.root
  }

  get roundTrip(): HTMLElement {
    return this.#roundTrip.root
  }

  show(conversation: Conversation, until: number, sender: Side, range: readonly [number, number]): void {
    const all = conversation.samples[sender]
    const samples = thinned(all, countUpTo(all, until))
    const last = samples.at(-1)
    const times = samples.map(({ at }) => at)
    const part = this.#scale.part ?? range
    const seen = samples.filter(({ at }) => at >= part[0] && at <= part[1])
    const highest = most(seen, ({ cwnd, inFlight }) => Math.max(cwnd, inFlight))
    const isNear = (threshold: number | null) => threshold !== null && threshold <= highest * NEAR_THRESHOLD
    const thresholds = samples.map(({ threshold }) => (isNear(threshold) ? threshold : null))
    const top = Math.max(
      highest,
      most(seen, ({ threshold }) => (isNear(threshold) ? (threshold ?? 0) : 0)),
    )
    const windows: Columns = [
      times,
      samples.map(({ cwnd }) => cwnd),
      thresholds,
      samples.map(({ inFlight }) => inFlight),
    ]
    const said = last === undefined ? '' : `Now ${octets(last.cwnd)}, and ${octets(last.inFlight)} in flight.`
    this.#window.show(windows, range, [0, top === 0 ? INITIAL_WINDOW : top * 1.08], said)
    const measured = measuredAt(samples, conversation.roundTrips[sender], until)
    const trips: Columns = [
      times,
      measured,
      samples.map(({ smoothed }) => smoothed),
      samples.map(({ least }) => least),
      samples.map(({ timeout }) => timeout),
    ]
    const slowest = Math.max(
      most(seen, ({ smoothed, timeout }) => Math.max(smoothed ?? 0, timeout)),
      measured.reduce<number>((highest, one) => Math.max(highest, one ?? 0), 0),
    )
    const trip = last === undefined ? '' : `Now ${milliseconds(last.smoothed ?? Number.NaN)}.`
    this.#roundTrip.show(trips, range, [0, slowest === 0 ? INITIAL_TIMEOUT : slowest * 1.08], trip)
  }

  close(): void {
    this.#window.close()
    this.#roundTrip.close()
  }
}

/** Each round trip stands where the figures were that it has changed. */
function measuredAt(
  samples: readonly SenderSample[],
  roundTrips: readonly RoundTrip[],
  until: number,
): (number | null)[] {
  const column: (number | null)[] = samples.map(() => null)
  let place = 0
  for (const { at, measured } of roundTrips) {
    if (at > until) break
    while (place < samples.length && samples[place].at < at) place++
    if (place < samples.length) column[place] = measured
  }
  return column
}

function most(samples: readonly SenderSample[], of: (sample: SenderSample) => number): number {
  let highest = 0
  for (const sample of samples) {
    const value = of(sample)
    if (value > highest) highest = value
  }
  return highest
}

function thinned(samples: readonly SenderSample[], count: number): SenderSample[] {
  if (count <= MOST_POINTS) return samples.slice(0, count)
  const step = count / MOST_POINTS
  return Array.from({ length: MOST_POINTS }, (_, at) => samples[Math.floor((at + 1) * step) - 1])
}
