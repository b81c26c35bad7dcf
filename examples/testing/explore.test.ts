// Faults that nobody has thought of: explore draws them, seed by seed, until a test fails, and finds the fewest that still make it fail.
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { ExplorationError, explore, faults, type Network } from 'tunstack/simulate'
import { expect, test } from 'vitest'

const PAYMENTS = 5
const FAULTS = [
  faults.crash('bank', { for: [100, 3000] }),
  faults.partition('shop', 'bank', { for: [100, 3000] }),
  faults.pause('bank', { for: [100, 3000] }),
  faults.impair('shop', 'bank', { loss: 0.3 }, { for: [500, 5000] }),
]

/** A bank that takes payments, each with a number. `looks`: whether it looks first if it has that one already. */
function startBank(ledger: string[], looks: boolean): http.Server {
  const server = http.createServer((request, response) => {
    const payment = (request.url ?? '/').slice(1)
    if (!(looks && ledger.includes(payment))) ledger.push(payment)
    setTimeout(() => response.end('thank you'), 50)
  })
  return server.listen(80)
}

/** A shop that tries again until the bank has answered. */
async function pay(payment: string): Promise<void> {
  for (;;) {
    const response = await fetch(`http://bank/${payment}`, { signal: AbortSignal.timeout(1000) }).catch(() => null)
    if (response !== null && (await response.text().catch(() => '')) === 'thank you') return
    await sleep(300)
  }
}

/** Throws where something was paid twice, or not at all. */
async function payAll(network: Network, looks: boolean): Promise<void> {
  const [shop, bank] = [network.host('shop'), network.host('bank')]
  network.link(shop, bank, { delay: 20 })
  // It is outside of what the bank's program makes when it starts, and so survives a crash, as a disk does.
  const ledger: string[] = []
  await network.run(async () => {
    bank.start(() => startBank(ledger, looks))
    await shop.run(async () => {
      for (let number = 1; number <= PAYMENTS; number++) {
        await pay(`payment-${number}`)
        await sleep(500)
      }
    })
  })
  expect(ledger.length, 'payments in the ledger').toBe(PAYMENTS)
}

test('a bank that does not look books a payment twice, and one or two faults are enough for that', async () => {
  const options = { seeds: 100, faults: FAULTS, within: 4000 }
  const failure = await explore(options, (network) => payAll(network, false)).catch((error: ExplorationError) => error)
  expect(failure).toBeInstanceOf(ExplorationError)
  const { faults: fewest, message } = failure as ExplorationError
  expect(fewest.length).toBeLessThanOrEqual(2)
  expect(message).toMatch(
    /^seed \d+ fails with .*\n {2}.* the program of 'bank' stands still|crashes|is cut|is impaired/,
  )
})

test('one that looks does not', async () => {
  await explore({ seeds: 15, faults: FAULTS, within: 4000 }, (network) => payAll(network, true))
})
