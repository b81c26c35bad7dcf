// What TCP tells whoever watches: two hosts in virtual time, a story for each kind of event, and every cause of a segment that can be
// brought about here. Nothing is told, and nothing written, where nobody watches.
import { beforeEach, describe, expect, test } from 'vitest'
import { describeCause, describeSent } from '../../src/inspect/describe-cause.ts'
import type { PortableStack } from '../../src/runtime/create-stack.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import type { CauseName, SentEvent, TcpEvent } from '../../src/runtime/events.ts'
import { simulate } from '../../src/simulate/network.ts'

let network: ReturnType<typeof simulate>
let link: ReturnType<typeof network.link>
let server: PortableStack
let client: PortableStack
let told: TcpEvent[]

beforeEach(() => set())

function set(tcp = {}) {
  network = simulate({ seed: 5 })
  const one = network.host('server', { addresses: ['10.0.0.1'] })
  const other = network.host('client', { addresses: ['10.0.0.2'], tcp })
  link = network.link(one, other, { delay: 10 })
  server = one.stack
  client = other.stack
  told = []
}

const later = (milliseconds: number) => network.advance(network.now() + milliseconds)
const of = <Type extends TcpEvent['type']>(type: Type, events = told) =>
  events.filter((event): event is Extract<TcpEvent, { type: Type }> => event.type === type)
const causes = (events = told) => of('sent', events).map(({ cause }) => cause)
const brief = ({ cause, flags, length }: SentEvent) => `${cause} ${flags} ${length}`

/** A connection from the client to port 80, whose accepted end reads everything unless told otherwise. */
function connected({ reads = true } = {}): [Endpoint, () => Endpoint] {
  let accepted: Endpoint | null = null
  server.listen({ port: 80, reusePort: true }).onConnection = (endpoint) => {
    accepted = endpoint
    if (reads) endpoint.onReadable = () => endpoint.look((_, __, length) => length)
  }
  const endpoint = client.connect({ address: '10.0.0.1', port: 80 })
  return [endpoint, () => accepted as unknown as Endpoint]
}

/** Everything that is sent in this instant is lost. */
function sendIntoTheVoid(endpoint: Endpoint, octets: number): void {
  link.impair({ loss: 1 })
  endpoint.send(new Uint8Array(octets))
  later(0)
  link.impair({ loss: 0 })
}

describe('watch', () => {
  test('SACK blocks have the numbers of the segments that they are about, whatever these begin with', () => {
    client.watch((event) => told.push(event))
    const ends: number[] = []
    for (let connection = 0; connection < 8; connection++) {
      const [endpoint] = connected()
      later(100)
      sendIntoTheVoid(endpoint, 1448)
      told = []
      endpoint.send(new Uint8Array(1448))
      later(25)
      const [{ sequence, length }] = of('sent')
      const blocks = of('received').flatMap((event) => event.blocks)
      expect(blocks[0]).toEqual([sequence, (sequence + length) % 2 ** 32])
      ends.push(blocks[0][1])
    }
    expect(Math.max(...ends)).toBeGreaterThan(2 ** 31)
  })

  test('a connection’s life, from the side that opens: each state with the segment that brought it about', () => {
    client.watch((event) => told.push(event))
    const [endpoint, accepted] = connected()
    later(100)
    endpoint.send(new Uint8Array(700))
    later(100)
    endpoint.finish()
    later(100)
    accepted().finish()
    later(100)
    const states = of('state').map(({ from, to, segment }) => [from, to, segment?.flags ?? null])
    expect(states).toEqual([
      ['CLOSED', 'SYN-SENT', null],
      ['SYN-SENT', 'ESTABLISHED', 'SYN ACK'],
      ['ESTABLISHED', 'FIN-WAIT-1', null],
      ['FIN-WAIT-1', 'FIN-WAIT-2', 'ACK'],
      ['FIN-WAIT-2', 'TIME-WAIT', 'FIN ACK'],
    ])
    expect(of('sent').map(brief)).toEqual([
      'syn SYN 0',
      'handshake ACK 0',
      'newData PSH ACK 700',
      'finish FIN ACK 0',
      'finishAck ACK 0',
    ])
    const [first] = of('sent')
    const { connection } = first
    expect(connection).toMatchObject({ localAddress: '10.0.0.2', remoteAddress: '10.0.0.1', remotePort: 80 })
    expect(connection.iss).toBe(first.sequence)
    expect(connection.irs).toBe(of('received')[0].sequence)
    expect(of('state').every((event) => event.connection === connection)).toBe(true)
    // The time of what the application did is that of its call.
    const times = told.map(({ time }) => time)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(of('state')[2].time).toBe(200)
    expect(of('rtt').map(({ sample }) => Math.round(sample / 1000))).toEqual([20, 20, 20])
  })

  test('from the side that listens: the request is told when it is complete, as of when it came', () => {
    server.watch((event) => told.push(event))
    const [endpoint] = connected()
    later(100)
    expect(of('state').map(({ time, from, to, segment }) => [time, from, to, segment?.flags])).toEqual([
      [10, 'LISTEN', 'SYN-RECEIVED', 'SYN'],
      [30, 'SYN-RECEIVED', 'ESTABLISHED', 'ACK'],
    ])
    expect(of('sent').map(brief)).toEqual(['synAck SYN ACK 0'])
    expect(of('sent')[0].connection).toMatchObject({ isPassive: true, localPort: 80, remotePort: endpoint.localPort })
    endpoint.abort()
    later(100)
    expect(of('state').at(-1)).toMatchObject({ to: 'CLOSED', reason: 'reset', segment: { flags: 'RST ACK' } })
  })

  test('a refusal, a timeout, and a reset of our own', () => {
    client.watch((event) => told.push(event))
    client.connect({ address: '10.0.0.1', port: 81 })
    later(100)
    expect(of('state').at(-1)).toMatchObject({ from: 'SYN-SENT', to: 'CLOSED', reason: 'refused' })
    const [endpoint] = connected()
    later(100)
    endpoint.abort()
    later(10)
    expect(of('state').at(-1)).toMatchObject({ from: 'ESTABLISHED', to: 'CLOSED', reason: 'aborted', segment: null })
    expect(causes().at(-1)).toBe('reset')
    expect(of('sent').at(-1)?.flags).toBe('RST ACK')
  })

  test('who comes late learns of what is there, and who goes hears nothing more', () => {
    const [endpoint] = connected()
    later(100)
    const stop = client.watch((event) => told.push(event))
    endpoint.send(new Uint8Array(10))
    later(100)
    expect(of('sent')).toHaveLength(1)
    expect(of('sent')[0].connection).toMatchObject({ remotePort: 80, isPassive: false })
    expect(of('sent')[0].sequence).toBe((of('sent')[0].connection.iss + 1) >>> 0)
    const before = told.length
    stop()
    stop()
    endpoint.send(new Uint8Array(10))
    later(100)
    expect(told).toHaveLength(before)
    expect(client.core.observer.isDetailed).toBe(false)
  })

  test('a listener that throws stops nobody', () => {
    client.watch(() => {
      throw new Error('mine')
    })
    client.watch((event) => told.push(event))
    connected()
    const thrown: unknown[] = []
    for (let turn = 0; turn < 50; turn++) {
      try {
        later(2)
      } catch (error) {
        thrown.push(error)
      }
    }
    expect(thrown.length).toBeGreaterThan(1)
    expect(of('state').map(({ to }) => to)).toEqual(['SYN-SENT', 'ESTABLISHED'])
  })

  test('more than the ring holds in one turn: the count of what is lost', () => {
    client.watch((event) => told.push(event))
    const { observer } = client.core
    for (let count = 0; count < 5000; count++) observer.drop(0, null, 0)
    client.driver.request()
    later(1)
    expect(of('lost')).toMatchObject([{ count: 5000 - 4096 }])
    expect(of('drop')).toHaveLength(4096)
    expect(of('drop')[0]).toMatchObject({ connection: null, reason: 'truncated' })
  })

  test('drops: with the connection they are about', () => {
    server.watch((event) => told.push(event))
    const [endpoint] = connected()
    later(100)
    link.impair({ corrupt: 1 })
    endpoint.send(new Uint8Array(10))
    later(15)
    expect(of('drop')[0].connection).toBe(null)
    expect(of('drop')[0].reason).toMatch(/Checksum|bad|martian|notForUs|truncated/)
  })
})

describe('loss and recovery', () => {
  test('RACK: a hole in a flight is sent again for its reason, and the recovery is told', () => {
    const [endpoint] = connected()
    later(100)
    client.watch((event) => told.push(event))
    // One of ten is lost: all that is sent in this instant.
    sendIntoTheVoid(endpoint, 1448)
    endpoint.send(new Uint8Array(9 * 1448))
    later(200)
    const [again] = of('retransmission')
    expect(again.cause).toMatch(/^rack$|^reorderingTimer$/)
    expect(of('sent').find(({ cause }) => cause === again.cause)).toMatchObject({ sequence: again.sequence })
    expect(describeSent(again)).toMatch(/^retransmission: RACK.*, reordering window \d/)
    expect(describeCause(again.cause).section).toBe('RFC 8985 §6.2')
    const [entered, left] = of('recovery')
    expect(entered).toMatchObject({ what: 'entered', kind: 'fast recovery', cause: again.cause })
    expect(left).toMatchObject({ what: 'left', kind: 'fast recovery', isUndone: false })
    expect(of('received').some(({ blocks }) => blocks.length > 0)).toBe(true)
    const reduced = of('congestion').find(({ ssthresh }) => ssthresh !== null)
    expect(reduced?.cwnd).toBeGreaterThan(0)
    expect(of('congestion').every((event, at, all) => at === 0 || event.time >= all[at - 1].time)).toBe(true)
  })

  test('what the receiver says of a hole: duplicates, with blocks, then the ACK of a gap that is filled', () => {
    const [endpoint] = connected()
    later(100)
    server.watch((event) => told.push(event))
    sendIntoTheVoid(endpoint, 1448)
    endpoint.send(new Uint8Array(9 * 1448))
    later(200)
    const alone = of('sent')
    expect(causes()).toContain('duplicateAck')
    expect(causes()).toContain('gapFilled')
    const duplicate = alone.find(({ cause }) => cause === 'duplicateAck')
    expect(duplicate?.blocks).toHaveLength(1)
    expect(duplicate?.blocks[0][0]).toBe(((duplicate?.acknowledgment ?? 0) + 1448) >>> 0)
  })

  test('a tail that is lost: a TLP probe, and without SACK the timer', () => {
    const [endpoint] = connected()
    later(100)
    client.watch((event) => told.push(event))
    sendIntoTheVoid(endpoint, 100)
    later(1000)
    expect(causes()).toContain('tailProbe')
    expect(of('retransmission')[0]).toMatchObject({ cause: 'tailProbe', length: 100 })

    set({ selectiveAcks: false })
    const [plain] = connected()
    later(100)
    client.watch((event) => told.push(event))
    sendIntoTheVoid(plain, 100)
    later(2000)
    expect(of('retransmission')[0]).toMatchObject({ cause: 'timeout', timeouts: 1 })
    expect(of('recovery')[0]).toMatchObject({ what: 'entered', kind: 'timeout', cause: 'timeout' })
    expect(of('recovery')[1]).toMatchObject({ what: 'left', kind: 'timeout' })
  })

  test('without SACK: duplicate ACKs, then a partial one', () => {
    set({ selectiveAcks: false })
    const [endpoint] = connected()
    later(100)
    client.watch((event) => told.push(event))
    sendIntoTheVoid(endpoint, 2 * 1448)
    endpoint.send(new Uint8Array(8 * 1448))
    later(300)
    expect(of('retransmission').map(({ cause }) => cause)).toEqual(['fastRetransmit', 'partialAck'])
    expect(describeSent(of('retransmission')[0])).toMatch(/^fast retransmit: duplicate ACKs, \d of them$/)
  })

  test('a SYN that is lost goes again for the timer', () => {
    client.watch((event) => told.push(event))
    link.impair({ loss: 1 })
    connected()
    later(10)
    link.impair({ loss: 0 })
    later(3000)
    expect(of('sent').slice(0, 2).map(brief)).toEqual(['syn SYN 0', 'timeout SYN 0'])
  })
})

describe('windows, delays and probes', () => {
  test('a closed window: what the peer offers, a probe, and the update when it is read', () => {
    const [endpoint, accepted] = connected({ reads: false })
    later(100)
    accepted().setBuffers({ receive: 8192 })
    client.watch((event) => told.push(event))
    const seen: TcpEvent[] = []
    server.watch((event) => seen.push(event))
    endpoint.send(new Uint8Array(400_000))
    later(5000)
    expect(of('window').at(-1)?.window).toBe(0)
    expect(causes()).toContain('windowProbe')
    accepted().look((_, __, length) => length)
    later(30)
    expect(of('window').at(-1)?.window).toBeGreaterThan(0)
    expect(causes(seen)).toContain('windowUpdate')
  })

  test('acknowledgments: quick at first, then for two segments, then late', () => {
    const [endpoint] = connected()
    later(100)
    server.watch((event) => told.push(event))
    for (let count = 0; count < 20; count++) {
      endpoint.send(new Uint8Array(100))
      later(100)
    }
    expect(causes()[0]).toBe('quickAck')
    expect(causes().at(-1)).toBe('delayedAck')
    endpoint.send(new Uint8Array(2 * 1448))
    later(100)
    expect(causes().at(-1)).toBe('secondSegment')
  })

  test('keep-alive', () => {
    const [endpoint] = connected()
    later(100)
    client.watch((event) => told.push(event))
    endpoint.setKeepAlive(true, 1000, 1000, 3)
    later(1500)
    expect(causes()).toEqual(['keepAlive'])
  })
})

describe('events of one connection', () => {
  test('only its own, until it is over', async () => {
    const [endpoint, accepted] = connected()
    const events = endpoint.events()
    later(100)
    const first = accepted()
    client.connect({ address: '10.0.0.1', port: 80 })
    later(100)
    endpoint.finish()
    later(50)
    first.finish()
    later(100)
    for await (const event of events) told.push(event)
    expect(new Set(told.map(({ connection }) => connection?.number)).size).toBe(1)
    expect(of('state').map(({ to }) => to)).toEqual(['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT'])
    expect(events.lost).toBe(0)
    expect(client.core.observer.isDetailed).toBe(false)
  })

  test('a reader that is too slow misses the oldest, which are counted', async () => {
    const [endpoint] = connected()
    later(100)
    const events = endpoint.events({ limit: 5 })
    endpoint.send(new Uint8Array(50_000))
    later(200)
    expect(events.lost).toBeGreaterThan(5)
    endpoint.abort()
    later(1)
    for await (const event of events) told.push(event)
    expect(told).toHaveLength(5)
    expect(of('state').at(-1)?.to).toBe('CLOSED')
  })

  test('who stops listening is forgotten, and who waits is told of the end', async () => {
    const [endpoint] = connected()
    later(100)
    const events = endpoint.events()
    const next = events.next()
    await events.return()
    expect(await next).toEqual({ done: true, value: undefined })
    expect(await events.next()).toEqual({ done: true, value: undefined })
    expect(client.core.observer.isDetailed).toBe(false)
    endpoint.abort()
    later(1)
    expect(await endpoint.events().next()).toEqual({ done: true, value: undefined })
  })
})

test('every cause has its words, and a section unless no RFC asks for it', () => {
  const names: CauseName[] = ['newData', 'rack', 'timeout', 'windowProbe', 'keepAlive', 'delayedAck', 'windowUpdate']
  for (const name of names) {
    const { text, section, explanation } = describeCause(name)
    expect([text, section, explanation].every((words) => words.length > 3)).toBe(true)
    expect(section).toMatch(/^RFC \d+ §/)
  }
})
