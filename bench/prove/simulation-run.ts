// One simulation in a process of its own, for the claim that a seed gives a run: `node simulation-run.js SEED` prints the
// digest and the length of the capture of everything that crossed its links.
import { createHash } from 'node:crypto'
import { simulate } from '../../src/simulate/network.ts'

const ROUNDS = 500
const bad = { delay: 5, jitter: 3, loss: 0.1, burstLoss: { fraction: 0.05, length: 3 }, reorder: 0.1 }

const network = simulate({ seed: Number(process.argv[2]) })
const digest = createHash('sha256')
let octets = 0
network.capture((block) => {
  digest.update(block)
  octets += block.length
})
const [one, two, router] = [network.host('one'), network.host('two'), network.router('router')]
const link = network.link(one, router, { ...bad, duplicate: 0.1, corrupt: 0.1, rate: 1, queue: 20 })
network.link(router, two, bad)
await network.run(async () => {
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all([one.ping(two), two.ping('fd00::1', { size: 100 + round }), one.ping(router)])
    link.impair({ loss: (round % 20) / 40 })
  }
})
console.log(JSON.stringify({ digest: digest.digest('hex'), octets, milliseconds: network.now() }))
