// From what an ACK has told to what is lost and when a recovery begins and ends: RFC 5681 §3.2, RFC 6582, RFC 6675 §5.
// Peers without SACK are followed by their duplicate ACKs: each stands for one segment that has left the network.
// Limited transmit (RFC 3042) needs no rule of its own: what is sacked or stood for by a duplicate makes room under cwnd.
// Called by arriving/acknowledge at the end of each ACK.
import { Count } from '../../observer.ts'
import { type ControlBlock, Mark, Option, Phase } from '../control-block.ts'
import { lessThan } from '../sequence.ts'
import { Sent } from './flight.ts'
import { DUPLICATE_THRESHOLD, markLost } from './scoreboard.ts'

const NONE = -1

/** Octets in the network, as far as we can tell: RFC 6675's pipe, or the same told by duplicate ACKs. */
export function inFlight(cb: ControlBlock): number {
  const { flight } = cb
  if (cb.duplicateAcks === 0 || cb.has(Option.selectiveAcks)) return flight.pipe
  return Math.max(0, flight.pipe - Math.min(cb.duplicateAcks * cb.mss, flight.octets - flight.lost))
}

/** The longest IP packet, less room for headers. */
const LARGEST_EMISSION = 65_535 - 40 - 60

/** The most text that one emission may carry: what the link segments, in whole segments. */
export function emissionLimit(cb: ControlBlock): number {
  const { route, mss } = cb
  if (route === null) return mss
  // Links that segment copy the urgent pointer, which must differ from segment to segment.
  if (cb.is(Mark.urgentSent)) return mss
  const { offload } = route.interface
  if (!(cb.remoteAddress.isIpv4 ? offload.tcp4 : offload.tcp6)) return mss
  return Math.max(mss, LARGEST_EMISSION - (LARGEST_EMISSION % mss))
}

/** `acked` octets were acknowledged, `newlySacked` sacked; `isDuplicate` as RFC 5681 §2 has it. */
export function respond(cb: ControlBlock, acked: number, newlySacked: number, isDuplicate: boolean, now: number): void {
  if (cb.phase === Phase.recovery || cb.phase === Phase.loss) {
    goOn(cb, acked, newlySacked, isDuplicate, now)
    return
  }
  if (cb.has(Option.selectiveAcks)) {
    if (newlySacked > 0 || (acked > 0 && cb.flight.sacked > 0)) {
      const lost = markLost(cb.flight, cb.mss)
      if (lost > 0) {
        begin(cb, lost, now)
        return
      }
    }
    cb.phase = cb.flight.sacked > 0 ? Phase.disorder : Phase.open
    return
  }
  if (acked > 0) cb.duplicateAcks = 0
  else if (isDuplicate && cb.flight.first !== NONE) cb.duplicateAcks++
  cb.phase = cb.duplicateAcks > 0 ? Phase.disorder : Phase.open
  // RFC 6582 §3.2 step 2: duplicates of a recovery that is over begin no other one.
  if (cb.duplicateAcks >= DUPLICATE_THRESHOLD && lessThan(cb.recover, cb.sndUna)) begin(cb, markOldest(cb), now)
}

/** RFC 6675 §5 step 4, RFC 6582 §3.2 step 2. */
function begin(cb: ControlBlock, lost: number, now: number): void {
  cb.lostOctets = (cb.lostOctets + lost) | 0
  cb.shared.counters.values[Count.tcpFastRecoveries]++
  cb.congestion?.onRecovery(cb.flight.octets, now)
  cb.phase = Phase.recovery
  cb.recover = cb.sndNxt
  // Step 4.3: the first retransmission leaves whatever cwnd says.
  cb.mark(Mark.forceRetransmission)
}

function goOn(cb: ControlBlock, acked: number, newlySacked: number, isDuplicate: boolean, now: number): void {
  const sacks = cb.has(Option.selectiveAcks)
  if (acked > 0 && !lessThan(cb.sndUna, cb.recover)) {
    end(cb, now)
    return
  }
  if (sacks) {
    if (newlySacked > 0 || acked > 0) cb.lostOctets = (cb.lostOctets + markLost(cb.flight, cb.mss)) | 0
    return
  }
  if (cb.phase === Phase.loss) return
  if (acked > 0) {
    // RFC 6582 §3.2 step 3, a partial ACK: the next segment is lost too. The one that arrived was not among the duplicates.
    const segments = Math.floor(acked / cb.mss)
    cb.duplicateAcks = Math.max(0, cb.duplicateAcks - Math.max(0, segments - 1))
    cb.lostOctets = (cb.lostOctets + markOldest(cb)) | 0
    cb.mark(Mark.forceRetransmission)
  } else if (isDuplicate) cb.duplicateAcks++
}

/** All that was in flight when it began has arrived. */
function end(cb: ControlBlock, now: number): void {
  if (cb.phase === Phase.recovery) cb.congestion?.onRecovered(now)
  cb.duplicateAcks = 0
  cb.unmark(Mark.forceRetransmission)
  cb.phase = Phase.open
  if (cb.flight.sacked === 0) return
  const lost = markLost(cb.flight, cb.mss)
  if (lost > 0) begin(cb, lost, now)
  else cb.phase = Phase.disorder
}

/** The oldest segment is lost: one MSS of the first record. Returns how many octets, 0 where it is known already. */
function markOldest(cb: ControlBlock): number {
  const { flight } = cb
  const { slab } = flight
  const row = flight.first
  if (row === NONE) return 0
  const segment = slab.mss[row]
  if (flight.length(row) > segment) flight.split(row, (slab.start[row] + segment) | 0)
  if (flight.has(row, Sent.lost | Sent.again)) return 0
  flight.markLost(row)
  return flight.length(row)
}
