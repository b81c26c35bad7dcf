// The memory of one thing in a process of its own: `node --expose-gc memory-run.js idle|timeWait|flood COUNT` prints its figures as JSON.
// Memory is heap and what lies outside of it (typed arrays' octets), after everything that nobody holds has been collected.
import { Count } from '../../src/core/observer.ts'
import type { Connection } from '../../src/core/tcp/connection.ts'
import type { Listener } from '../../src/core/tcp/opening/listener.ts'
import * as ipv4 from '../../src/core/wire/ipv4.ts'
import { SeededRandom } from '../../src/simulate/random.ts'
import { AT_ONCE, ManyConnections } from '../support/many-connections.ts'
import { Template } from '../support/template.ts'
import { TwoStacks } from '../support/two-stacks.ts'

/** Of a flood: SYNs at once, milliseconds that they take, and how many there are between one client's attempt and the next. */
const BATCH = 64
const BATCH_TAKES = 0.64
const BETWEEN_CLIENTS = 9_600
const TEXT = 100
const TIME_WAIT = 3_600_000
/** As long as a client is waited for. */
const LONGEST = 5_000
const NEVER = -1

export interface Figures {
  /** Octets for each end of an idle connection; of all records; or more than before, at most. */
  octets: number
  count: number
  detail: Record<string, number>
}

function used(): number {
  for (let round = 0; round < 4; round++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function idle(count: number): Figures {
  const pair = new ManyConnections()
  pair.open(AT_ONCE)
  const before = used()
  pair.open(count)
  const octets = (used() - before) / (2 * count)
  return { octets, count: pair.client.core.tcp.connectionCount - AT_ONCE, detail: {} }
}

function timeWait(count: number): Figures {
  // It takes longer than a minute to open so many, a few at a time.
  const pair = new ManyConnections({ timeWait: TIME_WAIT })
  pair.open(AT_ONCE)
  const before = used()
  for (let closed = 0; closed < count; closed += AT_ONCE) {
    pair.close()
    if (closed + AT_ONCE < count) pair.open(AT_ONCE)
  }
  const { tcp } = pair.client.core
  return { octets: used() - before, count: tcp.timeWaitCount, detail: { connections: tcp.connectionCount } }
}

function flood(count: number): Figures {
  const pair = new TwoStacks()
  const listener = pair.listen()
  const random = new SeededRandom(count)
  const pattern = pair.connect()
  const syns = new Template(pair.transmit(pair.client), pair.server.interface, new Array(BATCH).fill(0))
  pattern.abort(pair.now)
  pair.settle()
  const before = used()
  let [most, clients, served, slowest] = [0, 0, 0, 0]
  for (let thrown = 0; thrown < count; thrown += BATCH) {
    if (thrown % BETWEEN_CLIENTS === 0) {
      most = Math.max(most, used() - before)
      const took = serve(pair, listener, () => throwSyns(pair, syns, random))
      if (took !== NEVER) served++
      slowest = Math.max(slowest, took)
      clients++
    }
    throwSyns(pair, syns, random)
  }
  const { counters } = pair.server.stack.observer
  const detail = { clients, served, slowest, cookies: counters.get(Count.tcpCookiesSent) }
  return { octets: most, count: counters.get(Count.tcpReceived), detail }
}

/** 64 SYNs from anywhere; the server's answers to them go nowhere, those to the client reach it. */
function throwSyns(pair: TwoStacks, syns: Template, random: SeededRandom): void {
  for (let row = 0; row < BATCH; row++)
    syns.setSource(row, 0x0a000000 | (random.int32() & 0xffffff), 1_024 + (random.int32() & 0x7fff))
  pair.pass(BATCH_TAKES)
  pair.server.stack.receive(syns.batch, pair.now)
  pair.server.stack.expire(pair.now, true)
  const ours = pair.client.interface.addresses[0].address.word3
  while (pair.server.stack.hasOutput) {
    const answers = pair.transmit(pair.server)
    const rows = [...Array(answers.count).keys()].filter(
      (row) => ipv4.destination(answers.view, answers.offset[row]) === ours,
    )
    if (rows.length > 0) pair.client.stack.receive(new Template(answers, pair.client.interface, rows).batch, pair.now)
  }
}

/** A client connects, and its text is read; after how many milliseconds. */
function serve(pair: TwoStacks, listener: Listener<Connection>, disturb: () => void): number {
  const client = pair.connect()
  let server: Connection | null = null
  const began = pair.now
  client.send(new Uint8Array(TEXT), 0, TEXT, pair.now)
  while ((server === null || server.readable < TEXT) && pair.now < began + LONGEST) {
    const packets = pair.transmit(pair.client)
    if (packets.count > 0) pair.server.stack.receive(new Template(packets, pair.server.interface).batch, pair.now)
    disturb()
    pair.client.stack.expire(pair.now, true)
    server ??= listener.accepted.shift()
  }
  const took = server?.readable === TEXT ? pair.now - began : NEVER
  client.abort(pair.now)
  server?.abort(pair.now)
  pair.transmit(pair.client)
  return took
}

const modes: Record<string, (count: number) => Figures> = { idle, timeWait, flood }
const [mode, count] = process.argv.slice(2)
console.log(JSON.stringify(modes[mode](Number(count))))
