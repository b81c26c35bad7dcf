// A client with a retry policy and a server that takes orders, on endpoints: what the tests and the claims of the test kit run over seeds.
// The client sends each order, waits a second for its answer, and tries again on a new connection. The server writes an order to its disk,
// which survives a crash, and then answers. `isIdempotent` is whether it looks first if it has that order already.
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import { faults } from '../../src/simulate/faults.ts'
import type { Host } from '../../src/simulate/host.ts'
import type { Network } from '../../src/simulate/network.ts'

const PORT = 8080
/** Milliseconds that the client waits for an answer, and then until it tries again. */
const PATIENCE = 1000
const BACKOFF = 250
const ATTEMPTS = 200

export const CRASHES = [faults.crash('server', { for: [50, 3000] })]

/** Whatever may happen to the two that doesn't keep them from being done. */
export const EVERYTHING = [
  ...CRASHES,
  faults.partition('client', 'server', { for: [50, 3000] }),
  faults.partition('client', 'server', { for: [50, 3000], direction: 'backward' }),
  faults.pause('server', { for: [50, 2000] }),
  faults.pause('client', { for: [50, 2000], what: 'machine' }),
  faults.impair('client', 'server', { loss: 0.3, delay: 80 }, { for: [500, 5000] }),
  faults.fullListenQueue('server', { for: [500, 3000] }),
]

export interface Orders {
  /** Orders as the server's disk has them, in their order. */
  readonly disk: number[]
  /** How often the client has tried. */
  readonly attempts: number
}

/** Puts so many orders through, on hosts 'client' and 'server' over one link, and says what has come of it. */
export async function order(network: Network, orders: number, isIdempotent: boolean): Promise<Orders> {
  const [client, server] = [network.host('client'), network.host('server')]
  network.link(client, server, { delay: 20, jitter: 4, loss: 0.01 })
  const disk: number[] = []
  server.start((host) => serve(host, disk, isIdempotent))
  return network.run(async () => {
    let attempts = 0
    for (let number = 1; number <= orders; number++) {
      while (!(await attempt(client, server.address, number))) {
        if (++attempts > ATTEMPTS) throw new Error('the client gives up')
        await pause(client, BACKOFF)
      }
      attempts++
      await pause(client, 300)
    }
    return { disk, attempts }
  })
}

/** Throws where an order is missing, or stands there twice. */
export function expectEachOnce({ disk }: Orders, orders: number): void {
  for (let number = 1; number <= orders; number++) {
    const times = disk.filter((one) => one === number).length
    if (times !== 1) throw new Error(`order ${number} was taken ${times} times`)
  }
}

function serve(host: Host, disk: number[], isIdempotent: boolean): void {
  host.stack.listen({ port: PORT }).onConnection = (endpoint) => {
    endpoint.onReadable = () => {
      const bytes = endpoint.read()
      if (bytes !== null) {
        const number = bytes[0]
        // The disk takes its time, and the answer comes after it.
        host.time.after(5, () => {
          if (!(isIdempotent && disk.includes(number))) disk.push(number)
          host.time.after(5, () => endpoint.send(Uint8Array.of(number)))
        })
      } else if (endpoint.isAtEnd) endpoint.close()
    }
  }
}

/** Whether the answer came in time. */
function attempt(client: Host, address: string, number: number): Promise<boolean> {
  return new Promise((resolve) => {
    const endpoint: Endpoint = client.stack.connect({ address, port: PORT })
    const done = (isAnswered: boolean) => {
      cancel()
      endpoint.onClose = null
      if (isAnswered) endpoint.close()
      else endpoint.abort()
      resolve(isAnswered)
    }
    const cancel = client.time.after(PATIENCE, () => done(false))
    endpoint.onOpen = () => endpoint.send(Uint8Array.of(number))
    endpoint.onReadable = () => done(endpoint.read() !== null)
    endpoint.onClose = () => done(false)
  })
}

function pause(host: Host, milliseconds: number): Promise<void> {
  return new Promise((resolve) => host.time.after(milliseconds, resolve))
}
