// What duplicate ACKs tell without SACK, beyond that there are three (RFC 6582): how many a retransmission may bring about by itself, and when
// there are so many that the retransmission must be lost too. A part: told numbers, returns decisions. Made when the first segment is
// sent again to a peer without SACK; told by recovery and retransmit.

/** RFC 5681 §3.2. */
export const DUPLICATE_THRESHOLD = 3

export class NewReno {
  /** Segments sent again in the present recovery: each may have been there already, and then its answer is a duplicate that tells nothing. */
  #again = 0
  /** Duplicates until the retransmission of the oldest segment is lost. */
  #left = 0

  clear(): void {
    this.#again = 0
  }

  onRetransmitted(segments: number): void {
    this.#again += segments
  }

  /** RFC 6582 §4: duplicates of a recovery that is over begin another one only where its retransmissions can't have brought them all about. */
  get threshold(): number {
    return DUPLICATE_THRESHOLD + this.#again
  }

  /** The oldest segment goes again; so many others are on their way, and stand for a duplicate each. */
  await(segments: number): void {
    this.#left = segments + DUPLICATE_THRESHOLD
  }

  /** One more duplicate: whether what arrives was sent after the retransmission, which has been lost then. */
  onDuplicate(): boolean {
    return --this.#left === 0
  }
}

/**
 * RFC 5827 §3.2: how many duplicates tell of a loss where fewer than four segments are in flight and no new ones can follow; they can't
 * bring about three. One alone brings about none.
 */
export function earlyThreshold(segmentsInFlight: number): number {
  if (segmentsInFlight < 2) return DUPLICATE_THRESHOLD
  return Math.min(segmentsInFlight - 1, DUPLICATE_THRESHOLD)
}
