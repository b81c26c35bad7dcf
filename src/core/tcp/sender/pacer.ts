// Pacing, as far as a connection has a part in it: how much may leave now, and the timer until then. The rate is the controller's.
// Called by output and retransmit before and after each emission.
import { Count } from '../../observer.ts'
import { type Congestion, UNPACED } from '../congestion/congestion.ts'
import { LATE_CREDIT, nextEmission, quantum, SILENT_CREDIT } from '../congestion/pacing.ts'
import { type ControlBlock, Mark } from '../control-block.ts'
import type { TcpSettings } from '../settings.ts'
import { Instant, Timer } from '../timers.ts'

/** Octets that may leave now; 0 for none yet, and then the timer is set. */
export function pacedRoom(cb: ControlBlock, now: number): number {
  const { congestion, shared } = cb
  if (congestion === null || !isPaced(congestion, shared.settings)) return UNPACED
  const planned = shared.timers.get(cb.timersRow, Instant.paced)
  if (planned <= now) return quantum(congestion.pacingRate, cb.mss)
  cb.mark(Mark.paced)
  if (!cb.isArmed(Timer.pacing)) {
    shared.counters.values[Count.tcpPacingWaits]++
    cb.arm(Timer.pacing, planned)
  }
  return 0
}

export function onPaced(cb: ControlBlock, octets: number, now: number): void {
  const { congestion, shared } = cb
  if (congestion === null || !isPaced(congestion, shared.settings)) return
  const { timers } = shared
  const planned = timers.get(cb.timersRow, Instant.paced)
  const credit = cb.is(Mark.paced) ? LATE_CREDIT : SILENT_CREDIT
  timers.set(cb.timersRow, Instant.paced, nextEmission(planned, now, octets, congestion.pacingRate, credit))
}

function isPaced({ pacingRate, needsPacing }: Congestion, settings: TcpSettings): boolean {
  return pacingRate !== UNPACED && (settings.pacing || needsPacing === true)
}
