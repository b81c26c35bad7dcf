// A stack whose buffers hold all that they may: connections that forward what they read must go on, if slowly, since nobody else
// would free the memory that they hold. An echo server with little memory, in virtual time.
import { expect, test } from 'vitest'
import type { Endpoint } from '../../../src/runtime/endpoint.ts'
import { echoStream } from '../../../src/services/echo.ts'
import { simulate } from '../../../src/simulate/network.ts'

const OCTETS = 500_000
const MEMORY = 300_000
const CLIENTS = 8
const data = Uint8Array.from({ length: OCTETS }, (_, at) => (at * 7) ^ (at >>> 8))

class Client {
  readonly received = new Uint8Array(OCTETS)
  count = 0
  isReading: boolean
  closed = ''
  readonly #endpoint: Endpoint
  #sent = 0

  constructor(endpoint: Endpoint, isReading: boolean) {
    this.#endpoint = endpoint
    this.isReading = isReading
    endpoint.onOpen = () => this.#send()
    endpoint.onWritable = () => this.#send()
    endpoint.onReadable = () => this.read()
    endpoint.onClose = (reason) => {
      this.closed = reason
    }
  }

  read(): void {
    if (this.isReading) this.count += this.#endpoint.readInto(this.received, this.count)
  }

  #send(): void {
    this.#sent += this.#endpoint.send(data, this.#sent)
    if (this.#sent === OCTETS) this.#endpoint.finish()
  }
}

test.each([
  ['who all read at once', true],
  ['of whom half read later', false],
])('an echo server without memory serves all its clients, %s', (_, isReading) => {
  const network = simulate({ seed: 9 })
  const tcp = { memoryPressure: MEMORY / 2, memoryMost: MEMORY }
  const server = network.host('server', { addresses: ['10.0.0.1'], tcp })
  const client = network.host('client', ['10.0.0.2'])
  network.link(server, client, { delay: 2 })
  server.stack.listen({ port: 7 }).onConnection = echoStream
  const clients = Array.from({ length: CLIENTS }, (_, at) => {
    return new Client(client.stack.connect({ address: '10.0.0.1', port: 7 }), isReading || at % 2 === 0)
  })
  const { slabs } = server.stack.core.tcp.shared
  let most = 0
  for (let tenths = 0; tenths < 3_000 && clients.some(({ closed }) => closed === ''); tenths++) {
    network.advance(network.now() + 100)
    most = Math.max(most, slabs.held)
    if (tenths !== 200) continue
    for (const one of clients) {
      one.isReading = true
      one.read()
    }
  }
  expect(most).toBeGreaterThan(MEMORY)
  expect(most).toBeLessThan(MEMORY + CLIENTS * 65_536)
  expect(clients.map(({ closed, received }) => [closed, Buffer.compare(received, data)])).toEqual(
    clients.map(() => ['none', 0]),
  )
  expect(slabs.held).toBe(0)
})
