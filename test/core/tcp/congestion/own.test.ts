// A controller of a user's own, the one in examples/own-controller.ts: it changes two things of NewReno's, and holds what every controller must.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { scalable } from '../../../../examples/own-controller.ts'
import { Acknowledged } from '../../../../src/core/tcp/congestion/congestion.ts'
import { root } from '../../../support/source-tree.ts'
import { conform } from './conformance.ts'
import { MSS, settings } from './path.ts'

conform('a controller of our own', scalable)

it('does what it says', () => {
  const congestion = scalable(settings())
  congestion.cwnd = 80 * MSS
  congestion.onRecovery(80 * MSS, 0)
  congestion.onRecovered(0)
  expect(congestion.cwnd).toBe(70 * MSS)
  const ack = Object.assign(new Acknowledged(), { acked: 100 * MSS, delivered: 100 * MSS })
  congestion.onAcknowledged(ack)
  // What a window has acknowledged at most, by the hundred.
  expect(congestion.cwnd).toBe(70.7 * MSS)
})

it('is an example of forty lines at most', () => {
  const lines = readFileSync(join(root, 'examples/own-controller.ts'), 'utf8').trimEnd().split('\n')
  expect(lines.length).toBeLessThanOrEqual(40)
})
