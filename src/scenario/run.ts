// Runs a scenario in virtual time and returns what was measured: one seed gives one result. What is drawn and written of it is
// for table.ts and pictures.ts. Used by `tunstack simulate`, by the documentation, and by pages.
import type { Impairment } from '../link/impairment.ts'
import type { PcapngSink } from '../link/pcapng.ts'
import type { Host } from '../simulate/host.ts'
import { Network } from '../simulate/network.ts'
import type { Direction, NetworkLink } from '../simulate/network-link.ts'
import { BulkTransfer } from './bulk.ts'
import type { Measured, MeasuredFlow } from './measured.ts'
import { Page } from './page.ts'
import { isHttp, type LinkChange, type LinkFaults, type Scenario, type ScenarioFlow } from './scenario.ts'
import { checkScenario } from './scenario-check.ts'

export interface RunOptions {
  /** In the place of the scenario's own. */
  seed?: number | string
  /** Called now and then with the share of the time that has passed; what it returns is waited for. */
  onProgress?: (share: number) => void | Promise<void>
  /** Gets every packet at both ends of each link, as the blocks of a pcapng file. */
  capture?: PcapngSink
}

/** Packets that waited at the busiest link that has a rate. */
export interface QueueSamples {
  readonly name: string
  readonly waiting: readonly number[]
}

export interface ScenarioResult {
  readonly scenario: Scenario
  readonly seed: number | string
  readonly flows: readonly Measured[]
  /** Null where nothing has a rate. */
  readonly queue: QueueSamples | null
  /** Dropped at the ends of queues, and lost on the way. */
  readonly overflow: number
  readonly lost: number
}

const SAMPLES = 600
const FIRST_PORT = 5001
const TICK = 20

export async function runScenario(given: Scenario, options: RunOptions = {}): Promise<ScenarioResult> {
  const scenario = checkScenario(given)
  const seed = options.seed ?? scenario.seed ?? 1
  const network = new Network({ seed })
  try {
    const running = new Running(scenario, network)
    const endCapture = options.capture === undefined ? () => {} : network.capture(options.capture)
    await running.run(options.onProgress ?? (() => {}))
    endCapture()
    return { scenario, seed, ...running.result() }
  } finally {
    network.close()
  }
}

class Running {
  readonly #scenario: Scenario
  readonly #network: Network
  readonly #hosts = new Map<string, Host>()
  readonly #queues: { name: string; link: NetworkLink; direction: Direction; waiting: number[] }[] = []
  readonly #flows: MeasuredFlow[]

  constructor(scenario: Scenario, network: Network) {
    this.#scenario = scenario
    this.#network = network
    for (const [name, { router, tcp }] of Object.entries(scenario.hosts))
      this.#hosts.set(name, network.host(name, { forward: router, tcp }))
    for (const link of scenario.links) this.#link(link)
    this.#flows = scenario.flows.map((flow, place) => this.#flow(flow, FIRST_PORT + place))
  }

  async run(onProgress: NonNullable<RunOptions['onProgress']>): Promise<void> {
    const { length } = this.#scenario
    for (let number = 1; number <= SAMPLES; number++) {
      const until = (length * number) / SAMPLES
      // Whoever awaits promises needs them to go on between any two times, which takes its time.
      const isAwaiting = ({ isHttp, start, done }: MeasuredFlow) =>
        isHttp && start <= until && done > this.#network.now()
      if (this.#flows.some(isAwaiting)) await this.#network.run(until)
      else this.#network.advance(until)
      for (const flow of this.#flows) if (until >= flow.start) flow.sample(until)
      for (const { link, direction, waiting } of this.#queues) waiting.push(link.waiting(direction))
      if (number % TICK === 0) await onProgress(number / SAMPLES)
    }
  }

  result(): Pick<ScenarioResult, 'flows' | 'queue' | 'overflow' | 'lost'> {
    const highest = (waiting: readonly number[]) => waiting.reduce((most, one) => Math.max(most, one), 0)
    const [busiest] = [...this.#queues].sort((one, other) => highest(other.waiting) - highest(one.waiting))
    let [overflow, lost] = [0, 0]
    for (const { counters } of this.#network.links)
      for (const { overflow: dropped, lost: gone, oversized, partitioned } of Object.values(counters)) {
        overflow += dropped
        lost += gone + oversized + partitioned
      }
    const queue = busiest === undefined ? null : { name: busiest.name, waiting: busiest.waiting }
    return { flows: this.#flows, queue, overflow, lost }
  }

  #link({ between, mtu, changes = [], ...faults }: Scenario['links'][number]): void {
    const [one, other] = between
    const link = this.#network.link(one, other, { ...eachWay(faults), mtu })
    const rates = [faults, ...changes].map(eachWay)
    for (const direction of ['forward', 'backward'] as const) {
      const name = direction === 'forward' ? `${one} to ${other}` : `${other} to ${one}`
      if (rates.some((each) => each[direction].rate !== undefined))
        this.#queues.push({ name, link, direction, waiting: [] })
    }
    for (const change of changes) this.#network.after(change.at, () => apply(link, change))
  }

  #flow(flow: ScenarioFlow, port: number): MeasuredFlow {
    const hosts = (one: string, other: string) => [this.#hosts.get(one)!, this.#hosts.get(other)!] as const
    if (isHttp(flow)) {
      const name = flow.name ?? `HTTP/${flow.http}`
      return new Page(flow, name, this.#network, hosts(flow.client, flow.server), port)
    }
    const name = flow.name ?? `${flow.from} to ${flow.to}`
    return new BulkTransfer(flow, name, this.#network, hosts(flow.from, flow.to), port)
  }
}

function eachWay({ both, forward, backward }: LinkFaults): Record<Direction, Impairment> {
  return { forward: { ...both, ...forward }, backward: { ...both, ...backward } }
}

function apply(link: NetworkLink, change: LinkChange): void {
  link.impair(eachWay(change))
  const { cut, heal } = change
  if (heal !== undefined) link.heal(heal === 'both' ? undefined : heal)
  if (cut !== undefined) link.partition(cut === 'both' ? undefined : cut)
}
