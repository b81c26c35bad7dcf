// A capture over the control socket: whole blocks, until one of both ends it; a reader that is too slow misses packets, which are counted.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Checksum } from '../../src/core/batch.ts'
import { memory } from '../../src/link/memory.ts'
import { PcapngWriter } from '../../src/link/pcapng.ts'
import { captureRemotely } from '../../src/node/capture-client.ts'
import { CaptureOutlet } from '../../src/node/capture-outlet.ts'
import { CONTROL_FOLDER, type Control, ControlStream, openControl } from '../../src/node/control.ts'
import { createStack, type NodeStack } from '../../src/node/create-stack.ts'
import { readPcapng } from '../link/pcapng.ts'

let home: string
let control: Control
let stack: NodeStack
let far: NodeStack

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'tunstack-remote-'))
  process.env[CONTROL_FOLDER] = join(home, 'sockets')
  stack = await createStack()
  far = await createStack()
  const [one, other] = memory()
  stack.addInterface({ link: one, name: 'here', addresses: ['10.7.0.2/24'] })
  far.addInterface({ link: other, name: 'there', addresses: ['10.7.0.1/24'] })
  control = await openControl(({ interfaces }) => {
    if (interfaces !== undefined) throw new Error('there is no such interface here')
    return new ControlStream((socket) => stack.capture(new CaptureOutlet(socket).write))
  })
})

afterEach(() => {
  control.close()
  stack.close()
  far.close()
  delete process.env[CONTROL_FOLDER]
  rmSync(home, { recursive: true })
})

test('whole blocks come, and the stack is left alone again when it is over', async () => {
  const blocks: Buffer[] = []
  let packets = 0
  const capture = await captureRemotely(control.path, {}, (block, isPacket) => {
    blocks.push(Buffer.from(block))
    if (isPacket) packets++
  })
  expect(stack.core.observer.isDetailed).toBe(true)
  await far.ping('10.7.0.2')
  while (packets < 2) await new Promise(setImmediate)
  const read = readPcapng(Buffer.concat(blocks))
  expect(read.map((packet) => [packet.interface, packet.direction])).toEqual([
    ['here', 'in'],
    ['here', 'out'],
  ])
  capture.stop()
  await capture.over
  while (stack.core.observer.isWatched) await new Promise(setImmediate)
})

test('what is refused there is an error here', async () => {
  await expect(captureRemotely(control.path, { interfaces: ['x'] }, () => {})).rejects.toThrow('no such interface')
  const stranger = createServer((socket) => socket.end('{"answer":"stream"}\nthis is not what was asked for'))
  const path = join(home, 'stranger')
  await new Promise<void>((resolve) => stranger.listen(path, resolve))
  await expect(captureRemotely(path, {}, () => {}).then(({ over }) => over)).rejects.toThrow('is no pcapng')
  stranger.close()
})

test('packets that a slow reader has no room for are left out, whole, and counted', async () => {
  const out = new PassThrough({ highWaterMark: 100 })
  const outlet = new CaptureOutlet(out, 1000)
  const writer = new PcapngWriter(outlet.write)
  const face = writer.addInterface('slow', 'ip')
  const packet = new Uint8Array(200)
  const send = () => writer.packet(face, 1n, 'in', packet, 0, packet.length, Checksum.complete)
  for (let count = 0; count < 50; count++) send()
  await new Promise(setImmediate)
  const pieces: Buffer[] = []
  out.on('data', (piece: Buffer) => pieces.push(piece))
  while (out.writableLength > 0) await new Promise(setImmediate)
  send()
  writer.secrets('CLIENT_RANDOM 00 00\n')
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  const all = Buffer.concat(pieces)
  const packets = readPcapng(all).length
  expect(packets).toBeGreaterThan(2)
  expect(packets).toBeLessThan(20)
  // The number of those that are missing stands in a block of statistics.
  const dropped = all.indexOf(Buffer.from([7, 0, 8, 0]))
  expect(Number(all.readBigUInt64LE(dropped + 4))).toBe(51 - packets)
  expect(all.includes('CLIENT_RANDOM')).toBe(true)
})
