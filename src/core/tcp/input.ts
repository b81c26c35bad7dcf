// From a packet to the arriving segment: what is no TCP, or not whole, is dropped here (RFC 9293 §3.1, §3.10.7).
// Called by tcp/tcp for each packet. Packet and segment are borrowed.
import type { Packet } from '../ip/packet.ts'
import { Drop, type DropReason } from '../observer.ts'
import * as wire from '../wire/tcp.ts'
import type { Segment } from './segment.ts'

/** The segment was decoded. */
export const FINE = -1

/** Fills the segment from the packet; FINE, or why it is dropped. */
export function decode(segment: Segment, packet: Packet): DropReason | typeof FINE {
  const { view, offset, length } = packet
  if (length < wire.MINIMUM_LENGTH) return Drop.tcpTruncated
  const headerLength = wire.headerLength(view, offset)
  if (headerLength < wire.MINIMUM_LENGTH || headerLength > length) return Drop.tcpBadOffset
  // MUST-50: IP's own options lie before the offset, and are nobody's here. RFC 9293 §3.1: MUST-3, the receiver checks the checksum.
  if (!packet.transportIsRight) return Drop.tcpBadChecksum
  segment.sourcePort = wire.sourcePort(view, offset)
  segment.destinationPort = wire.destinationPort(view, offset)
  if (segment.sourcePort === 0 || segment.destinationPort === 0) return Drop.tcpZeroPort
  // RFC 9293 §3.9.2.3: MUST-57, a segment for a group or a broadcast address is silently dropped; MUST-63, so is one from there.
  if (packet.isToGroup || packet.source.isMulticast || packet.source.isLimitedBroadcast) return Drop.tcpToGroup
  segment.packet = packet
  segment.seq = wire.sequence(view, offset)
  segment.flags = wire.flags(view, offset)
  segment.ack = segment.flags & wire.Flag.ack ? wire.acknowledgment(view, offset) : 0
  segment.wnd = wire.window(view, offset)
  segment.up = segment.flags & wire.Flag.urg ? wire.urgentPointer(view, offset) : 0
  segment.text = offset + headerLength
  segment.textLength = length - headerLength
  segment.segmentSize = packet.segmentSize
  segment.segments = packet.segmentSize > 0 ? Math.max(1, Math.ceil(segment.textLength / packet.segmentSize)) : 1
  if (headerLength > wire.MINIMUM_LENGTH) {
    segment.options.parse(view, offset + wire.OPTIONS_AT, headerLength - wire.MINIMUM_LENGTH)
  } else segment.options.clear()
  return FINE
}
