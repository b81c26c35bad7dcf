// Pacing: emissions are spread over the round trip instead of leaving at once (RFC 9293 names it nowhere; RFC 9406 §4.2 and BBR want it).
// The driver's timer counts milliseconds, so that what goes at once is a millisecond's worth; below a segment in that time it waits longer.
// Asked by tcp/output with a controller's rate; the instant of the next emission stands with the connection's other instants.
import { UNPACED } from './congestion.ts'

/** The rate may rise meanwhile, which an instant that was planned does not see. As Linux's fq has it. */
const LONGEST_WAIT = 1000
/** Milliseconds that an emission after silence makes up for. */
export const SILENT_CREDIT = 2
/**
 * The same for one that waited for its timer: a process that shares its processor wakes some slices late, and would else send below its
 * rate for as long as the others are busy, and a controller that measures what arrives would believe the path to be slower.
 */
export const LATE_CREDIT = 16
/** Linux's tcp_pacing_ss_ratio: slow start doubles in a round trip, and twice the rate lets it. */
export const SLOW_START_GAIN = 2
/** Linux's tcp_pacing_ca_ratio: the window has room to grow, and ACKs that come together don't let go a burst that a short queue drops. */
export const AVOIDANCE_GAIN = 1.2
/** Microseconds. In a shorter round trip a millisecond's worth is too much of the window for anything to be spread. */
const SHORTEST_SPREAD = 4000
/** RFC 7661 §4.4.2: a window that was not used lately leaves over its round trip. */
export const UNUSED_GAIN = 1

/** The rate at which `gain` windows leave in a round trip of `srtt` microseconds; UNPACED where that is not known. */
export function windowRate(cwnd: number, srtt: number, gain: number): number {
  if (srtt <= 0) return UNPACED
  return Math.min(UNPACED, Math.ceil((cwnd * gain * 1_000_000) / srtt))
}

/** The same for congestion avoidance. */
export function avoidanceRate(cwnd: number, srtt: number): number {
  return srtt < SHORTEST_SPREAD ? UNPACED : windowRate(cwnd, srtt, AVOIDANCE_GAIN)
}

/** Octets that may leave at once: a millisecond's worth in whole segments, and at least one. */
export function quantum(rate: number, mss: number): number {
  if (rate === UNPACED) return UNPACED
  const octets = Math.floor(rate / 1000)
  return Math.max(mss, octets - (octets % mss))
}

/** When the next emission may leave, in milliseconds: `planned` was when this one might, `octets` leave `now`; at most `credit` is made up for. */
export function nextEmission(
  planned: number,
  now: number,
  octets: number,
  rate: number,
  credit: number = SILENT_CREDIT,
): number {
  if (rate === UNPACED) return now
  return Math.min(now + LONGEST_WAIT, Math.max(planned, now - credit) + (octets * 1000) / Math.max(1, rate))
}
