// Congestion control as the rest of TCP sees it: a controller is told numbers and asked three: cwnd, ssthresh and a pacing rate.
// It knows no connection, no clock and no timer, and imports nothing; one stack-wide `Acknowledged` is filled for every ACK and borrowed.
// RFC 9293 §3.8.2, MAY-18: a controller of a user's own is a `CongestionFactory`; the easiest one extends `Reno` and changes what it wants.
// Windows are int32 octets and rates int32 octets a second; times are milliseconds, durations int32 microseconds.

/** No window is larger: RFC 7323 §2.3. */
export const LARGEST_WINDOW = 1 << 30
/** A pacing rate that means none. A path of 17 Gbit/s and more isn't paced by a timer of a millisecond. */
export const UNPACED = 0x7fffffff
/** ssthresh before anything was lost: RFC 5681 §3.1, as high as can be. */
export const NO_THRESHOLD = 0x7fffffff

/** What an ACK brought: one a stack, filled by arriving/acknowledge. */
export class Acknowledged {
  /** Milliseconds. */
  now = 0
  /** Octets that SND.UNA moved. */
  acked = 0
  /** Octets newly known to have arrived, by SND.UNA or by SACK. */
  delivered = 0
  /** Octets that this ACK showed to be lost. */
  lost = 0
  /** In flight (RFC 6675's pipe, in octets) before and after this ACK. */
  priorInFlight = 0
  inFlight = 0
  sndUna = 0
  sndNxt = 0
  /** Round trip that this ACK measured, in microseconds; -1 for none. */
  rtt = -1
  /** Smoothed and least round trip in microseconds; 0 before there is one. */
  srtt = 0
  minimumRtt = 0
  /** Some of what it acknowledges was sent when cwnd, and not the application or the peer's window, was the limit: RFC 7661. */
  isWindowLimited = true
  /** Loss recovery is going on, and PRR or a timeout governs what is sent. */
  inRecovery = false
  /** Octets of it that arrived with a congestion mark, as far as the peer can say so. */
  marked = 0
  // The delivery-rate sample (draft-cheng-iccrg-delivery-rate-estimation): -1 octets where there is none.
  /** Octets delivered in `rateInterval` microseconds. */
  rateDelivered = -1
  rateInterval = 0
  /** The sample was taken while the application had nothing more to send. */
  isApplicationLimited = false
  /** All octets delivered so far, now and when the sampled transmission was sent; modulo 2^32. */
  totalDelivered = 0
  priorDelivered = 0
  /** Octets in flight just after the sampled transmission was sent, itself included. */
  transmitInFlight = 0
  /** Octets lost between that and now. */
  lostSince = 0

  /** Nothing has been acknowledged yet: for the next ACK. */
  clear(now: number): void {
    this.now = now
    this.acked = 0
    this.delivered = 0
    this.lost = 0
    this.priorInFlight = 0
    this.inFlight = 0
    this.rtt = -1
    this.isWindowLimited = true
    this.inRecovery = false
    this.marked = 0
    this.rateDelivered = -1
    this.rateInterval = 0
    this.isApplicationLimited = false
    this.transmitInFlight = 0
    this.lostSince = 0
  }
}

export interface CongestionSettings {
  /** SMSS. */
  readonly mss: number
  /** IW in octets: RFC 6928. */
  readonly initialWindow: number
  /** Milliseconds. */
  readonly now: number
  /** The handshake's round trip in microseconds; 0 where it gave none. */
  readonly rtt: number
  /** An int32 that nobody can foresee, for those that spread their probes. */
  readonly seed: number
}

/** Made when a connection is established. */
export type CongestionFactory = (settings: CongestionSettings) => Congestion

export interface Congestion {
  readonly name: string
  /** Octets that may be in flight. While a recovery goes on, PRR has its own, unless `steersRecovery`. At least one MSS. */
  readonly cwnd: number
  readonly ssthresh: number
  /** Octets a second; UNPACED for none. */
  readonly pacingRate: number
  /** The rate is part of the model: it holds also where the settings do without pacing. */
  readonly needsPacing?: boolean
  /** It sets cwnd during recoveries too, in place of PRR. */
  readonly steersRecovery: boolean

  /** An ACK acknowledged or SACKed something new. Borrowed. */
  onAcknowledged(ack: Acknowledged): void
  /** Octets go out that are new. `inFlight` is without them. */
  onSent(octets: number, inFlight: number, isApplicationLimited: boolean, now: number): void
  /** One transmission is held to be lost: its octets, what was in flight when it was sent, and what has been lost since then. */
  onLost(octets: number, transmitInFlight: number, lostSince: number, isApplicationLimited: boolean, now: number): void
  /** A recovery begins by something else than a timeout: once for each window. Sets ssthresh. */
  onRecovery(inFlight: number, now: number): void
  /** Everything that was in flight then has arrived. */
  onRecovered(now: number): void
  /** RTO: everything in flight counts as lost. `isRepeated` where the same octets time out again: ssthresh stays. */
  onTimeout(inFlight: number, isRepeated: boolean, now: number): void
  /** The peer echoed a congestion mark (RFC 3168 §6.1.2): once for each window. */
  onMarked(inFlight: number, now: number): void
  /** The last recovery or timeout was needless: what it did is taken back. */
  onUndone(now: number): void
  /** Something is sent after `idle` microseconds of nothing in flight, an RTO or longer: RFC 5681 §4.1. */
  onRestart(idle: number, now: number): void
  /** The path takes segments of another size. */
  onMss(mss: number): void
}
