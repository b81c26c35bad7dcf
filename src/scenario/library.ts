// The scenarios that come with the package, by the names that `tunstack simulate` knows.
import { ackLoss } from './library/ack-loss.ts'
import { blackHole } from './library/black-hole.ts'
import { bufferbloat } from './library/bufferbloat.ts'
import { fairness } from './library/fairness.ts'
import { fatPipe } from './library/fat-pipe.ts'
import { headOfLine } from './library/head-of-line.ts'
import { incast } from './library/incast.ts'
import { mobile } from './library/mobile.ts'
import { reordering } from './library/reordering.ts'
import { satellite } from './library/satellite.ts'
import { wifi } from './library/wifi.ts'
import type { Scenario } from './scenario.ts'

/** In the order in which they are told. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'fat-pipe': fatPipe,
  satellite,
  wifi,
  bufferbloat,
  reordering,
  'ack-loss': ackLoss,
  incast,
  fairness,
  mobile,
  'black-hole': blackHole,
  'head-of-line': headOfLine,
}
