// A server for iperf3 over TCP and UDP, forward, reverse and both at once, with several streams: `iperf3 -c`. One test at a time, as
// iperf3's own server; a test is iperf3-test.ts.
import type { PortableStack } from '../runtime/create-stack.ts'
import type { Endpoint } from '../runtime/endpoint.ts'
import type { ListenEndpoint } from '../runtime/listen-endpoint.ts'
import { Iperf3Test, MOST_STREAMS, PATIENCE, type TestHost } from './iperf3-test.ts'

export const IPERF3_PORT = 5201

const COOKIE = 37
const BLOCK = 131_072
const DENIED = 0xff

/** Answers iperf3 clients until it is closed. */
export class Iperf3Server implements TestHost {
  readonly stack: PortableStack
  readonly port: number
  readonly block = new Uint8Array(BLOCK)
  readonly #listener: ListenEndpoint
  readonly #newcomers = new Set<Endpoint>()
  #test: Iperf3Test | null = null

  constructor(stack: PortableStack, port = IPERF3_PORT) {
    this.stack = stack
    this.port = port
    for (let at = 0; at < BLOCK; at++) this.block[at] = at
    this.#listener = stack.listen({ port, name: 'iperf3' })
    this.#listener.onConnection = (endpoint) => this.#admit(endpoint)
  }

  ended(): void {
    this.#test = null
  }

  close(): void {
    this.#listener.close()
    for (const endpoint of this.#newcomers) endpoint.abort()
    this.#test?.end()
  }

  /** Nobody is anybody before its cookie is whole. */
  #admit(endpoint: Endpoint): void {
    if (this.#newcomers.size >= MOST_STREAMS) {
      endpoint.abort()
      return
    }
    this.#newcomers.add(endpoint)
    const cancel = this.stack.driver.time.after(PATIENCE, () => endpoint.abort())
    const leave = () => {
      cancel()
      this.#newcomers.delete(endpoint)
    }
    endpoint.onClose = leave
    endpoint.onReadable = () => {
      if (endpoint.readable < COOKIE) {
        if (endpoint.isAtEnd) endpoint.abort()
        return
      }
      leave()
      const bytes = new Uint8Array(COOKIE)
      endpoint.readInto(bytes)
      this.#receive(endpoint, String.fromCharCode(...bytes))
    }
  }

  #receive(endpoint: Endpoint, cookie: string): void {
    if (this.#test === null) this.#test = new Iperf3Test(endpoint, cookie, this)
    else if (!this.#test.takes(endpoint, cookie)) {
      endpoint.send(Uint8Array.of(DENIED))
      endpoint.finish()
      endpoint.close()
    }
  }
}
