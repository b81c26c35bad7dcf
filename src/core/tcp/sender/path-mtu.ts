// How large segments may be: Eff.snd.MSS (RFC 9293 §3.7.1), from the peer's MSS option and the path's MTU (RFC 1191, RFC 8201).
// Looked up anew when the tables have changed. Called by tcp/output before it sends, and by the handshake.
import { LONGEST_DATAGRAM } from '../../ip/output.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import * as wire from '../../wire/tcp.ts'
import { TIMESTAMPS_LENGTH } from '../../wire/tcp-options.ts'
import { type ControlBlock, Mark, Option } from '../control-block.ts'
import { isSynchronized } from '../state.ts'
import { Sent } from './flight.ts'

/** RFC 9293 §3.7.1: MUST-15, what a peer takes that sends no MSS option. */
export const DEFAULT_MSS_IPV4 = 536
export const DEFAULT_MSS_IPV6 = 1220

/** The MSS option to send (MUST-14, SHLD-5, MAY-3, MUST-67): what fits the interface by which we are reached, headers of fixed size deducted; at most `limit`, unless that is 0. */
export function offeredMss(mtu: number, isIpv4: boolean, limit: number): number {
  const headers = (isIpv4 ? ipv4.MINIMUM_LENGTH : ipv6.HEADER_LENGTH) + wire.MINIMUM_LENGTH
  const most = Math.min(mtu, LONGEST_DATAGRAM) - headers
  return limit > 0 ? Math.min(most, limit) : most
}

/** Finds the route and the segments' size again where they may have changed; false where no route leads to the peer. */
export function refreshPath(cb: ControlBlock, now: number): boolean {
  const { interfaces, routes, pathMtu } = cb.shared
  if (cb.route === null || cb.routeGeneration !== routes.generation) {
    cb.route = interfaces.route(cb.remoteAddress)
    cb.routeGeneration = routes.generation
    cb.pathGeneration = -1
  }
  if (cb.route === null) return false
  if (cb.pathGeneration !== pathMtu.generation) {
    cb.pathGeneration = pathMtu.generation
    resize(cb, now)
  }
  return true
}

/** MUST-16: the smaller of what the peer takes and what the path takes, less the options that every segment carries. */
export function resize(cb: ControlBlock, now: number): void {
  if (cb.route === null) return
  const { pathMtu, settings } = cb.shared
  const mtu = pathMtu.get(cb.remoteAddress, cb.route.interface.mtu, now)
  const whole = Math.max(
    Math.min(cb.peerMss, offeredMss(mtu, cb.remoteAddress.isIpv4, cb.mssLimit)),
    settings.minimumMss,
  )
  const mss = whole - (cb.has(Option.timestamps) ? TIMESTAMPS_LENGTH : 0)
  if (mss === cb.mss) return
  const isSmaller = mss < cb.mss
  cb.mss = mss
  cb.congestion?.onMss(mss)
  if (isSmaller && isSynchronized(cb.state)) resendOversized(cb)
}

/** What was sent too large for the path goes again at once in the new size: it was not congestion, so cwnd stays. */
function resendOversized(cb: ControlBlock): void {
  const { flight, mss } = cb
  const { slab } = flight
  for (let row = flight.first; row >= 0; row = slab.next[row]) {
    const isTooLarge = Math.min(slab.mss[row], flight.length(row)) > mss
    if (isTooLarge && !flight.has(row, Sent.sacked | Sent.lost)) {
      flight.markLost(row)
      cb.mark(Mark.forceRetransmission)
    }
  }
}
