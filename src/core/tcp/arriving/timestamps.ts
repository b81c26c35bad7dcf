// What the peer's timestamps say of its segments' order: PAWS and TS.Recent (RFC 7323 §4.3, §5). Called by the first step of the walk, and
// where a connection begins.
import { type ControlBlock, Option } from '../control-block.ts'
import type { Segment } from '../segment.ts'
import { atMost, lessThan } from '../sequence.ts'
import { Instant } from '../timers.ts'

/** RFC 7323 §5.5: after 24 days TS.Recent says nothing any more. */
const OUTDATED = 24 * 24 * 3_600_000
/** A round trip, as far as PAWS believes in it, in milliseconds. */
const LEAST_TOLERANCE = 10
const MOST_TOLERANCE = 1000

/** TS.Recent is what the handshake has brought. */
export function startTimestamps(cb: ControlBlock, value: number, now: number): void {
  cb.tsRecent = value
  cb.tsBefore = value
  cb.tsLongBefore = value
  cb.tsTurnedAt = now | 0
  cb.shared.timers.set(cb.timersRow, Instant.tsRecent, now)
}

/**
 * RFC 7323 §5.2, PAWS. Differs: a segment without timestamps is taken, since boxes on the path remove them; Linux takes it too.
 * Differs: what is no older than TS.Recent was one to two round trips ago is taken too: a retransmission may overtake what was sent before
 * it, which §5.3 calls very unlikely, and which reordering does all the time. What PAWS is for, an octet's number that has come round, takes
 * four round trips at least with the largest window there is (§2.3). It goes by our clock, since nothing is known of the peer's. Linux
 * lets one tick pass, and acknowledgments that have been overtaken.
 */
export function isYoungEnough(cb: ControlBlock, segment: Segment, now: number): boolean {
  const { options } = segment
  if (!options.hasTimestamps || segment.hasRst) return true
  if (!lessThan(options.timestampValue, cb.tsRecent)) return true
  if (!lessThan(options.timestampValue, cb.tsLongBefore)) return true
  return now - cb.shared.timers.get(cb.timersRow, Instant.tsRecent) > OUTDATED
}

/** RFC 7323 §4.3 (2): from the segment that holds the octet acknowledged last. It never goes back. */
export function takeTimestamp(cb: ControlBlock, segment: Segment, now: number): void {
  const { options } = segment
  if (!options.hasTimestamps || segment.hasRst || !cb.has(Option.timestamps)) return
  const { timestampValue } = options
  const isLater = atMost(segment.seq, cb.lastAckSent) && !lessThan(timestampValue, cb.tsRecent)
  if (!isLater) {
    if (now - cb.shared.timers.get(cb.timersRow, Instant.tsRecent) <= OUTDATED) return
    startTimestamps(cb, timestampValue, now)
    return
  }
  if (timestampValue !== cb.tsRecent) turn(cb, now)
  cb.tsRecent = timestampValue
  cb.shared.timers.set(cb.timersRow, Instant.tsRecent, now)
}

/** Each round trip the values that TS.Recent had move on by one. */
function turn(cb: ControlBlock, now: number): void {
  const milliseconds = now | 0
  const tolerance = Math.max(LEAST_TOLERANCE, Math.min(cb.rtt.srtt / 1000, MOST_TOLERANCE))
  if ((milliseconds - cb.tsTurnedAt) >>> 0 < tolerance) return
  cb.tsTurnedAt = milliseconds
  cb.tsLongBefore = cb.tsBefore
  cb.tsBefore = cb.tsRecent
}
