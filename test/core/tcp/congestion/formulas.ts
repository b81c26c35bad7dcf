// What the RFCs' formulas say of the situations in `pictures`. A formula is told when something happened, how large the window and the flight
// were then, and what the path is; all the rest it must foresee. Windows are segments, times milliseconds.
import { BbrState } from '../../../../src/core/tcp/congestion/bbr-cycle.ts'

export const CONTROLLERS = ['cubic', 'reno', 'bbr'] as const
export type Controller = (typeof CONTROLLERS)[number]
export const SITUATIONS = ['slow-start', 'one-loss', 'burst', 'idle-restart', 'marks'] as const
export type Situation = (typeof SITUATIONS)[number]

export const ROUND_TRIP = 160

export interface Moment {
  time: number
  cwnd: number
  inFlight: number
  rtt: number
  /** BBR's; -1 for others. */
  state: number
}

export interface Course {
  controller: Controller
  situation: Situation
  moments: Moment[]
  megabits: number
  /** Segments that the path holds, and that it delivers in a millisecond. */
  pipe: number
  rate: number
  /** When the situation came about, in the order of its steps. */
  events: number[]
}

export interface Foreseen {
  /** The window at a time; NaN where the formula says nothing, as during a recovery. */
  at: (time: number) => number
  /** How far the window may be from it, as a part of it. */
  tolerance: number
  /** And how much earlier or later. */
  slack: (time: number) => number
}

/** RFC 6928. */
const INITIAL_WINDOW = 10
/** RFC 5681 §3.1, RFC 9438 §4.6; RFC 8511 §3.1. */
const BETA = { reno: { lost: 0.5, marked: 0.8 }, cubic: { lost: 0.7, marked: 0.85 } }
/** RFC 9438 §4.1, §4.3: C and α. */
const AGGRESSION = 0.4
const FRIENDLY = (3 * (1 - 0.7)) / (1 + 0.7)

/** The window is reduced: when, from what, to what; when it grows again; W_max and what time stands still for. */
interface Reduction {
  time: number
  before: number
  window: number
  grows: number
  isByMark: boolean
}

/** Where the window falls by more than a rounding. */
export function reductions(course: Course): Reduction[] {
  const { moments, controller, situation } = course
  const found: Reduction[] = []
  for (let at = 1; at < moments.length; at++) {
    const [before, after] = [moments[at - 1], moments[at]]
    if (after.cwnd > before.cwnd * 0.95) continue
    const isByMark = situation === 'marks'
    const beta = BETA[controller as 'reno' | 'cubic'][isByMark ? 'marked' : 'lost']
    // A recovery lasts for a round trip: what is sent again must be acknowledged.
    const lasts = isByMark ? 0 : before.rtt
    found.push({
      time: after.time,
      before: before.cwnd,
      // It was full: what the ACKs of one instant have made room for is not sent between them.
      window: Math.max(before.inFlight, before.cwnd) * beta,
      grows: after.time + lasts,
      isByMark,
    })
  }
  return found
}

/** Slow start doubles in each round trip, and grows by what the path delivers once that is full: every octet acknowledged counts. */
function slowStart({ rate, pipe }: Course, time: number): number {
  const rounds = time / ROUND_TRIP
  const full = Math.log2(pipe / INITIAL_WINDOW) + 1
  if (rounds <= full) return INITIAL_WINDOW * 2 ** Math.max(0, rounds - 1)
  return pipe + (time - full * ROUND_TRIP) * rate
}

/** RFC 5681 §3.1: a segment in a round trip, which a queue makes longer. */
function renoWindow({ window, grows }: Reduction, time: number, rate: number): number {
  return window + Math.max(0, time - grows) / Math.max(ROUND_TRIP, window / rate)
}

/** RFC 9438 §4.2 and §4.3: the cubic function, or Reno's window where that is larger. `most` is W_max. */
function cubicWindow({ window, grows, before }: Reduction, most: number, time: number, rate: number): number {
  const elapsed = Math.max(0, time - grows)
  const k = Math.cbrt(Math.max(0, most - window) / AGGRESSION)
  const cubic = AGGRESSION * (elapsed / 1000 - k) ** 3 + Math.max(most, window)
  const rounds = elapsed / Math.max(ROUND_TRIP, window / rate)
  const back = (before - window) / FRIENDLY
  const friendly = rounds < back ? window + FRIENDLY * rounds : before + rounds - back
  return Math.max(cubic, friendly)
}

/** W_max after each reduction: RFC 9438 §4.7, fast convergence. */
function plateaus(all: readonly Reduction[]): number[] {
  const found: number[] = []
  let most = 0
  for (const { before, isByMark } of all) {
    const beta = BETA.cubic[isByMark ? 'marked' : 'lost']
    most = before < most ? (before * (1 + beta)) / 2 : before
    found.push(most)
  }
  return found
}

/** RFC 9406 §4.2: when conservative slow start began, with which window, and when its five rounds are over. */
interface Conservative {
  time: number
  window: number
  over: number
  left: number
}

const CSS_ROUNDS = 5
const CSS_GROWTH = 1.25

/** Seen by the window's growth, which falls to a quarter of what the path delivers. */
export function conservative({ moments, pipe, rate }: Course): Conservative {
  const span = ROUND_TRIP / 8
  const at = moments.findIndex(
    ({ cwnd }, now) =>
      cwnd > 2 * pipe && moments[now + span] !== undefined && moments[now + span].cwnd - cwnd < 0.5 * rate * span,
  )
  const { time, cwnd } = moments[at]
  // Each round lasts until the window at its beginning has been delivered, and adds a quarter of it.
  const growth = CSS_GROWTH ** CSS_ROUNDS
  return { time, window: cwnd, over: time + (cwnd * (growth - 1)) / (CSS_GROWTH - 1) / rate, left: cwnd * growth }
}

function foreseeSlowStart(course: Course): (time: number) => number {
  const { controller, rate } = course
  if (controller === 'reno') {
    const all = reductions(course)
    const over = all.map(({ time }) => time)
    return (time) => {
      if (time < over[0]) return slowStart(course, time)
      const last = all.findLast((one) => one.time <= time) as Reduction
      return renoWindow({ ...last, grows: Number.POSITIVE_INFINITY }, time, rate)
    }
  }
  const css = conservative(course)
  const after = { time: css.over, before: css.left, window: css.left, grows: css.over, isByMark: false }
  return (time) => {
    if (time < css.time) return slowStart(course, time)
    if (time < css.over) return css.window + ((time - css.time) * rate) / 4
    return cubicWindow(after, css.left, time, rate)
  }
}

/** The time that counts for growth: none passes while nothing is sent, and until the window is full again. */
function busyTime({ situation, events }: Course, time: number): number {
  if (situation !== 'idle-restart') return time
  const idle = events[1] + 2 * ROUND_TRIP - events[0]
  return time - Math.min(Math.max(0, time - events[0]), idle)
}

function foreseeReductions(course: Course): (time: number) => number {
  const { controller, rate } = course
  const all = reductions(course)
  const most = plateaus(all)
  return (time) => {
    const at = all.findLastIndex((one) => one.time <= time)
    if (at < 0) return slowStart(course, time)
    if (time < all[at].grows) return Number.NaN
    const busy = busyTime(course, time)
    return controller === 'reno' ? renoWindow(all[at], busy, rate) : cubicWindow(all[at], most[at], busy, rate)
  }
}

/** draft-ietf-ccwg-bbr §5.6.1: windows in bandwidth-delay products by state; the ways there are left open. */
const WINDOW_GAIN = { [BbrState.startup]: 2, [BbrState.up]: 2.25, [BbrState.probeRtt]: 0.5 } as Record<number, number>
/** §5.5.10.3: what is left of the window in the rounds after a burst or a mark, until the next probe. One loss alone is below the threshold. */
const BBR_BETA = 0.7
/** §5.6.4.2: two segments more while it probes. */
const PROBING_EXTRA = 2

/** Where BBR goes from one state to another: times and states. */
export function states({ moments }: Course): { time: number; state: number }[] {
  return moments.filter(({ state }, at) => at === 0 || state !== moments[at - 1].state)
}

function foreseeBbr(course: Course): (time: number) => number {
  const { rate, situation, events } = course
  const all = states(course)
  // The least round trip contains the time that the packet itself takes to leave.
  const product = rate * (ROUND_TRIP + 1 / rate)
  const isSignal = situation === 'burst' || situation === 'marks'
  const full = all.find(({ state }) => state !== BbrState.startup)?.time ?? Number.POSITIVE_INFINITY
  return (time) => {
    if (time < full) return Math.min(slowStart(course, time), 2 * product)
    const { state } = all.findLast((one) => one.time <= time) as { state: number }
    const gain = WINDOW_GAIN[state] ?? 2
    const isShort =
      isSignal &&
      events.some((event) => {
        // A round trip until it is noticed, and the end of that round.
        const seen = event + 2 * ROUND_TRIP
        const probed = all.find(
          (one) => one.time > event && (one.state === BbrState.refill || one.state === BbrState.probeRtt),
        )
        return time >= seen && time < (probed?.time ?? Number.POSITIVE_INFINITY)
      })
    const window = gain * product + (state === BbrState.up ? PROBING_EXTRA : 0)
    return isShort ? window * BBR_BETA : window
  }
}

export function foresee(course: Course): Foreseen {
  const { controller, situation } = course
  if (controller === 'bbr') return { at: foreseeBbr(course), tolerance: 0.03, slack: () => 1.5 * ROUND_TRIP }
  const isSlow = situation === 'slow-start'
  const first = isSlow
    ? controller === 'cubic'
      ? conservative(course).time
      : reductions(course)[0].time
    : reductions(course)[0].time
  return {
    at: isSlow ? foreseeSlowStart(course) : foreseeReductions(course),
    tolerance: isSlow ? 0.05 : 0.03,
    // In slow start the window goes up in steps, as acknowledgments come; a step is a round trip.
    slack: (time) => (time < first ? ROUND_TRIP : situation === 'slow-start' ? ROUND_TRIP / 2 : 0),
  }
}
