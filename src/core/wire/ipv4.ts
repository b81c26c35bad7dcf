// The IPv4 header (RFC 791 §3.1): octets at an offset <-> numbers. Called by ip/input, ip/output, ip/fragments and ip/icmp.
import { finish, isRight, sum } from './checksum.ts'

export const MINIMUM_LENGTH = 20

export const Protocol = { icmp: 1, igmp: 2, tcp: 6, udp: 17, icmpv6: 58, noNext: 59 } as const

export const DONT_FRAGMENT = 0x4000
export const MORE_FRAGMENTS = 0x2000
const OFFSET_MASK = 0x1fff

export function version(view: DataView, at: number): number {
  return view.getUint8(at) >>> 4
}

export function headerLength(view: DataView, at: number): number {
  return (view.getUint8(at) & 15) << 2
}

/** DSCP and ECN. */
export function trafficClass(view: DataView, at: number): number {
  return view.getUint8(at + 1)
}

export function totalLength(view: DataView, at: number): number {
  return view.getUint16(at + 2)
}

export function identification(view: DataView, at: number): number {
  return view.getUint16(at + 4)
}

export function dontFragment(view: DataView, at: number): boolean {
  return (view.getUint16(at + 6) & DONT_FRAGMENT) !== 0
}

export function moreFragments(view: DataView, at: number): boolean {
  return (view.getUint16(at + 6) & MORE_FRAGMENTS) !== 0
}

/** In octets. */
export function fragmentOffset(view: DataView, at: number): number {
  return (view.getUint16(at + 6) & OFFSET_MASK) << 3
}

export function isFragment(view: DataView, at: number): boolean {
  return (view.getUint16(at + 6) & (OFFSET_MASK | MORE_FRAGMENTS)) !== 0
}

export function hopLimit(view: DataView, at: number): number {
  return view.getUint8(at + 8)
}

export function protocol(view: DataView, at: number): number {
  return view.getUint8(at + 9)
}

export function source(view: DataView, at: number): number {
  return view.getInt32(at + 12)
}

export function destination(view: DataView, at: number): number {
  return view.getInt32(at + 16)
}

export function checksumIsRight(view: DataView, at: number): boolean {
  return isRight(sum(view, at, headerLength(view, at)))
}

/** A header without options. `fragment` is the 16 bits of flags and offset. */
export function write(
  view: DataView,
  at: number,
  total: number,
  trafficClass: number,
  identification: number,
  fragment: number,
  hopLimit: number,
  protocol: number,
  source: number,
  destination: number,
): void {
  view.setUint8(at, 0x45)
  view.setUint8(at + 1, trafficClass)
  view.setUint16(at + 2, total)
  view.setUint16(at + 4, identification)
  view.setUint16(at + 6, fragment)
  view.setUint8(at + 8, hopLimit)
  view.setUint8(at + 9, protocol)
  view.setInt32(at + 12, source)
  view.setInt32(at + 16, destination)
  writeChecksum(view, at)
}

export function writeChecksum(view: DataView, at: number): void {
  view.setUint16(at + 10, 0)
  view.setUint16(at + 10, finish(sum(view, at, headerLength(view, at))))
}

/** Option kinds that the stack looks at: RFC 791 §3.1, RFC 1122 §3.2.1.8. */
export const Option = { end: 0, noOperation: 1, looseSourceRoute: 131, strictSourceRoute: 137 } as const

const COPIED = 0x80

/** RFC 791 §3.1: an option without the copied flag stands in the first fragment alone. The options are known to be sound. */
export function blankUncopiedOptions(view: DataView, at: number): void {
  const end = at + headerLength(view, at)
  let option = at + MINIMUM_LENGTH
  while (option < end) {
    const kind = view.getUint8(option)
    if (kind === Option.end) return
    const length = kind === Option.noOperation ? 1 : view.getUint8(option + 1)
    if ((kind & COPIED) === 0) {
      for (let octet = option; octet < option + length; octet++) view.setUint8(octet, Option.noOperation)
    }
    option += length
  }
}

/** What walking the options found. */
export const Options = { fine: 0, malformed: 1, sourceRoute: 2 } as const

export function inspectOptions(view: DataView, at: number, headerLength: number): number {
  const end = at + headerLength
  let option = at + MINIMUM_LENGTH
  while (option < end) {
    const kind = view.getUint8(option)
    if (kind === Option.end) return Options.fine
    if (kind === Option.noOperation) {
      option++
      continue
    }
    if (kind === Option.looseSourceRoute || kind === Option.strictSourceRoute) return Options.sourceRoute
    if (option + 1 >= end) return Options.malformed
    const length = view.getUint8(option + 1)
    if (length < 2 || option + length > end) return Options.malformed
    option += length
  }
  return Options.fine
}
