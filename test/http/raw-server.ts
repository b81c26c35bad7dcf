// A client and, at the other end of a link in virtual time, a server that says whatever octets it is told to.
import { createHttpClient, type HttpClient, type HttpClientOptions } from '../../src/http/client.ts'
import type { ClientResponse } from '../../src/http/client-response.ts'
import type { Endpoint } from '../../src/runtime/endpoint.ts'
import { type Network, simulate } from '../../src/simulate/network.ts'

type Host = ReturnType<Network['host']>
type Script = (endpoint: Endpoint, heard: string, connection: number) => void

export const octets = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))

export const ok = (fields: string, body = '') => `HTTP/1.1 200 OK\r\n${fields}\r\n${body}`

/** Says this to each head, and then finishes where told so. */
export function says(text: string, thenEnds = false): Script {
  return (endpoint) => {
    endpoint.send(octets(text))
    if (thenEnds) endpoint.finish()
  }
}

export async function read(response: ClientResponse): Promise<string> {
  return `${response.status} ${await response.text()}`
}

/** What its connections hear is kept, and the script says what is answered to each head. */
export class Raw {
  readonly heard: string[] = []
  readonly endpoints: Endpoint[] = []

  constructor(host: Host, script: Script, port = 80) {
    host.stack.listen({ port }).onConnection = (endpoint) => {
      const connection = this.endpoints.push(endpoint) - 1
      this.heard.push('')
      endpoint.onReadable = () => {
        for (let piece = endpoint.read(); piece !== null; piece = endpoint.read()) {
          this.heard[connection] += String.fromCharCode(...piece)
        }
        if (endpoint.isAtEnd) endpoint.finish()
        else if (this.heard[connection].endsWith('\r\n\r\n')) script(endpoint, this.heard[connection], connection)
      }
    }
  }
}

export class Pair {
  readonly network = simulate({ seed: 11 })
  readonly server: Host
  readonly client: Host
  readonly link: ReturnType<Network['link']>

  constructor() {
    this.server = this.network.host('server', ['10.0.0.1', 'fd00::1'])
    this.client = this.network.host('client', ['10.0.0.2', 'fd00::2'])
    this.link = this.network.link(this.server, this.client, { delay: 1 })
  }

  raw(script: Script, port?: number): Raw {
    return new Raw(this.server, script, port)
  }

  http(options?: HttpClientOptions): HttpClient {
    return createHttpClient(this.client.stack, options)
  }

  run<Result>(scenario: () => Promise<Result>): Promise<Result> {
    return this.network.run(scenario)
  }

  /** For who waits within a scenario. */
  pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.client.stack.driver.time.after(milliseconds, resolve))
  }

  later(milliseconds: number): void {
    this.network.advance(this.network.now() + milliseconds)
  }

  get connectionCount(): number {
    return this.client.stack.core.tcp.connectionCount
  }
}
