// Finds where a head ends, over as many pieces as it comes in: an empty line, after lines that each end with CR LF.
// A line end of another kind is refused as soon as it is seen (RFC 9112 §2.2), and so is what can't become a request at all.
import { CR, isToken, LF } from './octets.ts'

/** Where a scan ends without having found it. */
export const INCOMPLETE = -1
export const MALFORMED = -2

// Odd: after CR.
const TEXT = 0
const TEXT_CR = 1
const LINE = 2
const LAST_CR = 3
const FIRST = 4
// 5: after CR, before the first line.

export class HeadScanner {
  #state = FIRST
  /** Octets of empty lines before the head (RFC 9112 §2.2), which are no part of it. */
  skipped = 0
  /** The first line is complete. */
  hasLine = false

  reset(): void {
    this.#state = FIRST
    this.skipped = 0
    this.hasLine = false
  }

  /** The place after the empty line, or one of the two above. */
  scan(bytes: Uint8Array, from: number, to: number): number {
    let state = this.#state
    for (let at = from; at < to; at++) {
      const octet = bytes[at]
      if (octet > CR) {
        if (state === TEXT) continue
        if ((state & 1) !== 0 || (state === FIRST && !isToken(octet))) return MALFORMED
        state = TEXT
      } else if (octet === CR) {
        if ((state & 1) !== 0) return MALFORMED
        state++
      } else if (octet === LF) {
        if ((state & 1) === 0) return MALFORMED
        if (state === LAST_CR) {
          this.#state = FIRST
          return at + 1
        }
        if (state === TEXT_CR) {
          this.hasLine = true
          state = LINE
        } else {
          this.skipped += 2
          state = FIRST
        }
      } else {
        if ((state & 1) !== 0 || state === FIRST) return MALFORMED
        state = TEXT
      }
    }
    this.#state = state
    return INCOMPLETE
  }
}
