// Programs of Node's, unchanged, on simulated hosts: sockets, names, requests and timers are the host's, in its time.
import dgram from 'node:dgram'
import dns from 'node:dns'
import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { type Network, simulate } from '../../../src/node/simulate.ts'

const networks: Network[] = []

afterEach(() => {
  for (const network of networks.splice(0)) network.close()
})

function pair(delay = 10) {
  const network = simulate({ seed: 7 })
  networks.push(network)
  const [client, server] = [network.host('client'), network.host('server')]
  const wire = network.link(client, server, { delay })
  return { network, client, server, wire }
}

describe('host.run', () => {
  test('a connection of node:net, by the names of hosts', async () => {
    const { network, client, server } = pair()
    const log = await network.run(async () => {
      const log: string[] = []
      await server.run(async () => {
        const listening = net.createServer((socket) => {
          log.push(`${network.now()} from ${socket.remoteAddress}`)
          socket.on('data', (octets) => socket.end(`${octets}!`))
        })
        await once(listening.listen(80), 'listening')
        log.push(`${network.now()} at ${(listening.address() as AddressInfo).port}`)
      })
      await client.run(async () => {
        const socket = net.connect(80, 'server')
        await once(socket, 'connect')
        log.push(`${network.now()} to ${socket.remoteAddress}`)
        socket.write('hello')
        const [answer] = await once(socket, 'data')
        log.push(`${network.now()} ${answer}`)
        await once(socket, 'close')
        log.push(`${network.now()} closed`)
      })
      return log
    })
    expect(log).toEqual(['0 at 80', '20 to 10.0.0.2', '30 from ::ffff:10.0.0.1', '40 hello!', '40 closed'])
  })

  test('requests by node:http and fetch, which keep their connections by host', async () => {
    const { network, client, server } = pair()
    const answers = await network.run(async () => {
      server.run(() =>
        http
          .createServer((request, response) => {
            setTimeout(() => response.end(`${request.url} ${request.socket.remotePort}`), 1000)
          })
          .listen(80),
      )
      return client.run(async () => {
        const first = await fetch('http://server/one')
        const date = first.headers.get('date')
        const texts = [await first.text()]
        // As on the kernel's network: a connection is free again after an iteration of the loop.
        await sleep(1)
        texts.push(await (await fetch('http://server/two')).text())
        const [response] = (await once(http.get('http://server/three'), 'response')) as [http.IncomingMessage]
        texts.push(String((await once(response, 'data'))[0]))
        return { date, texts, ports: new Set(texts.map((text) => text.split(' ')[1])).size, now: network.now() }
      })
    })
    expect(answers.date).toBe('Wed, 01 Jan 2025 00:00:01 GMT')
    expect(answers.texts.map((text) => text.split(' ')[0])).toEqual(['/one', '/two', '/three'])
    // One for fetch, which keeps it, and one for http.
    expect(answers.ports).toBe(2)
    expect(answers.now).toBe(20 + 1020 + 1 + 1020 + 20 + 1020)
  })

  test('pools of an agent have the names that Node gives them, for the first who uses it', async () => {
    const { network, client, server } = pair()
    const agent = new http.Agent({ keepAlive: true })
    const ask = async () => {
      const [response] = (await once(http.get('http://server', { agent }), 'response')) as [http.IncomingMessage]
      await once(response.resume(), 'end')
      await sleep(1)
      return agent.getName({ host: 'server', port: 80 })
    }
    const names = await network.run(async () => {
      server.run(() => http.createServer((_request, response) => response.end()).listen(80))
      return [await client.run(ask), await server.run(ask), ...Object.keys(agent.freeSockets)]
    })
    const [first, second, ...pools] = names
    expect(first).toBe('server:80:')
    expect(second).not.toBe(first)
    expect(pools).toEqual([first, second])
    expect(agent).toMatchObject({ freeSockets: {}, sockets: {}, totalSocketCount: 0 })
    expect(Object.keys(agent.freeSockets)).toEqual([])
  })

  test('datagrams', async () => {
    const { network, client, server } = pair()
    const heard = await network.run(async () => {
      server.run(() => {
        const echo = dgram.createSocket('udp4')
        echo.on('message', (octets, { address, port }) => echo.send(`${octets} from ${address}`, port, address))
        echo.bind(7)
      })
      return client.run(async () => {
        const socket = dgram.createSocket('udp4')
        socket.send('hello', 7, 'server')
        const [octets, from] = await once(socket, 'message')
        socket.close()
        return `${network.now()} ${octets} by ${from.address}:${from.port}`
      })
    })
    expect(heard).toBe('20 hello from 10.0.0.1 by 10.0.0.2:7')
  })

  test('names', async () => {
    const { network, client } = pair()
    const found = await network.run(() =>
      client.run(async () => {
        const missing = await dns.promises.lookup('nobody').catch((error) => error.code)
        const addresses = await dns.promises.resolve4('server')
        const [name] = await dns.promises.reverse('10.0.0.2')
        return [
          await dns.promises.lookup('server'),
          await dns.promises.lookup('localhost', 4),
          missing,
          addresses,
          name,
        ]
      }),
    )
    const server = { address: '10.0.0.2', family: 4 }
    expect(found).toEqual([server, { address: '127.0.0.1', family: 4 }, 'ENOTFOUND', ['10.0.0.2'], 'server'])
  })

  test('localhost is the host itself, as often as it is asked for', async () => {
    const { network, client } = pair()
    const found = await network.run(() =>
      client.run(async () => {
        const all = await dns.promises.lookup('localhost', { all: true })
        return [all, await dns.promises.lookup('localhost', { all: true }), await dns.promises.lookup('localhost')]
      }),
    )
    const [first, second] = [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]
    expect(found).toEqual([[first, second], [first, second], first])
  })

  test('errors as the kernel has them', async () => {
    const { network, client } = pair()
    const fail = async (port: number, host: string) => {
      const [error] = await once(net.connect({ port, host, autoSelectFamily: false }), 'error').catch((one) => [one])
      return (error as Error).message
    }
    const errors = await network.run(() =>
      client.run(async () => [await fail(81, 'server'), await fail(81, '192.0.2.1'), await fail(81, 'nobody')]),
    )
    expect(errors).toEqual([
      'connect ECONNREFUSED 10.0.0.2:81',
      'connect ENETUNREACH 192.0.2.1:81 - Local (0.0.0.0:0)',
      'getaddrinfo ENOTFOUND nobody',
    ])
  })
})

describe('time', () => {
  test('timers of every import, dates and performance follow the network, and the host its own calendar', async () => {
    const { network, client } = pair()
    const seen = await network.run(() =>
      client.run(async () => {
        client.clock.skew(60_000)
        const begun = performance.now()
        await sleep(1000)
        await new Promise((resolve) => globalThis.setTimeout(resolve, 1000))
        await once(AbortSignal.timeout(1000), 'abort')
        let rings = 0
        await new Promise<void>((done) => {
          const interval = setInterval(() => {
            if (++rings < 3) return
            clearInterval(interval)
            done()
          }, 1000)
        })
        return { date: new Date().toISOString(), now: Date.now(), passed: performance.now() - begun }
      }),
    )
    expect(seen.date).toBe('2025-01-01T00:01:06.000Z')
    expect(seen.now).toBe(Date.parse(seen.date))
    expect(seen.passed).toBe(6000)
  })
})
