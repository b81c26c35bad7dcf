// Checksums that are left to the kernel, where it forwards packets between devices: completed for who needs them, vouched for where it knows.
import { expect, it } from 'vitest'
import { add, arrived, readAll } from '../support/arrived-packets.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { checksumOf, Flags, packetOf, transportSum } from '../support/raw-segments.ts'
import { batchFor, Devices } from '../support/tun-devices.ts'

const { psh, ack } = Flags

describeOnKernel('software offload in a kernel that forwards', () => {
  const devices = Devices.forEachTest()
  const open = (gro = true) => devices.open({ offload: 'software', gro, address: ['10.7.0.1/24', 'fd00:7::1/64'] })
  const beyond = { address: ['10.8.0.1/24', 'fd00:8::1/64'] }
  const forward = async () => {
    const { code } = await devices.namespace.exec('sysctl', [
      '-qw',
      'net.ipv4.ip_forward=1',
      'net.ipv6.conf.all.forwarding=1',
    ])
    expect(code).toBe(0)
  }

  it.each([true, false])('has it complete what it was left (merged there: %s)', async (gro) => {
    const device = open(gro)
    const other = devices.open({ ...beyond, offload: false })
    await forward()
    const batch = batchFor(device)
    const way = 'to beyond'
    for (const isIpv4 of [true, false]) {
      add(batch, packetOf(isIpv4, 1, { way, text: 3333 }), 6, 1001)
      add(batch, packetOf(isIpv4, 2, { way, text: 77 }), 6, 0)
      add(batch, packetOf(isIpv4, 3, { way, text: 77, protocol: 17 }), 17, 0)
      // Without PSH it would be waited with.
      add(batch, packetOf(isIpv4, 4, { way, text: 77, flags: ack | psh }), null, 0)
    }
    expect(device.transmit(batch)).toBe(8)
    const lengths = { 1: [1001, 1001, 1001, 330], 2: [77], 3: [77], 4: [77] }
    const packets = readAll(other, (_batch, _row, packet) => packet)
    for (const isIpv4 of [true, false]) {
      const own = packets.filter((packet) => packet[0] >>> 4 === (isIpv4 ? 4 : 6))
      for (const packet of own) {
        const { ipHeader, protocol } = checksumOf(packet)
        expect(transportSum(packet, ipHeader, protocol)).toBe(0xffff)
      }
      const headers = (packet: Buffer) =>
        packet[isIpv4 ? 9 : 6] === 17 ? 8 : (packet[checksumOf(packet).ipHeader + 12] >> 4) * 4
      for (const [port, expected] of Object.entries(lengths)) {
        const flow = own.filter((packet) => packet.readUInt16BE(checksumOf(packet).ipHeader) === Number(port))
        expect([port, flow.map((packet) => packet.length - checksumOf(packet).ipHeader - headers(packet))]).toEqual([
          port,
          expected,
        ])
      }
    }
  })

  it('takes its word for what came from elsewhere', async () => {
    const device = open()
    const other = devices.open({ ...beyond, offload: 'software' })
    await forward()
    const batch = batchFor(other)
    const way = 'from beyond'
    add(batch, packetOf(true, 1, { way, flags: ack | psh }), 6, 0)
    // The kernel verifies what it may merge.
    add(batch, packetOf(true, 2, { way, flags: ack | psh }), null, 0)
    add(batch, packetOf(true, 3, { way, spoil: 'text', flags: ack | psh }), null, 0)
    expect(other.transmit(batch)).toBe(3)
    expect(arrived(device).map(({ port, how, text }) => [port, how, text.length])).toEqual([
      [1, 'left', 100],
      [2, 'verified', 100],
      [3, 'complete', 100],
    ])
  })
})
