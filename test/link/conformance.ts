// What every link has to do, whatever it is made of. A link's test file runs this with a harness of its own.
import { describe, expect, test } from 'vitest'
import { BATCH_PACKETS, Checksum, LARGEST_PACKET, PacketBatch } from '../../src/core/batch.ts'
import type { Link, Time } from '../../src/core/environment.ts'
import { ManualTime } from '../support/manual-time.ts'
import { seeded } from '../support/seeded.ts'

/** A link and what is on its other side. */
export interface Harness {
  link: Link
  /** The other side sends a packet. */
  send(packet: Uint8Array): void
  /** What the other side has received since the last call. */
  received(): Uint8Array[]
  /** Waits until what was sent has arrived; nothing to do where links are immediate. */
  settle?(): Promise<void>
  /** Where the link doesn't live in manual time. */
  time?: Time
  dispose?(): void
  /** Other packets than those may cross the link by themselves: only these are looked at. */
  isOurs?(packet: Uint8Array): boolean
}

/** An IPv4 packet of `length` octets from 10.0.0.1 to 10.0.0.2 that is right in every checksum: UDP, port 9 (discard). */
export function datagram(length: number, identification = 0): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(length)
  const view = new DataView(packet.buffer)
  packet.set([0x45, 0, length >> 8, length & 0xff, identification >> 8, identification & 0xff, 0x40, 0, 64, 17])
  packet.set([10, 0, 0, 1, 10, 0, 0, 2, 0, 9, 0, 9], 12)
  view.setUint16(10, checksum(packet.subarray(0, 20), 0))
  view.setUint16(24, length - 20)
  for (let at = 28; at < length; at++) packet[at] = (identification * 31 + at * 7) & 0xff
  view.setUint16(26, checksum(packet.subarray(20), checksumSeed(length - 20)) || 0xffff)
  return packet
}

/** The Internet checksum in its simplest form. */
export function checksum(octets: Uint8Array, seed: number): number {
  let sum = seed
  for (let at = 0; at < octets.length; at += 2) sum += (octets[at] << 8) + (octets[at + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** The pseudo-header of `datagram`. */
export function checksumSeed(length: number): number {
  return 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 17 + length
}

export function put(batch: PacketBatch, packet: Uint8Array): number {
  batch.bytes.set(packet, batch.reserve(packet.length))
  return batch.commit(packet.length)
}

export function taken(batch: PacketBatch): Uint8Array[] {
  const packets: Uint8Array[] = []
  for (let row = batch.first; row < batch.end; row++) {
    packets.push(batch.bytes.slice(batch.offset[row], batch.offset[row] + batch.length[row]))
  }
  return packets
}

/** Packets in a form that compares quickly. */
export function hex(packets: Uint8Array[]): string[] {
  return packets.map((packet) => Buffer.from(packet).toString('hex'))
}

export function conformance(name: string, make: () => Harness | Promise<Harness>): void {
  /** Opens a link, runs the body, closes it. */
  function check(what: string, body: (driven: Driven) => Promise<void>): void {
    test(what, async () => {
      const driven = new Driven(await make())
      try {
        await body(driven)
      } finally {
        driven.harness.link.close()
        driven.harness.dispose?.()
      }
    })
  }

  describe(`${name} is a link`, () => {
    check('says what it is', async ({ link }) => {
      expect(['ip', 'ethernet']).toContain(link.medium)
      expect(link.mtu).toBeGreaterThanOrEqual(68)
      expect(link.mtu).toBeLessThanOrEqual(LARGEST_PACKET)
      expect(link.headroom).toBeGreaterThanOrEqual(0)
      expect(Object.keys(link.offload).sort()).toEqual(['checksum', 'tcp4', 'tcp6', 'udp'])
    })

    check('wakes for what arrives, and hands it over unchanged and in order', async (driven) => {
      const sent = lengths(driven.link).map((length, at) => datagram(length, at))
      const woken = driven.wakes
      for (const packet of sent) driven.harness.send(packet)
      await driven.settle()
      expect(driven.wakes).toBeGreaterThan(woken)
      expect(hex(await driven.receiveAll())).toEqual(hex(sent))
    })

    check('adds behind what is in the batch, with clean columns and the headroom asked for', async (driven) => {
      const batch = new PacketBatch({ headroom: 14 })
      put(batch, datagram(40, 7))
      batch.note.fill(99)
      batch.segmentSize.fill(99)
      driven.harness.send(datagram(99, 8))
      await driven.settle()
      driven.link.receive(batch)
      const ours = driven.ours(taken(batch))
      expect(ours).toEqual([datagram(40, 7), datagram(99, 8)])
      const row = batch.end - 1
      expect(batch.offset[row] - (batch.offset[0] + 40)).toBeGreaterThanOrEqual(14)
      expect(batch.note[row]).toBe(0)
      expect(batch.segmentSize[row]).toBe(0)
      driven.link.transmit(new PacketBatch())
    })

    check('stops where the batch is full and keeps the rest', async (driven) => {
      const count = BATCH_PACKETS + 20
      for (let at = 0; at < count; at++) driven.harness.send(datagram(60, at))
      await driven.settle()
      const small = new PacketBatch({ capacity: 5, largest: driven.link.mtu })
      driven.link.receive(small)
      expect(small.count).toBe(5)
      driven.link.transmit(new PacketBatch())
      const rest = await driven.receiveAll()
      expect([...driven.ours(taken(small)), ...rest]).toEqual(
        Array.from({ length: count }, (_, at) => datagram(60, at)),
      )
    })

    check('never fills a batch beyond its room', async (driven) => {
      const { mtu } = driven.link
      const length = Math.min(mtu, 65_535)
      const sent = Array.from({ length: 6 }, (_, at) => datagram(length, at))
      for (const packet of sent.slice(0, 3)) driven.harness.send(packet)
      await driven.settle()
      const got: Uint8Array[] = []
      for (let turn = 0; turn < 12 && got.length < 3; turn++) {
        const batch = new PacketBatch({ capacity: 1, largest: length })
        driven.link.receive(batch)
        expect(batch.count).toBeLessThanOrEqual(1)
        got.push(...driven.ours(taken(batch)))
        driven.link.transmit(new PacketBatch())
        await driven.settle()
      }
      expect(hex(got)).toEqual(hex(sent.slice(0, 3)))
    })

    check('takes what is in the batch from its first row on, and no octet is changed', async (driven) => {
      const batch = new PacketBatch({ headroom: driven.link.headroom })
      const sent = lengths(driven.link).map((length, at) => datagram(length, at))
      for (const packet of sent) put(batch, packet)
      batch.shift(1)
      await driven.transmitAll(batch)
      expect(batch.count).toBe(0)
      expect(hex(driven.ours(driven.harness.received()))).toEqual(hex(sent.slice(1)))
    })

    check('borrows the batch only until it returns', async (driven) => {
      const batch = new PacketBatch({ headroom: driven.link.headroom })
      put(batch, datagram(500, 3))
      driven.link.transmit(batch)
      if (batch.count === 0) batch.bytes.fill(0xaa)
      await driven.settle()
      await driven.transmitAll(batch)
      expect(driven.ours(driven.harness.received())).toEqual([datagram(500, 3)])
    })

    check('has nothing to do with an empty batch', async (driven) => {
      driven.link.transmit(new PacketBatch({ headroom: driven.link.headroom }))
      await driven.settle()
      expect(driven.ours(driven.harness.received())).toEqual([])
      expect(await driven.receiveAll()).toEqual([])
    })

    check('carries both ways at once, turn after turn', async (driven) => {
      const random = seeded(11)
      const [sent, got, answered, answers]: Uint8Array[][] = [[], [], [], []]
      for (let turn = 0; turn < 50; turn++) {
        const batch = new PacketBatch({ headroom: driven.link.headroom })
        for (let at = random.below(8); at > 0; at--) {
          sent.push(datagram(28 + random.below(driven.link.mtu - 28), sent.length))
          driven.harness.send(sent[sent.length - 1])
          answered.push(datagram(28 + random.below(1000), answered.length))
          if (batch.fits(1028)) put(batch, answered[answered.length - 1])
          else answered.pop()
        }
        await driven.settle()
        got.push(...(await driven.receiveAll()))
        await driven.transmitAll(batch)
        answers.push(...driven.ours(driven.harness.received()))
      }
      expect(hex(got)).toEqual(hex(sent))
      expect(hex(answers)).toEqual(hex(answered))
    })

    check('is quiet when it is closed, twice too', async (driven) => {
      driven.harness.send(datagram(100, 1))
      await driven.settle()
      driven.link.close()
      driven.link.close()
      const batch = new PacketBatch()
      driven.link.receive(batch)
      expect(batch.count).toBe(0)
      put(batch, datagram(100, 2))
      driven.link.transmit(batch)
      const woken = driven.wakes
      driven.harness.send(datagram(100, 1))
      await driven.settle()
      expect(driven.wakes).toBe(woken)
    })
  })
}

/** A harness that is opened, with what a driver does. */
class Driven {
  readonly harness: Harness
  wakes = 0

  constructor(harness: Harness) {
    this.harness = harness
    const wake = () => {
      this.wakes++
    }
    harness.link.open(wake, harness.time ?? new ManualTime())
  }

  get link(): Link {
    return this.harness.link
  }

  async settle(): Promise<void> {
    await this.harness.settle?.()
  }

  ours(packets: Uint8Array[]): Uint8Array[] {
    return this.harness.isOurs === undefined ? packets : packets.filter(this.harness.isOurs)
  }

  /** Turns until nothing comes any more. */
  async receiveAll(): Promise<Uint8Array[]> {
    const got: Uint8Array[] = []
    const batch = new PacketBatch({ headroom: 3 })
    for (;;) {
      batch.clear()
      this.link.receive(batch)
      for (let row = 0; row < batch.end; row++) expect(batch.checksum[row]).toBeLessThanOrEqual(Checksum.verified)
      got.push(...this.ours(taken(batch)))
      this.link.transmit(new PacketBatch({ headroom: this.link.headroom }))
      if (batch.count === 0) return got
      await this.settle()
    }
  }

  async transmitAll(batch: PacketBatch): Promise<void> {
    for (let turn = 0; turn < 1000; turn++) {
      this.link.transmit(batch)
      await this.settle()
      if (batch.count === 0) return
    }
  }
}

function lengths(link: Link): number[] {
  const longest = Math.min(link.mtu, 65_535)
  return [28, 29, 31, 40, 255, 256, 257, 576, 1280, longest].filter((length) => length <= longest)
}
