// TUN devices that are let go of: closed, closed while they wake us, and left open by a worker or a process that ends;
// and the addon itself, which takes nothing but what it was made for.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { findAddon } from '../../src/node/addon.ts'
import { addDatagram } from '../support/device-packets.ts'
import { exec, until } from '../support/namespace.ts'
import { describeOnKernel } from '../support/on-kernel.ts'
import { BUILT, batchFor, Devices, faultOf, run } from '../support/tun-devices.ts'

describeOnKernel('a TUN device', () => {
  const devices = Devices.forEachTest()

  describe('let go of', () => {
    it('is gone at once, and its name free', async () => {
      for (let round = 0; round < 20; round++) {
        const opened = devices.open({ name: 'again' })
        opened.watch(() => {})
        opened.close()
        opened.close()
        expect(opened.isClosed).toBe(true)
      }
      expect(await devices.links()).toEqual([])
    })

    it('can not be used any more', () => {
      const opened = devices.open()
      const batch = batchFor(opened)
      opened.close()
      addDatagram(batch, 9, new Uint8Array(4))
      expect([opened.receive(batch), opened.transmit(batch), batch.count]).toEqual([0, 0, 1])
      for (const act of [() => opened.watch(() => {}), () => opened.ref(), () => opened.unref()])
        expect(faultOf(act).code).toBe('ERR_TUN_CLOSED')
    })

    it('may be closed by what it wakes', async () => {
      const opened = devices.open()
      let woken = 0
      opened.watch(() => {
        woken++
        opened.close()
      })
      await until('it was woken', () => woken > 0)
      await sleep(20)
      expect(woken).toBe(1)
      expect(await devices.links()).toEqual([])
    })

    it('keeps a process alive until unref, and is gone with it', async () => {
      const line = (act: string) =>
        `const { openTun } = await import('${BUILT.href}'); const device = openTun({ netns: '${devices.namespace.name}' });
         device.watch(() => {}); ${act}; console.log('left')`
      expect(await run([process.execPath], line('device.unref()'))).toBe('left')
      expect(await run([process.execPath], line('setTimeout(() => process.exit(0), 50)'))).toBe('left')
      const { code } = await exec(process.execPath, ['--input-type=module', '-e', line('')], { timeout: 1000 })
      expect(code).toBe(null)
      await until('the device is gone', async () => (await devices.links()).length === 0)
    })

    it('hands an exception of what it wakes to the process', async () => {
      const said = await run(
        [process.execPath],
        `const { openTun } = await import('${BUILT.href}'); const device = openTun({ netns: '${devices.namespace.name}', address: 'fd00::1/64' });
         process.on('uncaughtException', (error) => { console.log(error.message); device.close() });
         device.watch(() => { throw new Error('thrown in ready') })`,
      )
      expect(said).toBe('thrown in ready')
    })

    it('is gone with a worker, however that ends', async () => {
      const worker = (end: string) =>
        `const { openTun } = await import('${BUILT.href}'); const { parentPort } = await import('node:worker_threads');
         const device = openTun({ netns: '${devices.namespace.name}', address: 'fd00::1/64' });
         device.watch(() => {}); parentPort.postMessage(device.name); ${end}`
      const ends = [
        'device.unref()',
        'setTimeout(() => process.exit(), 5)',
        'for (;;);',
        '',
        'throw new Error()',
        'device.close()',
      ]
      const said = await run(
        [process.execPath],
        `const { Worker } = await import('node:worker_threads');
         for (const code of ${JSON.stringify(ends.map(worker))}) {
           const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(code)));
           worker.on('error', () => {});
           const ended = new Promise((resolve) => worker.once('exit', resolve));
           await Promise.race([new Promise((resolve) => worker.once('message', resolve)), ended]);
           const timer = setTimeout(() => worker.terminate(), 100); await ended; clearTimeout(timer);
         }
         console.log('left')`,
      )
      expect(said).toBe('left')
      expect(await devices.links()).toEqual([])
    })
  })

  it('has an addon that takes nothing but what it was made for', () => {
    const addon = findAddon() as unknown as Record<string, (...values: unknown[]) => unknown>
    const number = (addon.open('raw', 1, devices.namespace.name, 1) as { device: number }).device
    const bytes = new Uint8Array(70_000)
    const rows = new Int32Array(4)
    const calls: Record<string, unknown[]> = {
      open: ['other', 1, devices.namespace.name, 1],
      facts: [number, 'raw'],
      configure: [number, 1500, 100, 1],
      addAddress: [number, '10.7.0.1', 24],
      addRoute: [number, '10.8.0.0', 16, '10.7.0.2'],
      watch: [number, () => {}],
      await: [number, 1],
      hold: [number, 1],
      receive: [number, bytes, rows, rows, 0, 12, 12, 65_536],
      transmit: [number, bytes, rows, rows, 0, 1],
      join: [number],
      beyond: [bytes, 64],
      errorName: [5],
      close: [number],
    }
    const wrong = [
      true,
      undefined,
      1.5,
      Number.NaN,
      -7,
      2 ** 40,
      {},
      [],
      10n,
      Symbol('wrong'),
      new Float64Array(4),
      () => {},
    ]
    for (const [name, values] of Object.entries(calls)) {
      expect(() => addon[name](...values.slice(0, -1)), `${name} with too few`).toThrow(TypeError)
      for (let at = 0; at < values.length; at++)
        for (const value of wrong) {
          if (typeof value === typeof values[at] && typeof value === 'function') continue
          const described = `${name}: ${String(value)} as argument ${at}`
          expect(() => addon[name](...values.with(at, value)), described).toThrow()
        }
    }
    const outside: [number, number][] = [
      [4, 10],
      [69_995, 10],
      [20, -1],
      [2 ** 31 - 1, 2 ** 31 - 1],
    ]
    for (const [offset, length] of outside)
      expect(() => addon.transmit(number, bytes, Int32Array.of(offset), Int32Array.of(length), 0, 1)).toThrow(
        RangeError,
      )
    addon.close(number)
    for (const [name, values] of Object.entries(calls))
      if (values[0] === number) expect(() => addon[name](...values), name).toThrow(/EBADF/)
  })
})
