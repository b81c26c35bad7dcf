// A path that takes half a second longer all at once: many connections are in the middle of their transfers. None sends more than one
// segment again for it, and each takes back what that timeout did.
import { expect, it } from 'vitest'
import { Count } from '../../src/core/observer.ts'
import { simulate } from '../../src/simulate/network.ts'

const CONNECTIONS = 20

it.each(['cubic', 'reno', 'bbr'] as const)(
  'brings about one needless retransmission a connection at most: %s',
  (congestion) => {
    const network = simulate({ seed: 14 })
    const client = network.host('client', { tcp: { congestion } })
    const server = network.host('server', { tcp: { congestion } })
    const link = network.link(client, server, { forward: { delay: 10 }, backward: { delay: 10 } })
    const listener = server.stack.listen({ port: 80 })
    listener.onConnection = (endpoint) => {
      endpoint.onReadable = () => {
        while (endpoint.read() !== null);
      }
    }
    const bytes = new Uint8Array(1000)
    const endpoints = Array.from({ length: CONNECTIONS }, () => {
      const endpoint = client.stack.connect({ address: server.addresses[0], port: 80 })
      // Always something new to send, and never more than cwnd lets go.
      const write = () => {
        endpoint.send(bytes)
        network.after(5, write)
      }
      endpoint.onOpen = write
      return endpoint
    })
    network.advance(1000)
    const { counters } = client.stack.core.observer
    expect(counters.get(Count.tcpRetransmitted)).toBe(0)
    link.impair({ forward: { delay: 510 } })
    network.advance(3000)
    for (const { connection } of endpoints) expect(connection.totalRetransmissions).toBeLessThanOrEqual(1)
    const timeouts = counters.get(Count.tcpTimeouts)
    expect(timeouts).toBeGreaterThan(0)
    expect(counters.get(Count.tcpTimeoutsUndone)).toBe(timeouts)
  },
)
