// The sockets of a stack as rows, in each state that can be looked at, and the counters by the names of netstat.
import { beforeEach, describe, expect, test } from 'vitest'
import { Count, Drop } from '../../src/core/observer.ts'
import { connections, type SocketView } from '../../src/inspect/connections.ts'
import { netstatCounters } from '../../src/inspect/netstat-counters.ts'
import type { PortableStack } from '../../src/runtime/create-stack.ts'
import { simulate } from '../../src/simulate/network.ts'

let network: ReturnType<typeof simulate>
let link: ReturnType<typeof network.link>
let server: PortableStack
let client: PortableStack

beforeEach(() => {
  network = simulate({ seed: 9 })
  const one = network.host('server', ['10.0.0.1', 'fd00::1'])
  const other = network.host('client', ['10.0.0.2', 'fd00::2'])
  link = network.link(one, other, { delay: 10 })
  server = one.stack
  client = other.stack
})

const later = (milliseconds: number) => network.advance(network.now() + milliseconds)
const brief = ({ state, localAddress, localPort, remoteAddress, owner }: SocketView) =>
  [state, `${localAddress} ${localPort}`, remoteAddress, owner] as const

describe('connections', () => {
  test('a stack of its own has none', () => {
    expect(connections(server)).toEqual([])
  })

  test('listeners: everybody’s, loopback’s, and who waits there', () => {
    server.listen({ port: 80, name: 'http', backlog: 5 })
    server.listen({ port: 81, address: '127.0.0.1' })
    server.listen({ port: 82, address: '0.0.0.0' })
    client.connect({ address: '10.0.0.1', port: 80 })
    later(100)
    const listeners = connections(server).filter(({ state }) => state === 'LISTEN')
    expect(listeners.map(brief)).toEqual([
      ['LISTEN', ':: 80', null, 'http'],
      ['LISTEN', '127.0.0.1 81', null, null],
      ['LISTEN', '0.0.0.0 82', null, null],
    ])
    expect(listeners[0]).toMatchObject({ protocol: 'tcp', family: 'IPv6', receiveQueue: 1, sendQueue: 5, timer: null })
  })

  test('a connection through its life, seen from both ends', () => {
    const states = () => [server, client].map((stack) => connections(stack).find(({ remotePort }) => remotePort > 0))
    const shown = () => states().map((socket) => socket?.state)
    const listener = server.listen({ port: 80, name: 'http' })
    const endpoint = client.connect({ address: '10.0.0.1', port: 80 })
    later(5)
    expect(shown()).toEqual([undefined, 'SYN-SENT'])
    expect(states()[1]?.timer).toMatchObject({ name: 'on', retransmits: 0 })
    later(10)
    expect(shown()).toEqual(['SYN-RECEIVED', 'SYN-SENT'])
    later(10)
    expect(shown()[1]).toBe('ESTABLISHED')
    later(10)
    expect(states()[0] && brief(states()[0] as SocketView)).toEqual(['ESTABLISHED', '10.0.0.1 80', '10.0.0.2', 'http'])
    endpoint.send(new Uint8Array(700))
    later(5)
    expect(states()[1]).toMatchObject({ sendQueue: 700, receiveQueue: 0 })
    later(15)
    expect(states()[0]).toMatchObject({ sendQueue: 0, receiveQueue: 700 })
    endpoint.finish()
    later(5)
    expect(shown()[1]).toBe('FIN-WAIT-1')
    later(100)
    expect(shown()).toEqual(['CLOSE-WAIT', 'FIN-WAIT-2'])
    const other = listener.accept()
    other?.look((_, __, length) => length)
    other?.finish()
    later(5)
    expect(shown()[0]).toBe('LAST-ACK')
    later(100)
    expect(shown()).toEqual([undefined, 'TIME-WAIT'])
    expect(states()[1]?.timer).toMatchObject({ name: 'timewait' })
    expect(Math.round((states()[1]?.timer?.in ?? 0) / 1000)).toBe(60)
  })

  test('what TCP knows of a connection, only when asked for', () => {
    server.listen({ port: 80 })
    client.connect({ address: 'fd00::1', port: 80 })
    later(100)
    expect(connections(client)[0].info).toBeNull()
    const [{ info, family }] = connections(client, { info: true })
    expect(family).toBe('IPv6')
    expect(info).toMatchObject({ congestionControl: 'cubic', pathMtu: 1500, sendMss: 1428 })
    expect(Math.round((info?.rtt ?? 0) / 1000)).toBe(20)
  })

  test('a timer of what waits longest, by netstat’s names', () => {
    server.listen({ port: 80 })
    const endpoint = client.connect({ address: '10.0.0.1', port: 80 })
    later(100)
    endpoint.setKeepAlive(true, 30_000)
    expect(connections(client)[0].timer).toMatchObject({ name: 'keepalive' })
    link.partition()
    endpoint.send(new Uint8Array(10))
    later(3000)
    const { timer } = connections(client)[0]
    expect(timer?.name).toBe('on')
    expect(timer?.retransmits).toBeGreaterThan(0)
  })

  test('UDP: bound, connected, and what waits to be read', () => {
    const bound = server.openUdp({ ipv6: true })
    bound.name = 'dns'
    bound.bind(53)
    const connected = client.openUdp()
    connected.connect('10.0.0.1', 53)
    connected.send(new Uint8Array(100))
    server.openUdp()
    later(100)
    expect(connections(server).map(brief)).toEqual([['UNCONNECTED', ':: 53', null, 'dns']])
    expect(connections(server)[0].receiveQueue).toBe(100)
    expect(connections(client)[0]).toMatchObject({ state: 'ESTABLISHED', remoteAddress: '10.0.0.1', remotePort: 53 })
  })
})

describe('netstatCounters', () => {
  test('what SNMP has a name for stands under it', () => {
    server.listen({ port: 80 })
    client.connect({ address: '10.0.0.1', port: 80 })
    client.connect({ address: '10.0.0.1', port: 81 })
    later(100)
    const { Tcp, Ip } = netstatCounters(server)
    expect(Tcp).toMatchObject({ PassiveOpens: 1, CurrEstab: 1, OutRsts: 1, InSegs: 3, RetransSegs: 0 })
    expect(Ip.InReceives).toBe(3)
    expect(netstatCounters(client).Tcp).toMatchObject({ ActiveOpens: 2, AttemptFails: 1 })
  })

  test('no counter and no reason of a drop is left out', () => {
    const { values, drops } = server.core.observer.counters
    const total = () => Object.values(netstatCounters(server)).flatMap((group) => Object.values(group))
    for (const row of Object.values(Count)) {
      const before = total()
      values[row]++
      expect(total(), `count ${row}`).not.toEqual(before)
    }
    for (const row of Object.values(Drop)) {
      const before = total()
      drops[row]++
      expect(total(), `drop ${row}`).not.toEqual(before)
    }
  })
})
