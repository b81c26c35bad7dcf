// Pictures of behaviour: each controller in five situations, held to its RFC's formula, and to the drawing in docs/pictures.
// After a change that is meant to be seen: `npm run pictures` draws them anew.
import { describe, expect, it } from 'vitest'
import { CONTROLLERS, conservative, foresee, ROUND_TRIP, reductions, SITUATIONS } from './formulas.ts'
import { deviation, draw, run } from './pictures.ts'

/** How often the window is reduced: once for whatever was lost or marked in one window. */
const REDUCTIONS = { 'one-loss': 1, burst: 1, 'idle-restart': 1, marks: 3 } as const

describe.each(CONTROLLERS)('%s', (controller) => {
  it.each(SITUATIONS)(
    '%s: as its formula, and as drawn in docs/pictures (npm run pictures draws it anew)',
    async (situation) => {
      const course = run(controller, situation)
      const foreseen = foresee(course)
      const { worst, time } = deviation(course, foreseen)
      expect(worst, `at ${time} ms`).toBeLessThan(foreseen.tolerance)
      if (controller !== 'bbr' && situation !== 'slow-start') {
        expect(reductions(course)).toHaveLength(REDUCTIONS[situation])
      }
      if (situation === 'idle-restart') {
        // RFC 7661 §4.4.2: what leaves after silence leaves over a round trip.
        const [, again] = course.events
        const early = course.moments.filter(({ time }) => time > again && time < again + ROUND_TRIP / 2)
        for (const { inFlight, cwnd, time } of early) {
          expect(inFlight).toBeLessThan(cwnd * (1.3 * ((time - again) / ROUND_TRIP) + 0.1))
        }
      }
      await expect(draw(course)).toMatchFileSnapshot(`../../../../docs/pictures/${controller}-${situation}.svg`)
    },
  )
})

it('cubic leaves slow start when the round trip has grown by an eighth, four milliseconds at least and sixteen at most (RFC 9406)', () => {
  const course = run('cubic', 'slow-start')
  const { time } = conservative(course)
  const before = course.moments.filter((moment) => moment.time < time - 2 * ROUND_TRIP)
  expect(Math.max(...before.map(({ rtt }) => rtt))).toBeLessThan(ROUND_TRIP + 16)
  const at = course.moments.find((moment) => moment.time >= time)
  expect(at?.rtt).toBeGreaterThan(ROUND_TRIP + 16)
})
