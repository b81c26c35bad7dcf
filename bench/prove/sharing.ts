// What connections that share a bottleneck get of it: ours beside the kernel's, and ours among themselves. Both come into one namespace,
// whose way out is the kernel's token bucket filter: the bottleneck. Behind it a stack of ours delays both ways and hands on to the kernel
// that they send to; all on plain TUN devices. Neither sender is at home there: one that is sees the filter's queue and holds back, and
// a bottleneck or a path in the process that runs our sender lets the kernel's come first to each place that becomes free.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { NodeStack } from '../../src/index.ts'
import { createNamespace, type Namespace } from '../../test/support/namespace.ts'
import type { Claim } from './claim.ts'
import { Sink } from './recovery-path.ts'
import { builtPackage, FLOW, type Package, PORT } from './transfer-path.ts'

const FROM = 10_000
const UNTIL = Number(process.env.SHARING_SECONDS ?? 60) * 1000
/** Mbit/s, milliseconds each way, packets: of the bandwidth-delay product. */
const BOTTLENECK = { rate: 50, delay: 10, queue: 83 }
const RUNS = 5
const OURS = '10.6.0.2'
const PATH = fileURLToPath(new URL('sharing-path.js', import.meta.url))
const RIGHT = '10.8.0.1'

class Bottleneck {
  readonly #package: Package
  readonly #ours: NodeStack
  #path: ChildProcess | null = null
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
    this.#path = fork(PATH, [left.name, this.#right.name, String(delay), String(seed)])
    const ended = once(this.#path, 'exit').then(([code]) => {
      throw new Error(`the path ended with ${code}`)
    })
    await Promise.race([once(this.#path, 'message'), ended])
    const filter = ['tbf', 'rate', `${rate}mbit`, 'burst', '3000', 'limit', String(queue * 1500)]
    await run(left, 'tc', ['qdisc', 'replace', 'dev', 'tun1', 'root', ...filter])
    await this.#joinTheirs()
    await this.#sink.ready
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
    const sources = Array.from({ length: kernels }, () =>
      this.#theirs.exec(process.execPath, [FLOW, 'source', RIGHT, String(PORT), String(lasts)], {
        timeout: lasts + 20_000,
      }),
    )
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
    await Promise.all(sources)
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
    this.#path?.disconnect()
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
      figures.push(`${Math.round(shares[seed - 1] * 100)}% (${ours[0].toFixed(1)} and ${kernels[0].toFixed(1)} Mbit/s)`)
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
