// A bare stack and peers made of raw segments, so that a test of TCP reads like a packetdrill script: the peer says what it likes,
// the stack's answers are read octet by octet, independently of the code under test. Sequence numbers are relative to both ends' first.
// Time stands still but for `wait`, which stops at every deadline on the way.
import { type Address, parseAddress } from '../../src/core/ip/address.ts'
import type { StackInterfaceOptions } from '../../src/core/stack.ts'
import type { Connection } from '../../src/core/tcp/connection.ts'
import { Wake } from '../../src/core/tcp/control-block.ts'
import type { Listener, ListenOptions } from '../../src/core/tcp/opening/listener.ts'
import type { TcpSettings } from '../../src/core/tcp/settings.ts'
import { type ConnectOptions, TcpResult } from '../../src/core/tcp/tcp.ts'
import { Bench, type Bytes, FLAG_LETTERS, readIp, type TcpFields, tcpPacket, u16, u32 } from './packets.ts'

// Options, octet by octet.
export const mss = (size: number): number[] => [2, 4, ...u16(size)]
export const scale = (shift: number): number[] => [3, 3, shift]
export const sackPermitted: readonly number[] = [4, 2]
export const stamps = (value: number, echo: number): number[] => [8, 10, ...u32(value), ...u32(echo)]

/** What a segment from the stack says. `seq`, `ack` and SACK edges are relative. */
export interface Heard {
  at: number
  flags: string
  seq: number
  ack: number
  window: number
  urgent: number
  data: Bytes
  options: number[]
  mss: number | null
  scale: number | null
  sackPermitted: boolean
  stamps: [number, number] | null
  sacks: [number, number][]
  ip: ReturnType<typeof readIp>
  packet: Bytes
}

/** A segment as packetdrill writes it: `P. 1:11(10) ack 1`. */
export function line({ flags, seq, ack, data }: Heard): string {
  const length = data.length
  return `${flags} ${seq}:${seq + length}(${length})${flags.includes('.') ? ` ack ${ack}` : ''}`
}

export interface PeerOptions {
  from?: string
  to?: string
  port?: number
  /** The stack's port, where it listens. */
  stackPort?: number
  iss?: number
  window?: number
  /** What its SYN or SYN-ACK carries. */
  synOptions?: readonly number[]
  /** Every segment but the SYN carries timestamps, by a clock of milliseconds from this on. */
  clock?: number
}

export interface SegmentFields {
  seq?: number
  ack?: number
  data?: ArrayLike<number> | number
  window?: number
  urgent?: number
  options?: readonly number[]
  /** Whatever else shall be otherwise. */
  raw?: TcpFields
}

export class Peer {
  readonly bench: TcpBench
  readonly from: string
  readonly to: string
  readonly port: number
  stackPort: number
  readonly iss: number
  stackIss = 0
  /** What it sends next, and expects next: relative. */
  next = 0
  expected = 0
  window: number
  readonly synOptions: readonly number[]
  readonly clock: number | null
  /** The stack's timestamp that it echoes. */
  echo = 0
  /** What it has ever sent: ranges of numbers. */
  readonly said: [start: number, end: number][] = []
  readonly #heard: Heard[] = []

  constructor(bench: TcpBench, options: PeerOptions) {
    this.bench = bench
    this.from = options.from ?? '10.0.0.1'
    this.to = options.to ?? (this.from.includes(':') ? 'fd00::2' : '10.0.0.2')
    this.port = options.port ?? 4000
    this.stackPort = options.stackPort ?? 80
    this.iss = options.iss ?? 1000
    this.window = options.window ?? 65_535
    this.synOptions = options.synOptions ?? mss(1460)
    this.clock = options.clock ?? null
  }

  /** A segment goes to the stack; its number and acknowledgment are the next ones due, unless said otherwise. */
  send(flags: string, fields: SegmentFields = {}): void {
    this.bench.deliver(this.packet(flags, fields))
  }

  packet(flags: string, fields: SegmentFields = {}): Bytes {
    const data = typeof fields.data === 'number' ? pattern(fields.data, this.next) : (fields.data ?? [])
    const seq = fields.seq ?? this.next
    const length = data.length + (flags.includes('S') ? 1 : 0) + (flags.includes('F') ? 1 : 0)
    if (fields.seq === undefined) this.next += length
    if (length > 0) this.said.push([seq | 0, (seq + length) | 0])
    const isSyn = flags.includes('S')
    const clock = this.clock === null || isSyn ? [] : stamps((this.clock + this.bench.now) | 0, this.echo)
    return tcpPacket(data, {
      from: this.from,
      to: this.to,
      sourcePort: this.port,
      destinationPort: this.stackPort,
      sequence: (this.iss + seq) | 0,
      acknowledgment: flags.includes('.') ? (this.stackIss + (fields.ack ?? this.expected)) | 0 : 0,
      flags,
      window: fields.window ?? this.window,
      urgent: fields.urgent ?? 0,
      tcpOptions: [...(fields.options ?? (isSyn ? this.synOptions : clock))],
      ...fields.raw,
    })
  }

  /** A segment of the stack's has come. */
  take(packet: Bytes): void {
    const heard = read(packet, this)
    if (heard.stamps !== null) this.echo = heard.stamps[0]
    const length = heard.data.length + (heard.flags.includes('S') ? 1 : 0) + (heard.flags.includes('F') ? 1 : 0)
    if (!heard.flags.includes('R') && heard.seq === this.expected) this.expected += length
    this.#heard.push(heard)
  }

  /** What the stack has said since the last time. */
  heard(): Heard[] {
    this.bench.flush()
    return this.#heard.splice(0)
  }

  lines(): string[] {
    return this.heard().map(line)
  }

  /** The one segment that the stack has said since the last time. */
  one(): Heard {
    const heard = this.heard()
    if (heard.length !== 1) throw new Error(`${heard.length} segments instead of one: ${heard.map(line).join(', ')}`)
    return heard[0]
  }
}

function read(packet: Bytes, peer: Peer): Heard {
  const ip = readIp(packet)
  const { payload } = ip
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  const headerLength = (payload[12] >>> 4) * 4
  let flags = ''
  for (const letter of 'SFRPUEW.') if (payload[13] & (1 << FLAG_LETTERS.indexOf(letter))) flags += letter
  if (flags.includes('S')) peer.stackIss = view.getInt32(4)
  const heard: Heard = {
    at: peer.bench.now,
    flags,
    seq: (view.getInt32(4) - peer.stackIss) | 0,
    ack: flags.includes('.') ? (view.getInt32(8) - peer.iss) | 0 : 0,
    window: view.getUint16(14),
    urgent: view.getUint16(18),
    data: payload.slice(headerLength),
    options: [...payload.slice(20, headerLength)],
    mss: null,
    scale: null,
    sackPermitted: false,
    stamps: null,
    sacks: [],
    ip,
    packet,
  }
  readOptions(heard, view, headerLength, peer.iss)
  return heard
}

function readOptions(heard: Heard, view: DataView, end: number, iss: number): void {
  for (let at = 20; at < end && view.getUint8(at) !== 0; ) {
    const kind = view.getUint8(at)
    if (kind === 1) {
      at++
      continue
    }
    const length = view.getUint8(at + 1)
    if (length < 2 || at + length > end) throw new Error('the stack has sent an option with a wrong length')
    if (kind === 2) heard.mss = view.getUint16(at + 2)
    if (kind === 3) heard.scale = view.getUint8(at + 2)
    if (kind === 4) heard.sackPermitted = true
    if (kind === 8) heard.stamps = [view.getInt32(at + 2), view.getInt32(at + 6)]
    if (kind === 5) {
      for (let block = at + 2; block < at + length; block += 8) {
        heard.sacks.push([(view.getInt32(block) - iss) | 0, (view.getInt32(block + 4) - iss) | 0])
      }
    }
    at += length
  }
}

/** Octets that tell their own place: they come again after 65,536, so that all that is ever asked for is a copy. */
export function pattern(length: number, from = 0): Bytes {
  const octets = new Uint8Array(length)
  let at = 0
  while (at < length) {
    const place = (from + at) & 0xffff
    const part = Math.min(length - at, PLACES.length - place)
    octets.set(PLACES.subarray(place, place + part), at)
    at += part
  }
  return octets
}

const PLACES = Uint8Array.from({ length: 0x10000 }, (_, at) => at * 31 + (at >>> 8))

export class TcpBench {
  readonly bench: Bench
  /** What went to nobody: neither peer's nor TCP's. */
  readonly others: Bytes[] = []
  /** Names of what each connection's owner was woken for. */
  readonly woken: string[] = []
  readonly #peers: Peer[] = []
  listener: Listener<Connection> | null = null

  constructor(settings: Partial<TcpSettings> = {}, first: Partial<StackInterfaceOptions> = {}) {
    this.bench = new Bench({ tcp: settings }, first)
  }

  get now(): number {
    return this.bench.now
  }

  get tcp() {
    return this.bench.stack.tcp
  }

  peer(options: PeerOptions = {}): Peer {
    const peer = new Peer(this, options)
    this.#peers.push(peer)
    return peer
  }

  deliver(...packets: Bytes[]): void {
    this.bench.receive(...packets)
    this.#wake()
  }

  /** What the stack has to send goes to the peers. */
  flush(): void {
    for (const packet of this.bench.sent()) {
      const { to, from, protocol, payload } = readIp(packet)
      // Of two with the same addresses the younger one.
      const peer = this.#peers.findLast(
        (one) =>
          protocol === 6 &&
          to === one.from &&
          from === one.to &&
          ((payload[2] << 8) | payload[3]) === one.port &&
          ((payload[0] << 8) | payload[1]) === one.stackPort,
      )
      if (peer === undefined) this.others.push(packet)
      else peer.take(packet)
    }
  }

  /** Time passes; what the stack sends at a deadline is sent then. */
  wait(milliseconds: number): void {
    const end = this.bench.now + milliseconds
    this.flush()
    for (let rounds = 0; ; rounds++) {
      const next = this.bench.stack.deadline()
      if (next > end) break
      if (rounds > 10_000) throw new Error('deadlines that never pass')
      this.bench.advance(Math.max(0, next - this.bench.now))
      this.#wake()
      this.flush()
    }
    this.bench.advance(end - this.bench.now)
    this.#wake()
    this.flush()
  }

  /** The peers so far are gone. */
  forget(): void {
    this.#peers.length = 0
  }

  listen(options: Partial<ListenOptions> = {}): Listener<Connection> {
    const listener = this.tcp.listen({ localAddress: parseAddress('::') as Address, localPort: 80, ...options })
    if (listener === null) throw new Error(`listen: ${this.tcp.result}`)
    this.listener ??= listener
    return listener
  }

  /** An active open towards the peer, its SYN not yet read. */
  connect(peer: Peer, options: Partial<ConnectOptions> = {}): Connection {
    const remoteAddress = parseAddress(peer.from) as Address
    const connection = this.tcp.connect({ remoteAddress, remotePort: peer.port, ...options }, this.now)
    if (connection === null) throw new Error(`connect: ${this.tcp.result} is not ${TcpResult.done}`)
    peer.stackPort = connection.localPort
    this.own(connection)
    return connection
  }

  /** Both ends established, by the peer's open. */
  accept(options: PeerOptions = {}, listenOptions: Partial<ListenOptions> = {}): [Peer, Connection] {
    const listener = this.listener ?? this.listen(listenOptions)
    const peer = this.peer(options)
    peer.send('S')
    peer.heard()
    peer.send('.')
    const connection = listener.accepted.shift()
    if (connection === null) throw new Error('nobody was accepted')
    this.own(connection)
    peer.heard()
    return [peer, connection]
  }

  /** As `accept`, after a round trip of so many milliseconds, and with room to send. */
  acceptAfter(trip: number, options: PeerOptions = {}): [Peer, Connection] {
    const listener = this.listen()
    const peer = this.peer(options)
    peer.send('S')
    peer.heard()
    this.wait(trip)
    peer.send('.')
    const connection = listener.accepted.shift()
    if (connection === null) throw new Error('nobody was accepted')
    this.own(connection)
    connection.setBuffers(1_000_000, null)
    return [peer, connection]
  }

  /** Two segments of 1,000 octets go and are acknowledged a round trip later: the peer expects octet 2001. */
  warmUp(trip: number, peer: Peer, connection: Connection): void {
    this.write(connection, 2000)
    peer.heard()
    this.wait(trip)
    peer.send('.', { ack: 2001 })
    peer.heard()
  }

  /** Both ends established, by the stack's open. */
  open(options: PeerOptions = {}): [Peer, Connection] {
    const peer = this.peer(options)
    const connection = this.connect(peer)
    peer.heard()
    peer.send('S.')
    peer.heard()
    this.woken.length = 0
    return [peer, connection]
  }

  /** From now on its wakes are written down. */
  own(connection: Connection): void {
    connection.owner = {
      wake: () => {
        for (const [name, bit] of Object.entries(Wake)) if (connection.wakes & bit) this.woken.push(name)
        connection.wakes = 0
      },
    }
  }

  write(connection: Connection, data: Bytes | number): number {
    const octets = typeof data === 'number' ? pattern(data) : data
    return connection.send(octets, 0, octets.length, this.now)
  }

  #wake(): void {
    const { ready } = this.bench.stack
    for (let socket = ready.shift(); socket !== null; socket = ready.shift()) socket.owner?.wake(this.now)
  }
}
