// How large segments may be: Eff.snd.MSS (RFC 9293 §3.7.1), from the peer's MSS option and the path's MTU: as ICMP has told of it (RFC 1191,
// RFC 8201), and as the loss of long packets and probes have (RFC 4821, RFC 8899; `PathSearch` decides).
// Looked up anew when the tables have changed. Called by tcp/output before it sends, by the handshake, at timeouts and at ACKs.
import { LONGEST_DATAGRAM } from '../../ip/output.ts'
import type { Route } from '../../ip/routes.ts'
import { Count } from '../../observer.ts'
import * as ipv4 from '../../wire/ipv4.ts'
import * as ipv6 from '../../wire/ipv6.ts'
import * as wire from '../../wire/tcp.ts'
import { TIMESTAMPS_LENGTH } from '../../wire/tcp-options.ts'
import { Cause } from '../cause.ts'
import { type ControlBlock, Mark, Option, Phase } from '../control-block.ts'
import { isSynchronized } from '../state.ts'
import { Sent } from './flight.ts'
import { isSuspicious, nextBase, PathSearch, UNCAPPED } from './path-search.ts'

/** RFC 9293 §3.7.1: MUST-15, what a peer takes that sends no MSS option. */
export const DEFAULT_MSS_IPV4 = 536
export const DEFAULT_MSS_IPV6 = 1220

/** The MSS option to send (MUST-14, SHLD-5, MAY-3, MUST-67): what fits the interface by which we are reached, headers of fixed size deducted; at most `limit`, unless that is 0. */
export function offeredMss(mtu: number, isIpv4: boolean, limit: number): number {
  const most = Math.min(mtu, LONGEST_DATAGRAM) - headersLength(isIpv4)
  return limit > 0 ? Math.min(most, limit) : most
}

/** Of IP and TCP, without options. */
function headersLength(isIpv4: boolean): number {
  return (isIpv4 ? ipv4.MINIMUM_LENGTH : ipv6.HEADER_LENGTH) + wire.MINIMUM_LENGTH
}

/** What a packet has beside its text: headers, and the options that every segment carries. */
function overhead(cb: ControlBlock): number {
  return headersLength(cb.remoteAddress.isIpv4) + (cb.has(Option.timestamps) ? TIMESTAMPS_LENGTH : 0)
}

/** The longest packets that the path is thought to take. */
export function pathMtuOf(cb: ControlBlock, route: Route, now: number): number {
  const told = cb.shared.pathMtu.get(cb.remoteAddress, route.interface.mtu, now)
  return cb.pathSearch === null ? told : Math.min(told, cb.pathSearch.cap)
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
  const { settings } = cb.shared
  const mtu = pathMtuOf(cb, cb.route, now)
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
      flight.markLost(row, Cause.pathMtu)
      cb.mark(Mark.forceRetransmission)
    }
  }
}

/** How many segments must follow a probe, so that their ACKs tell of its loss: RFC 4821 §7.4. */
const FOLLOWERS = 4

/**
 * RFC 4821 §7.7, RFC 8899 §4.3: the retransmission timer has expired, and what it is about may be swallowed for its length. Shorter
 * packets are tried. Differs: at the second timeout in a row and not at R1, sometimes at the first, since seconds pass until R1.
 */
export function suspectBlackHole(cb: ControlBlock, now: number): void {
  const { flight, shared } = cb
  cb.pathSearch?.onInconclusive(now)
  const row = flight.first
  if (!shared.settings.pathProbing || row < 0 || !isSynchronized(cb.state) || cb.sndWnd === 0) return
  const size = Math.min(flight.slab.mss[row], flight.length(row))
  const base = nextBase(Math.min(size, cb.mss) + overhead(cb), cb.remoteAddress.isIpv4)
  if (base === 0) return
  const isProven = cb.largestDelivered >= size
  const isLostTwice = flight.slab.transmissions[row] > 1 || cb.tailProbe?.isUnderWay === true
  if (!isSuspicious(base, cb.timeouts, isProven, isLostTwice)) return
  shared.counters.values[Count.tcpBlackHoles]++
  cb.pathSearch ??= new PathSearch()
  cb.pathSearch.fallBack(base, isProven, cb.recover, now)
  cb.largestDelivered = 0
  resize(cb, now)
}

/** Timeouts were needless: where they are those that it fell back for, the path takes what it took. `recover` is where they began. */
export function clearPath(cb: ControlBlock, recover: number, now: number): void {
  if (cb.pathSearch === null || cb.pathSearch.cap === UNCAPPED || cb.pathSearch.cause !== recover) return
  cb.pathSearch.lift()
  resize(cb, now)
}

/** An ACK has come on a path that is or was suspected. `acked` octets are acknowledged by it. */
export function followPath(cb: ControlBlock, acked: number, now: number): void {
  const { pathSearch: search, route, shared, congestion } = cb
  if (search === null || search.cap === UNCAPPED || route === null) return
  if (acked > 0 && search.onArrived() && cb.largestDelivered <= cb.mss) {
    // Nothing long has ever arrived, and short ones do: the timeouts were no sign of congestion.
    congestion?.onUndone(now)
  }
  if (cb.largestDelivered <= cb.mss) return
  if (search.isUnderWay) shared.counters.values[Count.tcpPathProbesArrived]++
  search.onLongArrived(cb.largestDelivered + overhead(cb), searchLimit(cb, route, now), now)
  resize(cb, now)
}

/** Nothing new leaves until there is room for a probe. */
export const HOLD = -1

/**
 * How much text a probe of the path carries, where one may go now; `HOLD` where it may as soon as there is room; 0 else. `available` octets
 * are unsent, `room` may leave now. RFC 4821 §7.4: others must be able to follow it, so that its loss is seen.
 */
export function pathProbeSize(cb: ControlBlock, available: number, room: number, now: number): number {
  const { pathSearch: search, flight, route, congestion } = cb
  if (search === null || search.cap === UNCAPPED || search.isUnderWay || route === null || congestion === null) return 0
  if (cb.phase !== Phase.open || flight.lost > 0 || cb.duplicateAcks > 0 || cb.is(Mark.urgentSent)) return 0
  const followers = FOLLOWERS * cb.mss
  const most = Math.min(available, congestion.cwnd, cb.sndWnd) - followers
  if (most <= cb.mss) return 0
  const size = search.probeLength(searchLimit(cb, route, now), now) - overhead(cb)
  if (size <= cb.mss || size > most) return 0
  if (size <= room) return size
  // What is in flight is acknowledged soon.
  return flight.octets >= followers ? HOLD : 0
}

/** The probe has gone out, as the last of what was sent. */
export function onPathProbe(cb: ControlBlock, size: number): void {
  cb.shared.counters.values[Count.tcpPathProbes]++
  cb.pathSearch?.onProbe((cb.sndNxt - size) | 0, cb.sndNxt, size + overhead(cb))
}

/** What is searched for is no longer than what the link, routers and the peer take. */
function searchLimit(cb: ControlBlock, route: Route, now: number): number {
  const { isIpv4 } = cb.remoteAddress
  const told = Math.min(cb.shared.pathMtu.get(cb.remoteAddress, route.interface.mtu, now), LONGEST_DATAGRAM)
  const most = cb.mssLimit > 0 ? Math.min(cb.peerMss, cb.mssLimit) : cb.peerMss
  return Math.min(told, most + headersLength(isIpv4))
}
