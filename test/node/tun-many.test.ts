// Many packets written at once: in order, with those refused left over, by io_uring as by a system call each.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Checksum, type PacketBatch } from '../../src/core/batch.ts'
import { addDatagram } from '../support/device-packets.ts'
import { exec, until } from '../support/namespace.ts'
import { buildProgram, inFolder } from '../support/network-clients.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { batchFor, Devices } from '../support/tun-devices.ts'
import { hasCommand } from '../support/tunstack.ts'

const project = new URL('../../', import.meta.url)
const MANY = 64

/** With its checksum left to the device, or where that takes none, to nobody. */
function addNumbered(batch: PacketBatch, number: number): number {
  const row = addDatagram(batch, 9, Uint8Array.of(number))
  if (batch.headroom > 0) {
    batch.checksum[row] = Checksum.partial
    batch.checksumStart[row] = 20
    batch.checksumField[row] = 6
  } else batch.view.setUint16(batch.offset[row] + 26, 0)
  return row
}

describeOnKernel('many packets at once', () => {
  const devices = Devices.forEachTest()
  const ways = [true, 'software', false].flatMap((offload) => [true, false].map((ioUring) => ({ offload, ioUring })))

  it.each(ways)('arrive in order ($offload, io_uring: $ioUring)', async ({ offload, ioUring }) => {
    const device = devices.open({ offload: offload as boolean, ioUring })
    if (!ioUring) expect(device.usesIoUring).toBe(false)
    const batch = batchFor(device)
    const numbers: number[] = []
    const script =
      'import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(("10.7.0.1", 9))\nprint("ready", flush=True)\nwhile True: print(s.recv(9)[0], flush=True)'
    const listener = devices.namespace.start('python3', ['-c', script])
    let said = ''
    listener.stdout?.on('data', (text) => (said += text))
    try {
      await until('it listens', () => said.startsWith('ready'))
      for (let number = 0; number < MANY; number++) addNumbered(batch, number)
      expect([device.transmit(batch), batch.count]).toEqual([MANY, 0])
      await until('all have come', () => said.trim().split('\n').length > MANY)
      numbers.push(...said.trim().split('\n').slice(1).map(Number))
    } finally {
      listener.kill()
    }
    expect(numbers).toEqual(Array.from({ length: MANY }, (_, number) => number))
  })

  it.each([true, false])('are sent but for those that make no sense (io_uring: %s)', (ioUring) => {
    const told: string[] = []
    const device = devices.open({ ioUring, onerror: ({ code }) => told.push(code) })
    const batch = batchFor(device)
    for (let number = 0; number < MANY; number++) {
      const row = addNumbered(batch, number)
      if (number % 9 === 5) batch.bytes[batch.offset[row]] = 0xf5
    }
    expect([device.transmit(batch), device.refused, batch.count]).toEqual([MANY - 7, 7, 0])
    expect(new Set(told)).toEqual(new Set(['EINVAL']))
  })

  it.each([true, false])('are lost while the device is down (io_uring: %s)', async (ioUring) => {
    const device = devices.open({ ioUring })
    const batch = batchFor(device)
    await devices.ip('link', 'set', device.name, 'down')
    for (let number = 0; number < MANY; number++) addNumbered(batch, number)
    expect([device.transmit(batch), device.refused, batch.count]).toEqual([0, MANY, 0])
  })
})

describe.skipIf(!hasCommand('cc'))('the way out of the addon', () => {
  it('goes on where there was no room, by io_uring as without', () =>
    inFolder(async (folder) => {
      const at = (path: string) => fileURLToPath(new URL(path, project))
      const sources = ['outgoing', 'segment', 'join', 'merge', 'ring', 'checksum'].map((name) => at(`native/${name}.c`))
      const words = ['-D_GNU_SOURCE', '-I', at('native'), at('test/support/outgoing.c'), ...sources]
      const program = (await buildProgram(join(folder, 'outgoing'), ...words)) as string
      const written = async (way: string, room: number) => {
        const { code, stdout, stderr } = await exec(program, [way, String(room)])
        expect([code, room > 1_000_000 ? stderr.trim() : ''], stderr).toEqual([0, room > 1_000_000 ? '1' : ''])
        return stdout
      }
      const all = await written('each', 4_000_000)
      expect(all.match(/ 0 wrong/g)?.length).toBe(4 + 8 * 21)
      expect(all).toContain('row 2 id 40 at 20000 flags 18 length 542, 542 octets, 0 wrong, header 1 0')
      for (const room of [4_000_000, 20_000, 4_000])
        for (const way of ['each', 'ring']) {
          const lines = await written(way, room)
          if (lines !== 'no ring\n') expect(lines, `${way} ${room}`).toBe(all)
        }
      const text = async (room: number) => {
        const lines = (await written('joined', room)).trim().split('\n')
        return lines.map((line) => line.replace(/^row 0 id \d+ at (\d+) .* (\d+) octets, (\d+) wrong.*$/, '$1 $2 $3'))
      }
      expect(await text(4_000_000)).toEqual(['0 160040 0', '160000 80040 0'])
      const apart = Array.from({ length: 12 }, (_, row) => `${row * 20_000} 20040 0`)
      // The first is longer than the socket takes, and nothing is joined for a while.
      for (const room of [60_000, 30_000]) expect(await text(room), `${room}`).toEqual(apart)
    }))
})
