// What a sender knows of itself over time: its congestion window, its threshold and what is in flight; its round trips.
import type { SenderSample } from '../portable.ts'
import { type Conversation, countUpTo, type RoundTrip, type Side } from './conversation.ts'
import { milliseconds, octets } from './figures.ts'
import { type Columns, Plot, type TimeScale } from './plot.ts'

/** A threshold far above the window says only that there is none to speak of. */
const NEAR_THRESHOLD = 3
const NEAR_TIMEOUT = 6
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
    const part = this.#scale.part ?? range
    const seen = samples.filter(({ at }) => at >= part[0] && at <= part[1])
    this.#showWindow(samples, seen, range)
    this.#showRoundTrips(samples, seen, measuredAt(samples, conversation.roundTrips[sender], until), range)
  }

  #showWindow(samples: readonly SenderSample[], seen: readonly SenderSample[], range: readonly [number, number]): void {
    const last = samples.at(-1)
    const highest = most(seen, ({ cwnd, inFlight }) => Math.max(cwnd, inFlight))
    const near = ({ threshold }: SenderSample) =>
      threshold !== null && threshold <= highest * NEAR_THRESHOLD ? threshold : null
    const top = Math.max(
      highest,
      most(seen, (sample) => near(sample) ?? 0),
    )
    const columns: Columns = [
      samples.map(({ at }) => at),
      samples.map(({ cwnd }) => cwnd),
      samples.map(near),
      samples.map(({ inFlight }) => inFlight),
    ]
    const words = last === undefined ? '' : `Now ${octets(last.cwnd)}, and ${octets(last.inFlight)} in flight.`
    this.#window.show(columns, range, [0, top === 0 ? INITIAL_WINDOW : top * 1.08], words)
  }

  #showRoundTrips(
    samples: readonly SenderSample[],
    seen: readonly SenderSample[],
    measured: (number | null)[],
    range: readonly [number, number],
  ): void {
    const last = samples.at(-1)
    const slowest = Math.max(
      most(seen, ({ smoothed }) => smoothed ?? 0),
      measured.reduce<number>((highest, one) => Math.max(highest, one ?? 0), 0),
    )
    // Beside it nothing would be seen of round trips that are far shorter.
    const near = ({ timeout }: SenderSample) => (slowest === 0 || timeout <= slowest * NEAR_TIMEOUT ? timeout : null)
    const top = Math.max(
      slowest,
      most(seen, (sample) => near(sample) ?? 0),
    )
    const columns: Columns = [
      samples.map(({ at }) => at),
      measured,
      samples.map(({ smoothed }) => smoothed),
      samples.map(({ least }) => least),
      samples.map(near),
    ]
    const words = last === undefined ? '' : `Now ${milliseconds(last.smoothed ?? Number.NaN)}.`
    this.#roundTrip.show(columns, range, [0, top === 0 ? INITIAL_TIMEOUT : top * 1.08], words)
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
