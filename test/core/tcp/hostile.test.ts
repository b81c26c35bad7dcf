// Connections in every state and segments of every kind: nothing is thrown, nothing is delivered twice, nothing goes back that may not,
// one segment gets one reply at most, and nothing is left when it is over. A failure prints its seed and path.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ACK_PLACES,
  type Blow,
  COMMON,
  FLAGS,
  type Flavour,
  LENGTHS,
  OPTIONS,
  SEQ_PLACES,
  STATES,
  strike,
  URGENTS,
  type Victim,
  Watch,
  WINDOWS,
} from '../../support/hostile-peer.ts'
import { mss, pattern, scale, stamps, TcpBench } from '../../support/tcp-bench.ts'

const RUNS = Number(process.env.TUNSTACK_HOSTILE_RUNS ?? 2000)

/** A stack with a listener, and room for little or much. */
function makeBench(isRoomy = false) {
  const room = isRoomy ? { receiveBufferInitial: 65_536, receiveBufferMost: 131_072 } : { receiveBufferInitial: 8000 }
  const bench = new TcpBench({ challengeInterval: 1, ...room })
  bench.listen()
  return bench
}

/** How much of everything it holds: nothing when nobody is connected. */
function held(bench: TcpBench) {
  const { shared } = bench.tcp
  const { flights, slabs, timers } = shared
  return { connections: bench.tcp.connectionCount, flights: flights.used, slabs: slabs.held, timers: timers.count }
}

/** Everything that a run has left ends, TIME-WAIT records and requests by themselves. */
function end(bench: TcpBench, { connection }: Victim): void {
  connection?.abort(bench.now)
  for (let one = bench.listener?.accepted.shift(); one; one = bench.listener?.accepted.shift()) one.abort(bench.now)
  bench.flush()
  bench.forget()
}

const flags = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...FLAGS) },
  { weight: 4, arbitrary: fc.constantFrom('.', 'P.', 'F.', 'S', 'S.', 'R', 'R.') },
  { weight: 1, arbitrary: fc.subarray([...'FSRP.UEW']).map((letters) => letters.join('')) },
)

/** A place by name, near one, or anywhere. */
const place = (places: readonly number[]) =>
  fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom(...places) },
    { weight: 10, arbitrary: fc.integer({ min: -3000, max: 5000 }) },
    { weight: 1, arbitrary: fc.constantFrom(65_534, 65_535, 65_536, 131_071, 0x4000_0000) },
    { weight: 1, arbitrary: fc.integer() },
  )

const options = fc.oneof(
  { weight: 4, arbitrary: fc.nat(OPTIONS.length - 1) },
  { weight: 1, arbitrary: fc.tuple(fc.integer(), fc.integer()).map(([value, echo]) => stamps(value, echo)) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(65_535), fc.nat(255)).map(([size, by]) => [...mss(size), ...scale(by)]) },
  { weight: 1, arbitrary: fc.array(fc.nat(255), { maxLength: 40 }) },
)

const edge = fc.oneof(fc.integer({ min: -2000, max: 40_000 }), fc.integer())

const blows = fc.record<Blow>({
  flags,
  seq: place(SEQ_PLACES),
  ack: place(ACK_PLACES),
  length: fc.oneof(fc.constantFrom(...LENGTHS), fc.nat(1460)),
  options,
  window: fc.oneof(fc.constantFrom(...WINDOWS), fc.nat(65_535)),
  urgent: fc.constantFrom(...URGENTS),
  sack: fc.option(fc.tuple(edge, edge), { freq: 3 }),
  // Seldom, since octets can't be known by their places from then on.
  dataOffset: fc.option(fc.nat(15), { freq: 30 }),
})

const stories = fc.record({
  state: fc.constantFrom(...Object.keys(STATES)),
  flavour: fc.record<Flavour>({ ipv6: fc.boolean(), rich: fc.boolean(), wraps: fc.boolean(), opens: fc.boolean() }),
  isRoomy: fc.boolean(),
  steps: fc.array(
    fc.record({
      blow: blows,
      wait: fc.constantFrom(0, 0, 1, 50, 300, 5000),
      act: fc.constantFrom('', '', '', '', '', '', 'write', 'write', 'urgent', 'finish', 'abandon', 'abort'),
    }),
    { minLength: 1, maxLength: 20 },
  ),
  /** Until every timer has run out, or not. */
  rest: fc.constantFrom(0, 200_000),
})

describe('whatever a peer sends', () => {
  it.each(Object.keys(STATES))(
    'in %s, segment by segment: every flag at every place',
    (state) => {
      let bench = makeBench()
      let count = 0
      for (const flags of new Set([...COMMON, ...FLAGS])) {
        for (const seq of SEQ_PLACES) {
          for (const ack of flags.includes('.') ? ACK_PLACES : [0]) {
            const number = count++
            if (!COMMON.includes(flags) && number % 11 !== 0) continue
            const flavour = {
              ipv6: false,
              rich: (number & 1) === 0,
              wraps: (number & 2) === 0,
              opens: number % 7 === 0,
            }
            const blow: Blow = {
              flags,
              seq,
              ack,
              length: LENGTHS[number % LENGTHS.length],
              options: number % OPTIONS.length,
              window: WINDOWS[number % WINDOWS.length],
              urgent: URGENTS[(number >> 2) % URGENTS.length],
            }
            const victim = STATES[state](bench, flavour, 1024 + number)
            const watch = new Watch(victim)
            victim.peer.heard()
            strike(victim, blow)
            try {
              watch.check(victim.peer.heard(), flags)
            } catch (error) {
              throw new Error(`${JSON.stringify({ ...blow, ...flavour })}: ${(error as Error).message}`)
            }
            end(bench, victim)
          }
          expect(held(bench)).toEqual({ connections: 0, flights: 0, slabs: 0, timers: 0 })
        }
        // Records of requests and of TIME-WAIT go with it.
        bench = makeBench()
      }
    },
    120_000,
  )

  it(
    'in a row, while time passes and the user goes on',
    () => {
      fc.assert(
        fc.property(stories, ({ state, flavour, isRoomy, steps, rest }) => {
          const bench = makeBench(isRoomy)
          const victim = STATES[state](bench, flavour, 4000)
          const { peer } = victim
          const watch = new Watch(victim)
          for (const { blow, wait, act } of steps) {
            go(bench, victim, act)
            bench.wait(wait)
            peer.heard()
            watch.check([], '')
            strike(victim, blow)
            watch.check(peer.heard(), blow.flags)
          }
          bench.wait(rest)
          peer.heard()
          watch.check([], '')
          end(bench, victim)
          expect(held(bench)).toEqual({ connections: 0, flights: 0, slabs: 0, timers: 0 })
        }),
        { numRuns: RUNS },
      )
    },
    120_000 + 20 * RUNS,
  )
})

/** What its user does. */
function go(bench: TcpBench, { connection }: Victim, act: string): void {
  if (connection === null) return
  if (act === 'write') bench.write(connection, 3000)
  if (act === 'urgent') connection.sendUrgent(pattern(10), bench.now)
  if (act === 'finish') connection.finish(bench.now)
  if (act === 'abandon') connection.abandon(bench.now)
  if (act === 'abort') connection.abort(bench.now)
}
