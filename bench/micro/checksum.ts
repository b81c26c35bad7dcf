// The Internet checksum over an ordinary segment and over a super-segment.
import { finish, sum } from '../../src/core/wire/checksum.ts'
import type { Suite } from './suite.ts'

function over(octets: number): () => () => number {
  return () => {
    const view = new DataView(new ArrayBuffer(octets))
    for (let at = 0; at < octets; at++) view.setUint8(at, at * 31)
    return () => finish(sum(view, 0, octets))
  }
}

export const checksum: Suite = {
  '20 octets': over(20),
  '1460 octets': over(1_460),
  '65,000 octets': over(65_000),
}
