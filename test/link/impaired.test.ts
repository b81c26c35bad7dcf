// Impairments: exact delivery times, fractions within what chance allows, the same run for the same seed.
import { describe, expect, test } from 'vitest'
import { Checksum, PacketBatch, Segmentation } from '../../src/core/batch.ts'
import type { Link } from '../../src/core/environment.ts'
import { impaired } from '../../src/link/impaired.ts'
import { type Impairment, UNIMPAIRED } from '../../src/link/impairment.ts'
import { memory } from '../../src/link/memory.ts'
import { ManualTime } from '../support/manual-time.ts'
import { seeded } from '../support/seeded.ts'
import { checksum, checksumSeed, conformance, datagram, hex, put } from './conformance.ts'
import { farSide } from './far-side.ts'

conformance('an impaired link with nothing wrong', () => farSide(memory(), (link) => impaired(link, {}, seeded(1))))
conformance('an impaired link that looks at every packet', () =>
  farSide(memory(), (link) => impaired(link, { mtu: 65_535 }, seeded(1))),
)

/** A link impaired on the way out, a driver that turns when it is woken, and the time of each arrival. */
class Course {
  readonly time = new ManualTime()
  readonly arrivals: { at: number; packet: Uint8Array }[] = []
  readonly link
  readonly #far: Link
  readonly #empty = new PacketBatch()
  readonly #outgoing = new PacketBatch()
  readonly #incoming = new PacketBatch()
  #turning = false
  #asked = false

  constructor(out: Impairment, seed = 1, queue = 100_000) {
    const [near, far] = memory({ mtu: 9000, queue })
    this.#far = far
    this.link = impaired(near, { out }, seeded(seed))
    far.open(() => this.#arrive(), this.time)
    this.link.open(() => this.#turn(), this.time)
  }

  send(...packets: Uint8Array[]): this {
    const batch = this.#outgoing
    for (const packet of packets) {
      if (!batch.fits(packet.length)) this.link.transmit(batch)
      put(batch, packet)
    }
    this.link.transmit(batch)
    return this
  }

  sendMany(count: number, length = 100): this {
    return this.send(...Array.from({ length: count }, (_, at) => datagram(length, at)))
  }

  /** The number of each packet that arrived. */
  get order(): number[] {
    return this.arrivals.map(({ packet }) => (packet[4] << 8) + packet[5])
  }

  get times(): number[] {
    return this.arrivals.map(({ at }) => Number(at.toFixed(6)))
  }

  #turn(): void {
    this.#asked = true
    if (this.#turning) return
    this.#turning = true
    while (this.#asked) {
      this.#asked = false
      this.link.transmit(this.#empty)
    }
    this.#turning = false
  }

  #arrive(): void {
    const batch = this.#incoming
    for (this.#far.receive(batch); batch.count > 0; this.#far.receive(batch)) {
      for (let row = 0; row < batch.end; row++) {
        const packet = batch.bytes.slice(batch.offset[row], batch.offset[row] + batch.length[row])
        this.arrivals.push({ at: this.time.now(), packet })
      }
      batch.clear()
    }
  }
}

describe('delay and rate', () => {
  test('a delay is exact', () => {
    const course = new Course({ delay: 10 })
    course.send(datagram(40, 1))
    course.time.pass(4)
    course.send(datagram(40, 2))
    course.time.pass(100)
    expect(course.times).toEqual([10, 14])
  })

  test('packets leave one after the other at the rate', () => {
    // 1,250 octets are 10,000 bits: 1 ms at 10 Mbit/s.
    const course = new Course({ delay: 5, rate: 10 })
    course.sendMany(4, 1250)
    course.time.pass(50)
    course.send(datagram(1250, 9))
    course.time.pass(50)
    expect(course.times).toEqual([6, 7, 8, 9, 56])
  })

  test('what waits behind a full queue is dropped', () => {
    const course = new Course({ rate: 10, queue: 3 })
    course.sendMany(10, 1250)
    course.time.pass(0.5)
    course.sendMany(1, 1250)
    course.time.pass(0.6)
    course.send(datagram(1250, 77))
    course.time.pass(100)
    // One is leaving and three wait; after the first has left there is room for one more.
    expect(course.order).toEqual([0, 1, 2, 3, 77])
    expect(course.times).toEqual([1, 2, 3, 4, 5])
    expect(course.link.counters.out.overflow).toBe(7)
  })

  test('a new rate holds for what is waiting', () => {
    const course = new Course({ rate: 10 })
    course.sendMany(3, 1250)
    course.time.pass(0.5)
    course.link.impair({ out: { rate: 100 } })
    course.time.pass(100)
    expect(course.times).toEqual([1, 1.1, 1.2])
    course.link.impair({ out: { rate: Number.POSITIVE_INFINITY } })
    course.send(datagram(1250, 9))
    expect(course.times.at(-1)).toBe(100.5)
  })

  test('a delay that changes holds from then on', () => {
    const course = new Course({ delay: 100 })
    course.send(datagram(40, 1))
    course.link.impair({ delay: 10 })
    course.send(datagram(40, 2))
    course.time.pass(200)
    expect(course.order).toEqual([2, 1])
    expect(course.times).toEqual([10, 100])
  })

  test('jitter spreads and keeps the order', () => {
    const course = new Course({ delay: 20, jitter: 5 })
    for (let at = 0; at < 1000; at++) {
      course.send(datagram(40, at))
      course.time.pass(7)
    }
    course.time.pass(100)
    expect(course.order).toEqual(Array.from({ length: 1000 }, (_, at) => at))
    const delays = course.times.map((at, index) => at - index * 7)
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(15)
    expect(Math.min(...delays)).toBeLessThan(15.5)
    expect(Math.max(...delays)).toBeLessThanOrEqual(25)
    expect(Math.max(...delays)).toBeGreaterThan(24.5)
  })
})

describe('chance', () => {
  const COUNT = 20_000

  function fractionLost(impairment: Impairment, seed: number): number {
    const course = new Course(impairment, seed).sendMany(COUNT)
    expect(course.arrivals.length).toBe(COUNT - course.link.counters.out.lost)
    return course.link.counters.out.lost / COUNT
  }

  test('loss is the fraction asked for', () => {
    for (const loss of [0.01, 0.3]) {
      const error = 4 * Math.sqrt((loss * (1 - loss)) / COUNT)
      for (let seed = 0; seed < 3; seed++) expect(Math.abs(fractionLost({ loss }, seed) - loss)).toBeLessThan(error)
    }
    expect(fractionLost({ loss: 1 }, 1)).toBe(1)
  })

  test('loss in bursts has the fraction and the length asked for', () => {
    const course = new Course({ burstLoss: { fraction: 0.05, length: 4 } }, 5).sendMany(COUNT)
    const order = course.order
    const gaps = order.slice(1).flatMap((packet, at) => (packet - order[at] > 1 ? [packet - order[at] - 1] : []))
    const lost = gaps.reduce((sum, gap) => sum + gap, 0)
    expect(lost / COUNT).toBeGreaterThan(0.04)
    expect(lost / COUNT).toBeLessThan(0.06)
    expect(lost / gaps.length).toBeGreaterThan(3.4)
    expect(lost / gaps.length).toBeLessThan(4.6)
    expect(fractionLost({ burstLoss: { fraction: 1, length: 3 } }, 1)).toBeGreaterThan(0.99)
  })

  test('a reordered packet falls behind and is not lost', () => {
    const course = new Course({ delay: 10, reorder: 0.05 })
    for (let at = 0; at < COUNT; at++) {
      course.send(datagram(40, at))
      course.time.pass(1)
    }
    course.time.pass(100)
    const { order } = course
    expect(order.length).toBe(COUNT)
    const late = order.filter((packet, at) => at > 0 && packet < order[at - 1]).length
    expect(course.link.counters.out.reordered / COUNT).toBeCloseTo(0.05, 2)
    expect(late / COUNT).toBeCloseTo(0.05, 2)
    const delays = new Set(course.times.map((at, index) => Math.round(at - order[index])))
    expect([...delays].sort()).toEqual([10, 15])
  })

  test('a duplicate arrives once more', () => {
    const course = new Course({ duplicate: 0.1 }).sendMany(COUNT)
    expect(course.arrivals.length).toBe(COUNT + course.link.counters.out.duplicated)
    expect(course.link.counters.out.duplicated / COUNT).toBeCloseTo(0.1, 2)
    expect(new Set(course.order).size).toBe(COUNT)
  })

  test('changing one impairment leaves the decisions of the others as they were', () => {
    const lost = (impairment: Impairment) => {
      const course = new Course({ loss: 0.1, ...impairment }, 9).sendMany(2000)
      course.time.pass(10_000)
      return Array.from({ length: 2000 }, (_, at) => at).filter((at) => !course.order.includes(at))
    }
    const alone = lost({})
    expect(lost({ delay: 10, jitter: 3, reorder: 0.2, duplicate: 0.3, corrupt: 0 })).toEqual(alone)
    expect(lost({ rate: 100, queue: 2000 })).toEqual(alone)
  })

  test('one seed gives one run, another seed another', () => {
    const run = (seed: number) => {
      const every = { delay: 10, jitter: 3, loss: 0.1, reorder: 0.1, duplicate: 0.1, corrupt: 0.1, rate: 50 }
      const course = new Course(every, seed).sendMany(300)
      course.time.pass(1000)
      return course.arrivals.map(({ at, packet }) => `${at} ${hex([packet])}`)
    }
    expect(run(4)).toEqual(run(4))
    expect(run(4)).not.toEqual(run(5))
  })
})

describe('corruption', () => {
  test('every corrupted packet is caught by a checksum', () => {
    const course = new Course({ corrupt: 1 }, 3)
    for (let round = 0; round < 5000; round++) course.send(datagram(28 + (round % 60), round))
    expect(course.arrivals.length).toBe(5000)
    for (const { packet } of course.arrivals) {
      expect(packet[0]).toBe(0x45)
      const header = checksum(packet.subarray(0, 20), 0) === 0
      const addressed = hex([packet.subarray(12, 20)])[0] === '0a0000010a000002'
      const body = checksum(packet.subarray(20), checksumSeed(packet.length - 20)) === 0
      expect(header && addressed && body).toBe(false)
    }
  })

  test('in IPv6 it spares the header, which no checksum covers', () => {
    const course = new Course({ corrupt: 1 }, 3)
    const packet = new Uint8Array(100)
    packet[0] = 0x60
    for (let round = 0; round < 500; round++) course.send(packet)
    for (const arrival of course.arrivals) {
      expect(hex([arrival.packet.subarray(0, 40)])).toEqual(hex([packet.subarray(0, 40)]))
      expect(hex([arrival.packet.subarray(40)])).not.toEqual(hex([packet.subarray(40)]))
    }
  })

  test('what has no checksum yet is dropped instead', () => {
    const course = new Course({ corrupt: 1 })
    const batch = new PacketBatch()
    const row = put(batch, datagram(100))
    batch.checksum[row] = Checksum.partial
    course.link.transmit(batch)
    expect(course.arrivals).toEqual([])
    expect(course.link.counters.out.corrupted).toBe(1)
  })
})

describe('partitions', () => {
  test('a cut path loses what is on its way and all that comes, until it heals', () => {
    const course = new Course({ delay: 10 })
    course.send(datagram(40, 1))
    course.time.pass(5)
    course.link.partition()
    course.send(datagram(40, 2))
    course.time.pass(50)
    expect(course.arrivals).toEqual([])
    course.link.heal()
    course.send(datagram(40, 3))
    course.time.pass(50)
    expect(course.order).toEqual([3])
    expect(course.times).toEqual([65])
    expect(course.link.counters.out.partitioned).toBe(2)
  })

  test('one direction can be cut alone', () => {
    const side = farSide(memory(), (link) => impaired(link, {}, seeded(1)))
    const link = side.link as ReturnType<typeof impaired>
    const batch = new PacketBatch()
    link.open(() => {}, side.time)
    link.partition('in')
    side.send(datagram(40, 1))
    link.receive(batch)
    expect(batch.count).toBe(0)
    put(batch, datagram(40, 2))
    link.transmit(batch)
    expect(side.received().length).toBe(1)
    link.heal()
    side.send(datagram(40, 3))
    link.receive(batch)
    expect(batch.count).toBe(1)
  })
})

describe('settings', () => {
  test('a longer packet than the MTU vanishes, a super-segment counts by its segments', () => {
    const course = new Course({ mtu: 1280 })
    course.send(datagram(1280, 1), datagram(1281, 2))
    const batch = new PacketBatch()
    const row = put(batch, datagram(8000, 3))
    batch.segmentation[row] = Segmentation.udp
    batch.checksumStart[row] = 20
    batch.checksumField[row] = 6
    batch.segmentSize[row] = 1252
    course.link.transmit(batch)
    expect(course.order).toEqual([1, 3])
    expect(course.link.counters.out.oversized).toBe(1)
  })

  test('what is not named stays, UNIMPAIRED puts all right', () => {
    const course = new Course({ delay: 10, loss: 1 })
    course.link.impair({ out: { loss: 0 } })
    course.send(datagram(40, 1))
    course.time.pass(10)
    expect(course.times).toEqual([10])
    course.link.impair(UNIMPAIRED)
    course.send(datagram(40, 2))
    expect(course.times).toEqual([10, 10])
  })

  test.each([
    [{ loss: 1.5 }, 'loss must be a fraction from 0 to 1, not 1.5'],
    [{ delay: -1 }, 'delay must be a number of milliseconds, not -1'],
    [{ rate: 0 }, 'rate must be more than 0 Mbit/s, not 0'],
    [{ burstLoss: { fraction: 0.1, length: 0 } }, 'burstLoss.length must be at least one packet, not 0'],
    [{ mtu: 10 }, 'mtu must be at least 68 octets, not 10'],
    [{ latency: 10 } as Impairment, "there is no impairment 'latency'; there are delay, jitter"],
    [{ out: {}, delay: 3 } as Impairment, "'delay' stands beside 'out' and 'in'"],
  ])('%j is refused in one sentence', (impairment, message) => {
    const [link] = memory()
    expect(() => impaired(link, impairment, seeded(1))).toThrow(message)
  })

  test('a link with offload is refused unless it is asked for, in words that say what to do', () => {
    for (const name of ['checksum', 'tcp4', 'tcp6', 'udp'] as const) {
      const offload = { checksum: true, tcp4: false, tcp6: false, udp: false, [name]: true }
      const [link] = memory({ offload })
      expect(() => impaired(link, {}, seeded(1))).toThrow(/offload: false.*offload: true/)
      expect(impaired(link, {}, seeded(1), { offload: true }).offload).toEqual(offload)
    }
    const [link] = memory()
    expect(impaired(link, {}, seeded(1)).offload.tcp4).toBe(false)
  })
})
