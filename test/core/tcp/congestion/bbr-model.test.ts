// What BBR's model of the path says of single figures.
import { expect, it } from 'vitest'
import { BbrModel, isTooHigh } from '../../../../src/core/tcp/congestion/bbr-model.ts'
import { settings } from './path.ts'

it('calls it too much where more than two percent are lost (§5.5.10.2)', () => {
  expect([1, 2, 3].map((lost) => isTooHigh(lost, 100))).toEqual([false, false, true])
})

it('is due for a look at the round trip after five seconds, to the millisecond (§5.3.4.3)', () => {
  const model = new BbrModel(settings())
  model.updateRoundTrip(1000, 0)
  const due = [4999, 5000, 5001].map((now) => {
    model.updateRoundTrip(2000, now)
    return model.isProbeRttDue
  })
  expect(due).toEqual([false, false, true])
})
