// The Internet checksum (RFC 1071). Sums are kept as 16-bit numbers in the machine's little-endian reading,
// since the one's complement sum does not care about the order of octets; only what stands in a packet is swapped.
// Called by every layer's wire functions and by whoever completes a partial checksum.

/** Adds the octets to a folded sum (0 to begin); the range must begin at an even distance from the sum's beginning. */
export function sum(view: DataView, offset: number, length: number, initial = 0): number {
  // As an int32 at first, so that the running total is never a boxed number.
  let total = initial | 0
  let at = offset
  const end = offset + length
  for (; at + 16 <= end; at += 16) {
    total +=
      view.getUint32(at, true) +
      view.getUint32(at + 4, true) +
      view.getUint32(at + 8, true) +
      view.getUint32(at + 12, true)
  }
  for (; at + 4 <= end; at += 4) total += view.getUint32(at, true)
  if (at + 2 <= end) {
    total += view.getUint16(at, true)
    at += 2
  }
  if (at < end) total += view.getUint8(at)
  // Three numbers that are small, since a call that is not inlined would box a large one.
  return fold((total & 0xffff) + ((total >>> 16) & 0xffff) + ((total / 4_294_967_296) | 0))
}

/** Adds one 32-bit word in network order. */
export function addWord(initial: number, word: number): number {
  const swapped = ((word & 0x00ff00ff) << 8) | ((word >>> 8) & 0x00ff00ff)
  return initial + (swapped >>> 16) + (swapped & 0xffff)
}

/** Brings a total of 16-bit words (below 2^32) down to 16 bits. */
export function fold(total: number): number {
  const once = (total & 0xffff) + (total >>> 16)
  return (once & 0xffff) + (once >>> 16)
}

/** What goes into the checksum field: the complement of the sum, in network order. */
export function finish(total: number): number {
  return swap(~fold(total) & 0xffff)
}

/** A partial checksum, as offload wants it in the field: the sum itself, in network order. */
export function partial(total: number): number {
  return swap(fold(total))
}

/** Whether a range, its checksum field included, adds up: RFC 1071 §1 (3). */
export function isRight(total: number): boolean {
  return fold(total) === 0xffff
}

/** RFC 1624 equation 3: the field after one of the 16-bit words that it covers has changed. All in network order. */
export function replaced(checksum: number, before: number, after: number): number {
  const total = (~checksum & 0xffff) + (~before & 0xffff) + after
  return ~fold(total) & 0xffff
}

function swap(half: number): number {
  return ((half & 0xff) << 8) | (half >>> 8)
}
