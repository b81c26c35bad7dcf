// The chain of IPv6 extension headers (RFC 8200 §4): walked in order, with a cap on their number and length.
// Called by ip/input, which acts on what was found. Nothing is kept but the result, which is borrowed.
import { Extension } from '../wire/ipv6.ts'

/** RFC 8504 §5.3 lets a host limit the chain; Linux allows 8 extension headers by default. */
const MOST_HEADERS = 8
/** A chain longer than this is refused: it must also fit where filters can see it (RFC 7112). */
const LONGEST_CHAIN = 1232

/** What the walk ended with. */
export const Chain = {
  /** `protocol` is the upper layer's, at `offset`. */
  upper: 0,
  /** A fragment header stands at `offset`. */
  fragment: 1,
  /** Nothing follows: RFC 8200 §4.7. */
  nothing: 2,
  truncated: 3,
  tooMany: 4,
  /** To be refused with parameter problem `code`, pointing at `pointer` octets from the packet's beginning. */
  problem: 5,
  /** To be dropped in silence. */
  discard: 6,
} as const

export class ExtensionHeaders {
  result: number = Chain.upper
  protocol = 0
  offset = 0
  /** Where the next-header field that named `protocol` stands. */
  namedAt = 0
  code = 0
  pointer = 0
  isRoutingProblem = false

  /** Walks from the header at `at`, of the kind `next` that the field at `namedAt` names, to `end`. */
  walk(
    view: DataView,
    start: number,
    at: number,
    end: number,
    next: number,
    namedAt: number,
    toGroup: boolean,
  ): number {
    this.protocol = next
    this.offset = at
    this.namedAt = namedAt
    this.isRoutingProblem = false
    for (let count = 0; ; count++) {
      const kind = this.protocol
      if (kind === Extension.noNext) return (this.result = Chain.nothing)
      if (kind === Extension.fragment) {
        return (this.result = this.offset + 8 > end ? Chain.truncated : Chain.fragment)
      }
      if (kind !== Extension.hopByHop && kind !== Extension.routing && kind !== Extension.destinationOptions) {
        return (this.result = Chain.upper)
      }
      // RFC 8200 §4.1: hop-by-hop options stand only directly after the IPv6 header.
      if (kind === Extension.hopByHop && this.namedAt !== start + 6) return this.#problem(1, this.namedAt - start)
      if (count === MOST_HEADERS) return (this.result = Chain.tooMany)
      const { offset } = this
      if (offset + 8 > end) return (this.result = Chain.truncated)
      const length = (view.getUint8(offset + 1) + 1) * 8
      if (offset + length > end) return (this.result = Chain.truncated)
      if (offset + length - at > LONGEST_CHAIN) return (this.result = Chain.tooMany)
      const result =
        kind === Extension.routing ? this.#routing(view, start) : this.#options(view, start, length, toGroup)
      if (result !== Chain.upper) return result
      this.protocol = view.getUint8(offset)
      this.namedAt = offset
      this.offset = offset + length
    }
  }

  /** RFC 8200 §4.4, RFC 5095 §3: whatever the type, one with segments left is refused; we route for nobody this way. */
  #routing(view: DataView, start: number): number {
    if (view.getUint8(this.offset + 3) === 0) return (this.result = Chain.upper)
    this.isRoutingProblem = true
    return this.#problem(0, this.offset + 2 - start)
  }

  /** RFC 8200 §4.2: the two upper bits of an unknown option's type say what is to be done. */
  #options(view: DataView, start: number, length: number, toGroup: boolean): number {
    const end = this.offset + length
    let at = this.offset + 2
    while (at < end) {
      const kind = view.getUint8(at)
      if (kind === 0) {
        at++
        continue
      }
      if (at + 2 > end || at + 2 + view.getUint8(at + 1) > end) return this.#problem(0, at + 1 - start)
      if (!isKnown(kind)) {
        const action = kind >>> 6
        if (action === 1) return (this.result = Chain.discard)
        if (action === 2 || (action === 3 && !toGroup)) return this.#problem(2, at - start)
        if (action === 3) return (this.result = Chain.discard)
      }
      at += 2 + view.getUint8(at + 1)
    }
    return (this.result = Chain.upper)
  }

  #problem(code: number, pointer: number): number {
    this.code = code
    this.pointer = pointer
    return (this.result = Chain.problem)
  }
}

/** PadN and router alert (RFC 2711), which asks nothing of a host. */
function isKnown(kind: number): boolean {
  return kind === 1 || kind === 5
}
