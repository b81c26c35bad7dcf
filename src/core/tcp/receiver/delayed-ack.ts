// Which acknowledgments are owed (RFC 9293 §3.8.6.3, RFC 5681 §4.2): `receive` notes, `transmit` asks and sends the latest.
// In-order text of one turn gets one ACK; a small segment alone waits a little; duplicates are counted, since a peer without SACK
// counts them too. Told by arriving/*, asked by tcp/output.
import { Cause, type CauseNumber } from '../cause.ts'

/** RFC 5681 §3.2: so many duplicates tell a peer that knows SACK blocks whatever more could. */
const DUPLICATES_WITH_SACK = 3
const LONGEST_DELAY = 499

export interface AckSettings {
  /** Milliseconds. */
  readonly delayedAck: number
  readonly quickAcks: number
  /** RFC 9293 §3.8.6.3: which second segment is acknowledged at once; `any` for every one, whatever its size. */
  readonly secondSegment: 'full' | 'any'
}

export class DelayedAck {
  readonly #settings: AckSettings
  #quick: number
  #octets = 0
  #segments = 0
  #duplicates = 0
  #isDue = false
  /** Why the next acknowledgment alone is sent. */
  cause: CauseNumber = Cause.none

  constructor(settings: AckSettings) {
    this.#settings = settings
    this.#quick = settings.quickAcks
  }

  /** Milliseconds that an owed ACK may wait for company. MUST-40: below 500. */
  get delay(): number {
    return Math.min(this.#settings.delayedAck, LONGEST_DELAY)
  }

  /** SHLD-18. In-order text of `length` octets moved RCV.NXT. `mss` is what the peer's full segments carry. */
  onText(length: number, mss: number): void {
    this.#duplicates = 0
    this.#octets += length
    this.#segments++
    // More than one full segment is acknowledged at once. MUST-58, MUST-59: all that one turn brings gets one ACK.
    // Differs: from SHLD-19's every second segment for that alone, since it is what Linux's GRO comes to.
    const isSecond = this.#octets > mss || (this.#segments > 1 && this.#settings.secondSegment === 'any')
    if (isSecond || this.#quick > 0) {
      this.#isDue = true
      this.cause = isSecond ? Cause.secondSegment : Cause.quickAck
    }
  }

  /** A segment out of order, or one that came twice: one more duplicate ACK is owed, at once. RFC 5681 §4.2. */
  onDisorder(cause: CauseNumber): void {
    this.cause = cause
    this.#duplicates++
  }

  /** An ACK is owed at once: a FIN, a gap that closed, an unacceptable segment, a window that opened. */
  demand(cause: CauseNumber): void {
    // A window that opens goes along with what is due already.
    if (cause !== Cause.windowUpdate || !this.#isDue) this.cause = cause
    this.#isDue = true
  }

  /** The application answers what it gets: its data carry the ACKs, and the first ones need not be quick any more. */
  onAnswered(): void {
    this.#quick = 0
  }

  /** Something waits to be acknowledged, at once or later. */
  get isOwed(): boolean {
    return this.#isDue || this.#octets > 0 || this.#duplicates > 0
  }

  /** Pure ACKs to send now; 0 where none is due yet. With SACK at most three duplicates, without it all. */
  due(hasSack: boolean): number {
    if (this.#duplicates === 0) return this.#isDue ? 1 : 0
    return hasSack ? Math.min(this.#duplicates, DUPLICATES_WITH_SACK) : this.#duplicates
  }

  /** The delay is over. */
  onExpired(): void {
    if (this.#octets === 0) return
    this.#isDue = true
    this.cause = Cause.delayedAck
  }

  /** A segment that acknowledges went out: nothing is owed any more. */
  onSent(): void {
    if (this.#quick > 0 && this.#octets > 0) this.#quick--
    this.#octets = 0
    this.#segments = 0
    this.#duplicates = 0
    this.#isDue = false
  }
}
