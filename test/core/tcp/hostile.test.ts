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
import { TcpBench } from '../../support/tcp-bench.ts'

const RUNS = Number(process.env.TUNSTACK_HOSTILE_RUNS ?? 2000)

/** A stack with a listener, and how much of everything it holds when nobody is connected. */
function makeBench() {
  const bench = new TcpBench({ challengeInterval: 1, receiveBufferInitial: 8000 })
  bench.listen()
  return bench
}

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
            const flavour = { ipv6: false, rich: (number & 1) === 0, wraps: (number & 2) === 0 }
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

  const blows = fc.record<Blow>({
    flags: fc.oneof(fc.constantFrom(...FLAGS), fc.constantFrom('.', 'P.', 'F.', 'S', 'S.', 'R', 'R.')),
    seq: fc.oneof(fc.constantFrom(...SEQ_PLACES), fc.integer({ min: -3000, max: 5000 })),
    ack: fc.oneof(fc.constantFrom(...ACK_PLACES), fc.integer({ min: -3000, max: 5000 })),
    length: fc.oneof(fc.constantFrom(...LENGTHS), fc.nat(1460)),
    options: fc.nat(OPTIONS.length - 1),
    window: fc.oneof(fc.constantFrom(...WINDOWS), fc.nat(65_535)),
    urgent: fc.constantFrom(...URGENTS),
  })
  const flavours = fc.record<Flavour>({ ipv6: fc.boolean(), rich: fc.boolean(), wraps: fc.boolean() })
  const steps = fc.record({
    blow: blows,
    wait: fc.constantFrom(0, 0, 1, 50, 300, 5000),
    act: fc.constantFrom('', '', '', 'write', 'finish', 'abandon'),
  })

  it(
    'in a row, while time passes and the user goes on',
    () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...Object.keys(STATES)),
          flavours,
          fc.array(steps, { minLength: 1, maxLength: 20 }),
          (state, flavour, all) => {
            const bench = makeBench()
            const victim = STATES[state](bench, flavour, 4000)
            const { connection, peer } = victim
            const watch = new Watch(victim)
            for (const { blow, wait, act } of all) {
              if (connection !== null && act === 'write') bench.write(connection, 3000)
              if (connection !== null && act === 'finish') connection.finish(bench.now)
              if (connection !== null && act === 'abandon') connection.abandon(bench.now)
              bench.wait(wait)
              peer.heard()
              strike(victim, blow)
              watch.check(peer.heard(), blow.flags)
            }
            end(bench, victim)
            expect(held(bench)).toEqual({ connections: 0, flights: 0, slabs: 0, timers: 0 })
          },
        ),
        { numRuns: RUNS },
      )
    },
    120_000 + 20 * RUNS,
  )
})
