// A pipe from one socket to another in a process of its own: `node pipe-run.js stack|kernel OCTETS [counts]` prints a line of JSON. A source writes,
// a relay pipes what comes to a second connection, a sink reads: four sockets, on a stack's loopback or on the kernel's.
import { once } from 'node:events'
import { Session } from 'node:inspector/promises'
import * as kernel from 'node:net'
import { createStack } from '../../src/node/create-stack.ts'

export interface Piped {
  octets: number
  milliseconds: number
  /** Of the process, user and system. */
  cpu: number
  /** Octets that were made on the heap; 0 where they are not counted. */
  heap: number
  chunks: number
  /** Octets copied in JavaScript; 0 where they are not counted. */
  copied: number
}

const WRITE = new Uint8Array(65_536)

/** Octets that were made on the heap, collected since or not, by the engine's own sampling. */
class Heap {
  readonly #session = new Session()

  async begin(): Promise<void> {
    this.#session.connect()
    // Newer than the types that are here.
    const options = {
      samplingInterval: 4096,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    }
    await this.#session.post('HeapProfiler.startSampling', options)
  }

  async end(): Promise<number> {
    const { profile } = await this.#session.post('HeapProfiler.stopSampling')
    this.#session.disconnect()
    return sizeOf(profile.head)
  }
}

interface Made {
  selfSize: number
  children: Made[]
}

function sizeOf({ selfSize, children }: Made): number {
  return children.reduce((sum, child) => sum + sizeOf(child), selfSize)
}

let copied = 0

/** Every way in which the stack, and Node's streams, copy octets; short ones by a loop are not seen. */
function countCopies(): void {
  const typed = Object.getPrototypeOf(Uint8Array.prototype)
  const { set, copyWithin, slice } = typed
  typed.set = function (source: ArrayLike<number>, at?: number) {
    copied += source.length
    return set.call(this, source, at)
  }
  typed.copyWithin = function (this: Uint8Array, to: number, from: number, end: number = this.length) {
    copied += end - from
    return copyWithin.call(this, to, from, end)
  }
  typed.slice = function (this: Uint8Array, from: number, to: number) {
    const made = slice.call(this, from, to)
    copied += made.length
    return made
  }
}

/** What the two have in common, of which nothing more is needed. */
type Net = Pick<typeof kernel, 'createServer' | 'connect'>

async function portOf(server: kernel.Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as kernel.AddressInfo).port
}

async function piped(net: Net, octets: number, isCounted = false): Promise<Piped> {
  const heap = isCounted ? new Heap() : null
  await heap?.begin()
  let [arrived, chunks] = [0, 0]
  const whole = new Promise<void>((done) => {
    const sink = net.createServer((socket) => {
      sink.close()
      socket.on('data', (chunk) => {
        arrived += chunk.length
        chunks++
      })
      socket.on('end', () => done())
    })
    void relayTo(net, sink, octets)
  })
  const began = performance.now()
  const cpu = process.cpuUsage()
  await whole
  const { user, system } = process.cpuUsage(cpu)
  const milliseconds = performance.now() - began
  const made = (await heap?.end()) ?? 0
  return { octets: arrived, milliseconds, cpu: (user + system) / 1000, heap: made, chunks, copied }
}

async function relayTo(net: Net, sink: kernel.Server, octets: number): Promise<void> {
  const port = await portOf(sink)
  const relay = net.createServer((incoming) => {
    relay.close()
    incoming.pipe(net.connect(port, '127.0.0.1'))
  })
  const source = net.connect(await portOf(relay), '127.0.0.1')
  let written = 0
  const fill = () => {
    while (written < octets) {
      written += WRITE.length
      if (!source.write(WRITE)) return
    }
    source.end()
  }
  source.on('drain', fill)
  await once(source, 'connect')
  fill()
}

const [kind, amount, counts] = process.argv.slice(2)
const stack = kind === 'stack' ? await createStack() : null
const net = stack === null ? kernel : (stack.net as unknown as Net)
// The compiler has done its work before anything is measured.
await piped(net, Number(amount) / 4)
if (counts === 'counts') countCopies()
console.log(JSON.stringify(await piped(net, Number(amount), counts === 'counts')))
stack?.close()
