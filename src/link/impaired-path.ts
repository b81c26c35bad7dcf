// One direction of an impaired link: packets are offered, held, and taken when they are due, in real or virtual time.
// They first leave one after the other at the rate (behind a queue that drops its tail), then travel: there they are
// lost, duplicated, corrupted and delayed. Every packet takes the same number of draws whatever is set, so that
// changing one impairment leaves the others' decisions as they were.
import type { PacketBatch } from '../core/batch.ts'
import type { Random, Time } from '../core/environment.ts'
import { HeldPacket, wireLength } from './held-packet.ts'
import { change, type Impairment, type ImpairmentSettings, isClear, UNIMPAIRED } from './impairment.ts'
import { Schedule } from './schedule.ts'

/** Octets on their way in one direction: 100 ms at 20 Gbit/s. What is offered beyond is dropped as overflow. */
const MOST_HELD = 256 * 1024 * 1024
/** Objects of packets that have passed, kept for others. */
const MOST_SPARE = 1024
/** Packets that have left and are still in the list. */
const MOST_LEFT = 1024
/** A nanosecond: what a sum of times may be off by. */
const TOLERANCE = 1e-6
const BITS_PER_MILLISECOND = 1000

export interface ImpairmentCounters {
  offered: number
  /** Handed on; those that were duplicated count twice. */
  passed: number
  lost: number
  duplicated: number
  reordered: number
  corrupted: number
  /** With a congestion mark. */
  marked: number
  /** Dropped at the end of the rate's queue. */
  overflow: number
  /** Longer than the path's MTU. */
  oversized: number
  /** Offered or on their way while the path was cut. */
  partitioned: number
  /** Offered or on their way while the far end was not open. */
  closed: number
}

/** What becomes of a packet that is offered; `passed` for those that arrive, if the path is not cut meanwhile. */
export type Fate = 'passed' | 'lost' | 'corrupted' | 'overflow' | 'oversized' | 'partitioned' | 'closed'

/** What has not left yet, or is leaving. */
interface Leaving {
  bits: number
  departure: number
  travel: number
  packet: HeldPacket | null
  copy: HeldPacket | null
  copyTravel: number
  late: boolean
}

export class ImpairedPath {
  readonly counters: ImpairmentCounters = {
    offered: 0,
    passed: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    marked: 0,
    overflow: 0,
    oversized: 0,
    partitioned: 0,
    closed: 0,
  }
  readonly #random: Random
  #settings: ImpairmentSettings
  #isClear: boolean
  #isCut = false
  #inBurst = false
  #time: Time | null = null
  #wake: () => void = nothing
  readonly #spare: HeldPacket[] = []
  readonly #held = new Schedule<HeldPacket>()
  #heldOctets = 0
  #lastArrival = 0
  #leaving: Leaving[] = []
  /** How many of them have left: they are taken out many at a time, since each time all behind them move up. */
  #left = 0
  #armedFor = Number.POSITIVE_INFINITY
  #disarm: () => void = nothing

  constructor(random: Random, impairment: Impairment = {}) {
    this.#random = random
    this.#settings = change(UNIMPAIRED, impairment)
    this.#isClear = isClear(this.#settings)
  }

  /** `wake` is called when a packet is due. */
  open(wake: () => void, time: Time): void {
    this.#wake = wake
    this.#time = time
    this.arm()
  }

  close(): void {
    this.#disarm()
    this.#armedFor = Number.POSITIVE_INFINITY
    this.#wake = nothing
    this.#time = null
    this.counters.closed += this.#held.size
    this.#drop()
  }

  get settings(): Readonly<ImpairmentSettings> {
    return this.#settings
  }

  /** Nothing is wrong and nothing is held: packets may as well pass untouched. */
  get isClear(): boolean {
    return this.#isClear && !this.#isCut && this.#held.size === 0
  }

  get isPartitioned(): boolean {
    return this.#isCut
  }

  /** Packets that have not left, where there is a rate: the one that is leaving, and those behind it. */
  get waiting(): number {
    if (this.#time !== null) this.#forget(this.#time.now())
    return this.#leaving.length - this.#left
  }

  /** Packets on their way. */
  get held(): number {
    return this.#held.size
  }

  /** Holds for what is offered from now on; a new rate also for what is waiting, and a new delay may let packets overtake. */
  change(impairment: Impairment): void {
    const before = this.#settings
    this.#settings = change(before, impairment)
    this.#isClear = isClear(this.#settings)
    if (this.#settings.delay !== before.delay) this.#lastArrival = 0
    if (this.#settings.rate !== before.rate && this.#time !== null) this.#depart(this.#time.now())
  }

  /** Cuts the path: what is on its way is lost too. */
  partition(): void {
    this.#isCut = true
    this.counters.partitioned += this.#held.size
    this.#drop()
    this.arm()
  }

  heal(): void {
    this.#isCut = false
  }

  /** Whether `take` would find something. */
  get isDue(): boolean {
    const first = this.#held.first()
    return first !== null && this.#time !== null && first.at <= this.#time.now() + TOLERANCE
  }

  /** Copies a packet onto the path, or drops it; the caller calls `arm` after the last. */
  offer(batch: PacketBatch, row: number): Fate {
    const { counters } = this
    const settings = this.#settings
    counters.offered++
    const lost = this.#isLost()
    const duplicated = this.#draw() < settings.duplicate
    const late = this.#draw() < settings.reorder
    const travel = this.#travel(late)
    const copyTravel = this.#travel(false)
    const corrupted = this.#draw() < settings.corrupt
    const where = this.#random.int32()
    const which = this.#random.int32()
    const now = this.#time === null ? 0 : this.#time.now()
    this.#forget(now)
    const obstacle = this.#obstacle(batch, row)
    if (obstacle !== null) {
      counters[obstacle]++
      return obstacle
    }
    const packet = lost ? null : this.#copy(batch, row)
    const copy = duplicated && !lost ? this.#copy(batch, row) : null
    if (lost) counters.lost++
    if (late && !lost) counters.reordered++
    if (copy !== null) counters.duplicated++
    const bits = batch.length[row] * 8
    const leaving: Leaving = { bits, departure: now, travel, packet, copy, copyTravel, late }
    // The same draw says where a corruption goes: marking must not shift the others' decisions.
    if (packet !== null && (where >>> 0) / 0x1_0000_0000 < settings.mark && packet.markCongested()) counters.marked++
    if (corrupted && packet !== null) {
      counters.corrupted++
      if (!packet.corrupt(where, which)) leaving.packet = null
    }
    this.#send(leaving, now)
    return lost ? 'lost' : corrupted ? 'corrupted' : 'passed'
  }

  /** Moves what is due into the batch, as far as it has room. */
  take(batch: PacketBatch): void {
    if (this.#time === null) return
    const now = this.#time.now()
    this.#forget(now)
    for (let first = this.#held.first(); first !== null; first = this.#held.first()) {
      if (first.at > now + TOLERANCE || !first.store(batch)) return
      this.#held.shift()
      this.#heldOctets -= first.octets.length
      if (first.isUsual && this.#spare.length < MOST_SPARE) this.#spare.push(first)
      this.counters.passed++
    }
  }

  /** One timer, at the earliest arrival. */
  arm(): void {
    const first = this.#held.first()
    const at = first === null ? Number.POSITIVE_INFINITY : first.at
    if (this.#time === null || at === this.#armedFor) return
    this.#disarm()
    this.#disarm = nothing
    this.#armedFor = Number.POSITIVE_INFINITY
    if (at === Number.POSITIVE_INFINITY) return
    this.#armedFor = at
    this.#disarm = this.#time.after(Math.max(0, at - this.#time.now()), () => {
      this.#armedFor = Number.POSITIVE_INFINITY
      this.#disarm = nothing
      this.#wake()
    })
  }

  /** What keeps a packet from setting out; null where nothing does. */
  #obstacle(batch: PacketBatch, row: number): 'closed' | 'partitioned' | 'oversized' | 'overflow' | null {
    const { mtu, queue } = this.#settings
    if (this.#time === null) return 'closed'
    if (this.#isCut) return 'partitioned'
    if (wireLength(batch, row) > mtu) return 'oversized'
    return this.#leaving.length - this.#left > queue || this.#heldOctets > MOST_HELD ? 'overflow' : null
  }

  #copy(batch: PacketBatch, row: number): HeldPacket {
    const length = batch.length[row]
    const spare = this.#spare[this.#spare.length - 1]
    const packet = spare !== undefined && spare.octets.length >= length ? this.#spare.pop()! : new HeldPacket(length)
    packet.load(batch, row)
    return packet
  }

  #draw(): number {
    return (this.#random.int32() >>> 0) / 0x1_0000_0000
  }

  /** Bursts begin so often that their share of all packets is the fraction asked for: p = r f / (1 - f), r = 1 / length. */
  #isLost(): boolean {
    const { loss, burstLoss } = this.#settings
    const alone = this.#draw() < loss
    const draw = this.#draw()
    if (burstLoss === null) this.#inBurst = false
    else if (this.#inBurst) this.#inBurst = burstLoss.fraction === 1 || draw >= 1 / burstLoss.length
    else this.#inBurst = draw < burstLoss.fraction / (1 - burstLoss.fraction) / burstLoss.length
    return alone || this.#inBurst
  }

  #travel(late: boolean): number {
    const { delay, jitter, reorderDelay } = this.#settings
    const travel = Math.max(0, delay + (2 * this.#draw() - 1) * jitter)
    return late ? travel + (reorderDelay ?? Math.max(1, delay / 2)) : travel
  }

  #send(leaving: Leaving, now: number): void {
    const { rate } = this.#settings
    if (rate !== Number.POSITIVE_INFINITY) {
      const before = this.#leaving.length > this.#left ? this.#leaving[this.#leaving.length - 1].departure : now
      leaving.departure = before + leaving.bits / (rate * BITS_PER_MILLISECOND)
      this.#leaving.push(leaving)
    }
    this.#schedule(leaving)
  }

  #schedule(leaving: Leaving): void {
    const { packet, copy, departure, late } = leaving
    if (packet !== null) this.#hold(packet, departure + leaving.travel, late)
    if (copy !== null) this.#hold(copy, departure + leaving.copyTravel, false)
  }

  #hold(packet: HeldPacket, arrival: number, late: boolean): void {
    const at = late ? arrival : Math.max(arrival, this.#lastArrival)
    if (!late) this.#lastArrival = at
    this.#held.add(packet, at)
    this.#heldOctets += packet.octets.length
  }

  /** Those that have left no longer count against the queue. */
  #forget(now: number): void {
    const leaving = this.#leaving
    while (this.#left < leaving.length && leaving[this.#left].departure <= now + TOLERANCE) this.#left++
    if (this.#left === 0 || (this.#left < leaving.length && this.#left < MOST_LEFT)) return
    leaving.splice(0, this.#left)
    this.#left = 0
  }

  /** After a change of the rate: the one that is leaving keeps its time, those behind it get new ones. */
  #depart(now: number): void {
    this.#forget(now)
    const [first, ...waiting] = this.#leaving.slice(this.#left)
    if (first === undefined) return
    this.#leaving = [first]
    this.#left = 0
    for (const leaving of waiting) {
      for (const packet of [leaving.packet, leaving.copy]) {
        if (packet === null) continue
        this.#held.remove(packet)
        this.#heldOctets -= packet.octets.length
      }
    }
    this.#lastArrival = first.late ? 0 : first.departure + first.travel
    for (const leaving of waiting) {
      leaving.departure = first.departure
      this.#send(leaving, first.departure)
    }
    this.arm()
  }

  #drop(): void {
    this.#held.clear()
    this.#heldOctets = 0
    this.#leaving = []
    this.#left = 0
    this.#lastArrival = 0
  }
}

function nothing(): void {}
