// SEGMENT ARRIVES, fourth: a SYN where the sequence numbers are agreed already (RFC 9293 §3.10.7.4, RFC 5961 §4).
// It may be forged, or a peer that has lost its memory: the challenge finds out, since the latter answers it with a reset.
import { Drop } from '../../observer.ts'
import type { ControlBlock } from '../control-block.ts'
import { challenge, drop } from './refuse.ts'

export function receiveSyn(cb: ControlBlock, now: number): void {
  drop(cb, Drop.tcpOutOfWindow)
  challenge(cb, now)
}
