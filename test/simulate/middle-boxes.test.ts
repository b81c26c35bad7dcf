// Boxes in the middle of a link: what forgets idle connections, rewrites the MSS and answers with resets; and listen queues that are full.
import { describe, expect, test } from 'vitest'
import { State } from '../../src/core/tcp/state.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import { AnswersWithResets, DropsIdle, type MiddleBox, RewritesMss } from '../../src/simulate/middle-boxes.ts'
import { simulate } from '../../src/simulate/network.ts'

const PORT = 80

function pair(family: 4 | 6 = 4) {
  const network = simulate({ seed: 3 })
  const [client, server] = [network.host('client'), network.host('server')]
  const link = network.link(client, server, { delay: 10 })
  const accepted: Endpoint[] = []
  const ended: string[] = []
  server.stack.listen({ port: PORT }).onConnection = (endpoint) => {
    accepted.push(endpoint)
    endpoint.onClose = (reason) => ended.push(reason)
    endpoint.onReadable = () => {
      const bytes = endpoint.read()
      if (bytes !== null) endpoint.send(bytes)
    }
  }
  const connect = () => {
    const log: string[] = []
    const endpoint = client.stack.connect({ address: server.addresses[family === 4 ? 0 : 1], port: PORT })
    endpoint.onOpen = () => log.push('open')
    endpoint.onReadable = () => log.push(`${endpoint.read()?.length} octets`)
    endpoint.onClose = (reason) => log.push(`${network.now()} ${reason}`)
    return { endpoint, log }
  }
  return { network, client, server, link, accepted, ended, connect }
}

const octets = (length: number) => new Uint8Array(length)

describe.each([4, 6] as const)('over IPv%i', (family) => {
  test('a box that drops idle connections leaves busy ones alone, and new ones', () => {
    const { network, link, connect } = pair(family)
    link.add(new DropsIdle({ after: 60_000 }))
    const { endpoint, log } = connect()
    for (let at = 0; at < 5; at++) {
      network.advance(at * 50_000 + 100)
      endpoint.send(octets(1))
    }
    network.advance(200_200)
    expect(log).toEqual(['open', ...Array(5).fill('1 octets')])
    network.advance(270_000)
    endpoint.send(octets(1))
    network.advance(300_000)
    expect(log.length).toBe(6)
    const told = network.timeline().filter(({ kind }) => kind === 'fault')
    expect(told.at(-1)?.text).toMatch(/^a box has forgotten the connection to port 80, which was idle for 69\.\d s$/)
    const again = connect()
    network.advance(301_000)
    expect(again.log).toEqual(['open'])
  })

  test('or tells whoever sends next', () => {
    const { network, link, connect } = pair(family)
    link.add(new DropsIdle({ after: 60_000, answer: 'reset' }))
    const { endpoint, log } = connect()
    network.advance(70_000)
    endpoint.send(octets(1))
    network.advance(71_000)
    expect(log).toEqual(['open', '70010 reset'])
  })

  test('a box that rewrites the MSS', () => {
    const { network, link, accepted, connect } = pair(family)
    link.add(new RewritesMss({ to: 500 }))
    const { endpoint } = connect()
    network.advance(100)
    endpoint.send(octets(3000))
    network.advance(1000)
    expect([endpoint.info().sendMss, accepted[0].info().sendMss]).toEqual([500 - 12, 500 - 12])
    expect(link.counters.forward.offered).toBeGreaterThan(7)
  })

  test('a box that answers new connections with resets, then those that stand', () => {
    const { network, link, ended, connect } = pair(family)
    const old = connect()
    network.advance(100)
    const remove = link.add(new AnswersWithResets({ port: PORT, to: 'opening' }))
    const refused = connect()
    old.endpoint.send(octets(5))
    network.advance(1000)
    expect([refused.log, old.log]).toEqual([['110 refused'], ['open', '5 octets']])
    remove()
    link.add(new AnswersWithResets({ to: 'open' }))
    old.endpoint.send(octets(5))
    network.advance(2000)
    expect(old.log.slice(2)).toEqual(['1010 reset'])
    expect(ended).toEqual([])
  })
})

test('boxes stand behind each other, and one of a user sees what passes', () => {
  const { network, link, connect } = pair()
  const seen: string[] = []
  const spy: MiddleBox = {
    pass: (packet, { now }) => {
      seen.push(
        `${now} ${packet.protocol} ${packet.source} to ${packet.destinationPort === PORT ? 'server' : 'client'}`,
      )
      return true
    },
  }
  link.add(spy)
  link.add(new AnswersWithResets())
  connect()
  network.advance(100)
  expect(seen).toEqual(['0 tcp 10.0.0.1 to server'])
})

test('a listen queue that is full drops attempts without a word, until it has room', () => {
  const { network, server, connect } = pair()
  const old = connect()
  network.advance(100)
  server.fillListenQueue(PORT)
  const late = connect()
  old.endpoint.send(octets(9))
  network.advance(2500)
  expect([late.endpoint.connection.state, old.log]).toEqual([State.synSent, ['open', '9 octets']])
  expect(server.stack.counters().drops.tcpListenOverflow).toBe(2)
  server.drainListenQueue()
  network.advance(4000)
  expect(late.log).toEqual(['open'])
})

describe('mistakes are said in one sentence', () => {
  test.each([
    [() => new DropsIdle({ after: 0 }), 'a box forgets after a number of milliseconds above 0, not after 0'],
    [() => new RewritesMss({ to: 70_000 }), 'an MSS is a whole number of octets from 1 to 65535, not 70000'],
    [
      () => pair().server.fillListenQueue(81),
      "'server' listens on no port 81 whose queue could be full; start its server first",
    ],
  ])('%s', (mistake, sentence) => {
    expect(mistake).toThrow(sentence)
  })
})
