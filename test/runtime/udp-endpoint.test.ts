// A UDP endpoint among strangers: what a peer's packet says may go unanswered, and throws nothing at who answers it.
import { expect, test } from 'vitest'
import { PacketBatch } from '../../src/core/batch.ts'
import { simulate } from '../../src/simulate/network.ts'
import { put, udpPacket } from '../support/packets.ts'

test.each([
  ['a stranger to whom no route leads', { from: '192.0.2.1', to: '10.0.0.1' }, false],
  ['an IPv6 stranger to whom no route leads', { from: '2001:db8::1', to: 'fd00::1' }, false],
  ['a neighbour', { from: '10.0.0.2', to: '10.0.0.1' }, true],
])('a reply to %s', (_, addresses, answered) => {
  const network = simulate({ seed: 5 })
  const [server, client] = [network.host('server', ['10.0.0.1', 'fd00::1']), network.host('client', ['10.0.0.2'])]
  network.link(server, client)
  const endpoint = server.stack.openUdp({ ipv6: true })
  endpoint.bind(7)
  const replies: boolean[] = []
  endpoint.onReadable = () => {
    for (let one = endpoint.receive(); one !== null; one = endpoint.receive())
      replies.push(endpoint.reply(one, one, one.offset, one.length))
  }
  const batch = new PacketBatch()
  batch.interface = 1
  put(batch, udpPacket([1, 2, 3], addresses))
  server.stack.core.receive(batch, network.now())
  server.stack.driver.request()
  network.advance(network.now() + 100)
  expect(replies).toEqual([answered])
  network.close()
})

test('a broadcast is answered from an address of ours', () => {
  const network = simulate({ seed: 5 })
  const [server, client] = [network.host('server', ['10.0.0.1/24']), network.host('client', ['10.0.0.2/24'])]
  network.link(server, client)
  const [asked, asking] = [server.stack.openUdp(), client.stack.openUdp()]
  asked.bind(7)
  asked.onReadable = () => {
    const one = asked.receive()
    if (one !== null) asked.reply(one, one, one.offset, one.length)
  }
  const sources: string[] = []
  asking.onReadable = () => sources.push(`${asking.receive()?.source}`)
  asking.socket.mayBroadcast = true
  asking.send(Uint8Array.of(1), '10.0.0.255', 7)
  network.advance(network.now() + 100)
  expect(sources).toEqual(['10.0.0.1'])
  network.close()
})
