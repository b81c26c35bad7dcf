// A path for congestion controllers alone: one sender, one bottleneck with a queue, ACKs that come back after a delay. No TCP in it:
// it keeps the numbers that a sender would keep, tells them to the controller, and notes what comes of it. Times are milliseconds.
import {
  Acknowledged,
  type Congestion,
  type CongestionFactory,
  type CongestionSettings,
} from '../../../../src/core/tcp/congestion/congestion.ts'
import { nextEmission } from '../../../../src/core/tcp/congestion/pacing.ts'
import { seeded } from '../../../support/seeded.ts'

export const MSS = 1460
export const INITIAL_WINDOW = 10 * MSS

export interface PathOptions {
  /** Mbit/s. */
  rate: number
  /** Round trip without a queue. */
  delay: number
  /** Octets that the queue holds. */
  queue: number
  /** Part of the packets that is lost by chance. */
  loss?: number
  /** Octets in the queue from which on packets are marked. */
  mark?: number
  /** ACKs are gathered for so long. */
  aggregation?: number
  seed?: number
}

export interface Point {
  time: number
  cwnd: number
  inFlight: number
  queue: number
  rtt: number
}

interface Sent {
  sequence: number
  sentAt: number
  delivered: number
  deliveredAt: number
  firstSentAt: number
  inFlight: number
  lost: number
  isLimited: boolean
  isMarked: boolean
  /** When its ACK arrives, unless it is lost. */
  arrives: number
}

/** First in, first out, at a cost that does not grow with its length. */
class Row<Item> {
  #items: Item[] = []
  #at = 0

  get first(): Item | undefined {
    return this.#items[this.#at]
  }

  get last(): Item | undefined {
    return this.#items.at(-1)
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  shift(): void {
    if (++this.#at === this.#items.length) this.clear()
    else if (this.#at > 1000) {
      this.#items.splice(0, this.#at)
      this.#at = 0
    }
  }

  clear(): void {
    this.#items = []
    this.#at = 0
  }
}

export function settings(now = 0, rtt = 0): CongestionSettings {
  return { mss: MSS, initialWindow: INITIAL_WINDOW, now, rtt, seed: 12_345 }
}

export class Path {
  readonly congestion: Congestion
  readonly points: Point[] = []
  now = 1000
  delivered = 0
  lost = 0
  recoveries = 0
  timeouts = 0
  /** Octets that the application still wants to send. */
  wanted = Number.POSITIVE_INFINITY
  /** May be changed while it goes on: octets in a millisecond, milliseconds, part. */
  rate: number
  delay: number
  loss: number
  readonly #options: PathOptions
  readonly #random
  readonly #ack = new Acknowledged()
  /** In the order in which they were sent, which is the order in which ACKs come back. */
  readonly #arriving = new Row<Sent>()
  readonly #missing = new Row<Sent>()
  #inFlight = 0
  #next = 0
  #busyUntil = 0
  #deliveredAt = 0
  #firstSentAt = 0
  #sendAt = 0
  #recover = -1
  #recoverMark = -1
  #srtt = 0
  #minimumRtt = 0
  #limitedUntil = 0
  #heard = 0
  #timedOutAt = -1

  constructor(make: CongestionFactory, options: PathOptions) {
    this.#options = options
    this.#random = seeded(options.seed ?? 1)
    this.rate = (options.rate * 1e6) / 8 / 1000
    this.delay = options.delay
    this.loss = options.loss ?? 0
    this.congestion = make(settings(this.now, options.delay * 1000))
  }

  get queue(): number {
    return Math.max(0, (this.#busyUntil - this.now) * this.rate)
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Lets so many milliseconds go by. */
  run(duration: number): this {
    const end = this.now + duration
    for (;;) {
      this.#send()
      const arrival = this.#nextArrival()
      const mayPace = this.#mayWindow() ? Math.max(this.#sendAt, this.now) : Number.POSITIVE_INFINITY
      const timeout = this.#inFlight > 0 ? this.#heard + 200 + 2 * (this.#srtt / 1000 || 500) : Number.POSITIVE_INFINITY
      const at = Math.min(arrival, mayPace, timeout)
      if (at > end) break
      this.now = at
      if (at === arrival) this.#receive()
      else if (at === timeout && at !== mayPace) this.#timeout()
    }
    this.now = end
    return this
  }

  /** Octets a millisecond that were delivered in such a time, as a part of the bottleneck's. */
  utilization(duration: number): number {
    const before = this.delivered
    this.run(duration)
    return (this.delivered - before) / (duration * this.rate)
  }

  #mayWindow(): boolean {
    return this.wanted > 0 && this.#inFlight + MSS <= this.congestion.cwnd
  }

  #send(): void {
    while (this.#mayWindow() && this.#sendAt <= this.now) {
      if (this.#inFlight === 0) {
        this.#firstSentAt = this.now
        this.#deliveredAt = this.now
        this.#heard = this.now
      }
      const before = this.#inFlight
      this.#inFlight += MSS
      this.wanted -= MSS
      const isLimited = this.wanted <= 0 && this.#inFlight + MSS <= this.congestion.cwnd
      if (isLimited) this.#limitedUntil = this.delivered + this.#inFlight
      const occupied = this.queue
      const isLost = occupied + MSS > this.#options.queue || this.#random.fraction() < this.loss
      if (!isLost) this.#busyUntil = Math.max(this.#busyUntil, this.now) + MSS / this.rate
      const arrives = this.#gathered(this.#busyUntil + this.delay)
      const row = isLost ? this.#missing : this.#arriving
      if (!isLost && arrives < (row.last?.arrives ?? 0)) throw new Error('this path keeps the order')
      row.push({
        sequence: this.#next++,
        sentAt: this.now,
        delivered: this.delivered,
        deliveredAt: this.#deliveredAt,
        firstSentAt: this.#firstSentAt,
        inFlight: this.#inFlight,
        lost: this.lost,
        isLimited: this.delivered < this.#limitedUntil,
        isMarked: occupied > (this.#options.mark ?? Number.POSITIVE_INFINITY),
        arrives,
      })
      this.congestion.onSent(MSS, before, isLimited, this.now)
      this.#sendAt = nextEmission(this.#sendAt, this.now, MSS, this.congestion.pacingRate)
    }
  }

  #gathered(arrival: number): number {
    const { aggregation = 0 } = this.#options
    return aggregation === 0 ? arrival : Math.ceil(arrival / aggregation) * aggregation
  }

  #nextArrival(): number {
    return this.#arriving.first?.arrives ?? Number.POSITIVE_INFINITY
  }

  #receive(): void {
    const ack = this.#ack
    ack.clear(this.now)
    ack.priorInFlight = this.#inFlight
    ack.isWindowLimited = this.#inFlight + MSS > this.congestion.cwnd
    let last: Sent | null = null
    let isMarked = false
    for (let packet = this.#arriving.first; packet && packet.arrives <= this.now; packet = this.#arriving.first) {
      this.#arriving.shift()
      ack.acked += MSS
      isMarked ||= packet.isMarked
      last = packet
    }
    if (last === null) return
    this.#heard = this.now
    this.#inFlight -= ack.acked
    this.delivered += ack.acked
    this.#deliveredAt = this.now
    this.#firstSentAt = last.sentAt
    ack.delivered = ack.acked
    this.#fill(ack, last)
    this.#detect(last.sequence)
    ack.lost = this.lost - this.#lostBefore
    ack.lostSince = this.lost - last.lost
    const wasRecovering = this.#recover >= 0
    // What was lost of that window is known three packets later.
    if (wasRecovering && last.sequence > this.#recover + 3) {
      this.#recover = -1
      this.congestion.onRecovered(this.now)
    }
    ack.inRecovery = wasRecovering && this.#recover >= 0
    ack.inFlight = this.#inFlight
    this.congestion.onAcknowledged(ack)
    if (isMarked && last.sequence > this.#recoverMark) {
      this.#recoverMark = this.#next
      this.congestion.onMarked(this.#inFlight, this.now)
    }
    const { cwnd } = this.congestion
    this.points.push({ time: this.now, cwnd, inFlight: this.#inFlight, queue: this.queue, rtt: ack.rtt / 1000 })
  }

  #lostBefore = 0

  #fill(ack: Acknowledged, last: Sent): void {
    const rtt = Math.round((this.now - last.sentAt) * 1000)
    this.#srtt = this.#srtt === 0 ? rtt : this.#srtt + (rtt - this.#srtt) / 8
    this.#minimumRtt = this.#minimumRtt === 0 ? rtt : Math.min(this.#minimumRtt, rtt)
    ack.rtt = rtt
    ack.srtt = Math.round(this.#srtt)
    ack.minimumRtt = this.#minimumRtt
    ack.sndUna = (last.sequence * MSS) | 0
    ack.sndNxt = (this.#next * MSS) | 0
    ack.totalDelivered = this.delivered | 0
    ack.priorDelivered = last.delivered | 0
    ack.transmitInFlight = last.inFlight
    ack.isApplicationLimited = last.isLimited
    const interval = Math.max(last.sentAt - last.firstSentAt, this.now - last.deliveredAt)
    if (interval * 1000 >= this.#minimumRtt) {
      ack.rateInterval = Math.round(interval * 1000)
      ack.rateDelivered = this.delivered - last.delivered
    }
    this.#lostBefore = this.lost
  }

  /** What was sent three packets before one that arrived is lost, and is sent again as something new. */
  #detect(arrived: number): void {
    for (let packet = this.#missing.first; packet && packet.sequence + 3 <= arrived; packet = this.#missing.first) {
      this.#missing.shift()
      if (this.#recover < 0) {
        this.recoveries++
        this.congestion.onRecovery(this.#inFlight, this.now)
        this.#recover = this.#next - 1
      }
      this.lost += MSS
      this.wanted += MSS
      this.#inFlight -= MSS
      this.congestion.onLost(MSS, packet.inFlight, this.lost - packet.lost, packet.isLimited, this.now)
    }
  }

  #timeout(): void {
    this.timeouts++
    this.congestion.onTimeout(this.#inFlight, this.delivered === this.#timedOutAt, this.now)
    this.#timedOutAt = this.delivered
    this.lost += this.#inFlight
    this.wanted += this.#inFlight
    this.#inFlight = 0
    this.#arriving.clear()
    this.#missing.clear()
    this.#recover = -1
    this.#heard = this.now
  }
}
