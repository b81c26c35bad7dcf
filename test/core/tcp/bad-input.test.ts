// Nothing that a peer sends makes the core throw, whatever the state: every kind of segment (flags, sequence positions, acknowledgment
// positions, lengths, options well and badly formed) in every state, with the invariants checked after each.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Connection } from '../../../src/core/tcp/connection.ts'
import { lessThan } from '../../../src/core/tcp/sequence.ts'
import { State } from '../../../src/core/tcp/state.ts'
import { type Bytes, u16, u32 } from '../../support/packets.ts'
import { mss, type Peer, pattern, type SegmentFields, scale, stamps, TcpBench } from '../../support/tcp-bench.ts'

type Reach = (bench: TcpBench) => [Peer, Connection | null]

/** How each state is come to; those without a control block are LISTEN, a request's SYN-RECEIVED, TIME-WAIT and CLOSED. */
const STATES: Record<string, Reach> = {
  closed: (bench) => [bench.peer(), null],
  listen: (bench) => {
    bench.listen()
    return [bench.peer(), null]
  },
  'half open': (bench) => {
    bench.listen()
    const peer = bench.peer({ synOptions: SYN_OPTIONS, clock: 5000 })
    peer.send('S')
    peer.heard()
    return [peer, null]
  },
  synSent: (bench) => {
    const peer = bench.peer({ synOptions: SYN_OPTIONS, clock: 5000 })
    const connection = bench.connect(peer)
    peer.heard()
    return [peer, connection]
  },
  synReceived: (bench) => {
    const peer = bench.peer({ synOptions: SYN_OPTIONS, clock: 5000 })
    const connection = bench.connect(peer)
    peer.heard()
    peer.send('S')
    peer.heard()
    expect(connection.state).toBe(State.synReceived)
    return [peer, connection]
  },
  established: (bench) => bench.accept({ synOptions: SYN_OPTIONS, clock: 5000 }),
  'established without options': (bench) => bench.open(),
  'with octets in flight': (bench) => {
    const [peer, connection] = bench.accept({ synOptions: SYN_OPTIONS, clock: 5000 })
    bench.write(connection, 30_000)
    peer.heard()
    return [peer, connection]
  },
  'with a gap': (bench) => {
    const [peer, connection] = bench.accept({ synOptions: SYN_OPTIONS, clock: 5000 })
    peer.send('.', { seq: peer.next + 5000, data: pattern(1000, 5001) })
    peer.heard()
    return [peer, connection]
  },
  'behind a closed window': (bench) => {
    const [peer, connection] = bench.accept({ synOptions: SYN_OPTIONS, clock: 5000, window: 0 })
    bench.write(connection, 5000)
    bench.wait(2000)
    peer.heard()
    return [peer, connection]
  },
  finWait1: (bench) => {
    const [peer, connection] = bench.accept({ synOptions: SYN_OPTIONS, clock: 5000 })
    connection.finish(bench.now)
    peer.heard()
    return [peer, connection]
  },
  finWait2: (bench) => {
    const [peer, connection] = bench.accept({ synOptions: SYN_OPTIONS, clock: 5000 })
    connection.finish(bench.now)
    peer.heard()
    peer.send('.')
    expect(connection.state).toBe(State.finWait2)
    return [peer, connection]
  },
  closing: (bench) => {
    const [peer, connection] = bench.accept({ synOptions: SYN_OPTIONS, clock: 5000 })
    connection.finish(bench.now)
    peer.heard()
    peer.send('F.', { ack: peer.expected - 1 })
    expect(connection.state).toBe(State.closing)
    return [peer, connection]
  },
  timeWait: (bench) => {
    const [peer, connection] = bench.accept({ synOptions: SYN_OPTIONS, clock: 5000 })
    connection.finish(bench.now)
    peer.heard()
    peer.send('F.')
    peer.heard()
    expect(bench.tcp.timeWaitCount).toBe(1)
    return [peer, connection]
  },
  closeWait: (bench) => {
    const [peer, connection] = bench.accept({ synOptions: SYN_OPTIONS, clock: 5000 })
    peer.send('F.')
    peer.heard()
    return [peer, connection]
  },
  lastAck: (bench) => {
    const [peer, connection] = bench.accept({ synOptions: SYN_OPTIONS, clock: 5000 })
    peer.send('F.')
    connection.finish(bench.now)
    peer.heard()
    expect(connection.state).toBe(State.lastAck)
    return [peer, connection]
  },
}

const SYN_OPTIONS = [...mss(1460), 4, 2, ...stamps(5000, 0), 1, ...scale(7)]

const position = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 1, -1, 2, -2, 1000, -1000, 5000, 6000, 65_534, 65_535, 65_536, 131_071) },
  { weight: 1, arbitrary: fc.constantFrom(0x7fffffff, -0x80000000, 0x40000000) },
  { weight: 1, arbitrary: fc.integer() },
)

const option = fc.oneof(
  fc.constant<number[]>([]),
  fc.constant([1, 1, ...stamps(6000, 0)]),
  fc.tuple(fc.integer(), fc.integer()).map(([value, echo]) => stamps(value, echo)),
  fc.tuple(fc.integer(), fc.integer()).map(([start, end]) => [1, 1, 5, 10, ...u32(start), ...u32(end)]),
  fc.nat(65_535).map((size) => mss(size)),
  fc.nat(255).map((shift) => scale(shift)),
  fc.constantFrom([4, 2], [0], [5, 2], [5, 9, 1, 2, 3], [2, 0], [8, 3, 1], [254, 200], [3], [2, 4, ...u16(0)]),
  fc.array(fc.nat(255), { maxLength: 20 }),
)

interface Shot {
  flags: string
  seq: number
  ack: number
  length: number
  window: number
  urgent: number
  options: readonly number[]
  dataOffset: number | undefined
  /** SACK edges count from the stack's numbers. */
  sack: [number, number] | null
  wait: number
  act: string
}

const shot: fc.Arbitrary<Shot> = fc.record({
  flags: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('.', 'P.', 'F.', 'FP.', 'R', 'R.', 'S', 'S.', 'SF', 'U.', '', 'FSRP.UEW') },
    { weight: 1, arbitrary: fc.subarray([...'FSRP.UEW']).map((letters) => letters.join('')) },
  ),
  seq: position,
  ack: position,
  length: fc.constantFrom(0, 0, 1, 2, 100, 1000, 1448, 1460),
  window: fc.constantFrom(0, 0, 1, 100, 1000, 65_535),
  urgent: fc.constantFrom(0, 0, 1, 500, 65_535),
  options: option,
  dataOffset: fc.option(fc.nat(15), { nil: undefined, freq: 12 }),
  sack: fc.option(fc.tuple(fc.integer({ min: -2000, max: 40_000 }), fc.integer({ min: -2000, max: 40_000 })), {
    freq: 3,
  }),
  wait: fc.constantFrom(0, 0, 0, 1, 50, 300, 5000),
  act: fc.constantFrom('', '', '', '', 'write', 'read', 'finish', 'urgent', 'abandon', 'abort'),
})

interface Seen {
  sndUna: number
  rcvNxt: number
  read: number
  /** A lie about the header's length has made text of options, or the other way round. */
  isTainted: boolean
}

test.each(Object.keys(STATES))('%s', (name) => {
  fc.assert(
    fc.property(fc.array(shot, { minLength: 1, maxLength: 12 }), (shots) => {
      const bench = new TcpBench({ receiveBufferInitial: 65_536, receiveBufferMost: 131_072 })
      const [peer, connection] = STATES[name](bench)
      peer.heard()
      const seen: Seen = { sndUna: connection?.sndUna ?? 0, rcvNxt: connection?.rcvNxt ?? 0, read: 0, isTainted: false }
      const expected = peer.expected
      const next = peer.next
      for (const one of shots) fire(bench, peer, connection, one, next, expected, seen)
      bench.wait(200_000)
      peer.heard()
    }),
    { numRuns: Number(process.env.BAD_INPUT_RUNS ?? 60) },
  )
})

function fire(
  bench: TcpBench,
  peer: Peer,
  connection: Connection | null,
  one: Shot,
  next: number,
  expected: number,
  seen: Seen,
): void {
  const fields: SegmentFields = {
    seq: (next + one.seq) | 0,
    ack: (expected + one.ack) | 0,
    data: pattern(one.length, (next + one.seq + (one.flags.includes('S') ? 1 : 0)) | 0),
    window: one.window,
    urgent: one.urgent,
    options: optionsOf(peer, one),
    raw: one.dataOffset === undefined ? {} : { dataOffset: one.dataOffset },
  }
  if (one.dataOffset !== undefined) seen.isTainted = true
  bench.deliver(peer.packet(one.flags, fields) as Bytes)
  const answers = peer.heard().filter(({ data, flags }) => data.length === 0 && !/[SF]/.test(flags))
  // One reply at most, but for what is owed to a peer that counts duplicates.
  expect(answers.length).toBeLessThanOrEqual(connection === null ? 1 : 2)
  if (connection !== null) {
    checkInvariants(connection, seen)
    act(bench, peer, connection, one.act, seen)
  }
  if (one.wait > 0) bench.wait(one.wait)
  if (connection !== null) checkInvariants(connection, seen)
}

function optionsOf(peer: Peer, { options, sack }: Shot): number[] {
  const all = [...options]
  if (sack !== null && all.length <= 30) {
    all.push(5, 10, ...u32((peer.stackIss + sack[0]) | 0), ...u32((peer.stackIss + sack[1]) | 0))
  }
  return all.slice(0, 40)
}

function checkInvariants(connection: Connection, seen: Seen): void {
  const { sndUna, sndNxt, rcvNxt, window, flight, congestion } = connection
  expect(lessThan(sndNxt, sndUna), 'SND.UNA is beyond SND.NXT').toBe(false)
  if (connection.state !== State.synSent && connection.state !== State.closed) {
    expect(lessThan(sndUna, seen.sndUna), 'SND.UNA went back').toBe(false)
    if (seen.rcvNxt !== 0) expect(lessThan(rcvNxt, seen.rcvNxt), 'RCV.NXT went back').toBe(false)
    seen.sndUna = sndUna
    seen.rcvNxt = rcvNxt
    expect(window.size(rcvNxt)).toBeLessThanOrEqual(131_072 + 256)
    expect(window.size(rcvNxt)).toBeGreaterThanOrEqual(0)
  }
  expect(flight.sacked + flight.lost).toBeLessThanOrEqual(flight.octets)
  expect(flight.pipe).toBeGreaterThanOrEqual(0)
  if (connection.state !== State.closed) expect(flight.octets).toBe((sndNxt - sndUna) | 0)
  if (congestion !== null) {
    expect(congestion.cwnd).toBeGreaterThan(0)
    expect(congestion.cwnd).toBeLessThanOrEqual(2 ** 30)
  }
}

function act(bench: TcpBench, peer: Peer, connection: Connection, what: string, seen: Seen): void {
  const { now } = bench
  if (what === 'write') bench.write(connection, 3000)
  if (what === 'finish') connection.finish(now)
  if (what === 'urgent') connection.sendUrgent(pattern(10), now)
  if (what === 'abandon') connection.abandon(now)
  if (what === 'abort') connection.abort(now)
  if (what !== 'read') return
  for (let bytes = connection.read(100_000, now); bytes !== null; bytes = connection.read(100_000, now)) {
    // No octet twice, none left out, each as it was sent.
    const from = (connection.irs + 1 - peer.iss + seen.read) | 0
    if (!seen.isTainted) expect([...bytes]).toEqual([...pattern(bytes.length, from)])
    seen.read += bytes.length
  }
}
