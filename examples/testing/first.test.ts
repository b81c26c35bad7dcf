// The tutorial's test (docs/testing.md): a shop that asks a stock service, while the link between them is cut, and while the other crashes.
import { simulate } from 'tunstack/simulate'
import { expect, test } from 'vitest'
import { startShop } from './shop.ts'
import { startStock } from './stock.ts'

function build(seed: number) {
  const network = simulate({ seed })
  const [customer, shop, stock] = [network.host('customer'), network.host('shop'), network.host('stock')]
  network.link(customer, shop, { delay: 40 })
  const wire = network.link(shop, stock, { delay: 10, loss: 0.01 })
  const ask = (article: string) =>
    customer.run(async () => {
      const response = await fetch(`http://shop/${article}`)
      return { status: response.status, text: await response.text() }
    })
  return { network, customer, shop, stock, wire, ask }
}

test('a customer is told how many apples there are', async () => {
  const { network, shop, stock, ask } = build(7)
  await network.run(async () => {
    const servers = [stock.start(startStock), shop.start(startShop)]
    expect(await ask('apples')).toEqual({ status: 200, text: '12' })
    for (const server of servers) server.close()
  })
  network.expectNoLeaks()
})

test('the shop gets over a cut of five seconds', async () => {
  const { network, shop, stock, wire, ask } = build(7)
  await network.run(async () => {
    stock.start(startStock)
    shop.start(startShop)
    await ask('apples')
    wire.partition()
    setTimeout(() => wire.heal(), 5000)
    const began = Date.now()
    expect(await ask('apples')).toEqual({ status: 200, text: '12' })
    expect(Date.now() - began).toBeGreaterThan(5000)
    expect(Date.now() - began).toBeLessThan(8000)
  })
})

test('after a minute and a half it has given up, and it works again afterwards', async () => {
  const { network, shop, stock, wire, ask } = build(7)
  await network.run(async () => {
    stock.start(startStock)
    shop.start(startShop)
    wire.partition()
    setTimeout(() => wire.heal(), 90_000)
    expect((await ask('apples')).status).toBe(502)
    await new Promise((resolve) => setTimeout(resolve, 90_000))
    expect(await ask('apples')).toEqual({ status: 200, text: '12' })
  })
})

test('the shop gets over a crash of the stock service', async () => {
  const { network, shop, stock, ask } = build(7)
  await network.run(async () => {
    stock.start(startStock)
    shop.start(startShop)
    await ask('apples')
    stock.crash()
    setTimeout(() => stock.restart(), 4000)
    expect(await ask('apples')).toEqual({ status: 200, text: '12' })
  })
})
