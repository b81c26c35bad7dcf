// 64 segments of 1,448 octets at a time, as a turn brings them: text in and out of order, text sent, acknowledgments.
// Each call takes them from the packets to the buffers and back, checksums included. What is timed is one end alone.
import { hearing, receiving, SEGMENTS, type SegmentCall, sending } from '../support/segments.ts'
import type { Measured, Suite } from './suite.ts'

function all(prepare: () => SegmentCall): Measured {
  return { prepare: () => prepare().call, handles: () => ({ segments: SEGMENTS }) }
}

const rows = [...Array(SEGMENTS).keys()]
const withOneGap = [...rows.slice(1), 0]
const withManyGaps = [...rows.filter((row) => row % 2 === 1), ...rows.filter((row) => row % 2 === 0)]

export const segments: Suite = {
  'text in order, read and acknowledged': all(() => receiving()),
  'text out of order: the first segment comes last': all(() => receiving(withOneGap)),
  'text out of order: every second segment comes later': all(() => receiving(withManyGaps)),
  'text sent, one ACK for all': all(() => sending(1)),
  'text sent, one ACK for each': all(() => sending(SEGMENTS)),
  'ACKs without news, empty scoreboard': all(() => hearing(0)),
  'ACKs with three known blocks, 64 segments in flight, every second one SACKed': all(() => hearing(64)),
  'ACKs with three known blocks, 1,000 segments in flight, every second one SACKed': all(() => hearing(1_000)),
}
