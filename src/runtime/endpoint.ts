// A TCP socket for programs that want no streams and no events: plain calls, and callbacks for when it can be read or written.
// Octets are copied or borrowed, as the caller likes. The HTTP server, the services and the benchmarks stand on this, and so do
// `net.Socket` and web streams. Callbacks run between packets, from the driver's turn, never inside a call.
import { type Address, parseAddress } from '../core/ip/address.ts'
import type { Owner } from '../core/ready.ts'
import type { CongestionFactory } from '../core/tcp/congestion/congestion.ts'
import { controllerOf } from '../core/tcp/congestion/controllers.ts'
import type { Connection } from '../core/tcp/connection.ts'
import { Option, Wake } from '../core/tcp/control-block.ts'
import { Reason, State } from '../core/tcp/state.ts'
import { type Tcp, TcpResult } from '../core/tcp/tcp.ts'
import { type TcpInfo, tcpInfo } from '../core/tcp/tcp-info.ts'
import type { Driver } from './driver.ts'
import { EventQueue, type EventsOptions } from './event-queue.ts'

/** Why a connection is over; `none` where both sides have closed it. */
export type CloseReason = keyof typeof Reason

/** Is shown `length` octets from `start` on, and a view of the same `bytes`; returns how many it is done with. */
export type Take = (
  bytes: Uint8Array<ArrayBuffer>,
  start: number,
  length: number,
  view: DataView<ArrayBuffer>,
) => number

export class TcpError extends Error {
  /** A name of `TcpResult`. */
  readonly reason: keyof typeof TcpResult

  constructor(result: number) {
    const reason = nameIn(TcpResult, result) ?? 'invalid'
    super(SENTENCES[reason])
    this.name = 'TcpError'
    this.reason = reason
  }
}

export class Endpoint implements Owner {
  /** The handshake is done. */
  onOpen: (() => void) | null = null
  /** There is something to read, or the peer has finished (`isAtEnd`). */
  onReadable: (() => void) | null = null
  /** There is room again after a `send` that was not taken whole. */
  onWritable: (() => void) | null = null
  /** Everything written so far is acknowledged. */
  onDrained: (() => void) | null = null
  /** RFC 9293 §3.8.5: urgent data lie ahead. */
  onUrgent: (() => void) | null = null
  /** Something is wrong that may pass: an ICMP error, or several retransmissions without an answer. SHLD-20: null for no reports. */
  onTrouble: ((reason: CloseReason) => void) | null = null
  /** It is over. What has arrived may still be read. */
  onClose: ((reason: CloseReason) => void) | null = null
  readonly connection: Connection
  readonly #driver: Driver
  #isClosed = false

  constructor(connection: Connection, driver: Driver) {
    this.connection = connection
    this.#driver = driver
    connection.owner = this
  }

  get localAddress(): Address {
    return this.connection.localAddress
  }

  get localPort(): number {
    return this.connection.localPort
  }

  get remoteAddress(): Address {
    return this.connection.remoteAddress
  }

  get remotePort(): number {
    return this.connection.remotePort
  }

  wake(): void {
    const { connection } = this
    // What the callbacks do is seen to before the end; it needs no second wake.
    connection.isReady = true
    try {
      if (this.#takes(Wake.open)) this.onOpen?.()
      if (this.#takes(Wake.urgent)) this.onUrgent?.()
      if (this.#takes(Wake.readable | Wake.end)) this.onReadable?.()
      if (this.#takes(Wake.writable) && this.room > 0) this.onWritable?.()
      if (this.#takes(Wake.drained)) this.onDrained?.()
      if (this.#takes(Wake.trouble)) this.onTrouble?.(nameIn(Reason, connection.trouble) ?? 'none')
      if (this.#takes(Wake.closed) && !this.#isClosed) {
        this.#isClosed = true
        this.onClose?.(this.reason)
      }
    } finally {
      connection.isReady = false
      // Asked for meanwhile, or a callback threw: what it kept from its owner comes in the next turn.
      if (connection.wakes !== 0 && connection.owner !== null) connection.shared.ready.push(connection)
    }
  }

  #takes(wake: number): boolean {
    const { connection } = this
    if ((connection.wakes & wake) === 0) return false
    connection.wakes &= ~wake
    return true
  }

  /** Asks for `onReadable` once more: for who had stopped reading, or was stopped. */
  wakeAgain(): void {
    const { connection } = this
    connection.wakes |= Wake.readable
    connection.shared.ready.push(connection)
    this.#driver.request()
  }

  get isOpen(): boolean {
    const { state } = this.connection
    return state !== State.synSent && state !== State.synReceived && state !== State.closed
  }

  get isOver(): boolean {
    return this.connection.isOver
  }

  get reason(): CloseReason {
    return nameIn(Reason, this.connection.reason) ?? 'none'
  }

  /** Octets that `send` would take now. */
  get room(): number {
    return this.connection.room
  }

  get readable(): number {
    return this.connection.readable
  }

  /** The peer has finished, and everything it sent has been read. */
  get isAtEnd(): boolean {
    return this.connection.isAtEnd
  }

  /** Octets written that the peer has not acknowledged. */
  get unacknowledged(): number {
    return this.connection.unacknowledged
  }

  /** Copies in the octets `start` to `end - 1`; returns how many there was room for. */
  send(bytes: Uint8Array, start = 0, end = bytes.length): number {
    const taken = this.connection.send(bytes, start, end, this.#now())
    this.#driver.request()
    return taken
  }

  /** Takes octets without a copy: they must not change until they are acknowledged. */
  lend(bytes: Uint8Array<ArrayBuffer>): boolean {
    const taken = this.connection.lend(bytes, this.#now())
    this.#driver.request()
    return taken
  }

  sendUrgent(bytes: Uint8Array): number {
    const taken = this.connection.sendUrgent(bytes, this.#now())
    this.#driver.request()
    return taken
  }

  /** Up to `most` octets, which are the caller's to keep; null where nothing is there. */
  read(most = Number.MAX_SAFE_INTEGER): Uint8Array<ArrayBuffer> | null {
    const bytes = this.connection.read(most, this.#now())
    if (bytes !== null) this.#driver.request()
    return bytes
  }

  /** Copies out up to `length` octets; returns how many. */
  readInto(target: Uint8Array, at = 0, length = target.length - at): number {
    const count = this.connection.readInto(target, at, length, this.#now())
    if (count > 0) this.#driver.request()
    return count
  }

  /** Shows readable octets where they lie, a stretch at a time; `take` says how many it is done with. Borrowed until `take` returns. */
  look(take: Take): void {
    for (;;) {
      const buffer = this.connection.receiveBuffer
      const front = buffer?.front ?? null
      if (buffer === null || front === null) return
      const length = buffer.frontLength
      const done = take(front.bytes, buffer.frontOffset, length, front.view)
      if (done <= 0) return
      this.connection.consume(Math.min(done, length), this.#now())
      this.#driver.request()
    }
  }

  /** Nothing more will be read: what comes from now on is answered with a reset. */
  stopReading(): void {
    this.connection.stopReading()
  }

  /** Nothing more will be sent: a FIN follows what is written. */
  finish(): void {
    this.#driver.prepare()
    this.connection.finish(this.#now())
    this.#driver.request()
  }

  /** Lets go: what is written is still delivered, what comes is answered with a reset. */
  close(): void {
    this.#driver.prepare()
    this.#isClosed = true
    this.connection.abandon(this.#now())
    this.#driver.request()
  }

  /** Gives up at once; the peer gets a reset. */
  abort(): void {
    this.#driver.prepare()
    this.connection.abort(this.#now())
    this.#driver.request()
  }

  setNoDelay(isOn: boolean): void {
    this.connection.setOption(Option.noDelay, isOn, this.#now())
    this.#driver.request()
  }

  /** While corked only whole segments leave, for 200 ms at most. */
  setCork(isOn: boolean): void {
    this.connection.setOption(Option.cork, isOn, this.#now())
    this.#driver.request()
  }

  /** Milliseconds. */
  setKeepAlive(
    isOn: boolean,
    idle: number | null = null,
    interval: number | null = null,
    probes: number | null = null,
  ) {
    this.connection.setKeepAlive(isOn, idle, interval, probes, this.#now())
    this.#driver.request()
  }

  /** RFC 9293 §3.9.1: how long octets may wait for their acknowledgment; 0 for no limit of its own. */
  setUserTimeout(milliseconds: number): void {
    this.connection.userTimeout = milliseconds
  }

  /** TCP_MAXSEG: the text of a segment, ours and what the peer is told of; 0 for what the path takes. Asked for before the SYN leaves, both know. */
  setMaximumSegment(octets: number): void {
    const { connection } = this
    connection.mssLimit = octets
    connection.pathGeneration = -1
    this.#driver.request()
  }

  /** TCP_LINGER2: milliseconds in FIN-WAIT-2 after `close`. */
  setFinWait2Timeout(milliseconds: number): void {
    this.connection.finWait2 = milliseconds
  }

  /** SO_LINGER: how long `close` may go on delivering; 0 for a reset at once, -1 for as long as it takes. */
  setLinger(milliseconds: number): void {
    this.connection.linger = milliseconds
  }

  /** 'reno', 'cubic' or 'bbr', or a controller of the user's own. One that takes over begins with the window that it finds. */
  setCongestionControl(control: string | CongestionFactory): void {
    const factory = controllerOf(control)
    if (factory === null) throw new TypeError(`'${control}' is no congestion control`)
    const { connection } = this
    connection.congestionFactory = factory
    if (connection.congestion === null) return
    const { mss, rtt, shared, congestion } = connection
    const seed = shared.random.int32()
    const settings = { mss, initialWindow: congestion.cwnd, now: this.#now(), rtt: rtt.srtt, seed }
    connection.congestion = factory(settings)
  }

  setBuffers(sizes: { send?: number; receive?: number }): void {
    this.connection.setBuffers(sizes.send ?? null, sizes.receive ?? null)
  }

  info(): TcpInfo {
    return tcpInfo(this.connection, this.#now())
  }

  /** What TCP does for this connection from now on, bounded; it ends with the connection. */
  events(options?: EventsOptions): EventQueue {
    return new EventQueue(this.connection, (listener) => this.#driver.watch(listener), options)
  }

  #now(): number {
    return this.#driver.now
  }
}

function nameIn<Names extends object>(names: Names, value: number): keyof Names | undefined {
  return Object.entries(names).find((entry) => entry[1] === value)?.[0] as keyof Names | undefined
}

export interface ConnectEndpointOptions {
  address: string | Address
  port: number
  localAddress?: string | Address
  localPort?: number
}

/** An active open. Throws where it can't even begin; a refusal comes by `onClose`. */
export function connect(tcp: Tcp, driver: Driver, options: ConnectEndpointOptions): Endpoint {
  driver.prepare()
  const connection = tcp.connect(
    {
      remoteAddress: toAddress(options.address),
      remotePort: options.port,
      localAddress: options.localAddress === undefined ? undefined : toAddress(options.localAddress),
      localPort: options.localPort,
    },
    driver.time.now(),
  )
  if (connection === null) throw new TcpError(tcp.result)
  const endpoint = new Endpoint(connection, driver)
  driver.request()
  return endpoint
}

/** For callers who write addresses as text. */
export function toAddress(address: string | Address): Address {
  if (typeof address !== 'string') return address
  const parsed = parseAddress(address)
  if (parsed === null) throw new TypeError(`'${address}' is not an IP address`)
  return parsed
}

const SENTENCES: Record<keyof typeof TcpResult, string> = {
  done: 'done',
  addressInUse: 'the address and port are in use',
  addressNotAvailable: 'no interface has this address',
  noRoute: 'no route leads to the destination',
  noPort: 'every local port is in use',
  tooMany: 'there are as many connections as there may be',
  noInterface: 'there is no such interface',
  invalid: 'nothing can be connected to there',
  closed: 'the stack is closed',
}
