// A controller of a user's own: Scalable TCP (Kelly, 2003), which takes one segment more for each hundred that arrive and gives an eighth
// for a loss. It stands on Reno, changes two things, and holds what every controller must.
import { expect, it } from 'vitest'
import type { Acknowledged, CongestionSettings } from '../../../../src/core/tcp/congestion/congestion.ts'
import { LARGEST_WINDOW } from '../../../../src/core/tcp/congestion/congestion.ts'
import { Reno } from '../../../../src/core/tcp/congestion/reno.ts'
import { conform } from './conformance.ts'
import { MSS, settings } from './path.ts'

class Scalable extends Reno {
  override readonly name: string = 'scalable'

  protected override avoid(octets: number, _ack: Acknowledged): void {
    this.cwnd = Math.min(this.cwnd + Math.ceil(Math.min(octets, this.cwnd) / 100), LARGEST_WINDOW)
  }

  override onRecovery(inFlight: number, now: number): void {
    this.reduce(inFlight, 7 / 8, now)
    this.cwnd = this.ssthresh
  }
}

const scalable = (settings: CongestionSettings) => new Scalable(settings)

conform('a controller of our own', scalable)

it('does what it says', () => {
  const congestion = scalable(settings())
  congestion.cwnd = 80 * MSS
  congestion.onRecovery(80 * MSS, 0)
  expect(congestion.cwnd).toBe(70 * MSS)
})
