// Sequence numbers (RFC 9293 §3.4): int32, compared modulo 2^32. Every step and part of TCP calls these.

/** `a` comes before `b`. */
export function lessThan(a: number, b: number): boolean {
  return ((a - b) | 0) < 0
}

/** `a` comes before `b`, or is `b`. */
export function atMost(a: number, b: number): boolean {
  return ((a - b) | 0) <= 0
}

/** `first` <= `number` < `end`. */
export function between(first: number, number: number, end: number): boolean {
  return (number - first) >>> 0 < (end - first) >>> 0
}

/** Octets from `from` to `to`; negative where `to` comes first. */
export function distance(from: number, to: number): number {
  return (to - from) | 0
}

export function earlier(a: number, b: number): number {
  return lessThan(a, b) ? a : b
}

export function later(a: number, b: number): number {
  return lessThan(a, b) ? b : a
}
