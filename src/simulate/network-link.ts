// A link of a simulated network: what is wrong with it can change while the network runs.

import type { ImpairmentCounters } from '../link/impaired-path.ts'
import { type EachWay, eachWay, type Impairment } from '../link/impairment.ts'
import type { Wire } from '../link/wire.ts'
import type { Host } from './host.ts'

/** `forward` is from the host named first to the other. */
export type Direction = 'forward' | 'backward'

export class NetworkLink {
  readonly hosts: readonly [Host, Host]
  readonly #wire: Wire

  constructor(hosts: readonly [Host, Host], wire: Wire) {
    this.hosts = hosts
    this.#wire = wire
  }

  /** What has become of the packets in each direction. */
  get counters(): Record<Direction, Readonly<ImpairmentCounters>> {
    const { forward, backward } = this.#wire
    return { forward: forward.counters, backward: backward.counters }
  }

  /** Changes what is named, both ways or each way; the rest stays. */
  impair(impairments: EachWay<Direction>): void {
    const each = eachWay(impairments, 'forward', 'backward')
    this.#wire.forward.change(each.forward)
    this.#wire.backward.change(each.backward)
  }

  settings(direction: Direction): Readonly<Impairment> {
    return this.#wire[direction].settings
  }

  /** Cuts one direction, or both. What is on its way is lost too, and nobody is told. */
  partition(direction?: Direction): void {
    if (direction !== 'backward') this.#wire.forward.partition()
    if (direction !== 'forward') this.#wire.backward.partition()
  }

  heal(direction?: Direction): void {
    if (direction !== 'backward') this.#wire.forward.heal()
    if (direction !== 'forward') this.#wire.backward.heal()
  }
}
