// What follows a window probe (RFC 9293 §3.8.6.1): the probe's octet stands beyond the peer's window, and an acknowledgment or a
// reset that stood behind it would be refused by the peer. Two hosts in virtual time that write and do not read.
import { beforeEach, expect, test } from 'vitest'
import type { Endpoint } from '../../../src/runtime/endpoint.ts'
import { simulate } from '../../../src/simulate/network.ts'

const OCTETS = 2 << 20
const data = Uint8Array.from({ length: OCTETS }, (_, at) => (at * 7) ^ (at >>> 8))

let network: ReturnType<typeof simulate>
let ends: Endpoint[]
let received: Uint8Array[]

const later = (milliseconds: number) => network.advance(network.now() + milliseconds)

/** Each end writes until nobody takes more, so that both windows are closed and both probe. */
beforeEach(() => {
  network = simulate({ seed: 8 })
  const [server, client] = [network.host('server', ['10.0.0.1']), network.host('client', ['10.0.0.2'])]
  network.link(server, client, { delay: 5 })
  const listener = server.stack.listen({ port: 80 })
  ends = [client.stack.connect({ address: '10.0.0.1', port: 80 })]
  listener.onConnection = (endpoint) => ends.push(endpoint)
  later(100)
  received = ends.map(() => new Uint8Array(0))
  for (const end of ends) {
    let sent = 0
    const send = () => {
      sent += end.send(data, sent)
    }
    end.onWritable = send
    send()
  }
  later(10_000)
  expect(ends.map(({ connection }) => connection.sndWnd)).toEqual([0, 0])
})

function read(at: number): void {
  const end = ends[at]
  const take = () => {
    for (let octets = end.read(); octets !== null; octets = end.read()) {
      received[at] = Buffer.concat([received[at], octets])
    }
  }
  end.onReadable = take
  take()
}

test('both ends hear each other again when both read', () => {
  read(0)
  read(1)
  later(10_000)
  expect(received.map((octets) => Buffer.compare(octets, data))).toEqual([0, 0])
})

test('what one end reads the other can send, whether that one reads or not', () => {
  read(0)
  later(10_000)
  expect(Buffer.compare(received[0], data)).toBe(0)
  expect(received[1].length).toBe(0)
})

test('a reset is believed', () => {
  let reason = ''
  ends[1].onClose = (why) => {
    reason = why
  }
  ends[0].abort()
  later(100)
  expect(reason).toBe('reset')
})
