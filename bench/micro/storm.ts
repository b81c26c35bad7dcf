// A reconnect storm on simulated hosts: 50 clients of `node:net`, each on a host of its own, which all lose their server at once, try again
// with pauses that double, and come back together. 90 virtual seconds, of which the network is cut for 60.
import { execFile } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { simulate } from '../../src/node/simulate.ts'
import type { Measured, Suite } from './suite.ts'

const CLIENTS = 50
const SECONDS = 90
const CUT_AFTER = 10_000
const CUT_FOR = 60_000
const HEARTBEAT = 5000
const PATIENCE = 3000
const LONGEST_PAUSE = 16_000
/** Processes that run it once. */
const PROCESSES = 11

interface Storm {
  connections: number
  connected: number
  echoes: number
}

export async function storm(): Promise<Storm> {
  const network = simulate({ seed: 50, recorder: 0 })
  const server = network.host('server')
  const clients = Array.from({ length: CLIENTS }, (_, number) => network.host(`client${number}`))
  const links = clients.map((client) => network.link(client, server, { delay: 20 }))
  const counts: Storm = { connections: 0, connected: 0, echoes: 0 }
  await network.run(async () => {
    server.run(() => createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(80))
    for (const client of clients) client.run(() => keepConnected(counts))
    await sleep(CUT_AFTER)
    for (const link of links) link.partition()
    await sleep(CUT_FOR)
    for (const link of links) link.heal()
    await sleep(SECONDS * 1000 - CUT_AFTER - CUT_FOR)
  })
  network.close()
  if (counts.connected !== CLIENTS) throw new Error(`${counts.connected} of ${CLIENTS} clients have come back`)
  return counts
}

function keepConnected(counts: Storm, pause = 500): void {
  const socket = connect({ port: 80, host: 'server' })
  let wait = pause
  let heartbeat: NodeJS.Timeout | undefined
  counts.connections++
  socket.setTimeout(PATIENCE, () => socket.destroy())
  let isAnswered = true
  socket.on('connect', () => {
    wait = 500
    counts.connected++
    socket.setTimeout(0)
    heartbeat = setInterval(() => {
      if (!isAnswered) socket.destroy()
      else socket.write('are you there?')
      isAnswered = false
    }, HEARTBEAT)
  })
  socket.on('data', () => {
    isAnswered = true
    counts.echoes++
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    if (heartbeat !== undefined) counts.connected--
    clearInterval(heartbeat)
    setTimeout(keepConnected, wait, counts, Math.min(wait * 2, LONGEST_PAUSE))
  })
}

/** What is timed above has been compiled by then: a test that runs once waits for the compiler too. */
async function first(): Promise<number> {
  const path = fileURLToPath(new URL('./storm-once.js', import.meta.url))
  const times: number[] = []
  for (let count = 0; count < PROCESSES; count++) {
    const { stdout } = await promisify(execFile)(process.execPath, [path])
    times.push(Number(stdout))
  }
  return times.sort((one, other) => one - other)[PROCESSES >> 1]
}

let last: Storm = { connections: 0, connected: 0, echoes: 0 }

/** One after another: a process has one virtual time. */
let running = Promise.resolve()

const measured: Measured = {
  prepare: () => () => {
    running = running.then(async () => {
      last = await storm()
    })
    return running
  },
  handles: () => ({ connections: last.connections, echoes: last.echoes, 'virtual seconds': SECONDS }),
  figures: async () => ({
    [`ms as the first thing that a process runs (median of ${PROCESSES} processes)`]: await first(),
  }),
}

export const reconnects: Suite = { [`${CLIENTS} clients, ${SECONDS} virtual seconds`]: measured }
