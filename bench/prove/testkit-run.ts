// One run of the test kit, for `npm run prove -- testkit`: a service of Fastify, pg, fetch and ws through a partition of 90 seconds. Prints
// what happened and when, so that runs under several Nodes can be compared, and what it took.
import { simulate } from '../../src/node/simulate.ts'
import { fetchPatiently, startDatabase, startShop, Watcher } from '../../test/node/hosted/shop.ts'

const now = performance.now.bind(performance)

async function run(): Promise<{ lines: string[]; milliseconds: number }> {
  const began = now()
  const network = simulate({ seed: 11 })
  const [database, shop, customer] = ['database', 'shop', 'customer'].map((name) => network.host(name))
  const wires = [network.link(shop, database, { delay: 20 }), network.link(customer, shop, { delay: 20 })]
  const lines: string[] = []
  const log = (line: string) => lines.push(`${network.now().toFixed(3)} ${line}`)
  await network.run(async () => {
    const base = await database.run(() => startDatabase('0.0.0.0', 5432, log))
    const open = await shop.run(() => startShop('0.0.0.0', 80, 'postgres://u@database/shop', log))
    await customer.run(async () => {
      const watcher = new Watcher('ws://shop/watch', log)
      await fetchPatiently('http://shop/orders', log)
      for (const wire of wires) wire.partition()
      setTimeout(() => {
        for (const wire of wires) wire.heal()
      }, 90_000)
      const answer = await fetchPatiently('http://shop/orders', log)
      log(`customer: ${answer.status}`)
      await watcher.close()
    })
    await shop.run(() => open.close())
    await database.run(() => base.close())
  })
  network.expectNoLeaks()
  network.close()
  return { lines, milliseconds: now() - began }
}

const [first, second] = [await run(), await run()]
const isSame = first.lines.join('\n') === second.lines.join('\n')
const result = {
  node: process.versions.node,
  lines: first.lines,
  isSame,
  milliseconds: [first, second].map((one) => one.milliseconds),
}
console.log(JSON.stringify(result))
