// What the addon does where segmentation is not left to the kernel: which segments it merges, which checksums are vouched for, and how it cuts.
// Packets go through a real TUN device octet by octet.
import { expect, it } from 'vitest'
import { Segmentation } from '../../src/core/batch.ts'
import { add, arrived } from '../support/arrived-packets.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import {
  catchRaw,
  checksumOf,
  Flags,
  packetOf,
  pseudoSum,
  sendRaw,
  stamp,
  sumOf,
  textOf,
  transportSum,
  type Wanted,
} from '../support/raw-segments.ts'
import { BUILT, batchFor, Devices } from '../support/tun-devices.ts'

const { fin, syn, psh, ack, urg, ece, cwr } = Flags
const segments = (...wanted: Wanted[]) => wanted.map((one, index) => ({ at: index * 100, ...one }))
const [one, left, verified, complete] = ['merged', 'left', 'verified', 'complete'] as const

/** Each a flow of its own; what is expected of its packets, row by row: how, and how many octets of text. */
const FLOWS: [name: string, segments: Wanted[], ...rows: [typeof one | typeof verified | typeof complete, number][]][] =
  [
    ['in order', segments({}, {}, {}), [one, 300]],
    ['a last one that is shorter', segments({}, { text: 60 }, { at: 160 }), [one, 160], [verified, 100]],
    ['a longer one', segments({}, { text: 101 }), [verified, 100], [verified, 101]],
    ['odd lengths', segments({ text: 101 }, { at: 101, text: 101 }, { at: 202, text: 33 }), [one, 235]],
    ['alone', segments({}), [verified, 100]],
    ['a hole', segments({}, { at: 200 }, { at: 300 }), [verified, 100], [one, 200]],
    ['twice the same', segments({}, { at: 0 }), [verified, 100], [verified, 100]],
    ['the wrong way round', segments({ at: 100 }, { at: 0 }), [verified, 100], [verified, 100]],
    ['a wrong checksum', segments({}, { spoil: 'text' }, {}, {}), [verified, 100], [complete, 100], [one, 200]],
    ['a wrong checksum first', segments({ spoil: 'text' }, {}, {}), [complete, 100], [one, 200]],
    ['PSH, which ends it', segments({}, { flags: ack | psh }, {}, {}), [one, 200], [one, 200]],
    ['FIN, which ends it', segments({}, { flags: ack | fin }), [one, 200]],
    ['the same options', segments({ options: stamp(1) }, { options: stamp(1) }), [one, 200]],
    ['other options', segments({ options: stamp(1) }, { options: stamp(2) }), [verified, 100], [verified, 100]],
    ['fewer options', segments({ options: stamp(1) }, {}), [verified, 100], [verified, 100]],
    ['another mark', segments({ trafficClass: 2 }, { trafficClass: 3 }, {}), ...repeat(3)],
    ['the same mark', segments({ trafficClass: 3 }, { trafficClass: 3 }), [one, 200]],
    ['ECE', segments({}, { flags: ack | ece }, { flags: ack | ece }), [verified, 100], [one, 200]],
    ['CWR', segments({ flags: ack | cwr }, {}, { flags: ack | cwr }), ...repeat(3)],
    ['URG', segments({}, { flags: ack | urg, urgent: 5 }, {}), ...repeat(3)],
    ['SYN', segments({ flags: ack | syn, at: -1 }, { at: 100 }), ...repeat(2)],
    ['RST', segments({}, { flags: ack | Flags.rst }), ...repeat(2)],
    ['no ACK', segments({ flags: 0 }, { flags: 0 }), ...repeat(2)],
    ['another acknowledgment', segments({}, { ack: 2 }), ...repeat(2)],
    ['another window', segments({}, { window: 501 }), ...repeat(2)],
    ['another hop limit', segments({}, { hopLimit: 63 }), ...repeat(2)],
    ['no text', segments({ text: 0 }, { at: 0, text: 0 }, { at: 0 }), [verified, 0], [verified, 0], [verified, 100]],
    ['something between the headers', segments({ isExtended: true }, { isExtended: true }), ...repeat(2, complete)],
    ['fragments', segments({ isFragment: true, mayBeCut: true }), [complete, 100]],
  ]

function repeat(count: number, how: typeof verified | typeof complete = verified): [typeof how, number][] {
  return Array.from({ length: count }, () => [how, 100])
}

describeOnKernel('software offload', () => {
  const devices = Devices.forEachTest()
  const open = (gro = true) => devices.open({ offload: 'software', gro, address: ['10.7.0.1/24', 'fd00:7::1/64'] })

  it.each([
    [true, false],
    [false, false],
    [true, true],
    [false, true],
  ])(
    'merges what is in order and alike, and nothing else (IPv4: %s, checksums are left: %s)',
    async (isIpv4, areLeft) => {
      const device = open()
      expect([device.isSoftwareOffload, device.offload.tcp4, device.offload.udp]).toEqual([true, true, false])
      // Nobody leaves the checksum of a fragment, and what is left can't be wrong.
      const isSent = ([, flow]: (typeof FLOWS)[number]) => !areLeft || !flow.some((one) => one.isFragment || one.spoil)
      const packets = FLOWS.flatMap((row, index) =>
        isSent(row) ? row[1].map((wanted) => packetOf(isIpv4, index + 1, wanted)) : [],
      )
      await sendRaw(devices.namespace, device.name, packets, () => areLeft)
      const rows = arrived(device)
      for (const [index, [name, flow, ...whole]] of FLOWS.entries()) {
        if (!isSent(FLOWS[index])) continue
        const own = rows.filter(({ port }) => port === index + 1)
        const expected = whole.map(([how, length]) => [areLeft && how !== one ? left : how, length])
        expect([name, ...own.map(({ how, text }) => [how, text.length])]).toEqual([name, ...expected])
        for (const { at, text, how, flags, size } of own) {
          const [first] = flow
          if (how !== complete) expect([name, text]).toEqual([name, Buffer.from(textOf(at, text.length))])
          if (how === one) expect([name, size]).toEqual([name, flow.find((wanted) => wanted.at === at)?.text ?? 100])
          expect([name, (flags & ack) !== 0]).toEqual([name, first.flags !== 0])
        }
      }
      const flagsOf = (name: string) =>
        rows.filter(({ port }) => FLOWS[port - 1][0] === name).map(({ flags }) => flags & ~ack)
      expect([flagsOf('PSH, which ends it'), flagsOf('FIN, which ends it'), flagsOf('ECE')]).toEqual([
        [psh, 0],
        [fin],
        [0, ece],
      ])
    },
  )

  it('leaves alone what only IPv4 or only IPv6 has', async () => {
    const device = open()
    const flow = (isIpv4: boolean, port: number, ...wanted: Wanted[]) =>
      segments(...wanted).map((segment) => packetOf(isIpv4, port, segment))
    await sendRaw(devices.namespace, device.name, [
      ...flow(true, 1, { mayBeCut: true }, { mayBeCut: true, identification: 1 }),
      ...flow(true, 2, { identification: 7 }, { identification: 8 }),
      ...flow(true, 3, {}, { spoil: 'ip header' }, {}),
      ...flow(false, 4, { flowLabel: 4 }, { flowLabel: 5 }),
      ...flow(true, 5, { protocol: 17, text: 99 }, { protocol: 17, spoil: 'text' }),
      ...flow(false, 6, { protocol: 17, text: 99 }, { protocol: 17, spoil: 'text' }),
    ])
    const rows = arrived(device)
    expect(rows.map(({ port, how, text }) => [port, how, text.length])).toEqual([
      // RFC 6864: an identification counts where the packet may be cut, and nowhere else.
      [1, verified, 100],
      [1, verified, 100],
      [2, one, 200],
      [3, verified, 100],
      [3, verified, 100],
      [3, verified, 100],
      [4, verified, 100],
      [4, verified, 100],
      [5, verified, 99],
      [5, complete, 100],
      [6, verified, 99],
      [6, complete, 100],
    ])
  })

  it.each([true, false])('keeps the last of acknowledgments that say nothing else (IPv4: %s)', async (isIpv4) => {
    const device = open()
    const sack = [1, 1, 5, 10, 0, 0, 4, 0, 0, 0, 8, 0]
    const acks: [Wanted[], number[]][] = [
      [[{ ack: 5 }, { ack: 6 }, { ack: 9 }], [9]],
      [[{ ack: -3 }, { ack: 4 }], [4]],
      [
        [
          { ack: 5, options: stamp(1) },
          { ack: 6, options: stamp(1) },
          { ack: 7, options: stamp(2) },
        ],
        [6, 7],
      ],
      [
        [{ ack: 5 }, { ack: 5 }, { ack: 5 }, { ack: 7 }],
        [5, 5, 7],
      ],
      [
        [{ ack: 5 }, { ack: 4 }],
        [5, 4],
      ],
      [
        [{ ack: 5 }, { ack: 6, window: 7 }],
        [5, 6],
      ],
      [
        [{ ack: 5, options: sack }, { ack: 6 }],
        [5, 6],
      ],
      [
        [{ ack: 5 }, { ack: 6, flags: ack | ece }, { ack: 7, flags: ack | ece }],
        [5, 6, 7],
      ],
      [
        [{ ack: 5 }, { ack: 6, spoil: 'text' }, { ack: 7 }],
        [5, 6, 7],
      ],
      [
        [{ ack: 5 }, { ack: 6, text: 10 }, { ack: 7 }],
        [5, 6, 7],
      ],
      [
        [{ ack: 5 }, { ack: 6, at: 1 }],
        [5, 6],
      ],
      [
        [{ ack: 5 }, { ack: 6, flags: ack | fin }],
        [5, 6],
      ],
      [
        [{ ack: 5, trafficClass: 1 }, { ack: 6 }],
        [5, 6],
      ],
    ]
    const packets = acks.flatMap(([flow], index) =>
      flow.map((wanted) => packetOf(isIpv4, index + 1, { text: 0, ...wanted })),
    )
    await sendRaw(devices.namespace, device.name, packets)
    const rows = arrived(device)
    for (const [index, [, expected]] of acks.entries()) {
      const own = rows.filter(({ port }) => port === index + 1)
      expect([index, own.map(({ acknowledged }) => acknowledged)]).toEqual([index, expected])
      expect(own.map(({ how }) => how)).toEqual(
        expected.map((_, row) => (index === 8 && row === 1 ? complete : verified)),
      )
    }
  })

  it('merges what comes with its checksum and what comes without, and says of the last acknowledgment which', async () => {
    const device = open()
    const wanted: [port: number, isLeft: boolean, Wanted][] = [
      [1, false, { text: 0, ack: 1 }],
      [1, true, { text: 0, ack: 2 }],
      [2, true, { text: 0, ack: 1 }],
      [2, false, { text: 0, ack: 2 }],
      [3, false, { at: 0 }],
      [3, true, { at: 100 }],
      [4, true, { at: 0 }],
      [4, false, { at: 100 }],
      [5, true, { at: 0 }],
      [5, false, { at: 100, spoil: 'text' }],
    ]
    const packets = wanted.map(([port, , segment]) => packetOf(true, port, segment))
    await sendRaw(devices.namespace, device.name, packets, (index) => wanted[index][1])
    expect(arrived(device).map(({ port, how, text, acknowledged }) => [port, how, text.length, acknowledged])).toEqual([
      [1, left, 0, 2],
      [2, verified, 0, 2],
      [3, one, 200, 1],
      [4, one, 200, 1],
      [5, left, 100, 1],
      [5, complete, 100, 1],
    ])
  })

  it('merges no more than 64 kB, and only what comes without another flow between', async () => {
    const device = open()
    const flow = Array.from({ length: 50 }, (_, index) => packetOf(true, 1, { at: index * 1400, text: 1400 }))
    const turns = [0, 1, 2].flatMap((at) => [2, 3].map((port) => packetOf(true, port, { at: at * 100 })))
    await sendRaw(devices.namespace, device.name, [...flow, ...turns])
    const rows = arrived(device)
    expect(rows.map(({ port, text }) => [port, text.length])).toEqual([
      [1, 46 * 1400],
      [1, 4 * 1400],
      ...[2, 3, 2, 3, 2, 3].map((port) => [port, 100]),
    ])
  })

  it.each([true, false])('cuts super-segments as the device asks (IPv4: %s)', async (isIpv4) => {
    // What the kernel merges, it shows merged.
    const device = open(false)
    const batch = batchFor(device)
    const flags = ack | psh | fin | cwr
    add(batch, packetOf(isIpv4, 1, { text: 3333, flags, options: stamp(1), identification: 7 }), 6, 1001)
    add(batch, packetOf(isIpv4, 2, { text: 2000, identification: 9, mayBeCut: true }), 6, 1000)
    add(batch, packetOf(isIpv4, 3, { text: 77 }), 6, 0)
    add(batch, packetOf(isIpv4, 4, { text: 77, protocol: 17 }), 17, 0)
    add(batch, packetOf(isIpv4, 5, { text: 77 }), null, 0)
    const packets = await catchRaw(devices.namespace, device.name, 9, () => expect(device.transmit(batch)).toBe(5))
    const seen = packets.map((packet) => {
      const { ipHeader, protocol, field } = checksumOf(packet)
      // Who listens on the machine itself sees what the kernel has not completed.
      if (packet.readUInt16BE(ipHeader) === 5) expect(transportSum(packet, ipHeader, protocol)).toBe(0xffff)
      else expect(packet.readUInt16BE(ipHeader + field)).toBe(pseudoSum(packet, ipHeader, protocol))
      if (isIpv4) expect([packet.readUInt16BE(2), sumOf(packet, 0, 20)]).toEqual([packet.length, 0xffff])
      else expect(packet.readUInt16BE(4)).toBe(packet.length - 40)
      const transport = packet.subarray(ipHeader)
      const identification = isIpv4 ? packet.readUInt16BE(4) : 0
      if (protocol === 17) return [transport.readUInt16BE(0), identification, 0, 0, transport.length - 8]
      const text = transport.subarray((transport[12] >>> 4) * 4)
      const at = transport.readUInt32BE(4) - 1_000
      expect([...text]).toEqual([...Buffer.from(textOf(at, text.length))])
      return [transport.readUInt16BE(0), identification, at, transport[13], text.length]
    })
    const [fixed, first, next] = isIpv4 ? [7, 9, 10] : [0, 0, 0]
    expect(seen).toEqual([
      [1, fixed, 0, ack | cwr, 1001],
      [1, fixed, 1001, ack, 1001],
      [1, fixed, 2002, ack, 1001],
      [1, fixed, 3003, ack | psh | fin, 330],
      [2, first, 0, ack, 1000],
      // PSH says that nothing follows at once.
      [2, next, 1000, ack | psh, 1000],
      [3, 0, 0, ack | psh, 77],
      [4, 0, 0, 0, 77],
      [5, 0, 0, ack, 77],
    ])
  })

  it('has the kernel merge what it gets, unless told', async () => {
    const timeouts: string[] = []
    for (const options of [{ offload: 'software' }, { offload: 'software', gro: false }, {}] as const) {
      const device = devices.open({ address: [], ...options })
      const file = `/sys/class/net/${device.name}/gro_flush_timeout`
      timeouts.push((await devices.namespace.exec('cat', [file])).stdout.trim())
    }
    expect(timeouts).toEqual(['20000000', '0', '0'])
  })

  it('does without the kernel’s merging where it may not set that', async () => {
    await devices.ip('tuntap', 'add', 'dev', 'mine', 'mode', 'tun', 'user', '65534')
    await devices.ip('link', 'set', 'mine', 'up')
    const line = `const { openTun } = await import('${BUILT.href}'); try { openTun({ netns: 'x' }) } catch {};
      process.setgroups([]); process.setgid(65534); process.setuid(65534);
      const { isSoftwareOffload, offload } = openTun({ name: 'mine', offload: 'software' });`
    const there = await devices.runThere('666', `${line} console.log(isSoftwareOffload, offload.tcp6)`)
    expect(there).toBe('true true')
    const { stdout } = await devices.namespace.exec('cat', ['/sys/class/net/mine/gro_flush_timeout'])
    expect(stdout.trim()).toBe('0')
  })

  it('refuses what makes no sense, and sends the rest', () => {
    const device = open()
    const batch = batchFor(device)
    const rows = [0, 1, 2, 3].map((port) => add(batch, packetOf(true, port, { text: 2000 }), 6, 1000))
    batch.segmentation[rows[0]] = Segmentation.udp
    batch.checksumStart[rows[1]] = 24
    batch.segmentSize[rows[2]] = 0
    expect([device.transmit(batch), device.refused, batch.count]).toEqual([1, 3, 0])
  })
})
