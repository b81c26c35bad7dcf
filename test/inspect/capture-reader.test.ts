// The reader of captures: both formats, both byte orders, units of time, comments, and files that end too early or are none.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readCapture } from '../../src/inspect/capture-reader.ts'
import { PcapngWriter } from '../../src/link/pcapng.ts'

const PACKET = Uint8Array.from({ length: 21 }, (_, at) => at)

/** Words of a pcapng file in a byte order. */
class File {
  readonly #isLittle: boolean
  readonly #octets: number[] = []

  constructor(isLittle: boolean) {
    this.#isLittle = isLittle
  }

  word(...values: number[]): this {
    for (const value of values) this.#octets.push(...this.#number(value, 4))
    return this
  }

  half(...values: number[]): this {
    for (const value of values) this.#octets.push(...this.#number(value, 2))
    return this
  }

  raw(octets: Iterable<number>): this {
    this.#octets.push(...octets)
    while (this.#octets.length % 4 !== 0) this.#octets.push(0)
    return this
  }

  option(code: number, value: Iterable<number>): this {
    const octets = [...value]
    return this.half(code, octets.length).raw(octets)
  }

  block(type: number, body: (file: File) => void): this {
    const inside = new File(this.#isLittle)
    body(inside)
    const length = inside.#octets.length + 12
    return this.word(type, length).raw(inside.#octets).word(length)
  }

  section(): this {
    return this.block(0x0a0d0d0a, (file) => file.word(0x1a2b3c4d).half(1, 0).word(0xffffffff, 0xffffffff))
  }

  get octets(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#octets)
  }

  #number(value: number, length: number): number[] {
    const octets = Array.from({ length }, (_, at) => (value >>> (8 * at)) & 255)
    return this.#isLittle ? octets : octets.reverse()
  }
}

const text = (words: string) => new TextEncoder().encode(words)

describe.each([true, false])('pcapng, little-endian %s', (isLittle) => {
  const packet = (file: File, face: number, high: number, low: number) =>
    file.block(6, (block) =>
      block
        .word(face, high, low, PACKET.length, 100)
        .raw(PACKET)
        .option(2, [1, 0, 0, 0])
        .option(1, text('why'))
        .half(0, 0),
    )

  it('has interfaces with units of time of their own, and packets with comments', () => {
    const file = new File(isLittle).section()
    file.block(1, (block) => block.half(1, 0).word(0).option(2, text('eth0')).half(0, 0))
    // 2^-10 s, an hour later.
    const hour = isLittle ? [16, 14, 0, 0, 0, 0, 0, 0] : [0, 0, 0, 0, 0, 0, 14, 16]
    file.block(1, (block) => block.half(101, 0).word(0).option(9, [0x8a]).option(14, hour))
    packet(file, 0, 0x5f3a0, 0)
    packet(file, 0, 0x5f3a0, 2500)
    packet(file, 1, 0, 1024)
    packet(file, 7, 0, 0)
    const { interfaces, packets, problem, beginning } = readCapture(file.octets)
    expect(problem).toBeNull()
    expect(interfaces).toEqual([
      { name: 'eth0', linkType: 1 },
      { name: '', linkType: 101 },
    ])
    expect(beginning).toBe(BigInt(0x5f3a0) * 2n ** 32n * 1000n)
    expect(packets.map(({ number, face, length, comment }) => [number, face, length, comment])).toEqual([
      [1, 0, 100, 'why'],
      [2, 0, 100, 'why'],
      [3, 1, 100, 'why'],
    ])
    expect(packets[1].time).toBe(2.5)
    expect(packets[0].octets).toEqual(PACKET)
    expect(packets[2].time).toBe(Number(3_601_000_000_000n - (beginning ?? 0n)) / 1e6)
  })

  it('has simple packets, cut to what the interface keeps, and passes over what it does not know', () => {
    const file = new File(isLittle).section()
    file.block(1, (block) => block.half(101, 0).word(8))
    file.block(0x0bad, (block) => block.word(1, 2, 3))
    file.block(3, (block) => block.word(21).raw(PACKET.subarray(0, 8)))
    file.block(2, (block) => block.half(0, 3).word(0, 1, 4, 40).raw(PACKET.subarray(0, 4)))
    const { packets, problem } = readCapture(file.octets)
    expect(problem).toBeNull()
    expect(packets.map(({ octets, length }) => [octets.length, length])).toEqual([
      [8, 21],
      [4, 40],
    ])
  })

  it('may have a second section with interfaces of its own, in another order', () => {
    const file = new File(isLittle).section()
    file.block(1, (block) => block.half(1, 0).word(0))
    packet(file, 0, 0, 1)
    const other = new File(!isLittle).section()
    other.block(1, (block) => block.half(101, 0).word(0))
    packet(other, 0, 0, 2)
    const { interfaces, packets } = readCapture(Uint8Array.from([...file.octets, ...other.octets]))
    expect(packets.map(({ face }) => interfaces[face].linkType)).toEqual([1, 101])
  })

  it('says where it ends too early, and gives what came before', () => {
    const file = new File(isLittle).section()
    file.block(1, (block) => block.half(1, 0).word(0))
    packet(file, 0, 0, 1)
    const whole = file.octets
    for (let length = whole.length - 1; length > 48; length--) {
      const { packets, problem } = readCapture(whole.subarray(0, length))
      expect([packets.length, problem]).toEqual([0, 'the file ends within a block, at octet 48'])
    }
    const wrong = whole.slice()
    wrong.set(new File(isLittle).word(13).octets, 52)
    expect(readCapture(wrong).problem).toBe("the block at octet 48 can't be 13 octets long")
  })
})

describe.each([true, false])('pcap, little-endian %s', (isLittle) => {
  const file = (magic: number) =>
    new File(isLittle)
      .word(magic)
      .half(2, 4)
      .word(0, 0, 65_535, 101)
      .word(1_700_000_000, 5000, 4, 60)
      .raw([1, 2, 3, 4])
      .word(1_700_000_001, 6000, 4, 4)
      .raw([5, 6, 7, 8])

  it('counts in micro- or nanoseconds', () => {
    for (const [magic, time] of [
      [0xa1b2c3d4, 1001],
      [0xa1b23c4d, 1000.001],
    ]) {
      const { packets, interfaces, problem } = readCapture(file(magic).octets)
      expect([packets.length, interfaces[0].linkType, problem]).toEqual([2, 101, null])
      expect(packets[1].time).toBeCloseTo(time, 6)
      expect([...packets[0].octets, packets[0].length]).toEqual([1, 2, 3, 4, 60])
    }
  })

  it('says where it ends too early', () => {
    const whole = file(0xa1b2c3d4).octets
    const { packets, problem } = readCapture(whole.subarray(0, whole.length - 1))
    expect([packets.length, problem]).toEqual([1, 'the file ends within a packet, at octet 44'])
  })
})

describe('whatever is no capture', () => {
  it('is said to be none', () => {
    expect(readCapture(new Uint8Array(0)).problem).toMatch(/no capture/)
    expect(readCapture(text('GET / HTTP/1.1')).problem).toMatch(/no capture/)
    expect(readCapture(Uint8Array.of(0x1f, 0x8b, 8, 0)).problem).toMatch(/compressed/)
    expect(readCapture(new File(true).word(0x0a0d0d0a, 28, 7, 0, 0, 0, 28).octets).problem).toMatch(/no byte order/)
  })

  it('makes it throw nothing', () => {
    const blocks: Uint8Array[] = []
    const writer = new PcapngWriter((block) => void blocks.push(block))
    writer.addInterface('x', 'ip')
    writer.packet(0, 5n, 'in', PACKET.slice(), 0, PACKET.length, 0)
    const whole = Buffer.concat(blocks)
    const changes = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(changes, fc.nat(whole.length), (list, length) => {
        const file = Uint8Array.from(whole)
        for (const [at, value] of list) file[at] = value
        const { packets } = readCapture(file.subarray(0, length))
        expect(packets.length).toBeLessThanOrEqual(1)
      }),
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => readCapture(octets).packets.length >= 0))
  })
})
