// Super-segments to the kernel's own TCP that are written as one packet: which are, how that packet looks, and that the kernel takes it.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { afterEach, expect, it } from 'vitest'
import { createStack, type NodeStack, tun } from '../../src/index.ts'
import { add } from '../support/arrived-packets.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { catchRaw, checksumOf, Flags, packetOf, stamp, sumOf, textOf, type Wanted } from '../support/raw-segments.ts'
import { batchFor, Devices } from '../support/tun-devices.ts'

const { fin, psh, ack, urg, cwr, ece } = Flags
const ADDRESSES = ['10.7.0.1/24', 'fd00:7::1/64']
const SIZE = 1000
const LENGTH = 20_000
const flow = (...wanted: Wanted[]) => wanted.map((one, index) => ({ at: index * LENGTH, text: LENGTH, ...one }))

/** Each a flow of its own, and the octets of text in the packets that come of it. */
const FLOWS: [name: string, segments: Wanted[], ...packets: number[]][] = [
  ['two', flow({}, {}), 40_000],
  ['four, more than a packet has otherwise', flow({}, {}, {}, { text: 19_999 }), 79_999],
  ['nine', flow(...Array.from({ length: 9 }, () => ({}))), 160_000, 20_000],
  ['whole ones of 64 kB', flow({ text: 65_000 }, { at: 65_000, text: 65_000 }, { at: 130_000 }), 150_000],
  ['PSH', flow({}, { flags: ack | psh }, {}), 60_000],
  ['the same options', flow({ options: stamp(1) }, { options: stamp(1) }), 40_000],
  ['other options', flow({ options: stamp(1) }, { options: stamp(2) }), 20_000, 20_000],
  ['a hole', flow({}, { at: 21_000 }), 20_000, 20_000],
  ['one that ends within a segment', flow({ text: 19_500 }, { at: 19_500 }), 19_500, 20_000],
  ['another acknowledgment', flow({}, { ack: 2 }), 20_000, 20_000],
  ['another window', flow({}, { window: 501 }), 20_000, 20_000],
  ['another hop limit', flow({}, { hopLimit: 63 }), 20_000, 20_000],
  ['another mark', flow({ trafficClass: 2 }, { trafficClass: 3 }), 20_000, 20_000],
  ['FIN', flow({}, { flags: ack | fin }), 20_000, 20_000],
  ['URG', flow({}, { flags: ack | urg, urgent: 5 }), 20_000, 20_000],
  ['CWR', flow({ flags: ack | cwr }, {}), 20_000, 20_000],
  ['ECE', flow({ flags: ack | ece }, { flags: ack | ece }), 20_000, 20_000],
  ['one that is no super-segment', flow({}, { text: SIZE }), 20_000, SIZE],
  ['one that the kernel is to forward', flow({ way: 'to beyond' }, { way: 'to beyond' }), 20_000, 20_000],
]

describeOnKernel(
  'super-segments that follow each other',
  () => {
    const devices = Devices.forEachTest()
    let stack: NodeStack | null = null

    afterEach(async () => {
      await stack?.close()
      stack = null
    })

    it.each([true, false])('are written as one packet where they are alike (IPv4: %s)', async (isIpv4) => {
      const device = devices.open({ address: ADDRESSES })
      expect(device.usesBigTcp).toBe(true)
      let count = 0
      for (const [, segments] of FLOWS) count += segments.length
      const expected = FLOWS.flatMap(([, , ...packets]) => packets)
      const send = () => {
        for (const [index, [, segments]] of FLOWS.entries()) {
          const batch = batchFor(device, segments.length)
          for (const wanted of segments) {
            const text = wanted.text as number
            add(batch, packetOf(isIpv4, index + 1, { way: 'to kernel', ...wanted }), 6, text > SIZE ? SIZE : 0)
          }
          expect(device.transmit(batch)).toBe(segments.length)
          count -= segments.length
        }
      }
      const packets = await catchRaw(devices.namespace, device.name, expected.length, send)
      expect(count).toBe(0)
      const seen = packets.map((packet) => {
        const isJumbo = isIpv4 ? packet.readUInt16BE(2) === 0 : packet[6] === 0
        // RFC 2675: a hop-by-hop header with the payload's length in four octets.
        if (isJumbo && !isIpv4) {
          expect([packet.readUInt16BE(4), ...packet.subarray(40, 44)]).toEqual([0, 6, 0, 0xc2, 4])
          expect(packet.readUInt32BE(44)).toBe(packet.length - 40)
        }
        const ipHeader = isJumbo && !isIpv4 ? 48 : checksumOf(packet).ipHeader
        expect(isJumbo).toBe(packet.length - (isIpv4 ? 0 : 40) > 65_535)
        if (isIpv4)
          expect([packet.readUInt16BE(2), sumOf(packet, 0, 20)]).toEqual([isJumbo ? 0 : packet.length, 0xffff])
        else if (!isJumbo) expect(packet.readUInt16BE(4)).toBe(packet.length - 40)
        const transport = packet.subarray(ipHeader)
        expect(transport.readUInt16BE(16)).toBe(wholeSum(packet, isIpv4, transport.length))
        const text = transport.subarray((transport[12] >>> 4) * 4)
        const port = transport.readUInt16BE(0)
        expect(text.equals(Buffer.from(textOf(transport.readUInt32BE(4) - 1_000, text.length)))).toBe(true)
        const [name, segments] = FLOWS[port - 1]
        const sent = segments.reduce((flags, one) => flags | (one.flags ?? ack), 0)
        if (name === 'PSH') expect(transport[13]).toBe(sent)
        return [name, text.length]
      })
      expect(seen).toEqual(FLOWS.flatMap(([name, , ...packets]) => packets.map((length) => [name, length])))
    })

    it('are left as they are where the kernel does not segment, has no address, or is not to have them', () => {
      const none = { address: [], up: false }
      const uses = [none, { offload: 'software' }, { offload: false }, { bigTcp: false }, {}] as const
      expect(uses.map((options) => devices.open(options).usesBigTcp)).toEqual([false, false, false, false, true])
    })

    const filters = spawnSync('nft', ['list', 'ruleset']).status === 0 ? [false, true] : [false]
    const ways = filters.flatMap((filtered) => ADDRESSES.map((address) => ({ address, filtered })))

    it.each(ways)(
      'reach the kernel’s TCP at $address, through its filters: $filtered',
      async ({ address, filtered }) => {
        const text = Buffer.alloc(16 << 20, 'all of it, and in order ')
        stack = await createStack()
        const link = tun({ netns: devices.namespace.name, address: ADDRESSES })
        stack.addInterface({ link, addresses: ['10.7.0.2/24', 'fd00:7::2/64'] })
        stack.net.createServer((socket) => socket.end(text)).listen(80)
        const rules = `add table inet t
      add chain inet t in { type filter hook input priority 0; policy drop; }
      add rule inet t in ct state established counter accept
      add rule inet t in icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept`
        if (filtered) {
          const { code, stderr } = await devices.namespace.exec('nft', ['-f', '-'], { input: rules })
          expect([code, stderr]).toEqual([0, ''])
        }
        const script =
          'import hashlib, socket, sys\ns = socket.create_connection((sys.argv[1], 80))\nh = hashlib.sha256()\nwhile True:\n  b = s.recv(1 << 20)\n  if not b: break\n  h.update(b)\nprint(h.hexdigest())'
        const to = address.includes(':') ? 'fd00:7::2' : '10.7.0.2'
        const { stdout } = await devices.namespace.exec('python3', ['-c', script, to])
        expect(stdout.trim()).toBe(createHash('sha256').update(text).digest('hex'))
        const [{ stats64 }] = JSON.parse(await devices.ip('-json', '-s', 'link', 'show', link.device.name))
        // Many more octets a packet than 64 kB, with the handshake and the small windows of the beginning.
        expect(stats64.rx.bytes / stats64.rx.packets).toBeGreaterThan(70_000)
      },
    )
  },
  '6.3',
)

/** The pseudo-header's sum, its length in four octets. */
function wholeSum(packet: Buffer, isIpv4: boolean, length: number): number {
  const tail = Buffer.alloc(6)
  tail.writeUInt32BE(length)
  tail[5] = 6
  return sumOf(Buffer.concat([packet.subarray(isIpv4 ? 12 : 8, isIpv4 ? 20 : 40), tail]))
}
