// Wraps any link (memory, a TUN device, callbacks) so that packets suffer on their way, in each direction as told.
// Time is what the driver hands to `open`, real or virtual; chance is the random given, so that one seed gives one run.
import { PacketBatch } from '../core/batch.ts'
import type { Link, Offload, Random, Time } from '../core/environment.ts'
import { ImpairedPath, type ImpairmentCounters } from './impaired-path.ts'
import { type EachWay, eachWay } from './impairment.ts'

/** Batches that one turn reads or writes below the impairment. */
const MOST_BATCHES = 8

/** `out` is what the stack transmits, `in` what it receives. */
export type ImpairedDirection = 'out' | 'in'

/** The same both ways, or one for each. */
export type Impairments = EachWay<ImpairedDirection>

export interface ImpairedOptions {
  /**
   * Takes a link that was opened with offload as it is: a super-segment of 64 kB is then lost, held or dropped as one packet. Without it such
   * a link is refused, since it can't be told any more to hand over single packets.
   */
  offload?: boolean
}

export interface ImpairedLink extends Link {
  readonly counters: { readonly out: Readonly<ImpairmentCounters>; readonly in: Readonly<ImpairmentCounters> }
  /** Changes what is named; the rest stays. */
  impair(impairments: Impairments): void
  /** Cuts one direction, or both: what is on its way is lost too. */
  partition(direction?: ImpairedDirection): void
  heal(direction?: ImpairedDirection): void
}

/**
 * One random for both directions, or one for each, so that neither shifts what the other draws.
 * Throws a TypeError where the link has offload and the options don't ask for it.
 */
export function impaired(
  link: Link,
  impairments: Impairments,
  random: Random | { out: Random; in: Random },
  options: ImpairedOptions = {},
): ImpairedLink {
  const { checksum, tcp4, tcp6, udp } = link.offload
  if (options.offload !== true && (checksum || tcp4 || tcp6 || udp)) {
    throw new TypeError(
      'This link has offload, so that 64 kB would suffer as one packet: open it without (`tun({ offload: false })`), or say `{ offload: true }` to `impaired`.',
    )
  }
  return new Impaired(link, impairments, 'int32' in random ? { out: random, in: random } : random)
}

class Impaired implements ImpairedLink {
  readonly medium: 'ip' | 'ethernet'
  readonly mtu: number
  readonly headroom: number
  readonly offload: Offload
  readonly counters: ImpairedLink['counters']
  readonly #link: Link
  readonly #out: ImpairedPath
  readonly #in: ImpairedPath
  readonly #outgoing: PacketBatch
  readonly #arriving = new PacketBatch()
  #wake: () => void = nothing

  constructor(link: Link, impairments: Impairments, random: { out: Random; in: Random }) {
    this.#link = link
    this.medium = link.medium
    this.mtu = link.mtu
    this.headroom = link.headroom
    this.offload = link.offload
    this.#out = new ImpairedPath(random.out)
    this.#in = new ImpairedPath(random.in)
    this.#outgoing = new PacketBatch({ headroom: link.headroom })
    this.counters = { out: this.#out.counters, in: this.#in.counters }
    this.impair(impairments)
  }

  open(wake: () => void, time: Time): void {
    this.#wake = wake
    this.#out.open(wake, time)
    this.#in.open(wake, time)
    this.#link.open(wake, time)
  }

  close(): void {
    this.#wake = nothing
    this.#out.close()
    this.#in.close()
    this.#link.close()
  }

  impair(impairments: Impairments): void {
    const each = eachWay(impairments, 'out', 'in')
    this.#out.change(each.out)
    this.#in.change(each.in)
  }

  partition(direction?: ImpairedDirection): void {
    if (direction !== 'in') this.#out.partition()
    if (direction !== 'out') this.#in.partition()
  }

  heal(direction?: ImpairedDirection): void {
    if (direction !== 'in') this.#out.heal()
    if (direction !== 'out') this.#in.heal()
  }

  receive(batch: PacketBatch): void {
    if (this.#in.isClear) {
      this.#link.receive(batch)
      return
    }
    const arriving = this.#arriving
    let isFull = true
    for (let batches = 0; isFull && batches < MOST_BATCHES; batches++) {
      arriving.clear()
      this.#link.receive(arriving)
      for (let row = arriving.first; row < arriving.end; row++) this.#in.offer(arriving, row)
      isFull = arriving.isFull
    }
    this.#in.take(batch)
    this.#in.arm()
    if (isFull) this.#wake()
  }

  transmit(batch: PacketBatch): void {
    const outgoing = this.#outgoing
    if (this.#out.isClear && outgoing.count === 0) {
      this.#link.transmit(batch)
      return
    }
    for (let row = batch.first; row < batch.end; row++) this.#out.offer(batch, row)
    batch.shift(batch.count)
    for (let batches = 0; batches < MOST_BATCHES; batches++) {
      this.#out.take(outgoing)
      this.#link.transmit(outgoing)
      // It has no room, and wakes when it has.
      if (outgoing.count > 0) return
      if (!this.#out.isDue) break
    }
    this.#out.arm()
  }
}

function nothing(): void {}
