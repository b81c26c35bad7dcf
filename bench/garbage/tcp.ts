// TCP's garbage on the way of bulk data: octets of heap for each segment, beside the slab that its text lies in.
import { NO_OFFLOAD, type Offload } from '../../src/core/environment.ts'
import { hearing, receiving, type SegmentCall, sending } from '../support/segments.ts'
import { Transfer, WHOLE } from '../support/transfer.ts'
import { SEGMENT } from '../support/two-stacks.ts'
import type { GarbageCall, GarbageClaim } from './claim.ts'

const BAR = 64
/** Of a transfer. */
const SEGMENTS = 10_000

function claim(name: string, prepare: () => SegmentCall): GarbageClaim {
  return { name, below: BAR, prepare: () => asPackets(prepare()) }
}

function asPackets({ segments, call, handled }: SegmentCall): GarbageCall {
  return { packets: segments, call, handled }
}

/** Both ends, with their drivers, endpoints and the link between them; ACKs are not counted as segments. */
function transfer(name: string, offload?: Offload): GarbageClaim {
  return {
    name,
    below: 2 * BAR,
    prepare() {
      const transferred = new Transfer(offload)
      let calls = 0
      return {
        packets: SEGMENTS,
        call() {
          transferred.run(SEGMENTS * SEGMENT)
          calls++
        },
        handled: () => calls * SEGMENTS - transferred.retransmitted,
      }
    },
  }
}

export const tcp: GarbageClaim[] = [
  claim('TCP: a segment received in order, read, and acknowledged with 63 others', () => receiving()),
  claim('TCP: a segment sent, and acknowledged with 63 others', () => sending(1)),
  claim('TCP: a segment sent, and the ACK of it received', () => sending(64)),
  claim('TCP: an ACK received that tells nothing new', () => hearing(0)),
  transfer('TCP: a segment of a whole transfer in segments of 1,448 octets, both ends', NO_OFFLOAD),
  transfer('TCP: 1,448 octets of a whole transfer in super-segments, both ends', WHOLE),
]
