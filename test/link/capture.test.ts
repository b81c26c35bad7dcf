// Captures: what crosses a wrapped link stands in the pcapng, read by a small reader of ours and by tshark.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PacketBatch } from '../../src/core/batch.ts'
import { capture } from '../../src/link/capture.ts'
import { impaired } from '../../src/link/impaired.ts'
import { memory } from '../../src/link/memory.ts'
import { PcapngWriter } from '../../src/link/pcapng.ts'
import { BEGINNING } from '../../src/simulate/clock.ts'
import { ManualTime } from '../support/manual-time.ts'
import { seeded } from '../support/seeded.ts'
import { conformance, datagram, hex, put } from './conformance.ts'
import { farSide } from './far-side.ts'
import { collector, readPcapng } from './pcapng.ts'

conformance('a captured link', () => farSide(memory(), (link) => capture(link, () => {})))
conformance('a captured, impaired, captured link', () =>
  farSide(memory(), (link) =>
    capture(
      impaired(
        capture(link, () => {}),
        { mtu: 65_535 },
        seeded(1),
      ),
      () => {},
    ),
  ),
)

/** Two packets in, one of them with a note, then two out, one with a note, 1.5 ms later. */
function example(options = {}) {
  const { sink, file } = collector()
  const describe = (note: number) => (note === 7 ? 'bad checksum: dropped' : `note ${note}`)
  const side = farSide(memory({ mtu: 70_000 }), (link) => capture(link, sink, { name: 'tun0', describe, ...options }))
  side.link.open(() => {}, side.time)
  const incoming = new PacketBatch()
  const outgoing = new PacketBatch()
  side.send(datagram(100, 1))
  side.send(datagram(65_535, 2))
  side.time.pass(1.5)
  side.link.receive(incoming)
  incoming.note[1] = 7
  incoming.shift(2)
  side.time.pass(0.000_25)
  put(outgoing, datagram(41, 3))
  outgoing.note[put(outgoing, datagram(60, 4))] = 8
  side.link.transmit(outgoing)
  return file()
}

test('what crosses a link is written with its time, direction and comment', () => {
  const packets = readPcapng(example())
  expect(hex(packets.map(({ octets }) => octets))).toEqual(
    hex([datagram(100, 1), datagram(65_535, 2), datagram(41, 3), datagram(60, 4)]),
  )
  expect(packets.map(({ direction }) => direction)).toEqual(['in', 'in', 'out', 'out'])
  expect(packets.map(({ comment }) => comment)).toEqual([null, 'bad checksum: dropped', null, 'note 8'])
  const origin = BigInt(BEGINNING) * 1_000_000n
  expect(packets.map(({ nanoseconds }) => Number(nanoseconds - origin))).toEqual([
    1_500_000, 1_500_000, 1_500_250, 1_500_250,
  ])
  expect(packets.every((packet) => packet.interface === 'tun0' && packet.linkType === 101)).toBe(true)
})

test('a snap length keeps the beginning and the true length', () => {
  const packets = readPcapng(example({ snapLength: 96 }))
  expect(packets.map(({ octets }) => octets.length)).toEqual([96, 96, 41, 60])
  expect(packets.map(({ originalLength }) => originalLength)).toEqual([100, 65_535, 41, 60])
})

test('what the link leaves in the batch is not written until it is taken', () => {
  const { sink, file } = collector()
  const time = new ManualTime()
  let room = 1
  const [near] = memory()
  const narrow = {
    ...near,
    medium: near.medium,
    open() {},
    close() {},
    receive() {},
    transmit(batch: PacketBatch) {
      const taken = Math.min(room, batch.count)
      if (taken > 0) batch.shift(taken)
    },
  }
  const link = capture(narrow, sink)
  link.open(() => {}, time)
  const batch = new PacketBatch()
  for (let at = 0; at < 3; at++) put(batch, datagram(40, at))
  link.transmit(batch)
  expect(readPcapng(file()).length).toBe(1)
  room = 0
  link.transmit(batch)
  room = 5
  link.transmit(batch)
  expect(hex(readPcapng(file()).map(({ octets }) => octets))).toEqual(hex([0, 1, 2].map((at) => datagram(40, at))))
})

test('arrivals of a turn without a transmission are written with the next, and at the end', () => {
  const { sink, file } = collector()
  const side = farSide(memory(), (link) => capture(link, sink))
  side.link.open(() => {}, side.time)
  const batch = new PacketBatch()
  for (let at = 0; at < 3; at++) {
    side.send(datagram(40, at))
    side.link.receive(batch)
    batch.clear()
  }
  expect(readPcapng(file()).length).toBe(2)
  side.link.close()
  expect(hex(readPcapng(file()).map(({ octets }) => octets))).toEqual(hex([0, 1, 2].map((at) => datagram(40, at))))
})

test('many links share one file', () => {
  const { sink, file } = collector()
  const writer = new PcapngWriter(sink)
  const [one, other] = memory().map((link, at) => capture(link, writer, { name: `end ${at}` }))
  const time = new ManualTime()
  one.open(() => {}, time)
  other.open(() => {}, time)
  const batch = new PacketBatch()
  put(batch, datagram(40))
  one.transmit(batch)
  other.receive(batch)
  other.transmit(new PacketBatch())
  expect(readPcapng(file()).map((packet) => [packet.interface, packet.direction])).toEqual([
    ['end 0', 'out'],
    ['end 1', 'in'],
  ])
})

function tshark(...words: string[]): string {
  return execFileSync('tshark', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}

test('where two interfaces share a file, what one turn received stands before what it sent', () => {
  const { sink, file } = collector()
  const writer = new PcapngWriter(sink)
  const sides = ['west', 'east'].map((name) => farSide(memory(), (link) => capture(link, writer, { name })))
  const batches = sides.map(() => new PacketBatch())
  for (const [at, side] of sides.entries()) {
    side.link.open(() => {}, side.time)
    side.send(datagram(40, at))
  }
  for (const [at, side] of sides.entries()) side.link.receive(batches[at])
  for (const [at, side] of sides.entries()) side.link.transmit(batches[at])
  expect(readPcapng(file()).map((packet) => [packet.interface, packet.direction])).toEqual([
    ['west', 'in'],
    ['east', 'in'],
    ['west', 'out'],
    ['east', 'out'],
  ])
})

const hasTshark = spawnSync('tshark', ['--version']).status === 0

test.skipIf(!hasTshark)('tshark reads it: frames, addresses, directions, comments, times, no malformed frame', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tunstack-capture-'))
  try {
    const path = join(folder, 'example.pcapng')
    writeFileSync(path, example())
    const names = ['frame.time_epoch', 'ip.src', 'udp.length', 'frame.packet_flags_direction', 'frame.comment']
    const fields = names.flatMap((name) => ['-e', name])
    const checks = ['-o', 'ip.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE']
    const lines = tshark('-r', path, ...checks, '-T', 'fields', '-E', 'separator=|', ...fields)
    const at = (fraction: string) => `${BEGINNING / 1000}.${fraction}`
    expect(lines.trim().replace(/0x0+/g, '').split('\n')).toEqual([
      `${at('001500000')}|10.0.0.1|80|1|`,
      `${at('001500000')}|10.0.0.1|65515|1|bad checksum: dropped`,
      `${at('001500250')}|10.0.0.1|21|2|`,
      `${at('001500250')}|10.0.0.1|40|2|note 8`,
    ])
    const wrong = '_ws.malformed || ip.checksum.status == "Bad" || udp.checksum.status == "Bad"'
    expect(tshark('-r', path, ...checks, '-Y', wrong)).toBe('')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
