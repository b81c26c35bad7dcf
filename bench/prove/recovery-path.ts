// Two paths with the same troubles, for comparisons of goodput: from one kernel to another through a stack of ours that forwards, and
// from a TCP of ours to a kernel. On plain TUN devices, so that every loss is one packet of the MTU; chance is seeded for each run.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ImpairedLink, Impairment, NodeStack } from '../../src/index.ts'
import { createNamespace, type Namespace, privileged } from '../../test/support/namespace.ts'
import { CannotMeasure } from './claim.ts'
import type { Switch } from './kernel-tcp.ts'
import { project } from './project.ts'

const FLOW = fileURLToPath(new URL('bench/clients/tcp-flow.mjs', project))
const PORT = 9000
const CHUNK = new Uint8Array(65_536)
export type Control = 'cubic' | 'bbr'

export interface Report {
  octets: number
  milliseconds: number
  sha256: string
  /** The address that it came from. */
  from: string
}

/** Lines of a sink, one a connection. */
export class Sink {
  readonly #waiting: ((report: Report) => void)[] = []
  readonly ready: Promise<void>

  /** What comes within so many milliseconds is counted, where `from` is given after so many. */
  constructor(namespace: Namespace, milliseconds: number, from = 0) {
    const child = namespace.start(process.execPath, [FLOW, 'sink', String(PORT), String(milliseconds), String(from)])
    let text = ''
    let begin: () => void = () => {}
    this.ready = new Promise((resolve) => {
      begin = resolve
    })
    child.stdout?.setEncoding('utf8').on('data', (more: string) => {
      const lines = (text + more).split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        if (line === 'ready') begin()
        else this.#waiting.shift()?.(JSON.parse(line))
      }
    })
  }

  next(): Promise<Report> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

type Package = typeof import('../../src/index.ts')

export class Paths {
  readonly #package: Package
  readonly #namespaces: Namespace[] = []
  readonly #forwarder: NodeStack
  readonly #ours: NodeStack
  readonly #links: ImpairedLink[] = []
  #random = { int32: () => 0 }
  #sinks: Sink[] = []

  private constructor(built: Package, forwarder: NodeStack, ours: NodeStack) {
    this.#package = built
    this.#forwarder = forwarder
    this.#ours = ours
  }

  static async open(control: Control, milliseconds: number, without: readonly Switch[] = []): Promise<Paths> {
    const { granted, reason } = privileged()
    if (!granted) throw new CannotMeasure(reason)
    const index = new URL('dist/index.js', project)
    if (!existsSync(index)) throw new CannotMeasure('the project is not built: npm run build')
    const built: Package = await import(index.href)
    const [forwarder, ours] = [
      await built.createStack({ forward: true }),
      await built.createStack({ tcp: { congestion: control } }),
    ]
    const paths = new Paths(built, forwarder, ours)
    await paths.#join(control, milliseconds, without)
    return paths
  }

  async #join(control: Control, milliseconds: number, without: readonly Switch[]): Promise<void> {
    const [left, right, far] = [createNamespace(), createNamespace(), createNamespace()]
    this.#namespaces.push(left, right, far)
    const { tun } = this.#package
    const common = { offload: false, mtu: 1500 }
    const toRight = tun({
      ...common,
      netns: right.name,
      address: ['10.8.0.1/24'],
      routes: [{ to: '10.7.0.0/24', via: '10.8.0.2' }],
    })
    const toLeft = tun({
      ...common,
      netns: left.name,
      address: ['10.7.0.1/24'],
      routes: [{ to: '10.8.0.0/24', via: '10.7.0.2' }],
    })
    const toFar = tun({ ...common, netns: far.name, address: ['10.9.0.1/24'] })
    this.#forwarder.addInterface({ link: this.#worsen(toLeft), addresses: ['10.7.0.2/24'] })
    this.#forwarder.addInterface({ link: toRight, addresses: ['10.8.0.2/24'] })
    this.#ours.addInterface({ link: this.#worsen(toFar), addresses: ['10.9.0.2/24'] })
    await run(left, 'ip', ['route', 'replace', '10.8.0.0/24', 'via', '10.7.0.2', 'congctl', control])
    // The ends that receive, on both paths.
    for (const name of without) for (const one of [right, far]) await run(one, 'sysctl', ['-qw', `net.ipv4.${name}=0`])
    // What a path has taught is no part of the next run.
    await run(left, 'sysctl', ['-qw', 'net.ipv4.tcp_no_metrics_save=1'])
    this.#sinks = [new Sink(right, milliseconds), new Sink(far, milliseconds)]
    await Promise.all(this.#sinks.map(({ ready }) => ready))
  }

  #worsen(link: Parameters<Package['impaired']>[0]): ImpairedLink {
    const made = this.#package.impaired(link, {}, { int32: () => this.#random.int32() }, {})
    this.#links.push(made)
    return made
  }

  /** Both ways. */
  impair(impairment: Impairment): void {
    for (const link of this.#links) link.impair(impairment)
  }

  /** Mbit/s from kernel to kernel. */
  async kernel(seed: number, milliseconds: number): Promise<number> {
    this.#random = new this.#package.SeededRandom(seed, 'path')
    const report = this.#sinks[0].next()
    await run(this.#namespaces[0], process.execPath, [FLOW, 'source', '10.8.0.1', String(PORT), String(milliseconds)])
    return rateOf(await report)
  }

  /** Mbit/s from us to a kernel, and what we sent again. */
  async ours(seed: number, milliseconds: number): Promise<number> {
    this.#random = new this.#package.SeededRandom(seed, 'path')
    const report = this.#sinks[1].next()
    const endpoint = this.#ours.connect({ address: '10.9.0.1', port: PORT })
    const letGo = this.#ours.hold()
    const fill = () => {
      while (endpoint.send(CHUNK) === CHUNK.length);
    }
    endpoint.onOpen = fill
    endpoint.onWritable = fill
    await new Promise((resolve) => setTimeout(resolve, milliseconds))
    endpoint.abort()
    letGo()
    return rateOf(await report)
  }

  counters(): Record<string, number> {
    return this.#ours.counters().counts
  }

  async close(): Promise<void> {
    this.#ours.close()
    this.#forwarder.close()
    for (const namespace of this.#namespaces) await namespace.dispose()
  }
}

function rateOf({ octets, milliseconds }: Report): number {
  return milliseconds > 0 ? (octets * 8) / milliseconds / 1000 : 0
}

async function run(namespace: Namespace, command: string, args: string[]): Promise<void> {
  const { code, stderr } = await namespace.exec(command, args)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim()}`)
}
