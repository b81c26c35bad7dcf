// Sockets of `stack.net` in a process of their own: `node --expose-gc sockets-run.js writes|reads NETNS OCTETS MS`, `… ways COUNT`, `… exit COUNT`.
// Prints a line of JSON; with a TUN device 'ready' first, when a peer may connect to port 9.
import { setTimeout as sleep } from 'node:timers/promises'
import { createStack } from '../../src/node/create-stack.ts'
import type { StackSocket } from '../../src/node/net/socket.ts'
import { held, SocketPairs, WAYS } from '../../test/support/socket-ways.ts'
import { project } from './project.ts'
import { ADDRESS, HOST } from './serving.ts'

const AT_ONCE = 100
const CHUNK = new Uint8Array(65_536)
const SAMPLE = 50

export interface Backpressure {
  octets: number
  /** Octets written, or read, while the other side stood still. */
  meanwhile: number
  milliseconds: number
  /** More memory outside of the heap than before the connection, while the other side stood still. */
  held: number
  /** More than before the connection, at most, and at any time: heap, memory outside of it, the whole process. */
  heap: number
  external: number
  resident: number
}

export interface Leaks {
  count: number
  /** What is left, by way; empty where nothing is. */
  left: Record<string, string[]>
  /** Octets of heap and external memory more than after a first round. */
  octets: number
  milliseconds: number
}

/** As it is published: the addon is found from there alone. */
async function servedOnTun(netns: string, serve: (socket: StackSocket) => Promise<Backpressure>): Promise<void> {
  const { createStack, tun }: typeof import('../../src/index.ts') = await import(new URL('dist/index.js', project).href)
  const stack = await createStack()
  const link = tun({ netns, address: [`${HOST}/24`] })
  stack.addInterface({ link, addresses: [`${ADDRESS}/24`] })
  const server = stack.net.createServer(async (socket) => {
    server.close()
    console.log(JSON.stringify(await serve(socket)))
    stack.close()
  })
  server.listen(9, () => console.log('ready'))
}

/** Memory from now on, against what is used now. */
class Memory {
  readonly #before
  #heap = 0
  #external = 0
  #resident = 0
  readonly #timer = setInterval(() => this.#sample(), SAMPLE)

  constructor() {
    globalThis.gc?.()
    this.#before = process.memoryUsage()
  }

  #sample(): void {
    const { heapUsed, external, rss } = process.memoryUsage()
    this.#heap = Math.max(this.#heap, heapUsed - this.#before.heapUsed)
    this.#external = Math.max(this.#external, external - this.#before.external)
    this.#resident = Math.max(this.#resident, rss - this.#before.rss)
  }

  /** What lay outside of the heap until now. */
  get external(): number {
    this.#sample()
    return this.#external
  }

  end() {
    this.#sample()
    clearInterval(this.#timer)
    return { heap: this.#heap, external: this.#external, resident: this.#resident }
  }
}

/** We write, while the peer does not read for so long. */
async function writes(socket: StackSocket, octets: number, stall: number): Promise<Backpressure> {
  const began = performance.now()
  const memory = new Memory()
  let written = 0
  let [meanwhile, held] = [0, 0]
  // A little earlier than the peer, which begins to read then.
  setTimeout(() => {
    meanwhile = written
    held = memory.external
  }, stall * 0.9)
  await new Promise<void>((done) => {
    const fill = () => {
      while (written < octets) {
        written += CHUNK.length
        if (!socket.write(CHUNK)) return
      }
      socket.end()
    }
    socket.on('drain', fill)
    socket.on('close', () => done())
    socket.resume()
    fill()
  })
  return { octets: written, meanwhile, held, milliseconds: performance.now() - began, ...memory.end() }
}

/** The peer writes, and we do not read for so long. */
async function reads(socket: StackSocket, _octets: number, stall: number): Promise<Backpressure> {
  const began = performance.now()
  const memory = new Memory()
  socket.pause()
  await sleep(stall)
  const meanwhile = socket.readableLength + (socket.tcpInfo()?.octetsReceived ?? 0)
  const held = memory.external
  let octets = 0
  socket.on('data', (chunk: Uint8Array) => {
    octets += chunk.length
  })
  socket.resume()
  await new Promise((done) => socket.on('close', done))
  return { octets, meanwhile, held, milliseconds: performance.now() - began, ...memory.end() }
}

function used(): number {
  for (let round = 0; round < 4; round++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function ways(count: number): Promise<Leaks> {
  const stack = await createStack({ tcp: { timeWait: 50 } })
  const pairs = new SocketPairs(stack)
  const left: Leaks['left'] = {}
  // What the compiler and the pools keep is kept once.
  for (const way of Object.keys(WAYS)) for (let round = 0; round < 5; round++) await pairs.round(way, AT_ONCE)
  await sleep(1000)
  const [before, began, octets] = [held(stack), performance.now(), used()]
  for (const way of Object.keys(WAYS)) {
    for (let done = 0; done < count; done += AT_ONCE) await pairs.round(way, AT_ONCE)
    await sleep(500)
    const after = { ...held(stack), sockets: pairs.open, listeners: listenersOf(stack) }
    const expected: Record<string, number> = { ...before, sockets: 0, listeners: 0 }
    const rest = Object.entries(after).filter(([name, value]) => value > expected[name])
    if (rest.length > 0) left[way] = rest.map(([name, value]) => `${value - expected[name]} ${name}`)
  }
  const milliseconds = performance.now() - began
  await sleep(500)
  const figures = { count, left, octets: used() - octets, milliseconds }
  stack.close()
  return figures
}

function listenersOf({ core }: Awaited<ReturnType<typeof createStack>>): number {
  let count = 0
  core.tcp.forEachListener(() => count++)
  return count
}

/** The process ends by itself, with nobody's help, though TIME-WAIT lasts for a minute. */
async function exit(count: number): Promise<{ timeWait: number; now: number }> {
  const stack = await createStack()
  const pairs = new SocketPairs(stack)
  for (const way of Object.keys(WAYS)) await pairs.round(way, count)
  return { timeWait: held(stack).timeWait, now: Date.now() }
}

const [mode, ...args] = process.argv.slice(2)
const [netns, octets, stall] = [args[0], Number(args[1]), Number(args[2])]
if (mode === 'writes') await servedOnTun(netns, (socket) => writes(socket, octets, stall))
else if (mode === 'reads') await servedOnTun(netns, (socket) => reads(socket, octets, stall))
else console.log(JSON.stringify(mode === 'ways' ? await ways(Number(args[0])) : await exit(Number(args[0]))))
