// The packet that is arriving: one a stack, filled by ip/input, read by the layers above. Borrowed: valid until the call returns.
// Its octets lie in the batch's arena, or in a reassembled datagram's own.
import { type Arena, Checksum, type Octets, type PacketBatch, type Parts } from '../batch.ts'
import { addWord, fold, isRight, sum } from '../wire/checksum.ts'
import { Address } from './address.ts'
import type { Interface } from './interface.ts'

const NO_OCTETS = 0

export class Packet implements Octets {
  bytes = new Uint8Array(NO_OCTETS)
  view = new DataView(this.bytes.buffer)
  /** The slot it came in, for notes and for forwarding. A reassembled datagram has that of its last fragment. */
  batch: PacketBatch | null = null
  row = 0
  /** The IP header, in `bytes`. */
  start = 0
  /** The first octet after the IP header and its extensions: the transport's header. */
  offset = 0
  /** From `offset` to the datagram's end. */
  length = 0
  isIpv4 = true
  protocol = 0
  readonly source = new Address()
  readonly destination = new Address()
  interface: Interface | null = null
  /** DSCP in the upper six bits, ECN in the lower two. */
  trafficClass = 0
  hopLimit = 0
  /** The destination is a group or a broadcast address. */
  isToGroup = false
  /** Where the datagram was put together from fragments: the first one, from its IP header on. */
  firstFragment: Octets | null = null
  firstFragmentLength = 0
  /** A value of `Checksum`. */
  checksum: number = Checksum.complete
  /** Payload of each segment that the link has merged; 0 where it is an ordinary packet. */
  segmentSize = 0

  get parts(): Parts | null {
    return this.#isInBatch ? (this.batch as PacketBatch).parts : null
  }

  /** Where its octets may be kept as they lie; null where they must be copied. */
  get keepable(): Arena | null {
    return this.#isInBatch ? (this.batch as PacketBatch).keepable : null
  }

  get #isInBatch(): boolean {
    return this.batch !== null && this.batch.bytes === this.bytes
  }

  /** Whether the transport's checksum holds, or the link has vouched for it: RFC 768, RFC 9293 §3.1. */
  get transportIsRight(): boolean {
    if (this.checksum !== Checksum.complete) return true
    return isRight(sum(this.view, this.offset, this.length, fold(this.pseudoHeaderSum(this.length))))
  }

  pseudoHeaderSum(length: number): number {
    return pseudoHeaderSum(this.source, this.destination, this.protocol, length)
  }
}

/** RFC 9293 §3.1 and RFC 8200 §8.1: the sum (not folded) over addresses, protocol and length. */
export function pseudoHeaderSum(source: Address, destination: Address, protocol: number, length: number): number {
  let total = addWord(addWord(0, source.word3), destination.word3)
  if (!destination.isIpv4) {
    total = addWord(addWord(addWord(total, source.word0), source.word1), source.word2)
    total = addWord(addWord(addWord(total, destination.word0), destination.word1), destination.word2)
  }
  return addWord(addWord(total, length), protocol)
}
