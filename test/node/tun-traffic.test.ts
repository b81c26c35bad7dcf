// Batches in and out of TUN devices of a real kernel: with offload and without, larger than a batch, malformed, and with
// the device taken down or deleted under our hands.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Checksum, PacketBatch, Segmentation } from '../../src/core/batch.ts'
import type { TunError } from '../../src/node/tun-device.ts'
import { addDatagram, datagrams } from '../support/device-packets.ts'
import { until } from '../support/namespace.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { batchFor, Devices } from '../support/tun-devices.ts'

describeOnKernel('a TUN device', () => {
  const devices = Devices.forEachTest()

  describe('in traffic', () => {
    it.each([[true], [false]])('carries packets both ways (offload: %s)', (offload) =>
      devices.expectEchoes(devices.open({ offload })),
    )

    it('carries an MTU of 65,535', () =>
      devices.expectEchoes(devices.open({ mtu: 65_535, offload: false }), '-s', '60000', '-M', 'do'))

    it('wakes again for what one batch had no room for', async () => {
      const opened = devices.open({ offload: false })
      const sent = 500
      const script = `import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor n in range(${sent}): s.sendto(b"%06d" % n, ("10.7.0.2", 9))`
      expect((await devices.namespace.exec('python3', ['-c', script])).code).toBe(0)
      const batch = batchFor(opened)
      const numbers: number[] = []
      let full = 0
      opened.watch(() => {
        opened.receive(batch)
        if (batch.count === batch.capacity) full++
        for (const row of datagrams(batch)) {
          const at = batch.offset[row] + 28
          numbers.push(Number(Buffer.from(batch.bytes.subarray(at, at + 6)).toString()))
        }
        batch.clear()
      })
      await until('all have come', () => numbers.length === sent)
      expect(numbers).toEqual(Array.from({ length: sent }, (_, n) => n))
      expect(full).toBeGreaterThanOrEqual(7)
    })

    it('adds to what stands in a batch already', async () => {
      const opened = devices.open()
      await devices.namespace.exec('python3', [
        '-c',
        'import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nfor n in range(3): s.sendto(b"x", ("10.7.0.2", 9))',
      ])
      const batch = batchFor(opened)
      batch.bytes.fill(7, batch.reserve(100), batch.reserve(100) + 100)
      batch.commit(100)
      expect(opened.receive(batch)).toBe(batch.count - 1)
      expect(datagrams(batch).length).toBe(3)
      expect(batch.bytes.subarray(batch.offset[0], batch.offset[0] + 100).every((octet) => octet === 7)).toBe(true)
      for (let row = 1; row < batch.end; row++) expect(batch.offset[row] % 4).toBe(0)
      expect(batch.reserve(1)).toBeGreaterThanOrEqual(batch.offset[batch.end - 1] + batch.length[batch.end - 1])
    })

    it('hands over partial checksums and super-datagrams', async ({ skip }) => {
      const opened = devices.open()
      if (!opened.offload.checksum) skip('the kernel has no offload for TUN devices')
      const script =
        'import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.sendto(b"x" * 10, ("10.7.0.2", 9))\n' +
        (opened.offload.udp ? 's.setsockopt(17, 103, 1000)\ns.sendto(b"y" * 4500, ("10.7.0.2", 9))' : '')
      expect((await devices.namespace.exec('python3', ['-c', script])).stderr).toBe('')
      const batch = batchFor(opened)
      opened.receive(batch)
      const rows = datagrams(batch)
      const seen = rows.map((row) => [
        batch.length[row],
        batch.checksum[row],
        batch.checksumStart[row],
        batch.checksumField[row],
        batch.segmentation[row],
        batch.segmentSize[row],
      ])
      const expected = [
        [38, Checksum.partial, 20, 6, Segmentation.none, 0],
        [4528, Checksum.partial, 20, 6, Segmentation.udp, 1000],
      ]
      expect(seen).toEqual(opened.offload.udp ? expected : expected.slice(0, 1))
    })

    it('leaves checksums and segmentation to the kernel', async ({ skip }) => {
      const opened = devices.open()
      if (!opened.offload.udp) skip('the kernel has no segmentation of UDP for TUN devices')
      const script =
        'import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(("10.7.0.1", 7000))\ns.settimeout(10)\n' +
        'print("ready", flush=True)\nfor n in range(6): d = s.recv(65536); print(len(d), d[0], d[-1], flush=True)'
      const child = devices.namespace.start('python3', ['-c', script])
      let said = ''
      child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text))
      await until('the receiver listens', () => said.includes('ready'))
      const batch = batchFor(opened)
      for (const [column, value] of [
        [batch.checksum, Checksum.partial],
        [batch.checksumStart, 20],
        [batch.checksumField, 6],
      ] as const)
        column.fill(value)
      const mark = (row: number) => {
        batch.checksum[row] = Checksum.partial
        batch.checksumStart[row] = 20
        batch.checksumField[row] = 6
      }
      mark(addDatagram(batch, 7000, new Uint8Array(10).fill(1)))
      const large = addDatagram(
        batch,
        7000,
        Uint8Array.from({ length: 4500 }, (_, at) => 2 + Math.floor(at / 1000)),
      )
      mark(large)
      batch.segmentation[large] = Segmentation.udp
      batch.segmentSize[large] = 1000
      expect(opened.transmit(batch)).toBe(2)
      await until('all datagrams have come', () => said.trim().split('\n').length === 7)
      expect(said.trim().split('\n').slice(1)).toEqual([
        '10 1 1',
        '1000 2 2',
        '1000 3 3',
        '1000 4 4',
        '1000 5 5',
        '500 6 6',
      ])
    })

    it('refuses a batch without room for what it may have to put there', () => {
      const opened = devices.open()
      expect(() => opened.receive(new PacketBatch({ headroom: 0 }))).toThrow(RangeError)
      expect(() => opened.transmit(new PacketBatch({ headroom: 0 }))).toThrow(RangeError)
      expect(() => opened.receive(new PacketBatch({ headroom: 10, largest: 1500 }))).toThrow(RangeError)
    })
  })

  describe('in trouble', () => {
    const ordinary = (batch: PacketBatch) => addDatagram(batch, 9, new Uint8Array(4))

    it('loses packets while it is down, says so once, and goes on', async () => {
      const told: string[] = []
      const opened = devices.open({ onerror: ({ code }) => told.push(code) })
      const batch = batchFor(opened)
      await devices.ip('link', 'set', opened.name, 'down')
      for (let round = 0; round < 3; round++) {
        ordinary(batch)
        ordinary(batch)
        expect(opened.transmit(batch)).toBe(0)
        expect(batch.count).toBe(0)
      }
      expect([opened.refused, told]).toEqual([6, ['EIO']])
      await devices.ip('link', 'set', opened.name, 'up')
      ordinary(batch)
      expect(opened.transmit(batch)).toBe(1)
      await devices.ip('link', 'set', opened.name, 'down')
      ordinary(batch)
      opened.transmit(batch)
      expect(told).toEqual(['EIO', 'EIO'])
      await devices.ip('link', 'set', opened.name, 'up')
      await devices.expectEchoes(opened)
    })

    it('loses a malformed packet, and sends the others', () => {
      const told: string[] = []
      const opened = devices.open({ offload: false, onerror: ({ code }) => told.push(code) })
      const batch = batchFor(opened)
      ordinary(batch)
      batch.bytes[batch.offset[ordinary(batch)]] = 0xf5
      ordinary(batch)
      expect(opened.transmit(batch)).toBe(2)
      expect([opened.refused, told, batch.count]).toEqual([1, ['EINVAL'], 0])
    })

    it('says once that it was deleted, and does not spin', async () => {
      const told: TunError[] = []
      const opened = devices.open({ onerror: (error) => told.push(error) })
      const batch = batchFor(opened)
      let woken = 0
      opened.watch(() => {
        woken++
        opened.receive(batch)
        batch.clear()
      })
      await sleep(20)
      await devices.ip('link', 'delete', opened.name)
      await until('it is told', () => told.length > 0)
      const before = [woken, process.cpuUsage().user] as const
      await sleep(200)
      expect(woken).toBe(before[0])
      expect(process.cpuUsage().user - before[1]).toBeLessThan(100_000)
      ordinary(batch)
      expect(opened.transmit(batch)).toBe(0)
      expect(opened.receive(batch)).toBe(0)
      expect([told.map(({ code }) => code), opened.isDeleted, batch.count]).toEqual([['EBADFD'], true, 0])
      opened.close()
    })
  })
})
