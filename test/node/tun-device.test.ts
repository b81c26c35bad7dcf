// TUN devices of a real kernel, each in a namespace that the test makes: opened, attached to, set up, and refused.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { findAddon } from '../../src/node/addon.ts'
import { openTun, type TunOptions } from '../../src/node/tun-device.ts'
import { exec } from '../support/namespace.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { icmpPacket, put } from '../support/packets.ts'
import { echoes } from '../support/ping.ts'
import { BUILT, batchFor, Devices, faultOf, run } from '../support/tun-devices.ts'

describe('the options of a TUN device', () => {
  const cases: [TunOptions, string][] = [
    [{ name: 'with space' }, 'name'],
    [{ name: 'a/b' }, 'name'],
    [{ name: 'sixteen-letters-' }, 'name'],
    [{ name: '' }, 'name'],
    [{ netns: '' }, 'netns'],
    [{ mtu: 67 }, 'mtu'],
    [{ mtu: 65_536 }, 'mtu'],
    [{ mtu: 1500.5 }, 'mtu'],
    [{ queueLength: -1 }, 'queueLength'],
    [{ address: '10.7.0.1' }, 'address'],
    [{ address: '10.7.0.1/33' }, 'address'],
    [{ address: '10.7.0.1/' }, 'address'],
    [{ address: ['10.7.0.1/24', 'fd00::1/129'] }, 'address'],
    [{ address: 'fe80::1%lo/64' }, 'address'],
    [{ address: [7 as unknown as string] }, 'address'],
    [{ routes: ['nowhere'] }, 'routes'],
    [{ gro: 'never' as unknown as boolean }, 'gro'],
    [{ busyPoll: 1 as unknown as boolean }, 'busyPoll'],
    [{ ioUring: 'please' as unknown as boolean }, 'ioUring'],
    [{ bigTcp: 2 as unknown as boolean }, 'bigTcp'],
    [{ routes: [{ to: '10.8.0.0/16', via: 'there' }] }, 'routes'],
  ]
  for (const [options, name] of cases)
    it(`refuses ${JSON.stringify(options)}`, () => {
      const fault = faultOf(() => openTun(options))
      expect(fault.code).toBe('ERR_INVALID_ARG_VALUE')
      expect(fault.message).toContain(`"${name}"`)
    })
})

describe('a TUN device that can not be had', () => {
  it('says that the addon is missing, and how to build it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tunstack-'))
    try {
      cpSync(fileURLToPath(new URL('../../dist', import.meta.url)), join(folder, 'dist'), { recursive: true })
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
      const module = pathToFileURL(join(folder, 'dist/node/tun-device.js')).href
      const said = await run([process.execPath], `(await import('${module}')).openTun()`)
      expect(said).toMatch(/^ERR_TUN_ADDON The native addon is not built for .*: install .*, then run ".*" in .*\.$/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describeOnKernel('a TUN device', () => {
  const devices = Devices.forEachTest()

  describe('opened', () => {
    it('is set up as asked', async () => {
      const opened = devices.open({
        name: 'first',
        address: ['10.7.0.1/24', 'fd00:7::1/64'],
        mtu: 1400,
        queueLength: 2000,
        routes: ['10.8.0.0/16', { to: '10.9.0.0/16', via: '10.7.0.2' }, '2001:db8::/32', '0.0.0.0/0', '::/0'],
      })
      expect([opened.name, opened.mtu, opened.queueLength]).toEqual(['first', 1400, 2000])
      const [link] = await devices.links()
      expect([link.ifname, link.mtu, link.txqlen]).toEqual(['first', 1400, 2000])
      expect(link.flags).toContain('UP')
      expect(await devices.ip('address')).toMatch(/inet 10\.7\.0\.1\/24 [\s\S]*inet6 fd00:7::1\/64 scope global nodad/)
      expect(await devices.ip('route')).toMatch(
        /default dev first[\s\S]*10\.8\.0\.0\/16 dev first[\s\S]*10\.9\.0\.0\/16 via 10\.7\.0\.2 dev first/,
      )
      expect(await devices.ip('-6', 'route')).toMatch(/2001:db8::\/32 dev first[\s\S]*default dev first/)
    })

    it('has the kernel answer on its addresses as soon as it is open', async () => {
      const requests = [
        icmpPacket(8, 0, 1, [], { from: '10.7.0.2', to: '10.7.0.1' }),
        icmpPacket(128, 0, 1, [], { from: 'fd00:7::2', to: 'fd00:7::1' }),
      ]
      // The kernel is often quick enough for a device or two.
      for (let round = 0; round < 20; round++) {
        const opened = devices.open({ address: ['10.7.0.1/24', 'fd00:7::1/64'] })
        const batch = batchFor(opened)
        for (const request of requests) put(batch, request)
        expect(opened.transmit(batch)).toBe(2)
        opened.close()
      }
      expect((await echoes(devices.namespace)).taken).toBe(40)
    })

    it('takes the next free name, an MTU of 1500 and a long queue unless told', async () => {
      const [one, other] = [devices.open(), devices.open({ address: [], up: false, offload: false })]
      expect([one.name, other.name]).toEqual(['tun0', 'tun1'])
      expect([one.mtu, one.queueLength]).toEqual([1500, 10_000])
      expect(other.offload).toEqual({ checksum: false, tcp4: false, tcp6: false, udp: false })
      expect(other.headroom).toBe(0)
      expect((await devices.links())[1].flags).not.toContain('UP')
    })

    it('has memory for what it is to take begin with a page', () => {
      const whole = new Uint8Array(100_000)
      const starts = [0, 1, 77, 4096, 4111].map((at) => {
        const made = devices.open({ address: [] }).aligned((length) => whole.subarray(at, at + length))(8192)
        expect([made.length, made.buffer]).toEqual([8192, whole.buffer])
        expect(made.byteOffset).toBeGreaterThanOrEqual(at)
        return findAddon()?.beyond(made, 4096)
      })
      expect(starts).toEqual([0, 0, 0, 0, 0])
    })

    it('is in the namespace named, and the process stays in its own', async () => {
      devices.open({ name: 'elsewhere' })
      expect((await exec('ip', ['link'])).stdout).not.toContain('elsewhere')
      const path = openTun({ netns: `/run/netns/${devices.namespace.name}` })
      expect((await devices.links()).map(({ ifname }) => ifname)).toEqual(['elsewhere', path.name])
      path.close()
    })

    it('is refused in one sentence with the errno', async () => {
      devices.open({ name: 'taken' })
      const cases: [TunOptions, string, RegExp][] = [
        [
          { netns: 'no-such' },
          'ENOENT',
          /^There is no network namespace no-such: make it with "ip netns add no-such"\.$/,
        ],
        [{ netns: '/etc/hostname' }, 'EINVAL', /can't be entered/],
        [{ name: 'taken' }, 'EBUSY', /^taken is in use by another process \(EBUSY\)/],
        [{ name: 'lo' }, 'EINVAL', /^lo exists and is not a TUN device/],
        [{ name: 'small', mtu: 1000, address: 'fd00::1/64' }, 'EINVAL', /IPv6 needs an MTU of 1280/],
        [{ name: 'bits', routes: ['10.1.2.3/8'] }, 'EINVAL', /no bit of a route/],
      ]
      for (const [options, code, message] of cases) {
        const fault = faultOf(() => devices.open(options))
        expect([fault.code, typeof fault.errno, typeof fault.syscall]).toEqual([code, 'number', 'string'])
        expect(fault.message).toMatch(message)
        expect(fault.message).toMatch(/^[^\n]*\.$/)
      }
      expect((await devices.links()).map(({ ifname }) => ifname)).toEqual(['taken'])
    })

    it('does not take a route away from another device', async () => {
      devices.open({ name: 'owner', routes: ['10.20.0.0/16'] })
      const fault = faultOf(() => devices.open({ name: 'other', address: [], routes: ['10.20.0.0/16'] }))
      expect(fault.code).toBe('EEXIST')
      expect(await devices.ip('route', 'show', '10.20.0.0/16')).toContain('dev owner')
    })

    it('says what is missing where /dev/net/tun is, or the privilege', async () => {
      const line = `const { openTun } = await import('${BUILT.href}'); try { openTun({ netns: 'x' }) } catch {};`
      expect(await devices.runThere('', `${line} openTun()`)).toMatch(
        /^ENOENT \/dev\/net\/tun is missing .*modprobe tun/,
      )
      const dropped = `${line} process.setgroups([]); process.setgid(65534); process.setuid(65534);`
      expect(await devices.runThere('600', `${dropped} openTun()`)).toMatch(/^EACCES \/dev\/net\/tun may not be opened/)
      expect(await devices.runThere('666', `${dropped} openTun({ name: 'new' })`)).toMatch(
        /^EPERM Making new needs CAP_NET_ADMIN .*ip tuntap add dev new mode tun user/,
      )
    })
  })

  describe('made beforehand', () => {
    it.each([['vnet_hdr'], ['multi_queue'], ['']])('is attached to, and stays (%s)', async (flag) => {
      await devices.ip('tuntap', 'add', 'dev', 'kept', 'mode', 'tun', ...(flag === '' ? [] : [flag]))
      const attached = devices.open({ name: 'kept', mtu: 1300 })
      expect([attached.name, attached.mtu]).toEqual(['kept', 1300])
      await devices.expectEchoes(attached)
      attached.close()
      const again = devices.open({ name: 'kept', offload: false })
      await devices.expectEchoes(again)
      again.close()
      expect((await devices.links()).map(({ ifname }) => ifname)).toEqual(['kept'])
    })

    it('is attached to by its user without privilege', async () => {
      await devices.ip('tuntap', 'add', 'dev', 'mine', 'mode', 'tun', 'user', '65534', 'vnet_hdr')
      await devices.ip('address', 'add', '10.7.0.1/24', 'dev', 'mine')
      await devices.ip('link', 'set', 'mine', 'up')
      await devices.ip('route', 'add', '10.30.0.0/16', 'dev', 'mine')
      const line = `const { openTun } = await import('${BUILT.href}'); try { openTun({ netns: 'x' }) } catch {};
        process.setgroups([]); process.setgid(65534); process.setuid(65534);`
      const asked = `{ name: 'mine', address: '10.7.0.1/24', routes: ['10.30.0.0/16'] }`
      expect(
        await devices.runThere(
          '666',
          `${line} const { offload, queueLength } = openTun(${asked}); console.log(offload.tcp4, queueLength)`,
        ),
      ).toBe('true 500')
      expect(await devices.runThere('666', `${line} openTun({ name: 'mine', address: '10.7.0.3/24' })`)).toMatch(
        /^EPERM Giving mine the address 10\.7\.0\.3\/24 failed \(EPERM\): it needs CAP_NET_ADMIN/,
      )
    })
  })
})
