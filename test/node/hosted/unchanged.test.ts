// One application, imported before any network is installed, on the kernel's loopback and on simulated hosts: the same events and errors in
// the same order. Then with its network cut for 90 seconds.
import { describe, expect, test } from 'vitest'
import { simulate } from '../../../src/node/simulate.ts'
import { fetchPatiently, startDatabase, startShop, visit, Watcher } from './shop.ts'

async function onKernel(): Promise<string[]> {
  const lines: string[] = []
  const log = (line: string) => lines.push(line)
  const database = await startDatabase('127.0.0.1', 0, log)
  const shop = await startShop('127.0.0.1', 0, `postgres://u@127.0.0.1:${database.port}/shop`, log)
  await visit(`127.0.0.1:${shop.port}`, log)
  await shop.close()
  await database.close()
  return lines
}

function hosts(delay = 0) {
  const network = simulate({ seed: 11 })
  const [database, shop, customer] = ['database', 'shop', 'customer'].map((name) => network.host(name))
  const inside = network.link(shop, database, { delay })
  const outside = network.link(customer, shop, { delay })
  return { network, database, shop, customer, inside, outside }
}

describe('an application that knows of no simulation', () => {
  test('does on simulated hosts what it does on the kernel, in the same order', async () => {
    const { network, database, shop, customer } = hosts()
    const simulated = await network.run(async () => {
      const lines: string[] = []
      const log = (line: string) => lines.push(line)
      const base = await database.run(() => startDatabase('0.0.0.0', 5432, log))
      const open = await shop.run(() => startShop('0.0.0.0', 80, 'postgres://u@database/shop', log))
      await customer.run(() => visit('shop:80', log))
      await shop.run(() => open.close())
      await database.run(() => base.close())
      return lines
    })
    network.expectNoLeaks()
    network.close()
    const real = await onKernel()
    expect(real).toContain('customer: hears that somebody wants tea')
    expect(simulated).toEqual(real)
  })

  test('comes through a partition of 90 seconds, and leaves nothing behind', async () => {
    const { network, database, shop, customer, inside, outside } = hosts(20)
    const begun = process.cpuUsage()
    const lines: string[] = []
    const log = (line: string) => lines.push(`${(network.now() / 1000).toFixed(1)} ${line}`)
    await network.run(async () => {
      const base = await database.run(() => startDatabase('0.0.0.0', 5432, log))
      const open = await shop.run(() => startShop('0.0.0.0', 80, 'postgres://u@database/shop', log))
      await customer.run(async () => {
        const watcher = new Watcher('ws://shop/watch', log)
        expect((await fetchPatiently('http://shop/orders', log)).status).toBe(200)
        inside.partition()
        outside.partition()
        setTimeout(() => inside.heal(), 90_000)
        setTimeout(() => outside.heal(), 90_000)
        const answer = await fetchPatiently('http://shop/orders', log)
        log(`customer: ${answer.status} ${await answer.text()}`)
        await watcher.close()
      })
      await shop.run(() => open.close())
      await database.run(() => base.close())
    })
    const { user, system } = process.cpuUsage(begun)
    network.expectNoLeaks()
    const count = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).length
    expect(count(/customer: TimeoutError/)).toBe(7)
    expect(count(/customer: watches$/)).toBe(2)
    expect(count(/^9\d\.\d customer: 200 \[\]/)).toBe(1)
    expect((user + system) / 1000).toBeLessThan(1000)
    network.close()
  })
})
