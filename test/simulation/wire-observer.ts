// Stands beside every simulated link and checks what no end of a TCP connection can deny, packet by packet, from what an end has sent
// and what has reached it: nothing beyond the peer's offered edge, no edge withdrawn, the same sequence number always the same
// octet, a FIN's place fixed, no acknowledgment of what did not arrive, no emission beyond cwnd. It reads packets with code of its own.
import type { PacketBatch } from '../../src/core/batch.ts'
import { parseAddress } from '../../src/core/ip/address.ts'
import type { Connection } from '../../src/core/tcp/connection.ts'
import { inFlight, sendWindow } from '../../src/core/tcp/sender/recovery.ts'
import type { Host } from '../../src/simulate/host.ts'

export const FIN = 1
export const SYN = 2
export const RST = 4
export const ACK = 16

export interface SegmentOnWire {
  key: string
  /** The same flow, the other way. */
  reverse: string
  from: string
  sourcePort: number
  to: string
  destinationPort: number
  seq: number
  ack: number
  flags: number
  window: number
  text: Uint8Array
  scale: number
  sacks: [number, number][]
}

/** IPv4 and IPv6 without extensions, TCP; null for anything else. */
export function readSegment(bytes: Uint8Array, at: number, length: number): SegmentOnWire | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, length)
  const isIpv4 = view.getUint8(0) >>> 4 === 4
  if (view.getUint8(isIpv4 ? 9 : 6) !== 6) return null
  const transport = isIpv4 ? (view.getUint8(0) & 15) * 4 : 40
  const address = (place: number, octets: number) => {
    let text = ''
    for (let octet = 0; octet < octets; octet++)
      text += view
        .getUint8(place + octet)
        .toString(16)
        .padStart(2, '0')
    return text
  }
  const from = isIpv4 ? address(12, 4) : address(8, 16)
  const to = isIpv4 ? address(16, 4) : address(24, 16)
  const sourcePort = view.getUint16(transport)
  const destinationPort = view.getUint16(transport + 2)
  const header = (view.getUint8(transport + 12) >>> 4) * 4
  const flags = view.getUint8(transport + 13)
  let scale = -1
  const sacks: [number, number][] = []
  for (let option = transport + 20; option < transport + header; ) {
    const kind = view.getUint8(option)
    if (kind === 0) break
    if (kind === 1) {
      option++
      continue
    }
    const size = view.getUint8(option + 1)
    if (kind === 3) scale = view.getUint8(option + 2)
    if (kind === 5) {
      for (let block = 2; block < size; block += 8) {
        sacks.push([view.getInt32(option + block), view.getInt32(option + block + 4)])
      }
    }
    option += Math.max(size, 1)
  }
  return {
    key: `${from}:${sourcePort}>${to}:${destinationPort}`,
    reverse: `${to}:${destinationPort}>${from}:${sourcePort}`,
    from,
    sourcePort,
    to,
    destinationPort,
    seq: view.getInt32(transport + 4),
    ack: view.getInt32(transport + 8),
    flags,
    window: view.getUint16(transport + 14),
    text: bytes.subarray(at + transport + header, at + length),
    scale,
    sacks,
  }
}

/** What one end of a flow has said and heard. All numbers count from the ISNs, as far as they go. */
class Side {
  iss: number | null = null
  irs: number | null = null
  /** Our scale and the peer's, as the SYNs say; -1 until then. */
  scale = -1
  peerScale = -1
  hasPeerSyn = false
  /** The highest edge that has reached this end, and that this end has offered. */
  heardEdge = 0
  offeredEdge = Number.NEGATIVE_INFINITY
  highestSent = 0
  finAt: number | null = null
  /** What has arrived, as ranges in order, from the peer's ISN on. */
  arrived: [number, number][] = []
  acked = 0
}

export type Pattern = (from: string, port: number, offset: number) => number

export class WireObserver {
  readonly faults: string[] = []
  segments = 0
  retransmissions = 0
  windowProbes = 0
  octets = 0
  readonly #sides = new Map<string, Side>()
  readonly #now: () => number
  /** What says which octet belongs at an offset of the flow's stream. */
  readonly #expected: (key: string) => ((offset: number) => number) | null

  constructor(now: () => number, expected: (key: string) => ((offset: number) => number) | null) {
    this.#now = now
    this.#expected = expected
  }

  /** Watches what a host's links carry. */
  watch(host: Host): void {
    for (const { tapped } of host.ports) {
      const transmit = tapped.transmit.bind(tapped)
      const receive = tapped.receive.bind(tapped)
      let seen = 0
      tapped.transmit = (batch: PacketBatch) => {
        for (let row = Math.max(seen, batch.first); row < batch.end; row++) this.#onSent(host, batch, row)
        transmit(batch)
        seen = batch.count === 0 ? 0 : batch.end
      }
      tapped.receive = (batch: PacketBatch) => {
        receive(batch)
        for (let row = batch.first; row < batch.end; row++) this.#onReceived(batch, row)
      }
    }
  }

  #side(key: string): Side {
    let side = this.#sides.get(key)
    if (side === undefined) {
      side = new Side()
      this.#sides.set(key, side)
    }
    return side
  }

  #fault(segment: SegmentOnWire, text: string): void {
    if (this.faults.length < 20) this.faults.push(`${this.#now().toFixed(1)} ms ${segment.key}: ${text}`)
  }

  #onReceived(batch: PacketBatch, row: number): void {
    if (!isWhole(batch, row)) return
    const segment = readSegment(batch.bytes, batch.offset[row], batch.length[row])
    if (segment === null) return
    const side = this.#side(segment.reverse)
    const { flags, seq, text } = segment
    if (flags & RST) return
    if (flags & SYN) {
      side.hasPeerSyn = true
      side.irs = seq
      side.peerScale = segment.scale
    }
    if (side.irs === null) return
    const start = (seq - side.irs) | 0
    const length = text.length + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0)
    if (length > 0) addRange(side.arrived, start, start + length)
    if (flags & ACK && side.iss !== null) {
      const scale = flags & SYN || side.scale < 0 || side.peerScale < 0 ? 0 : side.peerScale
      side.heardEdge = Math.max(side.heardEdge, ((segment.ack - side.iss) | 0) + (segment.window << scale))
    }
  }

  #onSent(host: Host, batch: PacketBatch, row: number): void {
    const segment = readSegment(batch.bytes, batch.offset[row], batch.length[row])
    if (segment === null) return
    this.segments++
    const side = this.#side(segment.key)
    const { flags, seq, text } = segment
    if (flags & RST) return
    if (flags & SYN) {
      if (side.iss !== null && side.iss !== seq) this.#sides.set(segment.key, new Side())
      const fresh = this.#side(segment.key)
      if (fresh !== side) {
        // A request that was forgotten and came again: what has arrived of it has arrived.
        fresh.irs = side.irs
        fresh.peerScale = side.peerScale
        fresh.arrived = side.arrived
      }
      fresh.iss = seq
      fresh.scale = segment.scale
    }
    const current = this.#side(segment.key)
    if (current.iss === null) return
    const start = (seq - current.iss) | 0
    const end = start + text.length + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0)
    this.#checkText(segment, current, start)
    this.#checkEdge(segment, current, start, end)
    if (flags & ACK) this.#checkAck(segment, current)
    if (end > start && start < current.highestSent) this.retransmissions++
    if (end > current.highestSent && text.length > 0) this.#checkWindow(host, segment)
    current.highestSent = Math.max(current.highestSent, end)
  }

  #checkText(segment: SegmentOnWire, side: Side, start: number): void {
    const { text, flags } = segment
    this.octets += text.length
    const expected = text.length > 0 ? this.#expected(segment.key) : null
    for (let octet = 0; expected !== null && octet < text.length; octet++) {
      const right = expected(start - 1 + octet)
      if (right !== text[octet]) {
        this.#fault(segment, `octet ${start - 1 + octet} is ${text[octet]} and not ${right}`)
        break
      }
    }
    if (flags & FIN) {
      const place = start + text.length
      if (side.finAt !== null && side.finAt !== place)
        this.#fault(segment, `FIN at ${place}, and before at ${side.finAt}`)
      side.finAt = place
    }
    if (side.finAt !== null && text.length > 0 && start + text.length > side.finAt) {
      this.#fault(segment, `text beyond the FIN at ${side.finAt}`)
    }
  }

  #checkEdge(segment: SegmentOnWire, side: Side, start: number, end: number): void {
    if (segment.flags & SYN || end === start || side.heardEdge === 0) return
    if (end <= side.heardEdge) return
    if (end - Math.max(start, side.heardEdge) === 1 && end - start === 1) this.windowProbes++
    else this.#fault(segment, `${start} to ${end} is beyond the edge at ${side.heardEdge}`)
  }

  #checkAck(segment: SegmentOnWire, side: Side): void {
    if (side.irs === null) return
    const ack = (segment.ack - side.irs) | 0
    const inOrder = side.arrived.length > 0 && side.arrived[0][0] <= 0 ? side.arrived[0][1] : 0
    if (ack > inOrder) this.#fault(segment, `acknowledges ${ack}, and has ${inOrder}`)
    if (ack < side.acked) this.#fault(segment, `acknowledges ${ack} after ${side.acked}`)
    side.acked = ack
    for (const [from, to] of segment.sacks) {
      const [first, last] = [(from - side.irs) | 0, (to - side.irs) | 0]
      if (!side.arrived.some(([start, end]) => start <= first && last <= end)) {
        this.#fault(segment, `SACK ${first} to ${last} did not arrive`)
      }
    }
    const scale = segment.flags & SYN || side.scale < 0 || side.peerScale < 0 ? 0 : side.scale
    const edge = ack + (segment.window << scale)
    // RFC 7323 §2.4: what the scale can't say may be rounded down.
    if (edge <= side.offeredEdge - (1 << scale) && edge < side.offeredEdge)
      this.#fault(segment, `withdraws its edge from ${side.offeredEdge} to ${edge}`)
    side.offeredEdge = Math.max(side.offeredEdge, edge)
  }

  /** New text: what is in flight with it is within cwnd. */
  #checkWindow(host: Host, segment: SegmentOnWire): void {
    const { connections } = host.stack.core.tcp.shared
    const local = addressOf(segment.from)
    const remote = addressOf(segment.to)
    const found = connections.find(local, segment.sourcePort, remote, segment.destinationPort) as Connection | null
    if (found === null || found.congestion === null) return
    // RFC 8985 §7.3: a tail loss probe goes whatever cwnd says, one segment of it.
    if (found.tailProbe?.isUnderWay === true && segment.text.length <= found.mss) return
    const cwnd = sendWindow(found)
    const pipe = inFlight(found)
    if (pipe > cwnd + found.mss) this.#fault(segment, `${pipe} octets in flight with a cwnd of ${cwnd}`)
  }
}

/** The transport checksum holds: what the impairments have corrupted has not arrived. */
function isWhole(batch: PacketBatch, row: number): boolean {
  // What the link vouches for.
  if (batch.checksum[row] !== 0) return true
  const { view } = batch
  const at = batch.offset[row]
  const length = batch.length[row]
  const isIpv4 = view.getUint8(at) >>> 4 === 4
  const header = isIpv4 ? (view.getUint8(at) & 15) * 4 : 40
  if (header > length || (isIpv4 ? view.getUint16(at + 2) : view.getUint16(at + 4) + 40) !== length) return false
  if (isIpv4 && sumOf(view, at, header, 0) !== 0xffff) return false
  const pseudo = sumOf(view, at + (isIpv4 ? 12 : 8), isIpv4 ? 8 : 32, 6 + length - header)
  return sumOf(view, at + header, length - header, pseudo) === 0xffff
}

function sumOf(view: DataView, at: number, length: number, initial: number): number {
  let sum = initial
  for (let octet = 0; octet < length; octet++) sum += view.getUint8(at + octet) << (octet & 1 ? 0 : 8)
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65_536)
  return sum
}

function addRange(ranges: [number, number][], start: number, end: number): void {
  let [first, last] = [start, end]
  let place = 0
  while (place < ranges.length && ranges[place][1] < first) place++
  while (place < ranges.length && ranges[place][0] <= last) {
    first = Math.min(first, ranges[place][0])
    last = Math.max(last, ranges[place][1])
    ranges.splice(place, 1)
  }
  ranges.splice(place, 0, [first, last])
}

function addressOf(hex: string) {
  const parts =
    hex.length === 8
      ? hex
          .match(/../g)
          ?.map((part) => Number.parseInt(part, 16))
          .join('.')
      : null
  const address = parseAddress(parts ?? (hex.match(/..../g)?.join(':') as string))
  if (address === null) throw new Error(hex)
  return address
}
