// A geostationary satellite: 600 ms there and back, and now and then a packet that is lost by chance. Each controller on a path of its own.
import type { Scenario } from '../scenario.ts'
import { sideBySide } from './side-by-side.ts'

export const satellite: Scenario = {
  title: 'A satellite',
  about:
    'Three transfers, each over a path of its own of 20 Mbit/s and 600 ms there and back, which loses one packet in 2,000 by chance. ' +
    'A window that is halved needs minutes to come back where a round trip takes so long. CUBIC counts time and not round trips; BBR does not take a loss alone for congestion.',
  length: 60_000,
  ...sideBySide(['cubic', 'reno', 'bbr'], { both: { rate: 20, delay: 300, queue: 1000 }, forward: { loss: 0.0005 } }),
  plots: ['goodput', 'window'],
}
