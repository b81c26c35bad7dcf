// How much virtual time a run may take. Timers that come again and again keep a network going for ever, while its test waits for something
// that nobody brings about: then the run ends, and says what goes on. Nobody waits so long for a test that is well.
import type { Held } from './resident.ts'
import { describeTime } from './timeline.ts'

const HOUR = 3_600_000
/** Two days: a test that asks for one has time for what comes before it. */
const LONGEST = 48 * HOUR
/** Of what goes on, so many are told. */
const MOST_TOLD = 12

export function checkedLimit(limit = LONGEST): number {
  if (limit > 0) return limit
  throw new RangeError(`limit must be a number of virtual milliseconds above 0, not ${limit}`)
}

export function tooLong(limit: number, held: readonly Held[]): Error {
  const time = limit > HOUR ? `${Number((limit / HOUR).toPrecision(3))} hours` : describeTime(limit)
  const lines = held.slice(0, MOST_TOLD).map(({ host, kind, what }) => `  ${host}: a ${kind} ${what}`)
  if (held.length > MOST_TOLD) lines.push(`  and ${held.length - MOST_TOLD} more`)
  const what = lines.length > 0 ? ['This goes on:', ...lines] : []
  const message = `${time} of virtual time passed in network.run, and what it runs is not done: it awaits what nothing brings about, while timers go round; if it needs longer, say so with simulate({ limit: milliseconds })`
  return new Error([message, ...what].join('\n'))
}
