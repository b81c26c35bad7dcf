// TCP as a whole (RFC 9293): what arrives finds its connection, request, TIME-WAIT record or listener; connections are opened and
// listeners made here. Owned by the stack, which calls `receive` and `unreachable`; deadlines come through the stack's table.
import type { Expirable } from '../deadlines.ts'
import { type Address, unspecified } from '../ip/address.ts'
import { type IcmpError, IcmpErrorKind } from '../ip/icmp-error.ts'
import type { Packet } from '../ip/packet.ts'
import { Count, Drop } from '../observer.ts'
import { Flag } from '../wire/tcp.ts'
import { Answer, NONE } from './closing/time-wait.ts'
import { Connection } from './connection.ts'
import { Listeners } from './demux.ts'
import { decode, FINE } from './input.ts'
import { NONE as NO_ROW } from './opening/half-open.ts'
import { Listen } from './opening/listen.ts'
import { Listener, type ListenOptions, type Request } from './opening/listener.ts'
import type { Opened } from './opening/opened.ts'
import { NO_PORT, Ports } from './ports.ts'
import { reply, resetInAnswer } from './reply.ts'
import type { Segment } from './segment.ts'
import { DEFAULT_SETTINGS, type TcpSettings } from './settings.ts'
import { Shared, type TcpContext } from './shared.ts'
import { isQuoted, receiveUnreachable } from './unreachable.ts'

/** What became of an attempt to open or to listen. */
export const TcpResult = {
  done: 0,
  addressInUse: 1,
  addressNotAvailable: 2,
  noRoute: 3,
  noPort: 4,
  tooMany: 5,
  noInterface: 6,
  invalid: 7,
  closed: 8,
} as const

export interface ConnectOptions {
  remoteAddress: Address
  remotePort: number
  localAddress?: Address
  localPort?: number
}

export class Tcp implements Expirable {
  readonly shared: Shared
  readonly settings: TcpSettings
  /** What the last `connect` or `listen` came to: a value of `TcpResult`. */
  result: number = TcpResult.done
  readonly #listeners: Listeners<Listener<Connection>>
  readonly #listen: Listen<Connection>
  readonly #ports: Ports
  readonly #deadlineRow: number
  #nextListener = 1
  #isClosed = false

  constructor(context: TcpContext, settings: Partial<TcpSettings> = {}) {
    this.settings = { ...DEFAULT_SETTINGS, ...settings }
    this.shared = new Shared(context, this.settings)
    this.#listeners = new Listeners(this.shared.tupleHash)
    this.#ports = new Ports(context.random)
    this.#listen = new Listen(this.shared, (listener, opened, segment, now) =>
      this.#accept(listener, opened, segment, now),
    )
    this.#deadlineRow = context.deadlines.add(this)
  }

  /** Established, opening and closing connections; requests; TIME-WAIT records. */
  get connectionCount(): number {
    return this.shared.connections.count
  }

  get requestCount(): number {
    return this.#listen.records.count
  }

  get timeWaitCount(): number {
    return this.shared.timeWait.count
  }

  forEach(take: (connection: Connection) => void): void {
    this.shared.connections.forEach((member) => {
      take(member as Connection)
    })
  }

  forEachListener(take: (listener: Listener<Connection>) => void): void {
    this.#listeners.forEach(take)
  }

  /** Requests, whose SYN has come and whose third ACK has not; the addresses are borrowed. */
  forEachRequest(take: (local: Address, localPort: number, remote: Address, remotePort: number) => void): void {
    const { records } = this.#listen
    const local = unspecified(false)
    const remote = unspecified(false)
    records.forEach((row) => {
      records.addresses(row, local, remote)
      take(local, records.localPort(row), remote, records.remotePort(row))
    })
  }

  /** Who would be asked for a connection there; null where nobody listens. */
  listenerOf({ localAddress, localPort, remoteAddress, remotePort, route }: Connection): Listener<Connection> | null {
    const by = route?.interface.index ?? 0
    return this.#listeners.find(localAddress, localPort, remoteAddress, remotePort, by)
  }

  receive(packet: Packet, now: number): void {
    const { shared } = this
    const { segment, observer, counters } = shared
    segment.packet = packet
    const reason = decode(segment, packet)
    if (reason !== FINE) {
      observer.drop(reason, packet.batch, packet.row)
      return
    }
    counters.values[Count.tcpReceived] += segment.segments
    const { source, destination } = packet
    const { sourcePort, destinationPort } = segment
    const connection = shared.connections.find(destination, destinationPort, source, sourcePort)
    if (connection !== null) {
      connection.receive(segment, now)
      // It may have left a record behind.
      if (connection.isOver) this.#arm()
      return
    }
    if (!this.#isForTimeWait(segment, now)) this.#receiveUnconnected(segment, now)
    this.#arm()
  }

  /** An ICMP error quotes a segment: whether it is one that a connection has in flight. */
  unreachable(error: IcmpError): boolean {
    const { source, sourcePort, destination, destinationPort } = error
    const member = this.shared.connections.find(source, sourcePort, destination, destinationPort)
    if (member === null) return false
    const connection = member as Connection
    if (!isQuoted(connection, error)) return false
    if (error.kind !== IcmpErrorKind.tooBig) {
      receiveUnreachable(connection, error)
      connection.settle()
    }
    return true
  }

  /** The path to a destination has become smaller: what was sent too large goes again. */
  pathChanged(destination: Address, now: number): void {
    this.shared.connections.forEach((member) => {
      if (member.remoteAddress.equals(destination)) (member as Connection).onPathChanged(now)
    })
  }

  expire(now: number): void {
    this.shared.timeWait.expire(now)
    this.#listen.expire(now)
    this.#arm()
  }

  /** An active open; null where it can't be, and `result` says why. The connection may be over before this returns. */
  connect(options: ConnectOptions, now: number): Connection | null {
    const { shared, settings } = this
    const { interfaces, connections } = shared
    const { remoteAddress, remotePort } = options
    if (this.#isClosed) return this.#no(TcpResult.closed)
    // MUST-46.
    if (remotePort < 1 || remoteAddress.isMulticast || remoteAddress.isUnspecified) return this.#no(TcpResult.invalid)
    if (connections.count >= settings.mostConnections || shared.isOutOfMemory) return this.#no(TcpResult.tooMany)
    const route = interfaces.route(remoteAddress)
    if (route === null) return this.#no(TcpResult.noRoute)
    if (route.interface.isBroadcast(remoteAddress)) return this.#no(TcpResult.invalid)
    // MUST-43, MUST-44: the user's choice, or IP's.
    const given = options.localAddress
    const local = given === undefined || given.isUnspecified ? interfaces.selectSource(remoteAddress, route) : given
    if (local === null) return this.#no(TcpResult.addressNotAvailable)
    if (given !== undefined && !interfaces.isLocal(local) && !this.#takesAll()) {
      return this.#no(TcpResult.addressNotAvailable)
    }
    const isFree = (port: number) => this.#isFree(local, port, remoteAddress, remotePort, now)
    const asked = options.localPort ?? 0
    const port = asked === 0 ? this.#ports.choose(local, remoteAddress, remotePort, isFree) : asked
    if (port === NO_PORT) return this.#no(TcpResult.noPort)
    if (asked !== 0 && !isFree(asked)) return this.#no(TcpResult.addressInUse)
    this.#reuse(local, port, remoteAddress, remotePort)
    this.result = TcpResult.done
    const connection = new Connection(shared, this.#own(local), port, remoteAddress.copy(), remotePort)
    connection.begin()
    connection.open(now)
    return connection
  }

  /** A passive open (MUST-41, MUST-42): clashes with other listeners, and touches no connection. */
  listen(options: ListenOptions): Listener<Connection> | null {
    if (this.#isClosed) return this.#no(TcpResult.closed)
    const localPort = options.localPort === 0 && options.interface === undefined ? this.#choosePort(options) : 0
    if (localPort === NO_PORT) return this.#no(TcpResult.noPort)
    const listener = new Listener<Connection>(this.#nextListener++, {
      ...options,
      localAddress: options.localAddress.copy(),
      localPort: localPort === 0 ? options.localPort : localPort,
    })
    const { localAddress } = listener
    if (!localAddress.isUnspecified && !this.shared.interfaces.isLocal(localAddress) && !this.#takesAll()) {
      return this.#no(TcpResult.addressNotAvailable)
    }
    if (this.#listeners.clashes(listener)) return this.#no(TcpResult.addressInUse)
    this.#listeners.add(listener)
    this.#listen.add(listener)
    this.result = TcpResult.done
    return listener
  }

  /** No connections any more; those that nobody has accepted are reset (as on Linux). */
  close(listener: Listener<Connection>, now: number): void {
    if (listener.isClosed) return
    listener.isClosed = true
    this.#listeners.remove(listener)
    this.#listen.remove(listener)
    while (listener.pending.count > 0) listener.pending.shift()
    for (let one = listener.accepted.shift(); one !== null; one = listener.accepted.shift()) one.abort(now)
    listener.owner = null
  }

  /** The application's answer to a request: a value of `Verdict`. False where it came too late. */
  decide(request: Request, verdict: number, now: number): boolean {
    const wasWaiting = this.#listen.decide(request.row, request.iss, verdict, now)
    this.#arm()
    return wasWaiting
  }

  /** Everything is aborted and let go, and nothing opens any more. */
  closeAll(now: number): void {
    this.#isClosed = true
    const listeners: Listener<Connection>[] = []
    this.#listeners.forEach((listener) => {
      listeners.push(listener)
    })
    for (const listener of listeners) this.close(listener, now)
    const connections: Connection[] = []
    this.forEach((connection) => {
      connections.push(connection)
    })
    for (const connection of connections) connection.abort(now)
  }

  #no(result: number): null {
    this.result = result
    return null
  }

  #takesAll(): boolean {
    return this.shared.interfaces.list.some((one) => one.anyAddress)
  }

  #isFree(local: Address, port: number, remote: Address, remotePort: number, now: number): boolean {
    const { connections, timeWait } = this.shared
    if (connections.find(local, port, remote, remotePort) !== null) return false
    const row = timeWait.find(local, port, remote, remotePort)
    if (row !== NONE && !timeWait.mayReuse(row, now)) return false
    return this.#listeners.find(local, port, remote, remotePort, -1) === null
  }

  /** RFC 6191 (SHLD-4): the new connection takes the record's place. */
  #reuse(local: Address, port: number, remote: Address, remotePort: number): void {
    const { timeWait } = this.shared
    const row = timeWait.find(local, port, remote, remotePort)
    if (row !== NONE) timeWait.remove(row)
  }

  #choosePort(options: ListenOptions): number {
    return this.#ports.chooseUnconnected((port) => {
      return !this.#listeners.clashes(new Listener(0, { ...options, localPort: port })) && !this.#isBound(port)
    })
  }

  #isBound(port: number): boolean {
    let isBound = false
    this.shared.connections.forEach((member) => {
      if (member.localPort === port) isBound = true
    })
    return isBound
  }

  /** RFC 9293 §3.10.7.4 in TIME-WAIT; says whether the segment is dealt with. */
  #isForTimeWait(segment: Segment, now: number): boolean {
    const { shared } = this
    const { timeWait, observer } = shared
    const { packet, sourcePort, destinationPort, options } = segment
    const { source, destination } = packet
    const row = timeWait.find(destination, destinationPort, source, sourcePort)
    if (row === NONE) return false
    const { flags, seq, len } = segment
    const answer = timeWait.receive(row, flags, seq, len, options.hasTimestamps, options.timestampValue, now)
    if (answer === Answer.reopen) {
      timeWait.remove(row)
      return false
    }
    observer.drop(Drop.tcpClosed, packet.batch, packet.row)
    if (answer === Answer.ignore) return true
    const hasTimestamps = timeWait.hasTimestamps[row] === 1
    const tsVal = ((Math.floor(now) | 0) + timeWait.tsOffset[row]) | 0
    const window = timeWait.window[row]
    const { sndNxt, rcvNxt, tsRecent } = timeWait
    reply(
      shared,
      destination,
      destinationPort,
      source,
      sourcePort,
      sndNxt[row],
      rcvNxt[row],
      Flag.ack,
      window,
      hasTimestamps,
      tsVal,
      tsRecent[row],
    )
    return true
  }

  #receiveUnconnected(segment: Segment, now: number): void {
    const { packet, sourcePort, destinationPort } = segment
    const { source, destination } = packet
    const row = this.#listen.records.find(destination, destinationPort, source, sourcePort)
    if (row !== NO_ROW) {
      this.#listen.receiveHalfOpen(row, segment, now)
      return
    }
    const by = packet.interface?.index ?? 0
    const listener = this.#listeners.find(destination, destinationPort, source, sourcePort, by)
    if (listener !== null) {
      this.#listen.receive(listener, segment, now)
      return
    }
    // RFC 9293 §3.10.7.1: CLOSED.
    this.shared.observer.drop(Drop.tcpNoConnection, packet.batch, packet.row)
    resetInAnswer(this.shared, segment)
  }

  #accept(listener: Listener<Connection>, opened: Opened, segment: Segment, now: number): void {
    const { shared, settings } = this
    if (shared.connections.count >= settings.mostConnections) {
      shared.observer.drop(Drop.tcpListenOverflow, null, 0)
      return
    }
    const { localPort, remotePort } = opened
    const connection = new Connection(shared, this.#own(opened.local), localPort, opened.remote.copy(), remotePort)
    connection.mssLimit = listener.mssLimit
    connection.begin()
    connection.accept(opened, segment, now)
    listener.accepted.push(connection)
    shared.ready.push(listener)
  }

  /** One of our addresses is kept once. */
  #own(address: Address): Address {
    return this.shared.interfaces.own(address) ?? address.copy()
  }

  #arm(): void {
    const { deadlines, timeWait } = this.shared
    const next = Math.min(timeWait.deadline(), this.#listen.records.deadline())
    if (next !== deadlines.at(this.#deadlineRow)) deadlines.set(this.#deadlineRow, next)
  }
}

/** The address of a listener for everybody. */
export function anyAddress(ipv4: boolean): Address {
  return unspecified(ipv4)
}
