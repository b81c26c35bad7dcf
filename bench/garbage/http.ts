// HTTP's garbage: octets of heap for a request and its response, by the tiny server over TCP and a link in memory, the client's end with it.
import { HttpResponse } from '../../src/http/response.ts'
import { createHttpServer } from '../../src/http/server.ts'
import { memory } from '../../src/link/memory.ts'
import { createStack, type PortableStack } from '../../src/runtime/create-stack.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import { VirtualClock } from '../../src/simulate/clock.ts'
import { SeededRandom } from '../../src/simulate/random.ts'
import { WHOLE } from '../support/transfer.ts'
import type { GarbageCall, GarbageClaim } from './claim.ts'

const BELOW = 1024
const CONNECTIONS = 64
const BODY = new Uint8Array(612).fill(120)
const REQUEST = new Uint8Array([...'GET / HTTP/1.1\r\nHost: 10.7.0.2\r\n\r\n'].map((letter) => letter.charCodeAt(0)))

export const http: GarbageClaim[] = [
  {
    name: 'HTTP: a request and its response of 612 octets, both ends',
    below: BELOW,
    prepare: () => requests(CONNECTIONS),
  },
]

/** Each connection asks once in each call, as a crowd of clients does, and has its answer before the call is over. */
export function requests(connections: number): GarbageCall {
  const clock = new VirtualClock()
  const stack = (seed: number): PortableStack => {
    const random = new SeededRandom(seed)
    return createStack({ environment: { clock, random, alarm: (callback) => clock.alarm(callback) } })
  }
  const [one, other] = memory({ offload: WHOLE })
  const [client, server] = [stack(1), stack(2)]
  client.addInterface({ link: one, addresses: ['10.7.0.1/24'] })
  server.addInterface({ link: other, addresses: ['10.7.0.2/24'] })
  const response = new HttpResponse(BODY, { headers: { 'Content-Type': 'text/plain' } })
  createHttpServer(() => response).listen(server, { backlog: connections })
  const endpoints: Endpoint[] = []
  let received = 0
  const take = (_octets: Uint8Array, _start: number, length: number) => {
    received += length
    return length
  }
  for (let count = 0; count < connections; count++) {
    const endpoint = client.connect({ address: '10.7.0.2', port: 80 })
    endpoint.onReadable = () => endpoint.look(take)
    endpoints.push(endpoint)
  }
  clock.advance(clock.now() + 1_000)
  // The first answer tells how long they are.
  endpoints[0].send(REQUEST)
  clock.advance(clock.now() + 10)
  const [answer, whole] = [received, received * connections]
  let answered = 0
  const call = () => {
    received = 0
    for (const endpoint of endpoints) endpoint.send(REQUEST)
    while (received < whole && clock.step());
    answered += received / answer
  }
  return { packets: connections, call, handled: () => answered }
}
