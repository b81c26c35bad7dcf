// What is measured: each once for a side, as figures with names. `PLAIN` are endpoints and the tiny server on ours, `API` what Node's own
// programs run on; the kernel's side has the same program of Node's at both.
import type { Side } from './side.ts'

const PLAIN = 0
const API = 10_000

export interface Figure {
  title: string
  unit: string
  /** Less is better. */
  isLess?: boolean
}

export interface Measure {
  name: string
  figures: Record<string, Figure>
  /** What one of `counts` is, for which packets, system calls and processor time are told. */
  per: 'GB' | 'request' | 'connection' | 'echo' | 'datagram'
  /** The figures by their names, and `count` of what `per` says. */
  run(side: Side, seconds: number): Promise<Outcome>
}

export interface Outcome {
  figures: Record<string, number>
  /** A second. */
  rate: number
  /** What has gone wrong, if anything. */
  complaint?: string
}

const bitRate = (title: string): Figure => ({ title, unit: 'Gbit/s' })
const rate = (title: string, unit: string): Figure => ({ title, unit })
const delay = (title: string): Figure => ({ title, unit: 'µs', isLess: true })

function bulk(name: string, ports: number, to: number, from: number, title: string, mode = 'flows'): Measure {
  const isBoth = to > 0 && from > 0
  return {
    name,
    per: 'GB',
    figures: isBoth ? { in: bitRate(`${title}, in`), out: bitRate(`${title}, out`) } : { bits: bitRate(title) },
    async run(side, seconds) {
      const result = await side.client(mode, seconds, ports, to, from, 0)
      const gigabits = (octets: number) => (octets * 8) / result.seconds / 1e9
      const [into, out] = [gigabits(result.in), gigabits(result.out)]
      const figures: Outcome['figures'] = isBoth ? { in: into, out } : { bits: into + out }
      return { figures, rate: (into + out) / 8 }
    },
  }
}

function echo(name: string, ports: number, to: number, from: number, title: string): Measure {
  return {
    name,
    per: 'echo',
    figures: { p50: delay(`${title}, median`), p99: delay(`${title}, 99th percentile`) },
    async run(side, seconds) {
      const { p50, p99, echoes, ...result } = await side.client('flows', seconds, ports, to, from, 1)
      return { figures: { p50, p99 }, rate: echoes / result.seconds }
    },
  }
}

function short(name: string, ports: number, title: string): Measure {
  return {
    name,
    per: 'connection',
    figures: { rate: rate(title, '1/s') },
    async run(side, seconds) {
      const { done, failed, ...result } = await side.client('short', seconds, ports, 8)
      const complaint = failed > 0 ? `${failed} failed` : undefined
      return { figures: { rate: done / result.seconds }, rate: done / result.seconds, complaint }
    },
  }
}

async function requests(side: Side, seconds: number, ports: number, connections: number): Promise<Outcome> {
  const url = `http://${side.address}:${80 + ports}/`
  const printed = await side.run(
    'wrk',
    ['-t1', `-c${connections}`, `-d${Math.ceil(seconds)}s`, '--timeout', '10s', url],
    seconds,
  )
  const requested = Number(/Requests\/sec:\s+([\d.]+)/.exec(printed)?.[1])
  if (Number.isNaN(requested)) throw new Error(`wrk said: ${printed.trim()}`)
  const complaint = /^\s*(Socket errors:.*|Non-2xx.*)$/m.exec(printed)?.[1]
  return { figures: { rate: requested }, rate: requested, complaint }
}

function http(name: string, ports: number, connections: number, title: string): Measure {
  return {
    name,
    per: 'request',
    figures: { rate: rate(title, '1/s') },
    run: (side, seconds) => requests(side, seconds, ports, connections),
  }
}

const MANY = 10_000

const crowd: Measure = {
  name: 'requests-64-idle-10000',
  per: 'request',
  figures: { rate: rate('requests, 64 connections beside 10,000 idle ones', '1/s') },
  async run(side, seconds) {
    const letGo = await side.hold(80, MANY)
    try {
      return await requests(side, seconds, PLAIN, 64)
    } finally {
      await letGo()
    }
  },
}

function datagrams(name: string, isOut: boolean, ports: number, title: string): Measure {
  return {
    name,
    per: 'datagram',
    figures: { rate: rate(title, '1/s') },
    async run(side, seconds) {
      const before = await side.datagrams()
      const { count, ...result } = await side.client(isOut ? 'udp-out' : 'udp-in', seconds, ports, 64)
      const arrived = isOut ? count : (await side.datagrams()) - before
      return { figures: { rate: arrived / result.seconds }, rate: arrived / result.seconds }
    },
  }
}

export const measures: Measure[] = [
  bulk('bulk-in', PLAIN, 1, 0, 'bulk in'),
  bulk('bulk-in-no-delay', PLAIN, 1, 0, 'bulk in from a sender with TCP_NODELAY', 'flows-no-delay'),
  bulk('bulk-out', PLAIN, 0, 1, 'bulk out'),
  bulk('bulk-both', PLAIN, 1, 1, 'bulk both ways'),
  bulk('bulk-in-8', PLAIN, 8, 0, 'bulk in, 8 flows'),
  bulk('bulk-out-8', PLAIN, 0, 8, 'bulk out, 8 flows'),
  bulk('bulk-in-64', PLAIN, 64, 0, 'bulk in, 64 flows'),
  bulk('bulk-out-64', PLAIN, 0, 64, 'bulk out, 64 flows'),
  bulk('net-bulk-in', API, 1, 0, 'bulk in by net.Socket'),
  bulk('net-bulk-out', API, 0, 1, 'bulk out by net.Socket'),
  echo('echo', PLAIN, 0, 0, 'echo'),
  echo('echo-bulk-in', PLAIN, 1, 0, 'echo beside a flow in'),
  echo('echo-bulk-out', PLAIN, 0, 1, 'echo beside a flow out'),
  echo('echo-bulk-both', PLAIN, 1, 1, 'echo beside a flow each way'),
  echo('net-echo', API, 0, 0, 'echo by net.Socket'),
  short('connections', PLAIN, 'short connections'),
  short('net-connections', API, 'short connections by net.Server'),
  http('requests-1', PLAIN, 1, 'requests, 1 connection'),
  http('requests-64', PLAIN, 64, 'requests, 64 connections'),
  http('requests-1000', PLAIN, 1000, 'requests, 1,000 connections'),
  crowd,
  http('node-http-1', API, 1, 'requests by node:http, 1 connection'),
  http('node-http-64', API, 64, 'requests by node:http, 64 connections'),
  http('node-http-1000', API, 1000, 'requests by node:http, 1,000 connections'),
  datagrams('udp-in', false, PLAIN, 'datagrams in'),
  datagrams('udp-out', true, PLAIN, 'datagrams out'),
  datagrams('dgram-in', false, API, 'datagrams in by node:dgram'),
  datagrams('dgram-out', true, API, 'datagrams out by node:dgram'),
]
