// The round trip and the retransmission timeout (RFC 6298), and the least round trip of some minutes (for RACK and BBR).
// Durations are int32 microseconds. Told by arriving/acknowledge, asked by whoever arms a timer. Parts know no clock: `now` comes in.

export interface RttLimits {
  /** Milliseconds, as in the settings. */
  readonly initialRto: number
  readonly minimumRto: number
  readonly maximumRto: number
}

export class Rtt {
  /** The latest sample, the smoothed one and its variance, in microseconds; 0 before the first. */
  latest = 0
  /** How often the RTO has been doubled since the last sample. */
  backoff = 0

  constructor(limits: RttLimits) {}

  get hasSample(): boolean {
    throw new Error('not yet')
  }

  get srtt(): number {
    throw new Error('not yet')
  }

  get rttvar(): number {
    throw new Error('not yet')
  }

  /** RTO in milliseconds, backoff included. */
  get rto(): number {
    throw new Error('not yet')
  }

  /** The least sample of the last minutes; 0 before the first. */
  get minimum(): number {
    throw new Error('not yet')
  }

  /**
   * RFC 6298 §3 (Karn): never from what was sent twice, unless timestamps say which one was answered.
   * `sndUna` and `sndNxt` after the acknowledgment tell round trips apart.
   */
  onSample(microseconds: number, sndUna: number, sndNxt: number, now: number): void {
    throw new Error('not yet')
  }

  /** RFC 6298 §5.5: the timer expired. */
  onTimeout(): void {
    throw new Error('not yet')
  }

  /** An acknowledgment moved SND.UNA: the path is alive. */
  onProgress(): void {
    throw new Error('not yet')
  }

  /** RFC 6298 §5.7: the SYN was sent again, and text begins without a sample. */
  onHandshakeTimedOut(): void {
    throw new Error('not yet')
  }
}
