// The SYN-ACK of a half-open request, from its record or from a cookie: composed at once into the interface's replies.
// Called by opening/listen.
import type { Address } from '../../ip/address.ts'
import * as wire from '../../wire/tcp.ts'
import * as wireOptions from '../../wire/tcp-options.ts'
import { Option } from '../control-block.ts'
import { begin, reply, send } from '../reply.ts'
import { offeredMss } from '../sender/path-mtu.ts'
import type { Shared } from '../shared.ts'
import type { HalfOpen } from './half-open.ts'

const { Flag } = wire
/** A SYN's window is never scaled: RFC 7323 §2.2. */
const LARGEST_SYN_WINDOW = 65_535

export function offeredSynWindow(shared: Shared): number {
  return Math.min(shared.settings.receiveBufferInitial, LARGEST_SYN_WINDOW)
}

export function sendSynAck(
  shared: Shared,
  local: Address,
  localPort: number,
  remote: Address,
  remotePort: number,
  sequence: number,
  acknowledgment: number,
  options: number,
  scale: number,
  tsVal: number,
  tsEcr: number,
  mssLimit: number,
): void {
  const hasTimestamps = (options & Option.timestamps) !== 0
  const hasSack = (options & Option.selectiveAcks) !== 0
  const shift = options & Option.windowScaling ? scale : wireOptions.ABSENT
  const route = shared.interfaces.route(remote)
  const length = wire.MINIMUM_LENGTH + wireOptions.synLength(shift, hasSack, hasTimestamps)
  const at = begin(shared, local, remote, length)
  if (at < 0 || route === null) return
  const { view } = shared.output.octets
  const window = offeredSynWindow(shared)
  const flags = Flag.syn | Flag.ack | (options & Option.ecn ? Flag.ece : 0)
  wire.write(view, at, localPort, remotePort, sequence, acknowledgment, length, flags, window, 0)
  const mss = offeredMss(route.interface.mtu, remote.isIpv4, mssLimit)
  wireOptions.writeSyn(view, at + wire.OPTIONS_AT, mss, shift, hasSack, hasTimestamps, tsVal, tsEcr)
  send(shared)
}

/** Where a request stands, told to whoever sends what does not fit it. */
export function acknowledgeHalfOpen(
  shared: Shared,
  records: HalfOpen,
  row: number,
  local: Address,
  remote: Address,
  now: number,
): void {
  const hasTimestamps = (records.options[row] & Option.timestamps) !== 0
  const shift = records.options[row] & Option.windowScaling ? records.rcvShift[row] : 0
  reply(
    shared,
    local,
    records.localPort(row),
    remote,
    records.remotePort(row),
    (records.iss[row] + 1) | 0,
    (records.irs[row] + 1) | 0,
    Flag.ack,
    offeredSynWindow(shared) >>> shift,
    hasTimestamps,
    ((Math.floor(now) | 0) + records.tsOffset[row]) | 0,
    records.tsRecent[row],
  )
}
