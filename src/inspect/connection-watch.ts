// One connection in full: its packets as they cross a stack's links, collected until somebody fetches them, and what TCP knows of it
// then. Bounded: one that carries more than anybody could look at is told of in part, and how much was left out is said.
import type { PacketBatch } from '../core/batch.ts'
import type { Connection } from '../core/tcp/connection.ts'
import { tcpInfo } from '../core/tcp/tcp-info.ts'
import type { PortableStack } from '../runtime/create-stack.ts'
import type { ConnectionFacts, SentEvent, TcpEvent } from '../runtime/events.ts'
import { type StateName, stateName } from '../runtime/state-name.ts'
import { type ChangeOfState, changeOf, reasonOf, type SentReason } from './event-words.ts'
import { connectionKey } from './overview.ts'
import { readSegment, type SegmentView } from './segment-view.ts'
import { type SenderSample, sampleOf } from './sender-sample.ts'

/** A link that lets its packets be looked at, as `WatchedLink` does. */
export interface Watchable {
  watch(watch: (direction: 'in' | 'out', batch: PacketBatch, row: number, at: number) => void): () => void
}

export interface WatchedSegment {
  readonly at: number
  readonly isOut: boolean
  readonly segment: SegmentView
  /** Of one that was sent. */
  reason: SentReason | null
}

const MOST_KEPT = 1000
const IPV6_HEADER = 40

export interface WatchedConnection {
  readonly segments: readonly WatchedSegment[]
  /** Packets that there was no room for. */
  readonly left: number
  readonly state: StateName
  readonly changes: readonly ChangeOfState[]
  /** Milliseconds both. */
  readonly roundTrips: readonly { readonly at: number; readonly measured: number }[]
  /** Null where it is not open. */
  readonly sample: SenderSample | null
  /** Window scales, of the peer and of this end. */
  readonly scales: readonly [number, number]
}

export class ConnectionWatch {
  readonly #stack: PortableStack
  readonly #key: string
  /** Of the watched end, and of its peer. */
  readonly #ports: readonly [number, number]
  readonly #stops: (() => void)[]
  #connection: Connection | null = null
  /** Of events: those that have these are about it. */
  #facts: ConnectionFacts | null = null
  #changes: ChangeOfState[] = []
  #roundTrips: { at: number; measured: number }[] = []
  #kept: WatchedSegment[] = []
  #left = 0

  /** `key` as in `overview`. */
  constructor(stack: PortableStack, links: readonly Watchable[], key: string) {
    this.#stack = stack
    this.#key = key
    const [local, remote] = key.split('~').map((place) => Number(place.slice(place.lastIndexOf(':') + 1)))
    this.#ports = [local, remote]
    this.#stops = links.map((link) => link.watch((direction, batch, row, at) => this.#see(direction, batch, row, at)))
    this.#stops.push(stack.watch((event) => this.#hear(event)))
  }

  /** What has crossed since the last time, and where it stands. */
  take(): WatchedConnection {
    const connection = (this.#connection ??= this.#find())
    const now = this.#stack.driver.time.now()
    const info = connection === null ? null : tcpInfo(connection, now)
    const taken: WatchedConnection = {
      segments: this.#kept,
      left: this.#left,
      changes: this.#changes,
      roundTrips: this.#roundTrips,
      state: info === null ? 'CLOSED' : stateName(info.state),
      sample: info === null || info.congestionWindow === 0 ? null : sampleOf(now, info),
      scales: info === null ? [0, 0] : [info.sendScale, info.receiveScale],
    }
    this.#kept = []
    this.#changes = []
    this.#roundTrips = []
    this.#left = 0
    return taken
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }

  #find(): Connection | null {
    let found: Connection | null = null
    this.#stack.core.tcp.forEach((connection) => {
      const { localPort, remotePort, localAddress, remoteAddress } = connection
      if (localPort !== this.#ports[0] || remotePort !== this.#ports[1]) return
      if (connectionKey(`${localAddress}`, localPort, `${remoteAddress}`, remotePort) === this.#key) found = connection
    })
    return found
  }

  #hear(event: TcpEvent): void {
    if (event.type === 'lost' || event.connection === null || !this.#isAbout(event.connection)) return
    if (event.type === 'sent') this.#explain(event)
    else if (event.type === 'state') this.#changes.push(changeOf(event))
    else if (event.type === 'rtt') this.#roundTrips.push({ at: event.time, measured: event.sample / 1000 })
  }

  #isAbout(facts: ConnectionFacts): boolean {
    if (facts === this.#facts) return true
    const { localAddress, localPort, remoteAddress, remotePort } = facts
    if (localPort !== this.#ports[0] || remotePort !== this.#ports[1]) return false
    if (connectionKey(localAddress, localPort, remoteAddress, remotePort) !== this.#key) return false
    this.#facts = facts
    return true
  }

  /** Told at the end of the turn in which it left. */
  #explain(event: SentEvent): void {
    for (let place = this.#kept.length - 1; place >= 0; place--) {
      const kept = this.#kept[place]
      if (!kept.isOut || kept.reason !== null) continue
      const { sequence, acknowledgment, length } = kept.segment
      if (sequence !== event.sequence || length !== event.length || acknowledgment !== event.acknowledgment) continue
      kept.reason = reasonOf(event)
      return
    }
  }

  #see(direction: 'in' | 'out', { bytes, offset, length }: PacketBatch, row: number, at: number): void {
    const isOut = direction === 'out'
    if (!this.#mayBe(bytes, offset[row], length[row], isOut)) return
    const segment = readSegment(bytes, offset[row], length[row])
    if (segment === null) return
    const { source, sourcePort, destination, destinationPort } = segment
    const key = isOut
      ? connectionKey(source, sourcePort, destination, destinationPort)
      : connectionKey(destination, destinationPort, source, sourcePort)
    if (key !== this.#key) return
    if (this.#kept.length >= MOST_KEPT) this.#left++
    else this.#kept.push({ at, isOut, segment, reason: null })
  }

  /** By its ports: most packets are somebody else's, and cost no more than this. */
  #mayBe(bytes: Uint8Array, at: number, length: number, isOut: boolean): boolean {
    const ports = at + (bytes[at] >>> 4 === 4 ? (bytes[at] & 15) * 4 : IPV6_HEADER)
    if (ports + 4 > at + length) return false
    const [local, remote] = this.#ports
    const source = (bytes[ports] << 8) | bytes[ports + 1]
    const destination = (bytes[ports + 2] << 8) | bytes[ports + 3]
    return isOut ? source === local && destination === remote : source === remote && destination === local
  }
}
