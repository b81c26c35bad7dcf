// How long packets may be where a path swallows longer ones without a word (RFC 4821, RFC 8899): how far to fall back when it is
// suspected, and the search upwards by probes, which begins with the length that was in use: what looked like a black hole is mostly an
// outage, and is healed by the first probe. A part: told lengths of packets, sequence numbers and times, returns what to try.
// Made when a black hole is first suspected. Lengths are octets with the IP header, instants int32 milliseconds modulo 2^32.

/** RFC 8200 §5: every IPv6 path takes it, and nearly every IPv4 path of today. RFC 1122 §3.3.2: what any IPv4 host takes. */
const BASES_IPV6: readonly number[] = [1280]
const BASES_IPV4: readonly number[] = [1280, 576]

/** RFC 8899 §5.1.2, MAX_PROBES: so many lost ones show that a length does not get through. */
const MOST_PROBES = 3
/** A search is over when what is gained by going on is less than this. */
const FINE_ENOUGH = 16
/** After a lost probe, and after one that other losses have kept from saying anything. */
const RETRY_DELAY = 1000
/** RFC 8899 §5.1.1, PMTU_RAISE_TIMER: then a path is searched anew. */
const RAISE_DELAY = 600_000
/** Each time it is suspected again, the first probe waits longer: a path that takes turns shall not stall us in each. */
const FIRST_REPETITION_DELAY = 10_000

/** The longest packets to fall back to from those of `length`; 0 where there are no shorter ones to try. */
export function nextBase(length: number, isIpv4: boolean): number {
  for (const base of isIpv4 ? BASES_IPV4 : BASES_IPV6) if (base < length) return base
  return 0
}

/**
 * Whether the timeout of a segment that is longer than `base` may be a black hole's work: `timeouts` in a row, this one included. The second
 * says so; the first already where no segment of its size has ever arrived, and a second one, sent later than the first, is lost too.
 * What nearly every path takes is doubted at the third, which is RFC 4821 §7.7's R1.
 */
export function isSuspicious(base: number, timeouts: number, isProven: boolean, isLostTwice: boolean): boolean {
  if (base < BASES_IPV4[0]) return timeouts >= 3
  return timeouts >= 2 || (!isProven && isLostTwice)
}

export class PathSearch {
  /** No packet but a probe is longer. */
  cap = UNCAPPED
  /** `recover` of the timeouts that it last fell back for. */
  cause = 0
  /** A probe is on its way: from where to where, and how long its packet is. */
  isUnderWay = false
  #start = 0
  #end = 0
  #length = 0
  /** What arrives, and what does not. */
  #low = 0
  #high = UNCAPPED
  #lost = 0
  #nextAt = 0
  #falls = 0
  /** Nothing long had ever arrived: the timeouts tell nothing of congestion. */
  #mayRestore = false
  /** Something has been acknowledged since it fell back. */
  #hasArrived = false

  /** The path is suspected; `isProven` where segments of that size have arrived before. */
  fallBack(base: number, isProven: boolean, cause: number, now: number): void {
    const isDeeper = this.cap !== UNCAPPED && !this.#hasArrived
    this.cap = base
    this.cause = cause
    this.#low = base
    this.#high = UNCAPPED
    this.#lost = 0
    this.isUnderWay = false
    // Steps of one fall count as one.
    if (isDeeper) return
    this.#mayRestore = !isProven
    this.#hasArrived = false
    const delay = this.#falls === 0 ? 0 : Math.min(FIRST_REPETITION_DELAY * 2 ** (this.#falls - 1), RAISE_DELAY)
    this.#falls = Math.min(this.#falls + 1, 16)
    this.#nextAt = ((now | 0) + delay) | 0
  }

  /** Short ones arrive. Says, once, whether what the timeouts did to the window is to be taken back. */
  onArrived(): boolean {
    this.#hasArrived = true
    const mayRestore = this.#mayRestore
    this.#mayRestore = false
    return mayRestore
  }

  /** The timeouts were needless. */
  lift(): void {
    this.cap = UNCAPPED
    this.isUnderWay = false
    this.#mayRestore = false
    this.#hasArrived = false
  }

  /** The length of packet to probe with, at most `limit`; 0 for none now. */
  probeLength(limit: number, now: number): number {
    if (this.cap >= limit || this.isUnderWay || !this.#hasArrived || ((this.#nextAt - (now | 0)) | 0) > 0) return 0
    if (this.#high > limit) return limit
    if (this.#high - this.#low > FINE_ENOUGH) return (this.#low + this.#high) >> 1
    // The search was over, and the raise timer has run since.
    this.#high = UNCAPPED
    return limit
  }

  onProbe(start: number, end: number, length: number): void {
    this.isUnderWay = true
    this.#start = start
    this.#end = end
    this.#length = length
  }

  /** Whether a record that begins and ends there is the probe. */
  isProbe(start: number, end: number): boolean {
    return this.isUnderWay && start === this.#start && end === this.#end
  }

  /** Packets of a length have arrived that is beyond `cap`: a probe (RFC 4821 §7.6.1), or what was sent before. At `limit` nothing is searched any more. */
  onLongArrived(length: number, limit: number, now: number): void {
    this.isUnderWay = false
    this.#lost = 0
    this.#low = length
    if (this.#high <= length) this.#high = UNCAPPED
    this.cap = length >= limit ? UNCAPPED : length
    this.#rest(now, 0)
  }

  /** RFC 4821 §7.6.2: it is lost, and nothing else. */
  onProbeLost(now: number): void {
    this.isUnderWay = false
    if (++this.#lost >= MOST_PROBES) {
      this.#lost = 0
      this.#high = this.#length
    }
    this.#rest(now, RETRY_DELAY)
  }

  /** RFC 4821 §7.6.4: something else was lost too, which says nothing of its length. */
  onInconclusive(now: number): void {
    if (!this.isUnderWay) return
    this.isUnderWay = false
    this.#rest(now, RETRY_DELAY)
  }

  #rest(now: number, delay: number): void {
    const isOver = this.#high - this.#low <= FINE_ENOUGH
    this.#nextAt = ((now | 0) + (isOver ? RAISE_DELAY : delay)) | 0
  }
}

/** Longer than any packet. */
export const UNCAPPED = 0x7fffffff
