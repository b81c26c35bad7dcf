// Answers that belong to no living connection, composed at once into the interface's replies: resets, SYN-ACKs of half-open requests,
// acknowledgments for TIME-WAIT, and the reset of a connection that is being given up (RFC 9293 §3.10.7.1).

import type { Address } from '../ip/address.ts'
import { NO_ROOM } from '../ip/output.ts'
import type { Route } from '../ip/routes.ts'
import { Count, Drop } from '../observer.ts'
import { Protocol } from '../wire/ipv4.ts'
import * as wire from '../wire/tcp.ts'
import * as wireOptions from '../wire/tcp-options.ts'
import type { Segment } from './segment.ts'
import type { Shared } from './shared.ts'

const { Flag } = wire

/** A segment without text. TSval 0 where `hasTimestamps` is false. */
export function reply(
  shared: Shared,
  local: Address,
  localPort: number,
  remote: Address,
  remotePort: number,
  sequence: number,
  acknowledgment: number,
  flags: number,
  window: number,
  hasTimestamps: boolean,
  tsVal: number,
  tsEcr: number,
): boolean {
  const optionsLength = hasTimestamps ? wireOptions.TIMESTAMPS_LENGTH : 0
  const at = begin(shared, local, remote, wire.MINIMUM_LENGTH + optionsLength)
  if (at < 0) return false
  const { view } = shared.output.octets
  const headerLength = wire.MINIMUM_LENGTH + optionsLength
  wire.write(view, at, localPort, remotePort, sequence, acknowledgment, headerLength, flags, window, 0)
  const { sackStart, sackEnd } = shared
  wireOptions.write(view, at + wire.OPTIONS_AT, hasTimestamps, tsVal, tsEcr, 0, sackStart, sackEnd)
  send(shared)
  if (flags & Flag.rst) shared.counters.values[Count.tcpResetsSent]++
  return true
}

/** Where a segment of `length` octets may be written; -1 where none can be sent, which is counted. */
export function begin(shared: Shared, local: Address, remote: Address, length: number): number {
  const route: Route | null = shared.interfaces.route(remote)
  if (route === null) {
    shared.observer.drop(Drop.outputNoRoute, null, 0)
    return -1
  }
  const at = shared.output.composeSegment(route.interface.replies, route, local, remote, length)
  if (at === NO_ROOM) shared.observer.drop(Drop.repliesFull, null, 0)
  else shared.output.header.hopLimit = shared.settings.hopLimit
  return at
}

export function send(shared: Shared): void {
  // MUST-2.
  shared.output.writeChecksum(Protocol.tcp, wire.CHECKSUM_AT)
  shared.output.send(Protocol.tcp)
  shared.counters.values[Count.tcpSent]++
}

/** RFC 9293 §3.5.2, group 1 and 2: a segment that nobody expects is answered with a reset that its sender will believe; a reset never is. */
export function resetInAnswer(shared: Shared, segment: Segment): void {
  if (segment.hasRst) return
  const { packet, sourcePort, destinationPort } = segment
  const { source, destination } = packet
  const sequence = segment.hasAck ? segment.ack : 0
  const acknowledgment = segment.hasAck ? 0 : segment.end
  const flags = segment.hasAck ? Flag.rst : Flag.rst | Flag.ack
  reply(shared, destination, destinationPort, source, sourcePort, sequence, acknowledgment, flags, 0, false, 0, 0)
}
