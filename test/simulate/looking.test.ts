// What a simulated network tells of a run: its timeline, its picture, what a failure says, the capture that it leaves behind, and leaks.
import { describe, expect, test } from 'vitest'
import type { Host } from '../../src/simulate/host.ts'
import { DropsIdle } from '../../src/simulate/middle-boxes.ts'
import { simulate } from '../../src/simulate/network.ts'
import { describeHappening, describeTime, noteworthy } from '../../src/simulate/timeline.ts'
import { readPcapng } from '../link/pcapng.ts'
import { order } from './orders.ts'

function shop(options = {}) {
  const network = simulate({ seed: 7, ...options })
  const [client, database] = [network.host('shop'), network.host('database')]
  const link = network.link(client, database, { delay: 10 })
  const serve = ({ stack }: Host) => {
    const listener = stack.listen({ port: 5432 })
    listener.onConnection = (endpoint) => {
      endpoint.onReadable = () => {
        endpoint.read()
        if (endpoint.isAtEnd) endpoint.close()
      }
    }
    return listener
  }
  const connect = (port = 5432) => client.stack.connect({ address: database.address, port })
  const told = () => network.timeline().map(describeHappening)
  return { network, client, database, link, serve, connect, told }
}

const LETTER = new Uint8Array(100)

describe('the timeline', () => {
  test('tells of a partition, and of who goes on asking', () => {
    const { network, database, link, serve, connect, told } = shop()
    database.start(serve)
    const endpoint = connect()
    network.advance(1000)
    link.partition()
    endpoint.send(LETTER)
    network.advance(30_000)
    link.heal()
    network.note('we may go on', 'shop')
    network.advance(60_000)
    endpoint.finish()
    network.advance(61_000)
    const lines = told()
    expect(lines[0]).toBe('20 ms: shop → database: connected to port 5432')
    expect(lines[1]).toBe('1.0 s: shop → database: the link is cut')
    expect(lines).toContain('2.8 s: shop → database: 3rd retransmission, nobody answers since 20 ms')
    expect(lines).toContain('30.0 s: shop: we may go on')
    expect(noteworthy(network.timeline(), 12).map(({ text }) => text.replace(/^\d+th/, 'nth'))).toEqual([
      'connected to port 5432',
      'the link is cut',
      'a packet seems to be lost, and is sent again',
      'the link is healed',
      'we may go on',
      'nth retransmission, nobody answers since 20 ms',
      'the connection to port 5432 is closed',
    ])
  })

  test('tells of a crash, of who finds out, and of who is refused', () => {
    const { network, database, serve, connect, told } = shop()
    database.start(serve)
    const endpoint = connect()
    network.advance(1000)
    database.crash()
    const late = connect()
    network.advance(5000)
    database.restart()
    endpoint.send(LETTER)
    connect(81)
    network.advance(20_000)
    expect(late.isOpen).toBe(true)
    expect(told()).toEqual([
      '20 ms: shop → database: connected to port 5432',
      '1.0 s: database: crashes: all that it held is gone, and nobody is told',
      '2.0 s: shop → database: 2nd attempt to connect, nobody has answered yet',
      '4.0 s: shop → database: 3rd attempt to connect, nobody has answered yet',
      '5.0 s: database: is up again, and its program starts',
      expect.stringContaining('5.0 s: database: a packet for a connection that is not known here'),
      expect.stringContaining('5.0 s: database: a packet for a connection that is not known here'),
      '5.0 s: shop → database: reset by the other end, which knows nothing of the connection to port 5432, or has given it up',
      '5.0 s: shop → database: refused: nobody listens on port 81 there',
      '8.0 s: shop → database: 4th attempt to connect, nobody has answered yet',
      '8.0 s: shop → database: connected to port 5432',
    ])
  })

  test('tells who listens where nobody else reaches it', () => {
    const { network, database, connect, told } = shop()
    database.stack.listen({ port: 81, address: '127.0.0.1' })
    connect(81)
    network.advance(1000)
    expect(told().at(-1)).toBe(
      "20 ms: shop → database: refused: port 81 is open there, but only at 127.0.0.1; a program that listens at '::' is reached at every address",
    )
  })

  test('tells of a peer that reads nothing, of a full queue, of lost packets and of boxes', () => {
    const { network, client, database, link, connect, told } = shop()
    database.stack.listen({ port: 5432 })
    const endpoint = connect()
    network.advance(100)
    for (let sent = 1; sent > 0; ) {
      sent = 0
      for (let at = 0; at < 100; at++) sent += endpoint.send(new Uint8Array(65_536))
      network.advance(network.now() + 500)
    }
    network.advance(60_000)
    expect(told().at(-1)).toMatch(/octets wait, since database reads nothing \(\d+\w\w probe\)$/)
    database.fillListenQueue()
    connect()
    network.advance(61_000)
    expect(told()).toContain('60.0 s: database: an attempt to connect was dropped: the listen queue is full')
    database.drainListenQueue()
    link.impair({ loss: 0.3 })
    link.add(new DropsIdle({ after: 1000 }))
    client.pause(10)
    const other = connect()
    network.advance(70_000)
    other.send(new Uint8Array(60_000))
    network.advance(80_000)
    const lines = told().join('\n')
    for (const words of [
      'shop → database: the link is impaired: {loss:0.3}',
      'the link goes through a box that drops idle',
      'shop: the program stands still for 10 ms',
      'a box has forgotten the connection to port 5432',
    ]) {
      expect(lines).toContain(words)
    }
  })

  test('tells of names', () => {
    const { network, client, told } = shop()
    client.resolver.fail('SERVFAIL', 'database')
    network.names.set('cache', '192.0.2.1')
    expect(told()).toEqual([
      '0.0 s: shop: looking up database fails: SERVFAIL',
      '0.0 s: the name cache stands for 192.0.2.1 now',
    ])
  })

  test('tells of names that nobody has, and of exceptions that nobody has caught', async () => {
    const { network, client, database, connect, told } = shop()
    database.stack.listen({ port: 5432 })
    await expect(
      network.run(async () => {
        await client.resolver.resolve('nobody').catch(() => {})
        connect().onOpen = () => {
          throw new Error('in a handler')
        }
        await new Promise<void>((resolve) => network.after(1000, resolve))
      }),
    ).rejects.toThrow('in a handler')
    expect(told()).toEqual([
      expect.stringContaining("0.0 s: shop: 'nobody' can't be resolved: there is no such name (NXDOMAIN)"),
      '20 ms: nobody has caught this: Error: in a handler',
      '20 ms: shop → database: connected to port 5432',
    ])
  })

  test('names causes first, however many suffer from them', () => {
    const { network, link, connect, database } = shop()
    database.crash()
    for (let client = 0; client < 30; client++) connect()
    network.advance(10_000)
    link.impair({ loss: 0.1 })
    network.advance(11_000)
    const texts = noteworthy(network.timeline(), 12).map(({ text }) => text)
    expect(texts.length).toBe(12)
    expect(texts.slice(0, 2)).toEqual([
      'crashes: all that it held is gone, and nobody is told',
      '4th attempt to connect, nobody has answered yet',
    ])
    expect(texts.at(-1)).toBe('the link is impaired: {loss:0.1}')
  })

  test('is bounded', () => {
    const { network } = shop()
    for (let note = 0; note < 50_000; note++) network.note(`${note}`)
    const { length } = network.timeline()
    expect(length).toBeLessThan(25_000)
    expect(network.timeline().at(-1)?.text).toBe('49999')
  })

  test('writes times as people do', () => {
    expect([0, 0.25, 20, 99.96, 100, 12_345, 3_600_000].map(describeTime)).toEqual([
      ...['0.0 s', '0.25 ms', '20 ms', '100 ms', '0.1 s', '12.3 s', '3600.0 s'],
    ])
  })
})

test('the picture of a timeline: a lane for each host, marks, and words', () => {
  const { network, database, link, serve, connect } = shop()
  database.start(serve)
  connect().send(LETTER)
  network.after(10_000, () => link.partition())
  network.after(12_000, () => database.crash())
  network.advance(30_000)
  network.note('<done>', 'shop')
  const picture = network.drawTimeline({ title: 'A shop' })
  expect(picture).toBe(network.drawTimeline({ title: 'A shop' }))
  for (const words of [
    'A shop',
    '>shop<',
    '>database<',
    'shop → database: the link is cut',
    'shop: &lt;done&gt;',
    '30 s',
  ]) {
    expect(picture).toContain(words)
  }
  expect(picture.match(/<circle class="fault"/g)?.length).toBe(1 + 2)
  expect(network.drawTimeline({ from: 11_000, to: 13_000 })).not.toContain('the link is cut')
  expect(simulate().drawTimeline()).toContain('</svg>')
})

test('the picture in the documentation is what is drawn', async () => {
  const network = simulate({ seed: 3, recorder: 0 })
  network.after(2000, () => network.links[0].partition())
  network.after(6000, () => network.links[0].heal())
  network.after(9000, () => network.find('server').crash())
  network.after(12_000, () => network.find('server').restart())
  const { disk } = await order(network, 12, true)
  expect(disk.length).toBe(12)
  network.note('all orders are taken', 'client')
  const title = 'Twelve orders, a cut of four seconds and a crash'
  await expect(network.drawTimeline({ title })).toMatchFileSnapshot('../../docs/pictures/timeline.svg')
})

describe('a failure', () => {
  test('says the seed, the time, what happened last, and where the packets are', async () => {
    const kept: { octets: Uint8Array; seed: unknown }[] = []
    const keep = (octets: Uint8Array, seed: unknown) => `/tmp/${kept.push({ octets, seed })}.pcapng`
    const { network, database, link, serve, connect } = shop({ keep })
    const failure = await network
      .run(async () => {
        database.start(serve)
        const endpoint = connect()
        network.after(12_300, () => link.partition())
        network.after(12_400, () => endpoint.send(LETTER))
        await new Promise<void>((resolve) => network.after(90_000, resolve))
        expect(endpoint.unacknowledged).toBe(0)
      })
      .catch((error: Error) => error)
    const { message, stack } = failure as Error
    expect(message.split('\n')).toEqual([
      'expected 100 to be +0 // Object.is equality',
      '',
      'This was seed 7, at 90.0 s of virtual time.',
      'The last that happened:',
      '  20 ms: shop → database: connected to port 5432',
      '  12.3 s: shop → database: the link is cut',
      '  12.6 s: shop → database: a packet seems to be lost, and is sent again',
      expect.stringMatching(/^ {2}\d+\.\d s: shop → database: 8th retransmission, nobody answers since 20 ms$/),
      'The packets, for Wireshark: /tmp/1.pcapng',
    ])
    expect(stack).toContain('This was seed 7')
    const packets = readPcapng(kept[0].octets)
    expect(packets.map(({ interface: face, comment }) => `${face}: ${comment}`).slice(0, 4)).toEqual([
      'shop to database: null',
      'database to shop: null',
      'shop to database: null',
      'shop to database: lost: the link is cut',
    ])
    expect(kept.map(({ seed }) => seed)).toEqual([7])
  })

  test('that is no error, or frozen, stays what it is', async () => {
    const { network } = shop()
    await expect(network.run(() => Promise.reject('words'))).rejects.toBe('words')
    const frozen = Object.freeze(new Error('cold'))
    await expect(network.run(() => Promise.reject(frozen))).rejects.toBe(frozen)
  })

  test('keeps the last packets only, and none where that is asked for', async () => {
    const { network, client } = shop({ recorder: 200_000 })
    await network.run(async () => {
      for (let at = 0; at < 300; at++) await client.ping('database', { size: 1400 })
    })
    const packets = readPcapng(network.recording())
    expect(packets.length).toBeGreaterThan(80)
    expect(packets.length).toBeLessThan(200)
    const none = shop({ recorder: 0 })
    await none.network.run(() => none.client.ping('database'))
    expect(readPcapng(none.network.recording())).toEqual([])
  })
})

describe('leaks', () => {
  test('are named: servers, sockets and timers', () => {
    const { network, client, database, serve, connect } = shop()
    const listener = database.start(serve)
    const endpoint = connect()
    const cancel = client.time.after(60_000, () => {})
    const datagrams = client.stack.openUdp()
    datagrams.bind(53)
    network.advance(1000)
    const leaks = () => network.expectNoLeaks()
    expect(leaks).toThrow(
      /^5 things are still held at the end; close sockets with end\(\) or destroy\(\), timers with clearTimeout\(\) or clearInterval\(\), servers with close\(\) before the test ends:\n {2}shop: a socket from port \d+ to database:5432, ESTABLISHED\n {2}shop: a socket for datagrams to port 53\n {2}shop: a timer due at 60\.0 s\n {2}database: a server listens on port 5432\n {2}database: a socket from port 5432 to shop:\d+, ESTABLISHED\n\nThis was seed 7/,
    )
    cancel()
    datagrams.close()
    endpoint.close()
    network.advance(2000)
    expect(leaks).toThrow(/^One thing is still held at the end; close servers with close\(\) before/)
    listener.close()
    network.advance(2100)
    leaks()
  })

  test('a host that has crashed holds nothing', () => {
    const { network, database, serve } = shop()
    database.start(serve)
    database.time.after(1000, () => {})
    network.advance(10)
    database.crash()
    network.expectNoLeaks()
  })
})
