// Time that a test moves by hand: what links are opened with, and what a stack's environment reads.
import { VirtualClock } from '../../src/simulate/clock.ts'

export class ManualTime extends VirtualClock {
  /** Moves on by so many milliseconds; what falls due on the way happens. */
  pass(milliseconds: number): void {
    this.advance(this.now() + milliseconds)
  }
}
