// What several steps answer with when a segment goes no further: an acknowledgment of where we stand. It is only noted here and leaves
// with the turn's other segments, so that no segment is ever answered by more than one.
import type { DropReason } from '../../observer.ts'
import { Count } from '../../observer.ts'
import { Cause, type CauseNumber } from '../cause.ts'
import type { ControlBlock } from '../control-block.ts'
import { Instant } from '../timers.ts'

export function drop(cb: ControlBlock, reason: DropReason): void {
  const { packet } = cb.shared.segment
  cb.shared.observer.drop(reason, packet.batch, packet.row)
}

/**
 * A challenge ACK (RFC 5961 §3 to §5), or the answer to what has no text and lies outside the window.
 * The limit (§7) is the connection's own: one shared by all would tell a stranger what happens on others (CVE-2016-5696).
 */
export function challenge(cb: ControlBlock, now: number): void {
  const { timers, settings, counters } = cb.shared
  const last = timers.get(cb.timersRow, Instant.challenged)
  if (last !== 0 && now - last < settings.challengeInterval) return
  timers.set(cb.timersRow, Instant.challenged, now === 0 ? Number.MIN_VALUE : now)
  counters.values[Count.tcpChallengeAcks]++
  cb.delayedAck.demand(Cause.challenge)
}

/** Text came that we have, or can't take: the peer must learn where we stand. */
export function acknowledgeDuplicate(cb: ControlBlock, cause: CauseNumber): void {
  cb.delayedAck.onDisorder(cause)
}
