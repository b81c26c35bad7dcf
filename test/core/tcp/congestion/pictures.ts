// The pictures of docs/congestion-control.md: five situations for each controller, each run by whole stacks over one bottleneck in virtual
// time, and beside it what the RFC's formula gives. Windows are segments, times milliseconds.
import type { Bbr } from '../../../../src/core/tcp/congestion/bbr.ts'
import { BbrState } from '../../../../src/core/tcp/congestion/bbr-cycle.ts'
import { type Plot, plot } from '../../../../src/inspect/plot.ts'
import { Bottleneck, type BottleneckOptions, type Fate } from '../../../support/bottleneck.ts'
import {
  type Controller,
  type Course,
  conservative,
  type Foreseen,
  foresee,
  ROUND_TRIP,
  reductions,
  type Situation,
  states,
} from './formulas.ts'

/** What the receiver is told to hold, so that it is never the limit. */
const tcp = { receiveBufferInitial: 1 << 22, ecn: 'ask' } as const

interface Setting extends BottleneckOptions {
  until: number
}

const settings: Record<Situation, (controller: Controller) => Setting> = {
  'slow-start': (controller) => ({
    rate: 10,
    roundTrip: ROUND_TRIP,
    queue: controller === 'reno' ? 200 : undefined,
    until: controller === 'cubic' ? 10_000 : 5000,
  }),
  'one-loss': (controller) => steady(controller, 11_000),
  burst: (controller) => steady(controller, 11_000),
  'idle-restart': (controller) => steady(controller, 11_000),
  marks: (controller) => steady(controller, 11_000),
}

function steady(controller: Controller, until: number): Setting {
  return { rate: controller === 'bbr' ? 10 : 20, roundTrip: ROUND_TRIP, until }
}

/** What happens on the way. */
type Script = (bottleneck: Bottleneck, events: number[]) => void

const BURST = 30
/** When BBR is out of Startup, and cruises. */
const SETTLED = 4000

/** The first `count` packets with text after the window has become so large, or after so long, meet this fate. */
function strike(bottleneck: Bottleneck, controller: Controller, events: number[], fate: Fate, count: number): void {
  let left = count
  bottleneck.fate = (_number, time) => {
    const isDue = controller === 'bbr' ? time >= SETTLED : windowOf(bottleneck) >= 90
    if (left === 0 || (!isDue && left === count)) return 'pass'
    if (left === count) events.push(time)
    left--
    return fate
  }
}

const scripts: Record<Situation, (controller: Controller) => Script> = {
  'slow-start': () => () => {},
  'one-loss': (controller) => (bottleneck, events) => strike(bottleneck, controller, events, 'drop', 1),
  burst: (controller) => (bottleneck, events) => strike(bottleneck, controller, events, 'drop', BURST),
  'idle-restart': (controller) => (bottleneck, events) => {
    strike(bottleneck, controller, [], 'drop', controller === 'bbr' ? 0 : 1)
    bottleneck.run(4500).write(0)
    // What stands in the send buffer still goes.
    while (bottleneck.connection.flight.octets > 0) bottleneck.run(bottleneck.time + 1)
    events.push(bottleneck.time)
    bottleneck.run(8000).write(Number.POSITIVE_INFINITY)
    events.push(8000)
  },
  marks: (controller) => (bottleneck, events) => {
    const due = controller === 'bbr' ? [4000, 7000] : [0, 4000, 8000]
    bottleneck.fate = (_number, time) => {
      const isDue =
        time >= due[events.length] && (controller === 'bbr' || windowOf(bottleneck) >= 90 || events.length > 0)
      if (!isDue) return 'pass'
      events.push(time)
      return 'mark'
    }
  },
}

function windowOf(bottleneck: Bottleneck): number {
  return (bottleneck.connection.congestion?.cwnd ?? 0) / bottleneck.mss
}

export function run(controller: Controller, situation: Situation): Course {
  const { until, ...options } = settings[situation](controller)
  const states: number[] = []
  const bottleneck = new Bottleneck({ ...options, tcp: { ...tcp, congestion: controller } })
  bottleneck.onSample = ({ congestion }) => states.push(controller === 'bbr' ? (congestion as Bbr).state : -1)
  const events: number[] = []
  scripts[situation](controller)(bottleneck, events)
  bottleneck.run(until)
  const { mss } = bottleneck
  const moments = bottleneck.samples.map(({ time, cwnd, inFlight, srtt }, at) => ({
    ...{ time, cwnd: cwnd / mss, inFlight: inFlight / mss },
    ...{ rtt: srtt / 1000, state: states[at] },
  }))
  const rate = (options.rate * 125) / (mss + HEADERS)
  bottleneck.close()
  return { controller, situation, moments, megabits: options.rate, pipe: rate * ROUND_TRIP, rate, events }
}

/** IPv4 and TCP with timestamps. */
const HEADERS = 52

// How they look.

const TITLES: Record<Situation, string> = {
  'slow-start': 'slow start',
  'one-loss': 'one loss',
  burst: `a burst of ${BURST} losses`,
  'idle-restart': 'silence, and on again',
  marks: 'congestion marks',
}

const FORMULAS: Record<Controller, string> = {
  cubic: 'RFC 9438 and 9406',
  reno: 'RFC 5681',
  bbr: 'draft-ietf-ccwg-bbr',
}

const STATES: Record<number, string> = {
  [BbrState.drain]: 'Drain',
  [BbrState.up]: 'ProbeBW up',
  [BbrState.probeRtt]: 'ProbeRTT',
}

function told(course: Course): NonNullable<Plot['events']> {
  const { controller, situation, events } = course
  const words: Record<Situation, string[]> = {
    'slow-start': [],
    'one-loss': ['a packet is lost'],
    burst: [`${BURST} packets in a row are lost`],
    'idle-restart': ['silence', 'it writes again'],
    marks: ['a mark', 'another one', 'a third'],
  }
  const all = events.map((at, number) => ({ at, text: words[situation][number] }))
  if (controller === 'bbr') {
    for (const { time, state } of states(course)) if (state in STATES) all.push({ at: time, text: STATES[state] })
  } else if (situation === 'slow-start' && controller === 'cubic') {
    const { time, over } = conservative(course)
    all.push(
      { at: time, text: 'the round trip grows: a quarter of the speed' },
      { at: over, text: 'five rounds later: congestion avoidance' },
    )
  } else if (situation === 'slow-start') {
    for (const { time } of reductions(course)) all.push({ at: time, text: 'the queue has run over' })
  }
  return all.map(({ at, text }) => ({ at: at / 1000, text })).sort((one, other) => one.at - other.at)
}

export function draw(course: Course): string {
  const { controller, situation, moments, megabits } = course
  const { at, tolerance } = foresee(course)
  const end = Math.round(moments[moments.length - 1].time)
  const late = controller === 'bbr' ? '1.5 round trips late at most' : 'slow start: a round trip late'
  const name = controller === 'reno' ? 'NewReno' : controller.toUpperCase()
  return plot({
    title: `${name}: ${TITLES[situation]}`,
    subtitle: `${megabits} Mbit/s, ${ROUND_TRIP} ms. Formula: ${FORMULAS[controller]}; the window is within ${100 * tolerance} % of it (${late})`,
    x: { label: 'seconds', from: 0, to: end / 1000 },
    y: { label: 'segments' },
    events: told(course),
    lines: [
      { name: 'in flight', stroke: 'thin', points: moments.map(({ time, inFlight }) => [time / 1000, inFlight]) },
      { name: 'window', stroke: 'solid', points: moments.map(({ time, cwnd }) => [time / 1000, cwnd]) },
      { name: 'formula', stroke: 'dashed', points: moments.map(({ time }) => [time / 1000, at(time)]) },
    ],
  })
}

/** How far the window is from the formula at worst, as a part of it, and when. */
export function deviation({ moments }: Course, { at, slack }: Foreseen): { worst: number; time: number } {
  const foreseen = moments.map(({ time }) => at(time))
  let [worst, when] = [0, 0]
  for (const [now, { time, cwnd }] of moments.entries()) {
    if (Number.isNaN(foreseen[now])) continue
    const span = Math.round(slack(time))
    let [least, most] = [foreseen[now], foreseen[now]]
    for (let near = Math.max(0, now - span); near <= Math.min(now + span, moments.length - 1); near++) {
      if (foreseen[near] < least) least = foreseen[near]
      if (foreseen[near] > most) most = foreseen[near]
    }
    const off = Math.max(least - cwnd, cwnd - most, 0) / foreseen[now]
    if (off > worst) [worst, when] = [off, time]
  }
  return { worst, time: when }
}
