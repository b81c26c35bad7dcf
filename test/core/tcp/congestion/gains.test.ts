// BBR's gains (draft-ietf-ccwg-bbr §5.6.1), as its answers show them in each state, and the times between them.
import { expect, it } from 'vitest'
import { Bbr } from '../../../../src/core/tcp/congestion/bbr.ts'
import { BbrState } from '../../../../src/core/tcp/congestion/bbr-cycle.ts'
import { SPAN } from '../../../../src/core/tcp/congestion/bbr-model.ts'
import { Path } from './path.ts'

const MARGIN = 0.99

it('paces by the gain of its state', () => {
  const made: Bbr[] = []
  const path = new Path(
    (settings) => {
      made.push(new Bbr(settings))
      return made[0]
    },
    { rate: 50, delay: 40, queue: 2_000_000 },
  )
  const [controller] = made
  const gains = new Map<number, Set<number>>()
  let heard = path.points.length
  for (let time = 0; time < 15_000; time++) {
    path.run(1)
    // What it answers is of the last ACK.
    if (path.points.length === heard) continue
    heard = path.points.length
    const gain = (controller.pacingRate * SPAN) / 1000 / controller.model.bandwidth / MARGIN
    const found = gains.get(controller.state) ?? new Set()
    gains.set(controller.state, found.add(Math.round(gain * 100) / 100))
  }
  // In Startup the rate never falls, though a sample may.
  expect(Math.min(...(gains.get(BbrState.startup) ?? []))).toBe(2.77)
  const rest = [BbrState.drain, BbrState.down, BbrState.cruise, BbrState.refill, BbrState.up, BbrState.probeRtt]
  expect(rest.map((state) => [...(gains.get(state) ?? [])])).toEqual([[0.5], [0.9], [1], [1], [1.25], [1]])
})
