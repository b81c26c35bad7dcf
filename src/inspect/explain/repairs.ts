// Losses as they were repaired: what one side sent again between the first retransmission and the acknowledgment of all that was sent before
// it is one repair. Why something was sent again is told by what had come back by then. Parts of side.ts; told by conversation.ts.

/**
 * Why the first of them was sent again, as far as can be seen: after three duplicate acknowledgments or as much in SACKs; after fewer;
 * the last segment after a short silence; after a long silence; though it had been acknowledged; or nothing that was captured says.
 */
export type RepairKind = 'fast' | 'early' | 'probe' | 'timeout' | 'needless' | 'unknown'

export interface Repair {
  readonly kind: RepairKind
  /** Milliseconds, and the packet's number. */
  readonly time: number
  readonly packet: number
  /** Without a packet of this side, or an acknowledgment, before it. */
  readonly silence: number
  readonly duplicates: number
  /** Segments' worth of octets beyond it that SACKs had named by then. */
  readonly sacked: number
  /** Acknowledged up to here, it is over. */
  readonly until: number
  segments: number
  octets: number
  /** Times that a segment was sent again after a long silence in it. */
  timeouts: number
  /** Stretches that D-SACKs say arrived twice. */
  needless: number
  /** The capture had not seen the first of them before: it was lost before it came there. */
  readonly isUnseen: boolean
  /** What the capture says beside the first of them: whoever wrote it may know more. */
  readonly comment: string | null
  /** When all was acknowledged; null where the capture does not show it. */
  ended: number | null
}

/** Milliseconds: timers of all known senders are at least 200, measured a little differently. */
const LEAST_TIMEOUT = 180
const FAST = 3

export interface SentAgain {
  readonly time: number
  readonly packet: number
  readonly start: number
  readonly end: number
  readonly length: number
  readonly silence: number
  readonly duplicates: number
  /** Octets beyond it that SACKs have named, and the length of a segment. */
  readonly sacked: number
  readonly mss: number
  /** Milliseconds; null where it is not known. */
  readonly roundTrip: number | null
  readonly acknowledged: number
  readonly next: number
  readonly isUnseen: boolean
  readonly comment: string | null
}

export class RepairList {
  readonly all: Repair[] = []
  #open: Repair | null = null
  #lastAgain: { start: number; end: number; repair: Repair }[] = []

  add(again: SentAgain): void {
    const { time, packet, silence, duplicates, next: until, isUnseen, roundTrip, acknowledged, end } = again
    const isTimeout = isLong(silence, roundTrip)
    if (this.#open === null || end <= acknowledged) {
      const begun: Repair = {
        ...{ kind: kindOf(again), time, packet, silence, duplicates, until, isUnseen },
        ...{ sacked: Math.round(again.sacked / again.mss), comment: again.comment },
        ...{ segments: 0, octets: 0, timeouts: 0, needless: 0, ended: null },
      }
      this.all.push(begun)
      if (begun.kind === 'needless') begun.ended = time
      else this.#open = begun
      this.#note(begun, again)
      return
    }
    if (isTimeout) this.#open.timeouts++
    this.#note(this.#open, again)
  }

  #note(repair: Repair, { start, end, length }: SentAgain): void {
    repair.segments++
    repair.octets += length
    this.#lastAgain.push({ start, end, repair })
    if (this.#lastAgain.length > 1000) this.#lastAgain.splice(0, 500)
  }

  acknowledge(end: number, time: number): void {
    if (this.#open === null || end < this.#open.until) return
    this.#open.ended = time
    this.#open = null
  }

  /** A D-SACK names a stretch that arrived twice. */
  arrivedTwice(start: number, end: number): void {
    for (let at = this.#lastAgain.length - 1; at >= 0; at--) {
      const again = this.#lastAgain[at]
      if (again.start >= end || start >= again.end) continue
      again.repair.needless++
      return
    }
  }

  get isOpen(): boolean {
    return this.#open !== null
  }
}

function kindOf(again: SentAgain): RepairKind {
  const { end, acknowledged, silence, roundTrip, duplicates, sacked, mss, next } = again
  if (end <= acknowledged) return 'needless'
  if (isLong(silence, roundTrip)) return 'timeout'
  if (duplicates >= FAST || sacked >= FAST * mss) return 'fast'
  if (duplicates > 0 || sacked > 0) return 'early'
  if (end === next && (roundTrip === null || silence >= roundTrip)) return 'probe'
  return 'unknown'
}

function isLong(silence: number, roundTrip: number | null): boolean {
  return silence >= LEAST_TIMEOUT && (roundTrip === null || silence >= roundTrip * 1.5)
}
