// What connections that share a bottleneck get of it: ours beside the kernel's, and ours among themselves. Both come into one namespace,
// whose way out is the kernel's token bucket filter: the bottleneck. Behind it a line that only delays, both ways, leads to the kernel
// that they send to. Neither sender is at home there: one that is sees the filter's queue and holds back. And the line counts nanoseconds:
// one that counts milliseconds hands on acknowledgments to both senders at once, and whoever answers first finds the places that are free.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { NodeStack } from '../../src/index.ts'
import { createNamespace, type Namespace } from '../../test/support/namespace.ts'
import type { Claim } from './claim.ts'
import { compiledClient } from './compiled-client.ts'
import { Sink } from './recovery-path.ts'
import { builtPackage, FLOW, type Package, PORT } from './transfer-path.ts'

const FROM = 10_000
const UNTIL = Number(process.env.SHARING_SECONDS ?? 60) * 1000
/** Mbit/s, milliseconds each way, packets: of the bandwidth-delay product. */
const BOTTLENECK = { rate: 50, delay: 10, queue: 83 }
/**
 * Microseconds: what a packet takes at the bottleneck. Without it a packet always comes to the queue at the same point of the one that is
 * leaving, so that always the same sender finds it full (S. Floyd and V. Jacobson, 1991, of phase effects).
 */
const JITTER = (1500 * 8) / BOTTLENECK.rate
const RUNS = 5
const OURS = '10.6.0.2'
const RIGHT = '10.8.0.1'

class Bottleneck {
  readonly #package: Package
  readonly #ours: NodeStack
  #line: ChildProcessWithoutNullStreams | null = null
  readonly #theirs = createNamespace()
  readonly #left = createNamespace()
  readonly #right = createNamespace()
  readonly #sink: Sink

  private constructor(built: Package, ours: NodeStack) {
    this.#package = built
    this.#ours = ours
    this.#sink = new Sink(this.#right, UNTIL, FROM)
  }

  static async open(seed: number): Promise<Bottleneck> {
    const built = await builtPackage()
    const path = new Bottleneck(built, await built.createStack())
    await path.#join(seed)
    return path
  }

  async #join(seed: number): Promise<void> {
    const left = this.#left
    await run(left, 'sysctl', ['-qw', 'net.ipv4.ip_forward=1'])
    const address = ['10.6.0.1/24']
    const toOurs = this.#package.tun({ offload: false, mtu: 1500, name: 'tun0', netns: left.name, address })
    this.#ours.addInterface({ link: toOurs, addresses: [`${OURS}/24`], gateways: ['10.6.0.1'] })
    const { rate, delay, queue } = BOTTLENECK
    await this.#joinByLine(delay, seed)
    const filter = ['tbf', 'rate', `${rate}mbit`, 'burst', '3000', 'limit', String(queue * 1500)]
    await run(left, 'tc', ['qdisc', 'replace', 'dev', 'tun1', 'root', ...filter])
    await this.#joinTheirs()
    await this.#sink.ready
  }

  /** Its way out, and the receiver's way in. */
  async #joinByLine(milliseconds: number, seed: number): Promise<void> {
    const [left, right] = [this.#left, this.#right]
    const line = spawn(compiledClient('delay-line'), [
      left.name,
      right.name,
      'tun1',
      ...[milliseconds * 1000, JITTER, seed].map(String),
    ])
    this.#line = line
    const ended = once(line, 'exit').then(([code]) => {
      throw new Error(`the delay line ended with ${code}`)
    })
    await Promise.race([once(line.stdout, 'data'), ended])
    for (const [namespace, address, onward] of [
      [left, '10.7.0.1/24', ['10.8.0.0/24']],
      [right, `${RIGHT}/24`, ['10.5.0.0/24', '10.6.0.0/24']],
    ] as const) {
      await run(namespace, 'ip', ['address', 'add', address, 'dev', 'tun1'])
      await run(namespace, 'ip', ['link', 'set', 'tun1', 'up'])
      for (const to of onward) await run(namespace, 'ip', ['route', 'add', to, 'dev', 'tun1'])
    }
  }

  /** The kernel's sender, with segments of its own making: the filter is to see packets. */
  async #joinTheirs(): Promise<void> {
    const [left, theirs] = [this.#left, this.#theirs]
    const pair = ['link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'veth0', 'netns', left.name]
    await run(theirs, 'ip', pair)
    for (const [namespace, address] of [
      [left, '10.5.0.1/24'],
      [theirs, '10.5.0.2/24'],
    ] as const) {
      await run(namespace, 'ip', ['address', 'add', address, 'dev', 'veth0'])
      await run(namespace, 'ip', ['link', 'set', 'veth0', 'up'])
      await run(namespace, 'ethtool', ['-K', 'veth0', 'tso', 'off', 'gso', 'off', 'gro', 'off'])
    }
    await run(theirs, 'sysctl', ['-qw', 'net.ipv4.tcp_no_metrics_save=1'])
    await run(theirs, 'ip', ['route', 'add', '10.8.0.0/24', 'via', '10.5.0.1', 'congctl', 'cubic'])
  }

  /** Mbit/s of each, by address, after so many of ours and of the kernel's have sent for a minute. */
  async share(ours: number, kernels: number): Promise<{ ours: number[]; kernels: number[]; dropped: number }> {
    const letGo = this.#ours.hold()
    const reports = Array.from({ length: ours + kernels }, () => this.#sink.next())
    const chunk = new Uint8Array(65_536)
    const lasts = UNTIL + 500
    // A process takes its time until it connects, and who has had the path alone for that long keeps more of it for a while.
    const sources = Array.from({ length: kernels }, () =>
      this.#theirs.start(process.execPath, [FLOW, 'source', RIGHT, String(PORT), String(lasts), 'wait']),
    )
    const done = sources.map((source) => once(source, 'exit'))
    await Promise.all(sources.map(({ stdout }) => once(stdout!, 'data')))
    for (const { stdin } of sources) stdin?.end()
    const endpoints = Array.from({ length: ours }, () => this.#ours.connect({ address: RIGHT, port: PORT }))
    for (const endpoint of endpoints) {
      const fill = () => {
        while (endpoint.send(chunk) === chunk.length);
      }
      endpoint.onOpen = fill
      endpoint.onWritable = fill
    }
    await new Promise((resolve) => setTimeout(resolve, lasts))
    for (const endpoint of endpoints) endpoint.abort()
    await Promise.all(done)
    letGo()
    const all = await Promise.all(reports)
    const rates = (isOurs: boolean) =>
      all.filter(({ from }) => from.endsWith(OURS) === isOurs).map(({ octets }) => (octets * 8) / (UNTIL - FROM) / 1000)
    return { ours: rates(true), kernels: rates(false), dropped: await this.#dropped() }
  }

  async #dropped(): Promise<number> {
    const { stdout } = await this.#left.exec('tc', ['-s', 'qdisc', 'show', 'dev', 'tun1'])
    return Number(/dropped (\d+)/.exec(stdout)?.[1] ?? Number.NaN)
  }

  async close(): Promise<void> {
    this.#ours.close()
    this.#line?.stdin.end()
    await Promise.all([this.#theirs, this.#left, this.#right].map((one) => one.dispose()))
  }
}

async function run(namespace: Namespace, command: string, args: string[]): Promise<void> {
  const { code, stderr } = await namespace.exec(command, args)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim()}`)
}

async function shared(seed: number, ours: number, kernels: number) {
  const path = await Bottleneck.open(seed)
  try {
    return await path.share(ours, kernels)
  } finally {
    await path.close()
  }
}

const WHERE = `${BOTTLENECK.rate} Mbit/s, ${2 * BOTTLENECK.delay} ms and a queue of ${BOTTLENECK.queue} packets, the last ${(UNTIL - FROM) / 1000} of ${UNTIL / 1000} s`

const beside: Claim = {
  name: `ours and the kernel's CUBIC share ${WHERE}`,
  bar: `each has at least 40%, in ${RUNS} runs`,
  async measure() {
    const shares: number[] = []
    const figures: string[] = []
    for (let seed = 1; seed <= RUNS; seed++) {
      const { ours, kernels } = await shared(seed, 1, 1)
      shares.push(ours[0] / (ours[0] + kernels[0]))
      figures.push(
        `${(shares[seed - 1] * 100).toFixed(1)}% (${ours[0].toFixed(1)} and ${kernels[0].toFixed(1)} Mbit/s)`,
      )
    }
    return { figure: `ours has ${figures.join(', ')}`, holds: shares.every((share) => share >= 0.4 && share <= 0.6) }
  },
}

const among: Claim = {
  name: `ten of ours share ${WHERE}`,
  bar: "Jain's index at least 0.95",
  async measure() {
    const { ours, dropped } = await shared(1, 10, 0)
    const sum = ours.reduce((total, rate) => total + rate, 0)
    const index = sum ** 2 / (ours.length * ours.reduce((total, rate) => total + rate ** 2, 0))
    const rates = ours.map((rate) => rate.toFixed(1)).join(', ')
    return { figure: `${index.toFixed(3)}: ${rates} Mbit/s, ${dropped} dropped`, holds: index >= 0.95 }
  },
}

export const claims: Claim[] = [beside, among]
