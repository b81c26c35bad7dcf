// Packets that overtake each other and are not lost: TCP learns how far they stray (RACK's reordering window), and goes on.
import type { Scenario } from '../scenario.ts'
import { sideBySide } from './side-by-side.ts'

export const reordering: Scenario = {
  title: 'Reordering',
  about:
    'Two transfers over 100 Mbit/s and 40 ms, each on a path of its own, where one packet in 50 falls 5 ms behind. Not one is lost. Three duplicate acknowledgments would mean a loss in the old days; ' +
    'RACK (RFC 8985) waits a quarter of a round trip once it has seen packets arrive late, and D-SACKs tell it where it was wrong. Nothing tells CUBIC to stop either: it fills a queue that holds a quarter of a second.',
  length: 10_000,
  ...sideBySide(['cubic', 'bbr'], {
    both: { rate: 100, delay: 20, queue: 2000 },
    forward: { reorder: 0.02, reorderDelay: 5 },
  }),
  plots: ['goodput', 'window'],
}
