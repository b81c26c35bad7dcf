// `npm run prove -- testkit`: what the test kit promises over many seeds: runs that repeat octet for octet, and bugs that are found and shrunk.
import { createHash } from 'node:crypto'
import { simulate } from '../../src/node/simulate.ts'
import { ExplorationError, exploreWith } from '../../src/simulate/explore.ts'
import { arm, drawFaults } from '../../src/simulate/faults.ts'
import { SeededRandom } from '../../src/simulate/random.ts'
import { fetchOrders } from '../../test/node/hosted/fetch-orders.ts'
import { CRASHES, EVERYTHING, expectEachOnce, type Orders, order } from '../../test/simulate/orders.ts'
import type { Claim } from './claim.ts'
import { runners } from './test-runners.ts'
import { claims as underNodes } from './testkit-nodes.ts'

const SEEDS = Number(process.env.TESTKIT_SEEDS ?? 1000)
const ORDERS = 8
const WITHIN = 5000

type Order = (network: ReturnType<typeof simulate>, orders: number, isIdempotent: boolean) => Promise<Orders>

async function run(seed: number, put: Order) {
  const network = simulate({ seed })
  try {
    arm(network, drawFaults(CRASHES, new SeededRandom(seed, 'faults'), 6, WITHIN))
    const orders = await put(network, ORDERS, true)
    expectEachOnce(orders, ORDERS)
    const crashes = network.timeline().filter(({ text }) => text.startsWith('crashes')).length
    const packets = createHash('sha256').update(network.recording()).digest('hex')
    return { crashes, packets, attempts: orders.attempts, time: network.now() }
  } finally {
    network.close()
  }
}

async function repeat(put: Order): Promise<{ figure: string; holds: boolean }> {
  const began = performance.now()
  const differing: number[] = []
  let [crashes, retries, hours] = [0, 0, 0]
  const runs = new Set<string>()
  for (let seed = 1; seed <= SEEDS; seed++) {
    const [first, second] = [await run(seed, put), await run(seed, put)]
    if (first.packets !== second.packets || first.time !== second.time) differing.push(seed)
    crashes += first.crashes
    retries += first.attempts - ORDERS
    hours += first.time / 3_600_000
    runs.add(first.packets)
  }
  const seconds = (performance.now() - began) / 1000
  const figure = `${SEEDS} seeds, each twice: ${differing.length} differ, ${runs.size} different runs, ${crashes} crashes, ${retries} retries, ${hours.toFixed(1)} virtual hours; ${seconds.toFixed(1)} s`
  return { figure, holds: differing.length === 0 && runs.size === SEEDS && crashes > SEEDS && retries > SEEDS }
}

async function plant(isIdempotent: boolean): Promise<ExplorationError | number> {
  const options = { seeds: SEEDS, within: WITHIN, faults: EVERYTHING, recorder: 0 }
  try {
    return (
      await exploreWith(simulate, options, async (network) => {
        expectEachOnce(await order(network, ORDERS, isIdempotent), ORDERS)
      })
    ).seeds
  } catch (error) {
    if (error instanceof ExplorationError) return error
    throw error
  }
}

export const claims: Claim[] = [
  ...underNodes,
  {
    name: `${SEEDS} seeds of a client with a retry policy and a server that crashes and comes back: every order is taken once, and no two runs of a seed differ in a packet`,
    bar: 'none differs, a crash and a retry for each seed and more',
    measure: () => repeat(order),
  },
  {
    name: `the same of ${SEEDS} seeds with Node's own http and fetch on the hosts`,
    bar: 'none differs, a crash and a retry for each seed and more',
    measure: () => repeat(fetchOrders),
  },
  {
    name: 'a retry that is not idempotent is found by explore among seven kinds of faults, and shrunk',
    bar: 'at most two faults',
    measure: async () => {
      const found = await plant(false)
      if (typeof found === 'number') return { figure: `${found} seeds passed`, holds: false }
      const { seed, faults: least } = found
      const words = least.map(({ at, what, for: length }) => `at ${at} ms ${what} for ${length} ms`).join('; ')
      return { figure: `seed ${seed}, ${least.length} faults: ${words}`, holds: least.length > 0 && least.length <= 2 }
    },
  },
  {
    name: 'the same client against a server that is idempotent, under the same faults',
    bar: 'no seed fails',
    measure: async () => {
      const found = await plant(true)
      if (typeof found === 'number') return { figure: `${found} seeds passed`, holds: found === SEEDS }
      return { figure: found.message.split('\n', 2).join(' '), holds: false }
    },
  },
  ...runners,
]
