// A link of a simulated network: what is wrong with it can change while the network runs.
import type { Time } from '../core/environment.ts'
import type { ImpairmentCounters } from '../link/impaired-path.ts'
import { type EachWay, eachWay, type Impairment } from '../link/impairment.ts'
import type { Wire } from '../link/wire.ts'
import type { Host } from './host.ts'

/** `forward` is from the host named first to the other. */
export type Direction = 'forward' | 'backward'

export interface FlapOptions {
  /** Milliseconds from the beginning of one cut to the next; the first comes after so long. */
  every: number
  /** Milliseconds for which it is cut each time. */
  for: number
  /** Both, unless one is named. */
  direction?: Direction
}

export interface LinkWorld {
  readonly time: Time
  /** Something happened to the link, in plain words. */
  tell(link: NetworkLink, text: string): void
}

export class NetworkLink {
  readonly hosts: readonly [Host, Host]
  readonly #wire: Wire
  readonly #world: LinkWorld

  constructor(hosts: readonly [Host, Host], wire: Wire, world: LinkWorld) {
    this.hosts = hosts
    this.#wire = wire
    this.#world = world
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
    const words = JSON.stringify(impairments, (_, value) => (value === Number.POSITIVE_INFINITY ? 'Infinity' : value))
    this.#world.tell(this, `is impaired: ${words.replaceAll('"', '')}`)
  }

  settings(direction: Direction): Readonly<Impairment> {
    return this.#wire[direction].settings
  }

  /**
   * Cuts one direction, or both, as when a cable is pulled somewhere on the way. What is on its way is lost too, and nobody is told: both
   * ends believe in their connections until they lose patience.
   */
  partition(direction?: Direction): void {
    if (direction !== 'backward') this.#wire.forward.partition()
    if (direction !== 'forward') this.#wire.backward.partition()
    this.#world.tell(this, `is cut${this.#way(direction)}`)
  }

  /** Packets pass again. What was lost meanwhile is not made up for by the link, but by TCP, at its next attempt. */
  heal(direction?: Direction): void {
    if (direction !== 'backward') this.#wire.forward.heal()
    if (direction !== 'forward') this.#wire.backward.heal()
    this.#world.tell(this, `is healed${this.#way(direction)}`)
  }

  /** Whether that direction is cut; either, if none is named. */
  isPartitioned(direction?: Direction): boolean {
    const { forward, backward } = this.#wire
    if (direction !== undefined) return this.#wire[direction].isPartitioned
    return forward.isPartitioned || backward.isPartitioned
  }

  /** Cut and healed again and again, as by a bad contact, until the returned function is called, which leaves it healed. */
  flap({ every, for: length, direction }: FlapOptions): () => void {
    if (!(length > 0 && every > length && Number.isFinite(every))) {
      throw new RangeError(
        `a link that flaps is cut for less than \`every\` milliseconds, not for ${length} of ${every}`,
      )
    }
    const { time } = this.#world
    let cancel = () => {}
    const cut = () => {
      this.partition(direction)
      cancel = time.after(length, () => {
        this.heal(direction)
        cancel = time.after(every - length, cut)
      })
    }
    cancel = time.after(every, cut)
    return () => {
      cancel()
      if (this.isPartitioned(direction)) this.heal(direction)
    }
  }

  #way(direction: Direction | undefined): string {
    if (direction === undefined) return ''
    const [from, to] = direction === 'forward' ? this.hosts : [this.hosts[1], this.hosts[0]]
    return ` from ${from.name} to ${to.name}`
  }
}
