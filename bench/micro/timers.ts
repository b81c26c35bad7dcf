// The timers of 100,000 connections: a row of instants for each, and one table of deadlines for all, as a control block uses them.
import { Deadlines, type Expirable } from '../../src/core/deadlines.ts'
import { Timer, type TimerName, Timers } from '../../src/core/tcp/timers.ts'
import { SeededRandom } from '../../src/simulate/random.ts'
import type { Measured, Suite } from './suite.ts'

const CONNECTIONS = 100_000
const CALLS = 1_000
/** A retransmission timer's distance, and a delayed ACK's. */
const FAR = 200
const NEAR = 40
/** They do not all expire at once. */
const SPREAD = 1_000
/** Between one call and the next. */
const STEP = 0.05

/** As the verbs of a connection do. */
class Connection implements Expirable {
  readonly row: number
  readonly deadlineRow: number
  readonly #table: Connections

  constructor(table: Connections) {
    this.#table = table
    this.row = table.timers.add()
    this.deadlineRow = table.deadlines.add(this)
  }

  arm(timer: TimerName, at: number): void {
    const { timers, deadlines } = this.#table
    timers.set(this.row, timer, at)
    if (at < deadlines.at(this.deadlineRow)) deadlines.set(this.deadlineRow, at)
  }

  expire(now: number): void {
    const { timers, deadlines } = this.#table
    this.#table.expired++
    timers.set(this.row, Timer.retransmission, now + FAR)
    deadlines.set(this.deadlineRow, timers.earliest(this.row))
  }
}

class Connections {
  readonly deadlines = new Deadlines()
  readonly timers = new Timers()
  readonly clock = new Float64Array(1)
  /** Some of them, in no order. */
  readonly chosen: Connection[] = []
  expired = 0

  constructor() {
    const random = new SeededRandom(CONNECTIONS)
    const all: Connection[] = []
    for (let number = 0; number < CONNECTIONS; number++) {
      all.push(new Connection(this))
      all[number].arm(Timer.retransmission, FAR + ((random.int32() >>> 0) % SPREAD))
    }
    for (let call = 0; call < CALLS; call++) this.chosen.push(all[(random.int32() >>> 0) % CONNECTIONS])
  }
}

function each(prepare: (connections: Connections) => () => void): Measured {
  return { handles: () => ({ timers: CALLS }), prepare: () => prepare(new Connections()) }
}

export const timers: Suite = {
  'put off, as each ACK does': each(({ chosen, clock }) => () => {
    clock[0] += STEP
    for (const connection of chosen) connection.arm(Timer.retransmission, clock[0] + FAR)
  }),
  'armed and disarmed, as each delayed ACK does': each(({ chosen, clock, timers: rows }) => () => {
    clock[0] += STEP
    for (const connection of chosen) connection.arm(Timer.delayedAck, clock[0] + NEAR)
    for (const { row } of chosen) rows.clear(row, Timer.delayedAck)
  }),
  'expired, and armed again': each((connections) => () => {
    const { deadlines, clock, expired } = connections
    while (connections.expired - expired < CALLS) {
      clock[0] = deadlines.next()
      deadlines.expire(clock[0], true)
    }
  }),
}
