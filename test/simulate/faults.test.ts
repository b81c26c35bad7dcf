// What can go wrong in a simulated network on purpose: hosts that crash, start again and stand still, links that flap, names that don't resolve.
import { describe, expect, test } from 'vitest'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import type { Host } from '../../src/simulate/host.ts'
import type { NameError } from '../../src/simulate/names.ts'
import { simulate } from '../../src/simulate/network.ts'

const PORT = 7

/** Answers each piece with itself. */
function echo({ stack }: Host): Endpoint[] {
  const accepted: Endpoint[] = []
  stack.listen({ port: PORT }).onConnection = (endpoint) => {
    accepted.push(endpoint)
    endpoint.onReadable = () => {
      const bytes = endpoint.read()
      if (bytes !== null) endpoint.send(bytes)
      else if (endpoint.isAtEnd) endpoint.close()
    }
  }
  return accepted
}

/** A connection, and what has happened to it with the times. */
function connect(network: ReturnType<typeof simulate>, from: Host, to: string) {
  const log: string[] = []
  const endpoint = from.stack.connect({ address: network.resolve(to), port: PORT })
  endpoint.onOpen = () => log.push(`${network.now()} open`)
  endpoint.onReadable = () => {
    const bytes = endpoint.read()
    if (bytes !== null) log.push(`${network.now()} ${new TextDecoder().decode(bytes)}`)
  }
  endpoint.onClose = (reason) => log.push(`${network.now()} ${reason}`)
  const say = (text: string) => endpoint.send(new TextEncoder().encode(text))
  return { endpoint, log, say }
}

function pair(options = {}) {
  const network = simulate()
  const [client, server] = [network.host('client'), network.host('server', options)]
  const link = network.link(client, server, { delay: 10 })
  return { network, client, server, link }
}

describe('a crash', () => {
  test('tells nobody: the peer goes on asking, and nothing leaves the host any more', () => {
    const { network, client, server, link } = pair()
    server.start(echo)
    const { log, say } = connect(network, client, 'server')
    network.advance(100)
    server.crash()
    const { offered } = link.counters.backward
    say('anybody?')
    network.advance(60_000)
    expect(log).toEqual(['20 open'])
    expect(link.counters.backward.offered).toBe(offered)
    expect(link.counters.forward.closed).toBeGreaterThan(5)
    expect(server.isUp).toBe(false)
    expect(() => server.ping('client')).toThrow("'server' has crashed; server.restart() brings it up again")
  })

  test('and a restart: the same addresses, the program runs again, and old connections are reset', () => {
    const { network, client, server } = pair()
    server.start(echo)
    const old = connect(network, client, 'server')
    network.advance(100)
    const { stack } = server
    server.crash()
    network.advance(5000)
    server.restart()
    expect(server.stack).not.toBe(stack)
    old.say('still there?')
    const fresh = connect(network, client, 'server')
    network.advance(5100)
    fresh.say('hello')
    network.advance(6000)
    expect(old.log).toEqual(['20 open', '5020 reset'])
    expect(fresh.log).toEqual(['5020 open', '5120 hello'])
  })

  test('takes the timers of the program with it', () => {
    const { network, server } = pair()
    const rung: number[] = []
    server.time.after(10, () => rung.push(10))
    server.time.after(50, () => rung.push(50))
    network.advance(20)
    server.restart()
    server.time.after(5, () => rung.push(25))
    network.advance(100)
    expect(rung).toEqual([10, 25])
  })

  test('of a router cuts those behind it off, until it is up again', async () => {
    const network = simulate()
    const [one, router, two] = [network.host('one'), network.router('router'), network.host('two')]
    network.link(one, router)
    network.link(router, two)
    const ping = () => network.run(async () => (await one.ping('two')).result)
    expect(await ping()).toBe('reply')
    router.crash()
    expect(await ping()).toBe('timeout')
    router.restart()
    expect(await ping()).toBe('reply')
  })

  test('an exception of a program that starts again comes out of the run', async () => {
    const { network, server } = pair()
    let starts = 0
    server.start(async () => {
      if (starts++ > 0) throw new Error('no disk')
    })
    await expect(
      network.run(async () => {
        server.restart()
        await new Promise<void>((resolve) => network.after(1000, resolve))
      }),
    ).rejects.toThrow('no disk')
  })
})

describe('a pause', () => {
  test('of the program: connections open and octets are acknowledged, but nobody reads; timers come late', () => {
    const { network, client, server, link } = pair()
    const late: number[] = []
    server.start(echo)
    server.time.after(50, () => late.push(network.now()))
    network.advance(1)
    server.pause(10_000)
    const { endpoint, log, say } = connect(network, client, 'server')
    say('hello')
    network.advance(9000)
    expect(log).toEqual(['21 open'])
    expect(endpoint.unacknowledged).toBe(0)
    network.advance(20_000)
    expect(log).toEqual(['21 open', '10011 hello'])
    expect(late).toEqual([10_001])
    expect(link.counters.forward.lost).toBe(0)
  })

  test('of the program fills its listen queue, and attempts beyond are dropped without a word', () => {
    const { network, client, server } = pair()
    const listener = server.stack.listen({ port: PORT, backlog: 2 })
    listener.onConnection = () => {}
    server.pause(10_000)
    const all: ReturnType<typeof connect>[] = []
    for (let one = 0; one < 6; one++) {
      all.push(connect(network, client, 'server'))
      network.advance(network.now() + 50)
    }
    expect(all.filter(({ log }) => log.length === 1).length).toBe(3)
    network.advance(20_000)
    expect(all.filter(({ log }) => log.length === 1).length).toBe(6)
  })

  test('of the machine: nothing is answered, and what has come is answered at its end', () => {
    const { network, client, server } = pair()
    server.start(echo)
    const { endpoint, log, say } = connect(network, client, 'server')
    network.advance(100)
    server.pause(700, { what: 'machine' })
    say('hello')
    network.advance(790)
    expect(endpoint.unacknowledged).toBe(5)
    expect(client.stack.counters().counts.tcpRetransmitted).toBeGreaterThan(0)
    network.advance(2000)
    expect(log).toEqual(['20 open', '810 hello'])
  })

  test('that is longer than another goes on', () => {
    const { network, server } = pair()
    const rung: number[] = []
    server.time.after(1, () => rung.push(network.now()))
    server.pause(500)
    server.pause(100)
    network.advance(1000)
    expect(rung).toEqual([500])
    expect(() => server.pause(-1)).toThrow('a pause must be a number of milliseconds, not -1')
  })
})

describe('a link that flaps', () => {
  test('is cut every so often for so long, until that is ended', () => {
    const { network, link } = pair()
    const stop = link.flap({ every: 100, for: 30 })
    const cut: number[] = []
    for (let at = 0; at < 400; at += 10) network.after(at + 5, () => link.isPartitioned() && cut.push(at))
    network.after(325, stop)
    network.advance(1000)
    expect(cut).toEqual([100, 110, 120, 200, 210, 220, 300, 310, 320])
    expect(link.isPartitioned()).toBe(false)
    expect(() => link.flap({ every: 10, for: 20 })).toThrow(
      'is cut for less than `every` milliseconds, not for 20 of 10',
    )
  })
})

describe('names', () => {
  test('are those of hosts, and what was set', async () => {
    const { network, client } = pair()
    expect(network.names.find('Server.')).toEqual(['10.0.0.2', 'fd00::2'])
    network.names.set('database', 'server')
    network.names.set('cache', '192.0.2.1', '192.0.2.2')
    const ask = (name: string, family?: 4 | 6) => network.run(() => client.resolver.resolve(name, family))
    expect(await ask('database', 6)).toEqual(['fd00::2'])
    expect(await ask('cache')).toEqual(['192.0.2.1', '192.0.2.2'])
    expect(await ask('192.0.2.9')).toEqual(['192.0.2.9'])
    network.names.set('server', 'client')
    expect(await ask('server', 4)).toEqual(['10.0.0.1'])
    network.names.unset('server')
    expect(await ask('server', 4)).toEqual(['10.0.0.2'])
    await expect(ask('nowhere')).rejects.toThrow(
      "'nowhere' can't be resolved: there is no such name (NXDOMAIN); name a host so, or say what it stands for with network.names.set",
    )
    expect(() => network.names.set('a', 'nowhere')).toThrow("'nowhere' is neither an IP address nor the name of a host")
  })

  test('fail, lie and are slow for one host, and nobody else', async () => {
    const { network, client, server } = pair()
    const ask = (host: Host, name = 'server') =>
      network.run(() => host.resolver.resolve(name, 4).catch((error: NameError) => [error.failure]))
    client.resolver.fail('SERVFAIL', 'server')
    expect([await ask(client), await ask(server), await ask(client, 'client')]).toEqual([
      ['SERVFAIL'],
      ['10.0.0.2'],
      ['10.0.0.1'],
    ])
    client.resolver.lie('server', '192.0.2.7')
    expect(await ask(client)).toEqual(['192.0.2.7'])
    client.resolver.heal('server')
    client.resolver.delay = 700
    const before = network.now()
    expect(await ask(client)).toEqual(['10.0.0.2'])
    expect(network.now() - before).toBe(700)
    client.resolver.fail('timeout')
    expect(await ask(client)).toEqual(['timeout'])
    expect(network.now() - before).toBe(5700)
    expect(() => client.resolver.fail('REFUSED' as 'SERVFAIL')).toThrow(
      "a resolver fails with NXDOMAIN, SERVFAIL, timeout, not with 'REFUSED'",
    )
  })
})
