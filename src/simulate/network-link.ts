// A link of a simulated network: what is wrong with it can change while the network runs.
import { PacketBatch } from '../core/batch.ts'
import type { Time } from '../core/environment.ts'
import type { Fate, ImpairedPath, ImpairmentCounters } from '../link/impaired-path.ts'
import { type EachWay, eachWay, type Impairment } from '../link/impairment.ts'
import type { Middle, Wire } from '../link/wire.ts'
import type { Host } from './host.ts'
import type { MiddleBox, Passage } from './middle-boxes.ts'
import { PassingPacket } from './passing-packet.ts'

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
  /** Something happened to the link, in plain words; of one series the last tells all. */
  tell(link: NetworkLink, text: string, series?: string): void
  /** A packet has set out, or was kept from it; `fate` is null where a box in the middle dropped it. */
  carried(link: NetworkLink, direction: Direction, batch: PacketBatch, row: number, fate: Fate | null): void
}

export class NetworkLink {
  readonly hosts: readonly [Host, Host]
  readonly #wire: Wire
  readonly #world: LinkWorld
  readonly #boxes: MiddleBox[] = []
  readonly #passing = new PassingPacket()

  constructor(hosts: readonly [Host, Host], wire: Wire, world: LinkWorld) {
    this.hosts = hosts
    this.#wire = wire
    this.#world = world
    const middle: Middle = { carry: (batch, row, out, back) => this.#carry(batch, row, out, back) }
    wire.middle = middle
  }

  /** Puts a box into the middle of the link, behind those that stand there; the returned function takes it away. */
  add(box: MiddleBox): () => void {
    this.#boxes.push(box)
    this.#world.tell(this, `the link goes through a box that ${wordsOf(box.constructor.name)}`)
    return () => {
      const place = this.#boxes.indexOf(box)
      if (place >= 0) this.#boxes.splice(place, 1)
    }
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
    this.#world.tell(this, `the link is impaired: ${words.replaceAll('"', '')}`)
  }

  /** Packets that wait for the rate in a direction, the one that is leaving included. */
  waiting(direction: Direction): number {
    return this.#wire[direction].waiting
  }

  settings(direction: Direction): Readonly<Impairment> {
    return this.#wire[direction].settings
  }

  /**
   * Cuts one direction, or both, as when a cable is pulled somewhere on the way. What is on its way is lost too, and nobody is told: both
   * ends believe in their connections until they lose patience.
   */
  partition(direction?: Direction): void {
    check(direction)
    if (direction !== 'backward') this.#wire.forward.partition()
    if (direction !== 'forward') this.#wire.backward.partition()
    this.#world.tell(this, `the link is cut${this.#way(direction)}`)
  }

  /** Packets pass again. What was lost meanwhile is not made up for by the link, but by TCP, at its next attempt. */
  heal(direction?: Direction): void {
    check(direction)
    if (direction !== 'backward') this.#wire.forward.heal()
    if (direction !== 'forward') this.#wire.backward.heal()
    this.#world.tell(this, `the link is healed${this.#way(direction)}`)
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

  #carry(batch: PacketBatch, row: number, out: ImpairedPath, back: ImpairedPath): void {
    const direction = out === this.#wire.forward ? 'forward' : 'backward'
    const mayPass = this.#boxes.length === 0 || this.#passBoxes(batch, row, back)
    const fate = mayPass ? out.offer(batch, row) : null
    this.#world.carried(this, direction, batch, row, fate)
  }

  #passBoxes(batch: PacketBatch, row: number, back: ImpairedPath): boolean {
    const packet = this.#passing.load(batch, row)
    const passage: Passage = {
      now: this.#world.time.now(),
      answer: (octets) => this.#answer(octets, back),
      // A box may do the same to every packet.
      tell: (text) => this.#world.tell(this, text, `${this.hosts[0].name} ${this.hosts[1].name} ${text}`),
    }
    for (const box of this.#boxes) if (!box.pass(packet, passage)) return false
    return true
  }

  /** What a box in the middle sends takes half the way there and half the way back. */
  #answer(octets: Uint8Array<ArrayBuffer>, back: ImpairedPath): void {
    const batch = new PacketBatch({ capacity: 1, largest: octets.length })
    batch.bytes.set(octets, batch.reserve(octets.length))
    const row = batch.commit(octets.length)
    const fate = back.offer(batch, row)
    back.arm()
    this.#world.carried(this, back === this.#wire.forward ? 'forward' : 'backward', batch, row, fate)
  }

  #way(direction: Direction | undefined): string {
    if (direction === undefined) return ''
    const [from, to] = direction === 'forward' ? this.hosts : [this.hosts[1], this.hosts[0]]
    return ` from ${from.name} to ${to.name}`
  }
}

function check(direction: Direction | undefined): void {
  if (direction === undefined || direction === 'forward' || direction === 'backward') return
  throw new TypeError(`a direction is 'forward' or 'backward', not '${direction}'; both, if none is named`)
}

/** `DropsIdle` → `drops idle` */
function wordsOf(name: string): string {
  return name.replace(/(?<=.)[A-Z]/g, ' $&').toLowerCase()
}

/** Undefined for what is usual. */
export function checkedMtu(mtu: number | undefined): number | undefined {
  if (mtu === undefined || (Number.isInteger(mtu) && mtu >= 68 && mtu <= 65_535)) return mtu
  throw new RangeError(`mtu must be a number of octets from 68 to 65535, not ${mtu}`)
}
