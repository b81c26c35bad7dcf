// Connections in every state, and segments of every kind to throw at them: flags, places in both sequence spaces, lengths, options well
// and badly formed. What must hold after each, whatever it was, is `Watch`. Used by test/core/tcp/hostile.test.ts
// and by bench/fuzz, whose corpus counts on the order of STATES, OPTIONS and places.
import type { Connection } from '../../src/core/tcp/connection.ts'
import { Mark } from '../../src/core/tcp/control-block.ts'
import { Sent } from '../../src/core/tcp/sender/flight.ts'
import { isSynchronized, State } from '../../src/core/tcp/state.ts'
import { type Heard, mss, type Peer, pattern, sackPermitted, scale, stamps, type TcpBench } from './tcp-bench.ts'

export interface Victim {
  peer: Peer
  connection: Connection | null
  /** What had been offered before the last blow. */
  edge?: number
  /** Octets may have come that the peer does not know of. */
  isTainted?: boolean
}

/** Both ends' options, and the peer's first number, chosen to wrap. */
export interface Flavour {
  ipv6: boolean
  rich: boolean
  wraps: boolean
  /** What is established was opened by the stack. */
  opens?: boolean
}

function peerOptions({ ipv6, rich, wraps }: Flavour, port: number) {
  return {
    port,
    from: ipv6 ? 'fd00::1' : '10.0.0.1',
    iss: wraps ? -3000 : 1_000_000,
    ...(rich ? { synOptions: [...mss(1460), ...sackPermitted, ...stamps(1, 0), ...scale(3)], clock: 0x7fff_ff00 } : {}),
  }
}

type Make = (bench: TcpBench, flavour: Flavour, port: number) => Victim

const accepted: Make = (bench, flavour, port) => {
  const options = peerOptions(flavour, port)
  const [peer, connection] = flavour.opens === true ? bench.open(options) : bench.accept(options)
  return { peer, connection }
}

const opening: Make = (bench, flavour, port) => {
  const peer = bench.peer(peerOptions(flavour, port))
  const connection = bench.connect(peer)
  peer.heard()
  return { peer, connection }
}

/** Goes on from an established connection. */
function then(go: (bench: TcpBench, peer: Peer, connection: Connection) => void): Make {
  return (bench, flavour, port) => {
    const victim = accepted(bench, flavour, port)
    go(bench, victim.peer, victim.connection as Connection)
    victim.peer.heard()
    return victim
  }
}

/** Until the window has only so many octets. */
function fill(peer: Peer, connection: Connection, rest: number): void {
  connection.setBuffers(null, 2000)
  for (let left = rest + 1; left > rest; ) {
    left = connection.window.size(connection.rcvNxt)
    if (left > rest) peer.send('.', { data: Math.min(1400, left - rest), window: 0 })
    peer.heard()
  }
}

export const STATES: Readonly<Record<string, Make>> = {
  closed: (bench, flavour, port) => ({
    peer: bench.peer({ ...peerOptions(flavour, port), stackPort: 999 }),
    connection: null,
  }),
  listen: (bench, flavour, port) => ({ peer: bench.peer(peerOptions(flavour, port)), connection: null }),
  'half open': (bench, flavour, port) => {
    const peer = bench.peer(peerOptions(flavour, port))
    peer.send('S')
    peer.heard()
    return { peer, connection: null }
  },
  'syn-sent': opening,
  'syn-received': (bench, flavour, port) => {
    const victim = opening(bench, flavour, port)
    victim.peer.send('S')
    victim.peer.heard()
    return victim
  },
  established: accepted,
  'established, sending': then((bench, peer, connection) => {
    bench.write(connection, 4000)
    peer.heard()
    bench.write(connection, 4000)
  }),
  'established, with a gap': then((_bench, peer) => {
    peer.send('.', { seq: 2001, data: pattern(1000, 2001) })
    peer.send('.', { seq: 5001, data: pattern(1000, 5001) })
  }),
  'established, both windows closed': then((bench, peer, connection) => {
    fill(peer, connection, 0)
    bench.write(connection, 3000)
  }),
  'established, little window left': then((_bench, peer, connection) => fill(peer, connection, 500)),
  'fin-wait-1': then((_bench, peer, connection) => {
    connection.finish(peer.bench.now)
  }),
  'fin-wait-1, sending': then((bench, _peer, connection) => {
    bench.write(connection, 20_000)
    connection.finish(bench.now)
  }),
  'fin-wait-2': then((bench, peer, connection) => {
    connection.finish(bench.now)
    peer.heard()
    peer.send('.')
  }),
  'fin-wait-2, nobody there': then((bench, peer, connection) => {
    connection.abandon(bench.now)
    peer.heard()
    peer.send('.')
  }),
  'close-wait': then((bench, peer, connection) => {
    peer.send('F.')
    bench.write(connection, 3000)
  }),
  closing: then((bench, peer, connection) => {
    connection.finish(bench.now)
    peer.heard()
    peer.send('F.', { ack: 1 })
  }),
  'last-ack': then((bench, peer, connection) => {
    peer.send('F.')
    peer.heard()
    connection.finish(bench.now)
  }),
  'time-wait': then((bench, peer, connection) => {
    connection.finish(bench.now)
    peer.heard()
    peer.send('.')
    peer.send('F.')
  }),
}

/** A segment, its places named by what they are near. */
export interface Blow {
  flags: string
  seq: number
  ack: number
  length: number
  /** A row of `OPTIONS`, or octets. */
  options: number | readonly number[]
  window: number
  urgent: number
  /** Edges of a block of SACK after the options, where it fits: distances from SND.UNA. */
  sack?: readonly [number, number] | null
  /** A lie about the header's length: text is made of options, or the other way round. */
  dataOffset?: number | null
}

/** What senders really send; the others are tried at fewer places. */
export const COMMON: readonly string[] = ['', 'S', 'S.', '.', 'P.', 'F.', 'FP.', 'R', 'R.', 'U.', 'FSRPU.', 'FS']

export const FLAGS: readonly string[] = Array.from({ length: 64 }, (_, bits) =>
  [...'FSRP.U'].filter((_letter, at) => bits & (1 << at)).join(''),
)

const HALF = 0x8000_0000 | 0

/** Distances from RCV.NXT; those beyond 10,000 from the window's edge instead. */
export const SEQ_PLACES: readonly number[] = [
  0,
  1,
  -1,
  100,
  -100,
  -2000,
  1460,
  9999,
  19_999,
  20_000,
  20_001,
  HALF,
  HALF + 5,
]
/** Distances from SND.UNA; those beyond 10,000 from SND.NXT instead. */
export const ACK_PLACES: readonly number[] = [0, 1, -1, 1460, -1000, -200_000, 19_999, 20_000, 20_001, 30_000, HALF]
export const LENGTHS: readonly number[] = [0, 1, 10, 1000, 1460]
export const WINDOWS: readonly number[] = [65_535, 0, 1, 1000]
export const URGENTS: readonly number[] = [0, 1, 500, 65_535]

type MakeOptions = (peer: Peer, una: number, nxt: number) => number[]
const clockOf = (peer: Peer, offset: number) => ((peer.clock ?? 0) + peer.bench.now + offset) | 0
const edges = (peer: Peer, ...blocks: number[]) => [
  ...[5, 2 + blocks.length * 4],
  ...blocks.flatMap((edge) => {
    const at = (edge + peer.stackIss) | 0
    return [(at >>> 24) & 255, (at >>> 16) & 255, (at >>> 8) & 255, at & 255]
  }),
]

/** What stands where options stand: right, wrong and mad. */
export const OPTIONS: readonly MakeOptions[] = [
  () => [],
  (peer) => stamps(clockOf(peer, 0), peer.echo),
  (peer) => stamps(clockOf(peer, -1_000_000), peer.echo),
  (peer) => stamps(clockOf(peer, 500_000), peer.echo + 12_345),
  (peer, una) => [...stamps(clockOf(peer, 0), peer.echo), ...edges(peer, una + 1460, una + 2920)],
  (peer, una, nxt) => edges(peer, una, nxt),
  (peer, una, nxt) => edges(peer, nxt, una, una - 5000, una - 10, nxt + 10, nxt + 1000, una + 7, una + 8),
  (peer, una) => edges(peer, una + HALF, una, una + 1, una + 1),
  () => [5, 9, 0, 0, 0, 0, 0, 0, 0],
  () => [8, 0],
  () => [254, 60, 1, 1],
  () => [2, 4, 0, 0, 3, 3, 255],
  () => [2, 4, 0, 1, 4, 2, 3, 3, 14],
  () => Array(40).fill(1),
  () => Array.from({ length: 40 }, (_, at) => (at * 73) & 255),
]

export function strike(victim: Victim, blow: Blow): void {
  const { peer, connection } = victim
  victim.edge = connection?.window.edge
  if (typeof blow.dataOffset === 'number') victim.isTainted = true
  const isUnknown = connection === null || connection.state === State.synSent
  const expects = isUnknown ? peer.next : (connection.rcvNxt - peer.iss) | 0
  const edge = isUnknown ? peer.next + 65_535 : expects + connection.window.size(connection.rcvNxt)
  const una = connection === null ? peer.expected : (connection.sndUna - peer.stackIss) | 0
  const nxt = connection === null ? peer.expected : (connection.sndNxt - peer.stackIss) | 0
  const seq = blow.seq > 5000 ? edge + blow.seq - 20_000 : expects + blow.seq
  const ack = blow.ack > 5000 ? nxt + blow.ack - 20_000 : una + blow.ack
  peer.send(blow.flags, {
    seq,
    ack,
    data: pattern(blow.length, seq + (blow.flags.includes('S') ? 1 : 0)),
    window: blow.window,
    urgent: blow.urgent,
    options: optionsOf(blow, peer, una, nxt),
    raw: typeof blow.dataOffset === 'number' ? { dataOffset: blow.dataOffset } : {},
  })
}

function optionsOf({ options, sack }: Blow, peer: Peer, una: number, nxt: number): number[] {
  const all = typeof options === 'number' ? OPTIONS[options](peer, una, nxt) : [...options]
  if (sack && all.length <= 30) all.push(...edges(peer, una + sack[0], una + sack[1]))
  return all.slice(0, 40)
}

/** As `expect`, which is too slow for a million calls. */
function ensure(holds: boolean, what: string, ...figures: number[]): void {
  if (!holds) throw new Error(`${what}: ${figures.join(', ')}`)
}

/** What must hold, whatever comes. */
export class Watch {
  readonly #victim: Victim
  #una = 0
  #nxt = 0
  #edge = 0
  #isFirst = true
  #isOpen = false
  /** Octets that the user was given. */
  #read = 0

  constructor(victim: Victim) {
    this.#victim = victim
    this.check([], '')
  }

  /** `heard` is what the last segment was answered with, `flags` were its own. */
  check(heard: readonly Heard[], flags: string): void {
    const replies = heard.filter((one) => one.data.length === 0 && !one.flags.includes('F'))
    ensure(replies.length <= 1, 'one segment has more replies than one', replies.length)
    const isAnswered = replies.some((one) => one.flags.includes('R'))
    ensure(!(flags.includes('R') && isAnswered), 'a reset is answered with a reset')
    const { connection } = this.#victim
    if (connection === null) return
    this.#checkText(connection)
    if (connection.isOver) return
    this.#checkSender(connection)
    this.#checkFlight(connection)
    if (isSynchronized(connection.state)) this.#checkReceiver(connection)
    this.#isFirst = false
  }

  #checkSender(connection: Connection): void {
    const { sndUna, sndNxt, sndWnd, congestion, sendBuffer } = connection
    ensure(((sndNxt - sndUna) | 0) >= 0, 'SND.UNA =< SND.NXT', sndUna, sndNxt)
    ensure(this.#isFirst || ((sndUna - this.#una) | 0) >= 0, 'SND.UNA goes back', this.#una, sndUna)
    this.#una = sndUna
    ensure(sndWnd >= 0 && sndWnd <= LARGEST_WINDOW, 'SND.WND within its limits', sndWnd)
    const cwnd = congestion?.cwnd ?? 1
    ensure(cwnd >= 1 && cwnd <= 2 ** 30, 'cwnd within its limits', cwnd)
    const text = sendBuffer === null ? 0 : sendBuffer.length
    ensure(((connection.sendEnd - connection.dataStart) | 0) === text, 'the send buffer begins at SND.UNA', text)
  }

  /** The records cover SND.UNA to SND.NXT without a gap, and their sums are right. */
  #checkFlight({ sndUna, sndNxt, flight, state }: Connection): void {
    const { slab } = flight
    if (flight.first < 0 && !isSynchronized(state)) return
    let at = sndUna
    const sums = [0, 0, 0]
    for (let row = flight.first; row >= 0; row = slab.next[row]) {
      const length = flight.length(row)
      ensure(slab.start[row] === at && length > 0, 'a gap in the flight', slab.start[row], at, length)
      at = slab.end[row]
      for (const [place, flag] of [Sent.sacked, Sent.lost, Sent.again].entries()) {
        if (flight.has(row, flag)) sums[place] += length
      }
    }
    ensure(at === sndNxt, 'the flight ends before SND.NXT', at, sndNxt)
    ensure(flight.octets === ((sndNxt - sndUna) | 0), 'octets in flight', flight.octets, (sndNxt - sndUna) | 0)
    const [sacked, lost, again] = sums
    const isRight = sacked === flight.sacked && lost === flight.lost && again === flight.again
    ensure(isRight, 'sums of the flight', ...sums, flight.sacked, flight.lost, flight.again)
    ensure(flight.pipe >= 0, 'less than nothing in the network', flight.pipe)
  }

  #checkReceiver(connection: Connection): void {
    const { window, rcvNxt, readable } = connection
    if (this.#isOpen) {
      ensure(((rcvNxt - this.#nxt) | 0) >= 0, 'RCV.NXT goes back', this.#nxt, rcvNxt)
      ensure(((window.edge - this.#edge) | 0) >= 0, 'the edge goes back', this.#edge, window.edge)
    }
    // A FIN may stand behind the last octet that fits.
    const { edge } = this.#victim
    const isWithin = !this.#isOpen || edge === undefined || ((edge + 1 - rcvNxt) | 0) >= 0
    ensure(isWithin, 'RCV.NXT beyond what was offered', edge ?? 0, rcvNxt)
    if (this.#isOpen) this.#checkArrived(this.#nxt, rcvNxt)
    this.#isOpen = true
    this.#nxt = rcvNxt
    this.#edge = window.edge
    this.#victim.edge = window.edge
    const size = window.size(rcvNxt)
    ensure(size >= 0 && size <= 65_535 * 2 ** window.scale, 'RCV.WND within its limits', size)
    const kept = readable + (connection.reassembly?.octets ?? 0)
    ensure(kept <= Math.max(window.limit * 1.5, 70_000), 'octets that are kept', kept)
  }

  /** RCV.NXT passes only what the peer has really sent. */
  #checkArrived(from: number, to: number): void {
    if (this.#victim.isTainted === true) return
    const { said, iss } = this.#victim.peer
    for (let at = from; at !== to; ) {
      const place = (at - iss) | 0
      const range = said.find(([start, end]) => ((place - start) | 0) >= 0 && ((end - place) | 0) > 0)
      ensure(range !== undefined, 'RCV.NXT passes what never came', place)
      const step = ((range as [number, number])[1] - place) | 0
      at = ((to - at) | 0) > step ? (at + step) | 0 : to
    }
  }

  /** Each octet tells its own place in the stream: none comes twice, none too early. */
  #checkText(connection: Connection): void {
    const { peer } = this.#victim
    const { receiveBuffer, irs } = connection
    if (receiveBuffer === null || connection.is(Mark.orphan)) return
    const before = connection.readable
    // Of much, half is left unread, so that windows close.
    const octets = new Uint8Array(before > 4000 ? before >> 1 : before)
    let length = 0
    while (length < octets.length) {
      length += connection.readInto(octets, length, octets.length - length, peer.bench.now)
    }
    const first = ((irs - peer.iss) | 0) + 1 + this.#read
    this.#read += length
    if (this.#victim.isTainted === true) return
    const right = pattern(length, first)
    for (let at = 0; at < length; at++) ensure(octets[at] === right[at], 'the wrong octet at', first + at)
  }
}

const LARGEST_WINDOW = 65_535 * 2 ** 14
