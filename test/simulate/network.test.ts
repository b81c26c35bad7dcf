// The simulated network: hosts, lossy links, partitions, routers, captures, and one run for one seed.
import { describe, expect, test } from 'vitest'
import { Drop } from '../../src/core/observer.ts'
import { simulate } from '../../src/simulate/network.ts'
import { collector, readPcapng } from '../link/pcapng.ts'

test('two hosts over a lossy link, in ten lines', async () => {
  const network = simulate({ seed: 7 })
  const [shop, database] = [network.host('shop'), network.host('database')]
  const link = network.link(shop, database, { delay: 10, loss: 0.1 })
  const replies = await network.run(() => Promise.all(Array.from({ length: 100 }, () => shop.ping('database'))))
  const answered = replies.filter(({ result }) => result === 'reply')
  expect(answered.every(({ time, from, isIntact }) => time === 20 && from === '10.0.0.2' && isIntact)).toBe(true)
  expect(answered.length).toBe(100 - link.counters.forward.lost - link.counters.backward.lost)
  expect(answered.length).toBeLessThan(100)
})

describe('one seed gives one run', () => {
  async function run(seed: number, change: (network: ReturnType<typeof simulate>) => void = () => {}) {
    const network = simulate({ seed })
    const { sink, file } = collector()
    network.capture(sink)
    const [one, two] = [network.host('one'), network.host('two')]
    const router = network.router('router')
    const bad = { delay: 5, jitter: 3, loss: 0.1, burstLoss: { fraction: 0.05, length: 3 }, reorder: 0.1 }
    const link = network.link(one, router, { ...bad, duplicate: 0.1, corrupt: 0.1, rate: 1, queue: 20 })
    network.link(router, two, bad)
    change(network)
    await network.run(async () => {
      for (let round = 0; round < 20; round++) {
        await Promise.all([one.ping(two), two.ping('fd00::1', { size: 100 + round }), one.ping(router)])
        link.impair({ loss: round / 40 })
      }
    })
    return { file: file(), time: network.now(), link }
  }

  test('octet for octet, and another seed another', async () => {
    const [first, again, other] = [await run(3), await run(3), await run(4)]
    expect(first.file.length).toBeGreaterThan(10_000)
    expect(Buffer.compare(first.file, again.file)).toBe(0)
    expect(again.time).toBe(first.time)
    expect(Buffer.compare(first.file, other.file)).not.toBe(0)
  })

  test('every impairment is reached', async () => {
    const { forward, backward } = (await run(3)).link.counters
    for (const name of ['passed', 'lost', 'duplicated', 'reordered', 'corrupted'] as const) {
      expect(forward[name] + backward[name], name).toBeGreaterThan(1)
    }
  })

  test('a host and a link more leave what the others do as it was', async () => {
    const packets = (file: Uint8Array) =>
      readPcapng(file).map(({ octets, nanoseconds }) => `${nanoseconds} ${Buffer.from(octets).toString('hex')}`)
    const more = await run(3, (network) => network.link(network.host('three'), 'one', { loss: 0.5 }))
    expect(packets(more.file)).toEqual(packets((await run(3)).file))
  })
})

describe('partitions', () => {
  test('cut both ways, then healed', async () => {
    const network = simulate()
    const link = network.link(network.host('one'), network.host('two'), { delay: 10 })
    const [one] = network.hosts
    network.after(5, () => link.partition())
    network.after(90_000, () => link.heal())
    const results = await network.run(async () => {
      const during = await one.ping('two')
      await one.ping('two', { timeout: 100_000 - network.now() })
      return [during.result, (await one.ping('two')).result]
    })
    expect(results).toEqual(['timeout', 'reply'])
    expect(network.now()).toBe(100_020)
    expect(link.counters.forward.partitioned).toBe(2)
  })

  test('one way', () => {
    const network = simulate()
    const link = network.link(network.host('one'), network.host('two'))
    const [one, two] = network.hosts
    link.partition('backward')
    void one.ping(two)
    network.advance()
    expect(two.stack.counters().counts).toMatchObject({ echoRequestsReceived: 1 })
    expect(one.stack.counters().counts).not.toHaveProperty('echoRepliesReceived')
    expect(link.counters.backward.partitioned).toBe(1)
    expect(link.counters.forward.partitioned).toBe(0)
  })
})

describe('links', () => {
  test('each way by itself, and changed while it runs', async () => {
    const network = simulate()
    const options = { forward: { delay: 30 }, backward: { delay: 5, rate: 10 } }
    const link = network.link(network.host('one'), network.host('two'), options)
    const [one] = network.hosts
    // An answer of 1,250 octets takes 1 ms at 10 Mbit/s.
    const ping = () => network.run(async () => (await one.ping('two', { size: 1250 - 28 })).time)
    expect(await ping()).toBe(36)
    link.impair({ delay: 1 })
    expect(await ping()).toBeCloseTo(3, 9)
    link.impair({ backward: { rate: 1 } })
    expect(await ping()).toBeCloseTo(12, 9)
    expect(link.settings('forward').delay).toBe(1)
  })

  test('the MTU of a link is known to its hosts, that of an impairment to nobody', async () => {
    const network = simulate()
    const link = network.link(network.host('one'), network.host('two'), { mtu: 1000 })
    const [one] = network.hosts
    const ping = () => network.run(async () => (await one.ping('two', { size: 900 })).result)
    expect(one.ports[0].interface.mtu).toBe(1000)
    expect(await ping()).toBe('reply')
    link.impair({ forward: { mtu: 800 } })
    expect(await ping()).toBe('timeout')
    expect(link.counters.forward.oversized).toBe(1)
  })

  test('a host of two links is reached by the same addresses, and does not lead on unless it is a router', async () => {
    const network = simulate()
    for (const name of ['west', 'middle', 'east']) network.host(name)
    network.link('west', 'middle')
    network.link('middle', 'east')
    const results = await network.run(async () => {
      const [west, , east] = network.hosts
      return [await west.ping('middle'), await east.ping('middle'), await west.ping('east')].map(({ result }) => result)
    })
    expect(results).toEqual(['reply', 'reply', 'noRoute'])
  })
})

describe('routers', () => {
  function chain(length: number) {
    const network = simulate()
    const names = ['start', ...Array.from({ length: length - 1 }, (_, at) => `router ${at + 1}`), 'end']
    for (const name of names) name.startsWith('router') ? network.router(name) : network.host(name)
    for (let at = 0; at < length; at++) network.link(names[at], names[at + 1], { delay: 1 })
    return network
  }

  test('pass on over many links, in both families', async () => {
    const network = chain(6)
    const [start] = network.hosts
    const replies = await network.run(() => Promise.all([start.ping('end'), start.ping('fd00::7')]))
    expect(replies.map(({ result, time, hopLimit }) => [result, time, hopLimit])).toEqual([
      ['reply', 12, 59],
      ['reply', 12, 59],
    ])
  })

  test('say where a hop limit ends', async () => {
    const network = chain(4)
    const [start] = network.hosts
    const trace = await network.run(async () => {
      const path = []
      for (let hopLimit = 1; hopLimit <= 4; hopLimit++) path.push((await start.ping('end', { hopLimit })).from)
      return path
    })
    expect(trace).toEqual(['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'])
  })

  test('the shortest path is taken, whatever the order of the links', async () => {
    const network = chain(5)
    const [start] = network.hosts
    const measure = () => network.run(async () => (await start.ping('end')).time)
    expect(await measure()).toBe(10)
    network.link('end', 'router 1', { delay: 1 })
    expect(await measure()).toBe(4)
    network.link('end', 'start', { delay: 1 })
    expect(await measure()).toBe(2)
  })

  test('every pair of hosts of a random network reaches each other along a shortest path', async () => {
    const network = simulate({ seed: 5 })
    const { random } = network
    const neighbours: Set<number>[] = []
    for (let at = 0; at < 14; at++) {
      network.router(`${at}`)
      neighbours.push(new Set())
    }
    const join = (one: number, other: number) => {
      if (one === other || neighbours[one].has(other)) return
      neighbours[one].add(other)
      neighbours[other].add(one)
      network.link(`${one}`, `${other}`, { delay: 1 })
    }
    for (let count = 0; count < 12; count++) join(random.below(14), random.below(14))
    for (let at = 1; at < 14; at++) join(at, random.below(at))
    const links = (from: number, to: number) => {
      const reached = [{ at: from, links: 0 }]
      for (const { at, links } of reached) {
        if (at === to) return links
        for (const next of neighbours[at]) {
          if (!reached.some((known) => known.at === next)) reached.push({ at: next, links: links + 1 })
        }
      }
      return Number.NaN
    }
    for (let from = 0; from < 14; from++) {
      for (let to = 0; to < 14; to++) {
        if (from === to) continue
        const reply = await network.run(() => network.hosts[from].ping(`${to}`))
        expect([reply.result, reply.time], `${from} to ${to}`).toEqual(['reply', 2 * links(from, to)])
      }
    }
  })
})

describe('time', () => {
  test('run goes on with promises between two times, advance does not', async () => {
    const network = simulate()
    network.link(network.host('one'), network.host('two'), { delay: 10 })
    const [one] = network.hosts
    const times: number[] = []
    const three = async () => {
      for (let at = 0; at < 3; at++) {
        await one.ping('two')
        times.push(network.now())
      }
    }
    const first = three()
    network.advance(1000)
    expect(times).toEqual([])
    await Promise.resolve()
    await network.run(2000)
    expect(times).toEqual([1000, 1020, 1040])
    expect(network.now()).toBe(2000)
    await first
    const second = three()
    await network.run()
    await second
    expect(network.now()).toBe(2060)
  })

  test('a name is the same in capitals and in small letters, and one that nobody can look up is refused', () => {
    const network = simulate()
    const host = network.host('Shop')
    expect(network.find('SHOP')).toBe(host)
    expect(network.resolve('shop')).toBe(host.address)
    expect(() => network.host('shop')).toThrow("there is a host 'shop' already")
    for (const name of ['', '10.0.0.9', undefined as unknown as string]) {
      expect(() => network.host(name)).toThrow('a host needs a name, not ')
    }
  })

  test('a host of another network, a direction and a pause that there are not are refused', () => {
    const [network, other] = [simulate(), simulate()]
    const [one, two, foreign] = [network.host('one'), network.host('two'), other.host('two')]
    expect(() => network.link(one, foreign)).toThrow("'two' is a host of another network")
    const link = network.link(one, two)
    expect(() => link.partition('forwards' as 'forward')).toThrow("'forward' or 'backward', not 'forwards'")
    expect(() => link.heal('both' as 'forward')).toThrow("'forward' or 'backward', not 'both'")
    expect(link.isPartitioned()).toBe(false)
    expect(() => one.pause(10, { what: 'host' as 'machine' })).toThrow("the 'program' or the 'machine', not 'host'")
  })

  test('a host may have another date', () => {
    const network = simulate({ beginning: 1000 })
    const host = network.host('one')
    host.clock.skew(-400)
    network.advance(50)
    expect([network.clock.wall(), host.clock.wall(), host.clock.now()]).toEqual([1050, 650, 50])
  })

  test('what waits for nothing is said, and exceptions come out of run', async () => {
    const network = simulate()
    await expect(network.run(() => new Promise(() => {}))).rejects.toThrow('nothing more will happen')
    await expect(network.run(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine')
    network.after(5, () => {
      throw new Error('theirs')
    })
    expect(() => network.advance()).toThrow('theirs')
    await expect(network.run(() => network.advance())).rejects.toThrow('running already')
    network.advance(10)
    expect(network.now()).toBe(10)
  })
})

describe('captures', () => {
  test('every link, both ends, those added later too, until it is ended', async () => {
    const network = simulate()
    const { sink, file } = collector()
    const stop = network.capture(sink)
    network.link(network.host('one'), network.host('two'), { delay: 1 })
    const [one] = network.hosts
    await network.run(() => one.ping('two'))
    stop()
    await network.run(() => one.ping('two'))
    expect(readPcapng(file()).map((packet) => [packet.interface, packet.direction])).toEqual([
      ['one to two', 'out'],
      ['two to one', 'in'],
      ['two to one', 'out'],
      ['one to two', 'in'],
    ])
  })
})

test('a capture says why a packet was dropped', async () => {
  const network = simulate()
  const { sink, file } = collector()
  const describe = (note: number) => Object.entries(Drop).find(([, reason]) => reason === note - 1)?.[0] ?? null
  network.capture(sink, { describe })
  network.link(network.host('one'), network.host('two'), { forward: { corrupt: 1 } })
  await network.run(() => Promise.all(Array.from({ length: 20 }, () => network.hosts[0].ping('two', { size: 1000 }))))
  const packets = readPcapng(file())
  expect(packets.map(({ direction }) => direction)).toEqual([...Array(20).fill('out'), ...Array(20).fill('in')])
  const comments = packets.map(({ comment }) => comment)
  expect(comments.slice(0, 20)).toEqual(Array(20).fill(null))
  expect(comments.slice(20)).toContain('icmpBadChecksum')
  expect(comments.slice(20)).not.toContain(null)
})

describe('mistakes are said in one sentence', () => {
  const network = simulate()
  network.host('one')
  network.host('two', ['192.0.2.1/24', '2001:db8::1/64'])
  test.each([
    [() => network.host('one'), "there is a host 'one' already: give each a name of its own"],
    [
      () => network.host('three', ['10.0.0.1']),
      "10.0.0.1 is an address of 'one' already: give each host its own, or leave them to the network",
    ],
    [() => network.host('three', []), "host 'three' needs an address"],
    [
      () => network.link('one', 'nobody'),
      "there is no host 'nobody'; make it with network.host('nobody'), or name one of 'one', 'two'",
    ],
    [() => network.link('one', 'one'), "'one' can't be linked to itself: it reaches itself without a link"],
    [() => network.link('one', 'two', { loss: 2 }), 'loss must be a fraction from 0 to 1, not 2'],
    [() => network.link('one', 'two', { mtu: 1 }), 'mtu must be a number of octets from 68 to 65535, not 1'],
    [
      () => network.hosts[0].ping('nowhere'),
      "'nowhere' can't be resolved: there is no such name (NXDOMAIN); name a host so, or say what it stands for with network.names.set",
    ],
    [() => network.linkBetween('one', 'two'), "no link joins 'one' and 'two'; make it with network.link('one', 'two')"],
  ])('%s', (mistake, sentence) => {
    expect(mistake).toThrow(sentence)
  })

  test('a network that is closed while it runs', async () => {
    const early = simulate()
    const running = early.run(() => new Promise<void>((resolve) => early.after(10, resolve)))
    expect(() => early.close()).toThrow(
      'the network is still running: await network.run(…) before the test ends, and close it after that',
    )
    await running
    early.close()
  })

  test('and leave nothing behind', () => {
    expect(network.hosts.map(({ name, ports }) => [name, ports.length])).toEqual([
      ['one', 0],
      ['two', 0],
    ])
  })
})
