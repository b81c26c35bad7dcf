// Seeds are explored: runs repeat octet for octet, a planted bug is found, and its faults are shrunk to the fewest that bring it about.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { explore, simulate } from '../../src/node/simulate.ts'
import { ExplorationError } from '../../src/simulate/explore.ts'
import { arm, drawFaults, faults } from '../../src/simulate/faults.ts'
import { SeededRandom } from '../../src/simulate/random.ts'
import { shrink } from '../../src/simulate/shrink.ts'
import { CRASHES, EVERYTHING, expectEachOnce, order } from './orders.ts'

const ALL = [...EVERYTHING, faults.names('client', 'timeout')]

test('no two runs of a seed differ in a packet, while the server crashes and comes back', async () => {
  const run = async (seed: number) => {
    const network = simulate({ seed })
    arm(network, drawFaults(CRASHES, new SeededRandom(seed, 'faults'), 6, 3000))
    const { disk, attempts } = await order(network, 5, true)
    const packets = createHash('sha256').update(network.recording()).digest('hex')
    return { disk, attempts, packets, time: network.now() }
  }
  const figures = new Set<string>()
  let attempts = 0
  for (let seed = 1; seed <= 12; seed++) {
    const first = await run(seed)
    expect(await run(seed), `seed ${seed}`).toEqual(first)
    expectEachOnce(first, 5)
    figures.add(first.packets)
    attempts += first.attempts
  }
  expect(figures.size).toBe(12)
  expect(attempts).toBeGreaterThan(12 * 5 + 12)
})

describe('exploring', () => {
  const options = { seeds: 1000, within: 5000, faults: ALL, recorder: 0 }

  test('finds a retry that is not idempotent, and shrinks what brings it about to at most two faults', async () => {
    const failure = await explore(options, async (network) => {
      expectEachOnce(await order(network, 8, false), 8)
    }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ExplorationError)
    const { message, faults: least, seed, cause } = failure as ExplorationError
    expect(least.length).toBeGreaterThan(0)
    expect(least.length).toBeLessThanOrEqual(2)
    expect((cause as Error).message).toMatch(/^order \d was taken [2-9] times/)
    expect(message).toContain(`To see it again: explore({ seeds: [${seed}], … }).`)
    // The seed alone shows it again.
    const again = await explore({ ...options, seeds: [seed] }, async (network) => {
      expectEachOnce(await order(network, 8, false), 8)
    }).catch((error: unknown) => error as ExplorationError)
    expect((again as ExplorationError).faults.map(({ at, what }) => `${at} ${what}`)).toEqual(
      least.map(({ at, what }) => `${at} ${what}`),
    )
  })

  test('passes where the retry is idempotent', async () => {
    const test = async (network: ReturnType<typeof simulate>) => expectEachOnce(await order(network, 8, true), 8)
    expect(await explore({ ...options, seeds: 20 }, test)).toEqual({ seeds: 20 })
  })

  test('tells what failed, with which faults, and how to see it again', async () => {
    const exploration = explore({ seeds: 20, faults: CRASHES, within: 10 }, async (network) => {
      network.host('server')
      await network.run(60_000)
      if (network.find('server').stack.core.tcp.settings.mostConnections > 0) throw new Error('as planted')
    })
    await expect(exploration).rejects.toThrow(/^seed 1 fails without any fault:\n\nas planted\n\nTo see it again/)
    const kept: unknown[] = []
    const keep = (_: Uint8Array, seed: unknown) => `file ${kept.push(seed)}`
    const crashed = explore({ seeds: [5], faults: CRASHES, within: 10, keep }, async (network) => {
      const server = network.host('server')
      network.link(server, network.host('client'))
      await network.run(async () => {
        void network.find('client').ping('server')
        await new Promise<void>((resolve) => network.after(30, resolve))
        if (!server.isUp) throw new Error(`down at ${network.now()}`)
      })
    })
    await expect(crashed).rejects.toThrow(
      /^seed 5 fails with 1 of its \d faults \(found at the 1st of 1 seeds, shrunk in \d+ runs\):\n {2}.+: 'server' crashes, for .*\n\ndown at \d+\n\nThis was seed 5, at .*\nThe last that happened:\n(.*\n)+The packets, for Wireshark: file 1\n\nTo see it again: explore\({ seeds: \[5\], … }\)\.$/,
    )
    expect(kept).toEqual([5])
  })

  test('is a method of a network too: each seed has a network with its options, and it is left as it is', async () => {
    const network = simulate({ seed: 'mine', beginning: 5000, recorder: 0 })
    const host = network.host('server')
    const seeds: unknown[] = []
    const passing = network.explore({ seeds: 3 }, async (fresh, seed) => {
      expect([fresh.seed, fresh.clock.wall(), fresh.hosts]).toEqual([seed, 5000, []])
      seeds.push(seed)
      await fresh.run(() => fresh.host('server').run(() => new Promise((resolve) => setTimeout(resolve, 10))))
    })
    expect(await passing).toEqual({ seeds: 3 })
    expect(seeds).toEqual([1, 2, 3])
    expect([network.now(), network.hosts]).toEqual([0, [host]])
    const failure = await network
      .explore({ seeds: 1000, within: 5000, faults: ALL }, async (fresh) => {
        expectEachOnce(await order(fresh, 8, false), 8)
      })
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ExplorationError)
    expect((failure as ExplorationError).faults.length).toBeLessThanOrEqual(2)
  })

  test('leaves the packets of a failure behind, as every failure does', async () => {
    const failing = explore({ seeds: ['kept'] }, (network) =>
      network.run(async () => {
        network.link(network.host('one'), network.host('other'))
        await network.find('one').ping('other')
        throw new Error('as planted')
      }),
    )
    await expect(failing).rejects.toThrow(/The packets, for Wireshark: .*seed-kept-\d+\.pcapng/)
  })

  test('says so where a test does not repeat', async () => {
    let runs = 0
    const moody = explore({ seeds: 3 }, () => {
      if (runs++ === 1) throw new Error('only once')
    })
    await expect(moody).rejects.toThrow(
      "seed 2 failed, and then did not: something in the test is not the network's, such as state that a module keeps from one run to the next, real time, or Math.random. It failed with: only once",
    )
  })

  test('says what is wrong with its options, and with faults of hosts that are not there', async () => {
    await expect(explore({ seeds: 0 }, () => {})).rejects.toThrow('seeds must be a whole number of at least 1, not 0')
    expect(() => faults.crash('a', { for: [10, 1] })).toThrow(
      'a fault lasts a number of milliseconds above 0, the shortest first, not [10,1]',
    )
    const absent = explore({ seeds: 1, faults: [faults.crash('nobody')] }, (network) => network.run(100_000))
    await expect(absent).rejects.toThrow("there is no host 'nobody'; make it with network.host('nobody')")
  })
})

test('shrinking finds the fewest members, whatever they are', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(30), { minLength: 1 }), fc.nat(30), fc.nat(30), async (list, one, other) => {
      const needed = [one, other].filter((member) => list.includes(member))
      const still = async (part: readonly number[]) => needed.every((member) => part.includes(member))
      const { least, asked } = await shrink(list, still, 1000)
      expect([...least].sort()).toEqual([...new Set(needed)].sort())
      expect(asked).toBeLessThan(200)
    }),
  )
})
