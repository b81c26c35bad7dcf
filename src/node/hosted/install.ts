// Puts simulated hosts under Node, and takes them away again. One network at a time, as running.ts sees to: the process has one `Date`.
import { patchClock, patchRandom } from './clock.ts'
import { patchDatagrams } from './datagrams.ts'
import { patchGuard } from './guard.ts'
import { patchNames } from './names.ts'
import { Patches } from './patches.ts'
import { patchPools } from './pools.ts'
import { patchSockets } from './sockets.ts'
import { patchTimers } from './timers.ts'

/** The returned function restores every function that was replaced. */
export function install(): () => void {
  const patches = new Patches()
  try {
    // In this order: what loads modules of Node's must not be seen by what watches them.
    patchPools(patches)
    patchClock(patches)
    patchRandom(patches)
    patchNames(patches)
    patchSockets(patches)
    patchDatagrams(patches)
    patchGuard(patches)
    patchTimers(patches)
    patches.settle()
  } catch (error) {
    patches.restore()
    throw error
  }
  return () => patches.restore()
}
