// A radio that loses packets in short bursts, and whose delay jumps. Each controller on a path of its own.
import type { Scenario } from '../scenario.ts'
import { sideBySide } from './side-by-side.ts'

export const wifi: Scenario = {
  title: 'Losses as on Wi-Fi',
  about:
    'Three transfers, each over a path of its own of 50 Mbit/s and 20 ms, whose last hop loses one packet in 100, three in a row on average, ' +
    'and whose delay varies by 4 ms. None of it is congestion, and who takes it for congestion is slow.',
  length: 15_000,
  ...sideBySide(['cubic', 'reno', 'bbr'], {
    both: { rate: 50, delay: 10, jitter: 2, queue: 200 },
    forward: { burstLoss: { fraction: 0.01, length: 3 } },
  }),
  plots: ['goodput', 'window'],
}
